//! Executes runs: steps in order, the outcome and its messages in one commit, then the messages.

mod adopt;
mod alerts;
mod approvals;
mod attempt;
mod before;
pub mod chats;
mod commands;
mod context;
pub mod conversation;
mod daemon;
mod finish;
mod following;
mod growing;
mod intake;
mod items;
mod loaded;
mod outbox;
mod patience;
mod pulse;
mod queue;
mod reading;
mod recovery;
mod reminders;
mod roots;
mod run;
mod runner;
pub mod schedule;
mod sorry;
mod startup;
mod step;
mod tend;
#[cfg(test)]
mod tests;
pub mod timetable;
mod warm;
mod watches;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::job::{Outcome, RunId, StepEnd};
use crate::llm::Servers;
use crate::store::{Store, StoreError};

pub use alerts::{Alerts, Notice, Subject};
pub use approvals::{Answer, Question, Word, questions};
pub use before::{Ahead, Coming};
pub use commands::Commands;
pub use daemon::Daemon;
pub use intake::{ByHand, Intake, Taken};
pub use loaded::Loaded;
pub use outbox::{Hear, Heard, Outbox, aloud, hear};
pub use patience::Patience;
pub use pulse::{Part, Ping, Pulse, StandsStill};
pub use queue::{Queue, Seat};
pub use reading::{Found, Reading, Stale};
pub use recovery::{Late, Left, recover, send_left};
pub use roots::roots;
pub use run::{Begun, Deliver, Finished};
pub use timetable::{Metronome, Timetable};

/// What a process that executes runs has; clones share it.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The user's folder as it was read.
    pub loaded: Arc<Loaded>,
    /// The database.
    pub store: Store,
    /// The folder with the database and the workspace.
    pub state: PathBuf,
    /// The name of this process's lock.
    pub lock: String,
    /// What is known of the servers of models.
    pub servers: Arc<Servers>,
    /// The places for programs.
    pub commands: Arc<Commands>,
    /// Whether a full disk is waited for.
    pub patience: Patience,
    /// Tells the owner; `None` where whoever started a run sees how it ends.
    pub alerts: Option<Alerts>,
}

/// Why a run could not be written down: the only errors that stop more than a run.
pub type EngineError = StoreError;

/// What an observer hears while a run goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The run has its number.
    Accepted(RunId),
    /// A step begins.
    Begins {
        /// Its id.
        step: &'a str,
        /// Its kind.
        kind: &'a str,
    },
    /// A step ended.
    Ended {
        /// Its id.
        step: &'a str,
        /// How.
        end: &'a StepEnd,
        /// After how long.
        took: Duration,
    },
    /// A step failed and is tried again.
    Again {
        /// Its id.
        step: &'a str,
        /// Why.
        reason: &'a str,
        /// After this wait.
        wait: Duration,
    },
    /// A message for the terminal: from a `console` delivery, from a channel that is not connected, or held back.
    Message(Message<'a>),
    /// A model has said so much.
    Says {
        /// The step that asked it.
        step: &'a str,
        /// All of it so far.
        text: &'a str,
    },
    /// No model worded a step's text.
    Plain {
        /// The step.
        step: &'a str,
        /// Why not.
        why: &'a str,
    },
    /// The run waits for somebody's word.
    Asks {
        /// What it wants to do.
        asks: &'a str,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// The run has its outcome.
    Finished(&'a Outcome),
}

/// A message for the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The text.
    pub text: &'a str,
    /// The kind of delivery that it was meant for.
    pub meant_for: &'a str,
}

/// Somebody who follows a run.
pub type Observer<'a> = dyn FnMut(Progress<'_>) + Send + 'a;
