//! Stories of clocks, step by step: a store without threads, a clock that the test moves, no daemon around it.

mod absence;
mod chance;
mod clocks;
mod crowd;
mod edits;
mod run;
mod trust;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use super::Timetable;
use crate::clock::{Clock, TestClock};
use crate::config::Config;
use crate::config::diagnostic::Source;
use crate::config::folder::{Folder, Texts};
use crate::engine::{Engine, Intake, Loaded, Outbox, Patience, Queue, aloud};
use crate::store::lock::ProcessLock;
use crate::store::{Filter, Mode, Store};
use crate::system::Machine;

/// A machine with one folder of jobs.
struct Pi {
    folder: TempDir,
    clock: Arc<TestClock>,
    engine: Engine,
    jobs: watch::Sender<Arc<Loaded>>,
    intake: Intake,
    table: Timetable,
    _lock: ProcessLock,
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn at(text: &str) -> DateTime<Utc> {
    let text = if text.len() == 16 {
        format!("{text}:00Z")
    } else {
        text.to_owned()
    };
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A job with one cron trigger.
fn cron(entry: &str, more: &str) -> String {
    format!("[[trigger]]\ncron = \"{entry}\"\n{more}\n[[step]]\nset.n = \"1\"\n")
}

impl Pi {
    /// A machine that is switched on at `now`, in Madrid.
    async fn on(now: &str, jobs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(at(now)));
        let state = folder.path().join("state");
        let lock = ProcessLock::acquire(&state, clock.id()).unwrap();
        let store = Store::open(&state, clock.clone(), Mode::Inline)
            .unwrap()
            .store;
        let loaded = loaded(folder.path().into(), jobs);
        let (jobs, latest) = watch::channel(Arc::clone(&loaded));
        let engine = Engine {
            store,
            clock: clock.clone(),
            loaded,
            lock: lock.name().to_owned(),
            alerts: None,
            servers: Arc::default(),
            commands: Arc::default(),
            patience: Patience::None,
            state,
        };
        let queue = Queue::new(
            engine.clone(),
            Outbox::new(engine.clone(), latest.clone(), aloud()),
            latest,
        );
        // Runs are written down and wait: these stories are about their slots.
        queue.stop();
        let intake = Intake::new(queue);
        let table = Timetable::new(&engine, intake.clone(), machine(&folder)).unwrap();
        let mut pi = Pi {
            folder,
            clock,
            engine,
            jobs,
            intake,
            table,
            _lock: lock,
        };
        pi.look().await;
        pi
    }

    /// One job, `x`.
    async fn with(now: &str, job: &str) -> Self {
        Pi::on(now, &[("x", job)]).await
    }

    async fn look(&mut self) -> Option<DateTime<Utc>> {
        self.table.tick().await.unwrap()
    }

    /// Lives for so many seconds, awake for each start.
    async fn live(&mut self, seconds: u64) {
        let end = self.clock.monotonic() + Duration::from_secs(seconds);
        loop {
            let next = self.look().await;
            let left = end - self.clock.monotonic();
            if left.is_zero() {
                return;
            }
            let next = next.map_or(Duration::from_secs(1), |next| {
                (next - self.clock.now()).to_std().unwrap_or_default()
            });
            self.clock.advance(next.min(left));
        }
    }

    /// Is off for so many seconds, and started again.
    async fn off(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.start().await;
    }

    /// Another life of the program.
    async fn start(&mut self) {
        let machine = machine(&self.folder);
        self.table = Timetable::new(&self.engine, self.intake.clone(), machine).unwrap();
        self.look().await;
    }

    /// The clock is set.
    async fn set(&mut self, now: &str) {
        self.clock.set_wall(at(now));
        self.look().await;
    }

    async fn edit(&mut self, jobs: &[(&str, &str)]) {
        self.jobs
            .send_replace(loaded(self.folder.path().into(), jobs));
        self.table.reload();
        self.look().await;
    }

    /// A file of the machine.
    fn file(&self, path: &str, text: &str) {
        let path = self.folder.path().join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The events of all runs, in their order.
    fn events(&self) -> Vec<Value> {
        let all = Filter {
            job: None,
            limit: 100_000,
            before: None,
        };
        let events = self.engine.store.read_now(|reader| {
            let runs = reader.history(&all)?;
            let events = runs.iter().rev().map(|row| {
                let story = reader.run(row.run)?.expect("it is kept");
                Ok(story.event.payload)
            });
            events.collect::<Result<Vec<_>, _>>()
        });
        events.unwrap()
    }

    /// When the runs' moments were due, as the clocks in Madrid show it.
    fn due(&self) -> Vec<String> {
        let events = self.events();
        let due = events
            .iter()
            .map(|event| event["due_at"].as_str().unwrap_or_default());
        due.map(|due| due.replace(":00+", "+").replace('T', " "))
            .collect()
    }

    /// The rows of slots: `from..until count state`.
    fn slots(&self) -> Vec<String> {
        let path = self.engine.state.join(crate::store::FILE);
        let database = rusqlite::Connection::open(path).unwrap();
        let mut rows = database
            .prepare("SELECT due_at, until, count, state, coalesce(reason, '') FROM slots ORDER BY job, trigger, due_at")
            .unwrap();
        let short = |micros: i64| {
            let time = DateTime::from_timestamp_micros(micros).unwrap();
            time.format("%m-%d %H:%M").to_string()
        };
        let rows = rows.query_map([], |row| {
            let (from, to) = (short(row.get(0)?), short(row.get(1)?));
            let (count, state): (i64, String) = (row.get(2)?, row.get(3)?);
            let reason: String = row.get(4)?;
            let why = reason.split('"').nth(3).unwrap_or_default();
            let span = if from == to {
                from
            } else {
                format!("{from}..{to}")
            };
            Ok(format!("{span} {count} {state} {why}")
                .trim_end()
                .to_owned())
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }
}

fn machine(folder: &TempDir) -> Machine {
    Machine::below(folder.path().join("root"))
}

fn loaded(folder: PathBuf, jobs: &[(&str, &str)]) -> Arc<Loaded> {
    let settings = "[defaults]\ntimezone = \"Europe/Madrid\"\n";
    let jobs = jobs.iter().map(|(name, text)| {
        let source = Source::new(format!("jobs/{name}.toml"), *text);
        ((*name).to_owned(), source)
    });
    let texts = Texts {
        settings: Some(Source::new("config/reveille.toml", settings)),
        jobs: jobs.collect::<BTreeMap<_, _>>(),
        prompts: BTreeMap::new(),
        unreadable: Vec::new(),
        stamp: crate::config::stamp::Stamp::default(),
    };
    let config = Config::resolve(texts, crate::zone::Tz::UTC);
    assert_eq!(config.problems, []);
    Arc::new(Loaded::new(Folder::Disk(folder), config).0)
}
