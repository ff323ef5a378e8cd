//! Real SQLite in temporary folders.

mod alerts;
mod backup;
mod child;
mod crash;
mod damage;
mod disk;
mod locks;
mod memory;
mod outbox;
mod retain;
mod runs;
mod slots;
mod writer;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::clock::{SystemClock, TestClock};
use crate::job::{CursorKey, DeliveryId, NewDelivery, Outcome, RunState, StepRecord, TriggerKind};

impl Store {
    /// A disk with no room for another page, or with room again.
    pub(crate) async fn room(&self, pages: u32) {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let set = self.write(move |connection| {
            Ok(connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?)
        });
        set.await.unwrap();
    }

    /// Another process's write transaction, for as long as it is kept.
    pub(crate) fn seized(&self) -> Connection {
        let connection = open::connect(&self.inner.path).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }
}

/// A store in a folder of its own, with a clock that stands still.
struct Home {
    folder: TempDir,
    clock: Arc<TestClock>,
    store: Store,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(start()));
        let store = open(folder.path(), &clock);
        Home {
            folder,
            clock,
            store,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn accept(&self, job: &str) -> RunId {
        let start = Start::RunningBy("me".to_owned());
        let accepted = self.store.accept(&event(job, None), "hash", start).await;
        accepted.unwrap().run()
    }

    async fn finish(&self, run: RunId, outcome: Outcome) -> Result<Vec<DeliveryId>, StoreError> {
        let recorded = self.store.record(finished(run, outcome)).await?;
        Ok(recorded.deliveries)
    }

    fn story(&self, run: RunId) -> RunStory {
        let story = self.store.read_now(|reader| reader.run(run));
        story.unwrap().expect("the run is kept")
    }

    fn history(&self) -> Vec<RunRow> {
        let all = Filter {
            job: None,
            limit: 10_000,
            before: None,
        };
        self.store.read_now(|reader| reader.history(&all)).unwrap()
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn open(folder: &Path, clock: &Arc<TestClock>) -> Store {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Store::open(folder, clock, Mode::Threaded).unwrap().store
}

fn reopen(folder: &Path) -> Result<Opened, StoreError> {
    let clock = Arc::new(TestClock::at(start()));
    Store::open(folder, clock, Mode::Threaded)
}

fn new_id() -> Uuid {
    SystemClock::default().id()
}

fn event(job: &str, dedupe_key: Option<&str>) -> Event {
    Event {
        id: new_id(),
        job: job.to_owned(),
        kind: TriggerKind::Cron,
        dedupe_key: dedupe_key.map(str::to_owned),
        payload: json!({"due_at": "2026-11-20T06:00:00Z"}),
        at: start() - TimeDelta::seconds(1),
    }
}

fn step(position: u32, end: &'static str) -> StepRecord {
    StepRecord {
        position,
        id: format!("step-{position}"),
        kind: "exec".to_owned(),
        attempt: 1,
        end,
        result: (end == "done").then(|| json!({"n": position})),
        error: None,
        detail: None,
        started_at: start(),
        took: std::time::Duration::from_millis(12),
        moved: (end == "done")
            .then(|| (key("moved"), Some(json!(1))))
            .into_iter()
            .collect(),
    }
}

fn message(body: &str) -> NewDelivery {
    NewDelivery::usual("console", "", Value::Null, body)
}

/// A failure of `backup` that the words say with the count.
fn failed(reason: &str) -> News {
    let heard = Heard::Bad {
        fingerprint: reason.to_owned(),
        reason: reason.to_owned(),
    };
    news("backup", heard)
}

fn news(about: &str, heard: Heard) -> News {
    News {
        about: about.to_owned(),
        run: None,
        heard,
        owner: "me".to_owned(),
        words: Words::new(|alert, saying| {
            let (about, count, reason) = (&alert.about, alert.count, &alert.reason);
            vec![message(&format!("{saying:?} {about} {count}: {reason}"))]
        }),
    }
}

fn finished(run: RunId, outcome: Outcome) -> RunUpdate {
    RunUpdate {
        state: Some(RunState::Finished(outcome)),
        ..RunUpdate::of(run)
    }
}

fn key(name: &str) -> CursorKey {
    CursorKey {
        owner: "job".to_owned(),
        step: "log".to_owned(),
        name: name.to_owned(),
    }
}
