//! How steps and runs end.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How one step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEnd {
    /// It did its work; the value is its result.
    Done(Value),
    /// Its `when` was false; its result is `none`.
    Skipped,
    /// Its `stop_if` was true: the run ends as nothing to say.
    Stop,
    /// The run gives up its place and goes on later.
    Wait(Wait),
    /// It could not do its work.
    Failed(String),
}

impl StepEnd {
    /// The word that the store and people see.
    pub fn word(&self) -> &'static str {
        match self {
            StepEnd::Done(_) => "done",
            StepEnd::Skipped => "skipped",
            StepEnd::Stop => "stop",
            StepEnd::Wait(_) => "wait",
            StepEnd::Failed(_) => "failed",
        }
    }
}

/// What a waiting run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// A moment (backoff, `on_time`).
    Until(DateTime<Utc>),
    /// Somebody's word (approval).
    Token(String),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// Every step was done and what there was to say is in the outbox.
    Ok,
    /// A `stop_if` was true, or every delivery rendered empty.
    NothingToSay(String),
    /// It never began, for this reason.
    Skipped(String),
    /// A step failed, for this reason.
    Failed(String),
    /// The machine or the program stopped under it.
    Interrupted(String),
    /// Somebody stopped it.
    Cancelled,
    /// Its moment was too long ago to be worth a run.
    TooOld,
}

impl Outcome {
    /// The words that people see.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::NothingToSay(_) => "nothing to say",
            Outcome::Skipped(_) => "skipped",
            Outcome::Failed(_) => "failed",
            Outcome::Interrupted(_) => "interrupted",
            Outcome::Cancelled => "cancelled",
            Outcome::TooOld => "too old",
        }
    }

    /// Why, where there is a why.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::NothingToSay(why)
            | Outcome::Skipped(why)
            | Outcome::Failed(why)
            | Outcome::Interrupted(why) => Some(why),
            Outcome::Ok | Outcome::Cancelled | Outcome::TooOld => None,
        }
    }
}
