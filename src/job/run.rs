//! One execution of a job, and what it leaves behind.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Outcome, Wait};

/// The number that people see, as `#1234`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One message to one target, in the outbox.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Written down, not begun.
    Queued,
    /// A process with a live lock executes it.
    Running,
    /// A row that holds no place in the queue.
    Waiting(Wait),
    /// It has an outcome.
    Finished(Outcome),
}

/// One attempt at one step, as it is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Position in the job file, from 0.
    pub position: u32,
    /// The step's `id`, or its kind and position.
    pub id: String,
    /// The kind key: `calendar`, `log`, `prompt` ...
    pub kind: String,
    /// From 1.
    pub attempt: u32,
    /// `done`, `skipped`, `stop`, `wait`, `failed`, or `started` for a step with effects under way.
    pub end: &'static str,
    /// What later steps see under the step's id.
    pub result: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// What `show` tells beyond the result (the prompt, the raw answer): for people, not for templates.
    pub detail: Option<Value>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub took: Duration,
    /// Positions that move when the run ends well, while it has not: another process may have to go on with it.
    pub moved: Vec<Moved>,
}

/// A position and where it moves to; `None` forgets it.
pub type Moved = (CursorKey, Option<Value>);

/// One call to a language model: a row of the ledger.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Call {
    /// The step that called.
    pub step: String,
    /// The route that it was made for.
    pub route: String,
    /// What the route took the message for, where it tells them apart: `simple`, `complex` or `tool`.
    pub class: Option<String>,
    /// The model's name in the configuration.
    pub model: String,
    /// The provider and the provider's own name of the model, as `ollama/qwen2.5:1.5b`.
    pub backend: String,
    /// Tokens of the prompt.
    pub tokens_in: u64,
    /// Of these, how many the server had cached.
    pub tokens_cached: u64,
    /// Tokens of the answer.
    pub tokens_out: u64,
    /// Time the server took to load the model.
    pub load: Duration,
    /// Request sent to first token received.
    pub first_token: Duration,
    /// Request sent to answer complete.
    pub total: Duration,
    /// Why it failed; `None` when it did not.
    pub error: Option<String>,
    /// What it cost, in thousand-millionths of the currency of the configuration.
    pub cost: u64,
    /// The model is not at home, or has a price: caps are about such calls.
    pub counts: bool,
}

/// Where a remembered position belongs: steps of one job never share positions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CursorKey {
    /// The job's name, or a source's (`calendar:home`) for what is shared.
    pub owner: String,
    /// The step's id, or empty.
    pub step: String,
    /// What within the step: a file's path, a unit, a pattern's hash.
    pub name: String,
}
