//! Real files, real inotify, a real store; time moves when a test moves it.

mod changes;
mod downtime;
mod folders;
mod properties;
mod settle;
mod tracker;
mod trouble;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use super::pattern::Below;
use super::{Change, Grouping, Pace, Settled, Told, Wanted, Watches};
use crate::clock::{Clock, TestClock};
use crate::store::{Mode, Store};

/// A folder that is watched, and who hears of it.
struct Place {
    folder: TempDir,
    /// Where the store is.
    _state: TempDir,
    clock: Arc<TestClock>,
    store: Store,
    watches: Option<Watches>,
    told: UnboundedReceiver<Told>,
}

/// What an event tells of one file.
type Line = (String, &'static str, Option<String>);

impl Place {
    fn new() -> Self {
        Place::with_limit(super::folders::MOST)
    }

    fn with_limit(most_folders: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = tempfile::tempdir().unwrap();
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Arc::new(TestClock::at(start));
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let store = Store::open(state.path(), Arc::clone(&shared), Mode::Threaded);
        let store = store.unwrap().store;
        let (watches, told) = Watches::with_limit(shared, store.clone(), most_folders);
        Place {
            folder,
            _state: state,
            clock,
            store,
            watches: Some(watches),
            told,
        }
    }

    /// Ends the machine as a crash would, and starts another one.
    fn restart(&mut self) {
        self.watches = None;
        let shared = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let (watches, told) = Watches::start(shared, self.store.clone());
        self.watches = Some(watches);
        self.told = told;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// One trigger, at once and for every change; tests change what they are about.
    fn wanted(&self, path: &str) -> Wanted {
        Wanted {
            job: "job".to_owned(),
            trigger: "watch".to_owned(),
            paths: vec![self.path(path).to_str().unwrap().to_owned()],
            below: Below::Files,
            pace: Pace {
                settle: Duration::ZERO,
                on: vec![Change::Created, Change::Changed, Change::Removed],
                grouping: Grouping::Each,
            },
        }
    }

    async fn watch(&self, wanted: Wanted) {
        self.watch_all(vec![wanted]).await;
    }

    async fn watch_all(&self, wanted: Vec<Wanted>) {
        self.watches.as_ref().unwrap().set(wanted).await;
    }

    /// The next offer.
    async fn offer(&mut self) -> Settled {
        loop {
            match self.told.recv().await.expect("the machine runs") {
                Told::Settled(settled) => return settled,
                Told::Notice(_) => {}
            }
        }
    }

    async fn notice(&mut self) -> String {
        loop {
            match self.told.recv().await.expect("the machine runs") {
                Told::Settled(_) => {}
                Told::Notice(notice) => return notice.text,
            }
        }
    }

    /// Takes the next offer as the daemon would; gives its payload.
    async fn take(&mut self) -> Value {
        let Settled {
            payload,
            cursors,
            receipt,
            ..
        } = self.offer().await;
        self.store.remember(cursors).await.unwrap();
        receipt.accepted();
        payload
    }

    /// Takes the next event of one file.
    async fn next(&mut self) -> Line {
        let payload = self.take().await;
        self.line(&payload)
    }

    /// Takes events until one tells this of a file: with no settle time, a write may be heard in parts.
    async fn until(&mut self, name: &str, content: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            let line = self.next().await;
            let done = line.0 == name && line.2.as_deref() == Some(content);
            lines.push(line);
            if done {
                return lines;
            }
        }
    }

    fn line(&self, payload: &Value) -> Line {
        let path = Path::new(payload["path"].as_str().unwrap());
        let name = path.strip_prefix(self.folder.path()).unwrap();
        let change = match payload["change"].as_str().unwrap() {
            "created" => "created",
            "changed" => "changed",
            "removed" => "removed",
            other => panic!("{other}"),
        };
        let content = payload["content"].as_str().map(str::to_owned);
        (name.to_str().unwrap().to_owned(), change, content)
    }

    /// Nothing more is told: a file that comes now is the next thing that is heard of.
    async fn quiet(&mut self, name: &str) {
        put(&self.path(name), "quiet");
        assert_eq!(self.next().await, line(name, "created", "quiet"));
    }
}

fn line(name: &str, change: &'static str, content: &str) -> Line {
    (name.to_owned(), change, Some(content.to_owned()))
}

fn removed(name: &str) -> Line {
    (name.to_owned(), "removed", None)
}

/// Puts a whole file there at once, as editors do.
fn put(path: &Path, text: &str) {
    let folder = tempfile::tempdir_in(path.parent().unwrap().parent().unwrap()).unwrap();
    let held = folder.path().join("held");
    fs::write(&held, text).unwrap();
    fs::rename(held, path).unwrap();
}
