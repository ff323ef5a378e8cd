//! Due moments.

use chrono::{DateTime, Utc};

/// One due moment of one timed trigger of an event's job: a run that claims it is the only one that ever has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotClaim {
    /// The trigger's id.
    pub trigger: String,
    /// The due instant.
    pub due_at: DateTime<Utc>,
    /// Whether it was due on time, or is made good for.
    pub when: Claimed,
    /// The moments before it that it stands for, passed over.
    pub passed: Option<Stretch>,
}

/// How a slot came to its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// In time.
    InTime,
    /// Later, because nothing ran when it was due.
    CaughtUp,
}

/// Neighbouring due moments that no run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The first of them.
    pub from: DateTime<Utc>,
    /// The last of them.
    pub to: DateTime<Utc>,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: String,
}
