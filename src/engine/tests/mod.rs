//! Whole runs in process: real SQLite in a temporary folder, a clock that a test moves, servers on 127.0.0.1:0.

mod alerts;
mod approvals;
mod before;
mod budget;
mod calendars;
mod commands;
mod commits;
mod den;
mod flow;
mod lives;
mod on_time;
mod prompt;
mod prompt_failures;
mod prompt_text;
mod pulse;
mod queue;
mod reminders;
mod secrets;
pub(super) mod simulation;
mod warm;
mod watches;
mod web;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{Deliver, Engine, EngineError, Finished, Loaded, Patience, Progress};
use crate::clock::{Clock, TestClock};
use crate::config::diagnostic::Source;
use crate::config::folder::{Folder, Texts};
use crate::config::{Config, Job};
use crate::job::{CursorKey, Event, Outcome, RunId, TriggerKind};
use crate::store::lock::ProcessLock;
use crate::store::{Mode, RunStory, Store};
use crate::zone::Tz;

/// One job in a folder of its own, and a process that can run it. It is Friday 20 November 2026, 07:00 in Madrid.
struct Home {
    folder: TempDir,
    clock: Arc<TestClock>,
    engine: Engine,
    job: Arc<Job>,
    /// The process lives as long as it holds this.
    lock: Option<ProcessLock>,
}

/// Tells a test that something was heard, so that it goes on.
async fn heard(signals: &mut mpsc::UnboundedReceiver<String>, beginning: &str) -> String {
    loop {
        let line = signals.recv().await.expect("the run goes on");
        if line.starts_with(beginning) {
            return line;
        }
    }
}

/// The job's name.
const JOB: &str = "story";

const ZONE: &str = "[defaults]\ntimezone = \"Europe/Madrid\"\n";

impl Home {
    /// A home with a job that needs no configuration.
    fn with(job: &str) -> Self {
        Home::new(tempfile::tempdir().unwrap(), "", job, &[])
    }

    fn new(folder: TempDir, settings: &str, job: &str, prompts: &[(&str, &str)]) -> Self {
        let clock = Arc::new(TestClock::at(seven()));
        Home::on(folder, clock.clone(), clock, settings, job, prompts)
    }

    /// A home whose engine has another clock than the test.
    fn on(
        folder: TempDir,
        clock: Arc<TestClock>,
        engines: Arc<dyn Clock>,
        settings: &str,
        job: &str,
        prompts: &[(&str, &str)],
    ) -> Self {
        let config = resolve(&format!("{ZONE}{settings}"), job, prompts);
        let state = folder.path().join("state");
        let lock = ProcessLock::acquire(&state, clock.id()).unwrap();
        let place = Folder::Disk(folder.path().to_owned());
        let job = Arc::clone(&config.jobs[JOB]);
        let engine = Engine {
            store: Store::open(&state, clock.clone(), Mode::Threaded)
                .unwrap()
                .store,
            clock: engines,
            loaded: Arc::new(Loaded::new(place, config).0),
            lock: lock.name().to_owned(),
            patience: Patience::None,
            alerts: None,
            servers: Arc::default(),
            commands: Arc::default(),
            state,
        };
        Home {
            folder,
            clock,
            engine,
            job,
            lock: Some(lock),
        }
    }

