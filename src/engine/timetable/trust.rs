//! Whether the clock can be believed: a Pi has none that runs without power.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::system::{Machine, Synchronized};

/// No clock that reads an earlier time is right: 1 November 2026, when this was written.
const WRITTEN: i64 = 1_793_491_200;

/// Whether the clock can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Not yet; slots wait.
    Waiting {
        /// Since when, by the clock that does not leap.
        since: Duration,
        /// The last time that a life before is known to have had.
        last: Option<DateTime<Utc>>,
    },
    /// It was waited for long enough; runs are marked.
    Unsure {
        /// The last time that a life before is known to have had.
        last: Option<DateTime<Utc>>,
    },
    /// It can.
    Sure,
}

impl Trust {
    pub(super) fn new(since: Duration, last: Option<DateTime<Utc>>) -> Self {
        Trust::Waiting { since, last }
    }

    /// Looks again; gives whether that changed anything. What is sure stays sure.
    pub(super) fn look(
        &mut self,
        machine: &Machine,
        (now, monotonic): (DateTime<Utc>, Duration),
        wait: Duration,
    ) -> bool {
        let (last, since) = match *self {
            Trust::Sure => return false,
            Trust::Waiting { since, last } => (last, Some(since)),
            Trust::Unsure { last } => (last, None),
        };
        let plausible = now.timestamp() >= WRITTEN && last.is_none_or(|last| last <= now);
        let sure = match machine.synchronized() {
            Synchronized::Yes => true,
            Synchronized::NotYet => false,
            Synchronized::NobodySays => plausible,
        };
        if sure {
            *self = Trust::Sure;
            return true;
        }
        let waited = since.is_some_and(|since| monotonic.saturating_sub(since) >= wait);
        if waited {
            *self = Trust::Unsure { last };
        }
        waited
    }
}
