//! A daemon in process, with a life that a test can end at any moment.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use rustix::fs::{CWD, FileType, Mode as FileMode, mknodat};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::clock::{Clock, TestClock};
use crate::config::folder::Folder;
use crate::engine::{Alerts, Daemon, Engine, Finished, Found, Loaded, Patience, Reading, Taken};
use crate::engine::{Answer, ByHand, Deliver, Question, Word};
use crate::job::{Event, RunId, RunState, TriggerKind};
use crate::store::lock::ProcessLock;
use crate::store::{Delivery, Filter, Listing, Mode, Reader, RunRow, RunStory, Store, StoreError};

/// A folder with jobs, and the life of a daemon on it.
pub(super) struct Den {
    folder: TempDir,
    pub(super) clock: Arc<TestClock>,
    life: Option<Life>,
}

struct Life {
    runtime: Runtime,
    daemon: Arc<Daemon>,
    store: Store,
    _lock: ProcessLock,
}

impl Den {
    /// A daemon for these jobs (name and text), which lives.
    pub(super) fn new(settings: &str, jobs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["jobs", "config", "prompts"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut den = Den {
            folder,
            clock: Arc::new(TestClock::at(super::seven())),
            life: None,
        };
        fs::write(den.path("config/reveille.toml"), settings).unwrap();
        for (name, text) in jobs {
            den.write(name, text);
        }
        for run in 1..10 {
            let mode = FileMode::RUSR | FileMode::WUSR;
            mknodat(
                CWD,
                den.path(&format!("gate{run}")),
                FileType::Fifo,
                mode,
                0,
            )
            .unwrap();
        }
        den.live();
        den
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a job's file, without a word to the daemon.
    pub(super) fn write(&self, job: &str, text: &str) {
        let text = text.replace("FOLDER", &self.folder.path().display().to_string());
        fs::write(self.path(&format!("jobs/{job}.toml")), text).unwrap();
    }

    /// The daemon begins a life.
    pub(super) fn live(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let state = self.path("state");
        let lock = ProcessLock::acquire(&state, uuid::Uuid::now_v7()).unwrap();
        let store = Store::open(&state, self.clock.clone(), Mode::Threaded).unwrap();
        let store = store.store;
        let place = Folder::Disk(self.folder.path().to_owned());
        let found = Found::read(place, crate::zone::Tz::UTC).unwrap();
        let reading = Reading::first(found, crate::zone::Tz::UTC, &store).unwrap();
        let engine = Engine {
            clock: self.clock.clone(),
            loaded: Arc::new(reading.loaded),
            store: store.clone(),
            state,
            lock: lock.name().to_owned(),
            alerts: None,
            servers: Arc::default(),
            commands: Arc::default(),
            patience: Patience::Endless,
        };
        let daemon = runtime.block_on(async {
            store.remember(reading.remember).await.unwrap();
            let mut daemon = Daemon::start(engine).await.unwrap();
            let trusted = tokio::sync::watch::Sender::new(true);
            let verbs =
                std::sync::Arc::new(|_| -> futures_util::future::BoxFuture<'static, String> {
                    Box::pin(async { String::new() })
                });
            daemon.bring_events(verbs, &trusted.subscribe());
            daemon.alerts.folder(&reading.wrong, &reading.stale).await;
            daemon
        });
        self.life = Some(Life {
            runtime,
            daemon: Arc::new(daemon),
            store,
            _lock: lock,
        });
    }

    /// How many runs want a place back that they left for a while.
    pub(super) fn coming_back(&self) -> usize {
        self.life().daemon.queue.coming_back()
    }

    /// The daemon dies in the middle of whatever it does.
    pub(super) fn die(&mut self) {
        if let Some(life) = self.life.take() {
            life.runtime.shutdown_background();
        }
    }

    /// Takes the folder in again.
    pub(super) fn reload(&self) -> Vec<crate::engine::Stale> {
        let daemon = &self.life().daemon;
        let place = Folder::Disk(self.folder.path().to_owned());
        let before = daemon.intake.loaded();
        let reading = Reading::again(place, crate::zone::Tz::UTC, &before).unwrap();
        let reading = reading.expect("the configuration is right");
        daemon.reload(reading.loaded);
        self.block_on(daemon.alerts.folder(&reading.wrong, &reading.stale));
        reading.stale
    }

    /// Something happens to `job`; gives its run.
    pub(super) fn happens(&self, job: &str) -> RunId {
        let event = self.event(job, TriggerKind::Webhook);
        let taken = Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        };
        let taken = self.block_on(self.life().daemon.intake.take(taken));
        taken.unwrap().expect("the job is there").run()
    }

