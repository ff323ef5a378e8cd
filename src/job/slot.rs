//! Due moments.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    pub passed: Option<Passed>,
}

/// How a slot came to its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// In time.
    InTime,
    /// Later, for this reason.
    CaughtUp(Reason),
}

/// Neighbouring due moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first of them.
    pub from: DateTime<Utc>,
    /// The last of them.
    pub to: DateTime<Utc>,
    /// How many they are.
    pub count: u64,
}

/// Neighbouring due moments that no run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Which.
    pub stretch: Stretch,
    /// What became of them.
    pub fate: Fate,
    /// Why they did not run when they were due.
    pub reason: Reason,
}

/// What becomes of a due moment that no run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not made good for.
    Skipped,
    /// It would be, but it was too long ago.
    TooOld,
}

/// Why a due moment did not have its run when it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Reason {
    /// The machine was off between these moments; the first is the last sign of life, so up to five minutes early.
    Off {
        /// Since when.
        from: DateTime<Utc>,
        /// Until when.
        to: DateTime<Utc>,
    },
    /// The machine was on and the program was not running.
    Stopped {
        /// Since when.
        from: DateTime<Utc>,
        /// Until when.
        to: DateTime<Utc>,
    },
    /// The clock leapt over it: the machine slept, or the clock was set.
    Leapt {
        /// What it said before.
        from: DateTime<Utc>,
        /// What it said next.
        to: DateTime<Utc>,
    },
    /// Somebody let the job rest.
    Paused {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The program was too busy to see it in time.
    Busy,
}

impl Reason {
    /// Whether a moment lies within an absence.
    pub fn covers(&self, at: DateTime<Utc>) -> bool {
        match self {
            Reason::Off { to, .. } | Reason::Stopped { to, .. } | Reason::Leapt { to, .. } => {
                at <= *to
            }
            Reason::Paused { since } => at >= *since,
            Reason::Busy => false,
        }
    }
}