    /// The same folder with another job or configuration, as after an edit and a restart.
    fn again(self, settings: &str, job: &str, prompts: &[(&str, &str)]) -> Self {
        let Home {
            folder,
            engine,
            clock,
            lock,
            ..
        } = self;
        drop((engine, lock));
        Home::on(folder, clock.clone(), clock, settings, job, prompts)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn run(&self) -> Ran {
        self.run_as(by_hand(json!({})), Deliver::Send).await
    }

    async fn run_as(&self, event: Event, deliver: Deliver) -> Ran {
        let mut shown = Vec::new();
        let mut hear = |line| shown.push(line);
        let finished = self.follow(event, deliver, &mut hear).await.unwrap();
        Ran { finished, shown }
    }

    /// Runs the job, telling `hear` each thing that an observer hears.
    async fn follow(
        &self,
        mut event: Event,
        deliver: Deliver,
        hear: &mut (dyn FnMut(String) + Send),
    ) -> Result<Finished, EngineError> {
        let mut observer = |progress: Progress<'_>| hear(line(&progress));
        event.id = self.clock.id();
        let run = self
            .engine
            .run(&self.job, event, Vec::new(), deliver, &mut observer);
        run.await.map(|ended| ended.expect("it asks nobody"))
    }

    fn story(&self, run: RunId) -> RunStory {
        let story = self.engine.store.read_now(|reader| reader.run(run));
        story.unwrap().expect("the run is kept")
    }

    /// The positions that the step `step` of the job remembers.
    fn positions(&self, step: &str) -> Vec<(String, Value)> {
        let read = |reader: &crate::store::Reader<'_>| reader.cursors(JOB, step, "");
        self.engine.store.read_now(read).unwrap()
    }

    /// What is kept under the name of a calendar.
    fn kept(&self, calendar: &str, name: &str) -> (CursorKey, Option<Value>) {
        let key = CursorKey {
            owner: format!("calendar:{calendar}"),
            step: String::new(),
            name: name.to_owned(),
        };
        let value = self.engine.store.read_now(|reader| reader.cursor(&key));
        (key, value.unwrap())
    }

    /// Everything that lies in the state folder, as one text.
    fn written(&self) -> String {
        self.engine.store.tidy().unwrap();
        let mut all = String::new();
        let mut folders = vec![self.engine.state.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
                }
            }
        }
        all
    }
}

/// A run that came to its end, and what was heard meanwhile.
#[derive(Debug)]
struct Ran {
    finished: Finished,
    shown: Vec<String>,
}

impl Ran {
    /// The messages for the terminal.
    fn said(&self) -> Vec<&str> {
        let lines = self.shown.iter();
        lines
            .filter_map(|line| line.strip_prefix("says: "))
            .collect()
    }

    fn failure(&self) -> &str {
        match &self.finished.outcome {
            Outcome::Failed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn line(progress: &Progress<'_>) -> String {
    match progress {
        Progress::Accepted(run) => format!("accepted {run}"),
        Progress::Begins { step, .. } => format!("begins {step}"),
        Progress::Ended { step, end, .. } => format!("ended {step}: {end:?}"),
        Progress::Again { step, reason, wait } => format!("again {step} in {wait:?}: {reason}"),
        Progress::Says { text, .. } => format!("grows: {text}"),
        Progress::Plain { step, .. } => format!("plain {step}"),
        Progress::Asks { asks, .. } => format!("asks: {asks}"),
        Progress::Message(message) => format!("says: {}", message.text),
        Progress::Finished(outcome) => format!("finished: {outcome:?}"),
    }
}

fn resolve(settings: &str, job: &str, prompts: &[(&str, &str)]) -> Config {
    let prompts = prompts
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Source::new(*name, *text)));
    let texts = Texts {
        settings: Some(Source::new("config/reveille.toml", settings)),
        jobs: BTreeMap::from([(JOB.to_owned(), Source::new("jobs/story.toml", job))]),
        prompts: prompts.collect(),
        unreadable: Vec::new(),
        stamp: crate::config::stamp::Stamp::default(),
    };
    let config = Config::resolve(texts, Tz::UTC);
    assert_eq!(config.problems, []);
    config
}

fn by_hand(args: Value) -> Event {
    Event {
        id: uuid::Uuid::nil(),
        job: JOB.to_owned(),
        kind: TriggerKind::Hand,
        dedupe_key: None,
        payload: json!({ "args": args, "stdin": "" }),
        at: seven(),
    }
}

fn seven() -> DateTime<chrono::Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}
