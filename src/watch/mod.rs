//! Files that came, changed or went, each settled version once.
//!
//! inotify is a hint, a rescan is the truth. A hint makes a path suspect; once it was quiet for the settle time, a look at the file
//! finds its version; a version that was not handled is offered with the positions that remember it, and counts as handled
//! once both are on the disk. A scan compares what is there with what is remembered: at the start, after an overflow, where a
//! folder appeared, after a mount, and every few seconds where inotify does not work.
//!
//! ```text
//! hints (inotify) --+
//!                   +--> tracker: suspects, settle --> look: version, content --> offer --> accepted: known
//! survey (scan)  ---+
//! ```
//!
//! What is shared by all triggers is one inotify instance, one watch for each folder and one task.

mod folders;
mod ground;
mod hints;
mod known;
mod look;
mod machine;
mod memory;
mod mounts;
mod pattern;
mod post;
mod rest;
mod survey;
#[cfg(test)]
mod tests;
mod tracker;
mod verdict;
mod version;

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::store::{CursorChange, Store};

pub use self::pattern::Below;
use self::verdict::Answer;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Created,
    /// Its content changed.
    Changed,
    /// It is gone.
    Removed,
}

impl Change {
    /// The word of job files and events.
    pub fn word(self) -> &'static str {
        match self {
            Change::Created => "created",
            Change::Changed => "changed",
            Change::Removed => "removed",
        }
    }
}

/// How many files one event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One.
    Each,
    /// All that settled together.
    Together,
}

/// A file that is written to without end is told of after this many settle times.
const MOST: u32 = 10;

/// When a trigger tells of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Quiet time after the last change; a file that is never quiet is told of after ten times as long.
    pub settle: Duration,
    /// Which changes are told.
    pub on: Vec<Change>,
    /// How many files one event tells of.
    pub grouping: Grouping,
}

impl Pace {
    /// When something that moved first and last at these moments has settled.
    fn due(&self, first: Duration, last: Duration) -> Duration {
        (last + self.settle).min(first + self.most())
    }

    fn most(&self) -> Duration {
        self.settle * MOST
    }
}

/// What one trigger of one job wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The job's name.
    pub job: String,
    /// The trigger's id.
    pub trigger: String,
    /// Absolute paths and globs.
    pub paths: Vec<String>,
    /// Whether folders stand for what lies below their folders.
    pub below: Below,
    /// When it is told of what.
    pub pace: Pace,
}

/// What a trigger hears.
#[derive(Debug)]
pub enum Told {
    /// Something settled.
    Settled(Settled),
    /// The owner should know.
    Notice(Notice),
}

/// Something settled: to be committed as a whole.
#[derive(Debug)]
pub struct Settled {
    /// The job's name.
    pub job: String,
    /// The trigger's id.
    pub trigger: String,
    /// What templates see as `event`.
    pub payload: Value,
    /// What remembers that it was handled.
    pub cursors: Vec<CursorChange>,
    /// Where the answer goes.
    pub receipt: Receipt,
}

/// Waits for what becomes of an offer; dropped without a word it means that the offer was refused.
#[derive(Debug)]
pub struct Receipt {
    ticket: u64,
    answers: Option<mpsc::UnboundedSender<(u64, Answer)>>,
}

impl Receipt {
    /// It is on the disk, and the positions with it.
    pub fn accepted(mut self) {
        self.answer(Answer::Accepted);
    }

    fn answer(&mut self, answer: Answer) {
        if let Some(answers) = self.answers.take() {
            // Nobody hears it once the machine has stopped: a scan finds the file again.
            let _ = answers.send((self.ticket, answer));
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.answer(Answer::Refused);
    }
}

/// Something about the watching of files that the owner should know; told once until it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The job's name.
    pub job: String,
    /// What is the matter, and what to do.
    pub text: String,
}

/// The machine that watches files, until it is dropped.
#[derive(Debug)]
pub struct Watches {
    orders: mpsc::UnboundedSender<Order>,
}

/// What triggers there are, from now on.
#[derive(Debug)]
struct Order {
    wanted: Vec<Wanted>,
    done: oneshot::Sender<()>,
}

impl Watches {
    /// Starts with no triggers. What it tells of comes through the receiver, a few offers at a time.
    pub fn start(clock: Arc<dyn Clock>, store: Store) -> (Self, mpsc::UnboundedReceiver<Told>) {
        Watches::with_limit(clock, store, folders::MOST)
    }

    fn with_limit(
        clock: Arc<dyn Clock>,
        store: Store,
        most_folders: usize,
    ) -> (Self, mpsc::UnboundedReceiver<Told>) {
        let (orders, ordered) = mpsc::unbounded_channel();
        let (tells, told) = mpsc::unbounded_channel();
        let machine = machine::Machine::new(clock, store, most_folders, tells);
        tokio::spawn(machine.run(ordered));
        (Watches { orders }, told)
    }

    /// Watches for these triggers and no others; what is suspect of those that stay is kept, and what is remembered of
    /// those that go is forgotten.
    ///
    /// What it gives ends once each new one has looked around and that is on the disk: what changes afterwards is told,
    /// come what may. That takes as long as the slowest file system, and need not be waited for.
    pub fn set(&self, wanted: Vec<Wanted>) -> impl Future<Output = ()> + use<> {
        let (done, end) = oneshot::channel();
        // Neither fails while the machine runs, and it runs until this is dropped.
        let _ = self.orders.send(Order { wanted, done });
        async {
            let _ = end.await;
        }
    }
}