    /// A person of the chats says something to `job`; gives its run.
    pub(super) fn tells(&self, job: &str, payload: Value) -> RunId {
        let event = Event {
            payload,
            at: self.clock.now(),
            ..self.event(job, TriggerKind::Telegram)
        };
        let taken = Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        };
        let taken = self.block_on(self.life().daemon.intake.take(taken));
        taken.unwrap().expect("the job is there").run()
    }

    /// A look at the reminders beside that of the daemon itself; when it is over, what is due was brought.
    pub(super) fn reminds(&self) -> Option<DateTime<Utc>> {
        let daemon = &self.life().daemon;
        let (engine, loaded) = (&daemon.queue.engine, daemon.intake.loaded());
        let job = crate::config::teller(&loaded.jobs).expect("a job tells them");
        let look = crate::engine::reminders::look(engine, &daemon.intake, &loaded, job);
        let next = self.block_on(look).unwrap();
        self.emptied();
        next
    }

    /// A look at what comes before entries, likewise.
    pub(super) fn looks_ahead(&self) -> Option<DateTime<Utc>> {
        let daemon = &self.life().daemon;
        let engine = daemon.queue.engine.clone();
        let mut before = crate::engine::before::Before::new(engine, daemon.intake.clone());
        let next = self.block_on(before.look(&daemon.intake.loaded()));
        self.emptied();
        next
    }

    /// Something happens to `job`, and whoever brings it goes away before it hears that it was taken.
    pub(super) fn is_left_with(&self, job: &str) {
        let event = self.event(job, TriggerKind::Webhook);
        let taken = Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        };
        let _within = self.life().runtime.enter();
        let heard = self.life().daemon.intake.take(taken).now_or_never();
        assert!(heard.is_none(), "it takes a commit");
    }

    /// A person starts `job`; the end comes to whoever waits for it.
    pub(super) fn asks(&self, job: &str) -> tokio::task::JoinHandle<Option<Finished>> {
        let daemon = Arc::clone(&self.life().daemon);
        let event = self.event(job, TriggerKind::Hand);
        let job = Arc::clone(&daemon.intake.loaded().jobs[job]);
        self.life().runtime.spawn(async move {
            let hand = ByHand {
                deliver: Deliver::Attend,
                steps: Vec::new(),
                observer: Box::new(|_| ()),
            };
            daemon.intake.by_hand(job, event, hand).await.unwrap()
        })
    }

    fn event(&self, job: &str, kind: TriggerKind) -> Event {
        Event {
            id: uuid::Uuid::now_v7(),
            job: job.to_owned(),
            kind,
            dedupe_key: None,
            payload: json!({ "body": { "x": 1 }, "args": {}, "stdin": "" }),
            at: super::seven(),
        }
    }

    /// Somebody answers a run that waits for a word.
    pub(super) fn answers(&self, question: &Question, word: Word) -> Answer {
        let answer = self.life().daemon.intake.answer(question, word, "Ana");
        self.block_on(answer).unwrap()
    }

    pub(super) fn cancel(&self, run: RunId) -> Option<String> {
        self.block_on(self.life().daemon.intake.cancel(run))
            .unwrap()
    }

    /// Waits until the jobs have looked at the files that they watch.
    pub(super) fn looked(&self) {
        self.block_on(self.life().daemon.looked());
    }

    /// Waits until nothing is under way.
    pub(super) fn emptied(&self) {
        self.block_on(self.life().daemon.queue.emptied());
    }

    pub(super) fn store(&self) -> &Store {
        &self.life().store
    }

    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.life().runtime.block_on(work)
    }

    pub(super) fn story(&self, run: RunId) -> RunStory {
        let story = self.life().store.read_now(|reader| reader.run(run));
        story.unwrap().expect("the run is kept")
    }

    /// What the program itself said or has to say, in its order.
    pub(super) fn own(&self) -> Vec<Delivery> {
        let mut all = self.read_store(|reader| reader.outbox(Listing::All, 1000));
        all.retain(|delivery| delivery.run.is_none());
        all
    }

    pub(super) fn read_store<T>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>,
    ) -> T {
        self.life().store.read_now(read).unwrap()
    }

    pub(super) fn alerts_of(&self) -> &Alerts {
        &self.life().daemon.alerts
    }

    pub(super) fn state(&self, run: RunId) -> RunState {
        self.story(run).row.state
    }

    /// Every run, the oldest first.
    pub(super) fn runs(&self) -> Vec<RunRow> {
        let all = Filter {
            job: None,
            limit: 1000,
            before: None,
        };
        let mut rows = self.life().store.read_now(|reader| reader.history(&all));
        rows.as_mut().unwrap().reverse();
        rows.unwrap()
    }

    /// The pipe that a step of this run can wait at.
    pub(super) fn gate(&self, run: RunId) -> Gate {
        Gate(self.path(&format!("gate{}", run.0)))
    }

    /// What was written to a file of the folder.
    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(super) fn loaded(&self) -> Arc<Loaded> {
        self.life().daemon.intake.loaded()
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("it lives")
    }
}

/// Where `cat` waits until it is let through.
pub(super) struct Gate(PathBuf);

impl Gate {
    /// Waits until a step stands at the gate.
    pub(super) fn reached(&self) -> fs::File {
        // Opening a pipe to write blocks until somebody opens it to read.
        fs::OpenOptions::new().write(true).open(&self.0).unwrap()
    }

    /// Waits until a step stands at the gate, and lets it through.
    pub(super) fn open(&self) {
        drop(self.reached());
    }
}

/// What a step left as its result.
pub(super) fn result(story: &RunStory, step: &str) -> Value {
    let mut steps = story.steps.iter().rev();
    let step = steps.find(|record| record.id == step);
    step.and_then(|record| record.result.clone())
        .unwrap_or_default()
}
