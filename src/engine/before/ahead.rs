//! What is written down of a trigger that waits for entries of calendars.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::job::CursorKey;
use crate::store::{Reader, StoreError};

/// So many moments to come are written down for those who ask.
pub(super) const KNOWN: usize = 10;

/// What is written down of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ahead {
    /// What it wants: as another trigger, it begins anew.
    pub(super) wants: u64,
    /// Since when its moments count.
    pub since: DateTime<Utc>,
    /// Its next moments, as far as calendars were known at the last look.
    pub coming: Vec<Coming>,
}

/// A moment ahead of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coming {
    /// When the job starts.
    pub due: DateTime<Utc>,
    /// What the entry is called.
    pub title: String,
}

impl Ahead {
    /// What is known of a trigger of a job.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn of(reader: &Reader<'_>, job: &str, trigger: &str) -> Result<Option<Self>, StoreError> {
        let known = reader.cursor(&key(job, trigger))?;
        Ok(known.and_then(|known| serde_json::from_value(known).ok()))
    }
}

/// The position of a trigger.
pub(super) fn key(job: &str, trigger: &str) -> CursorKey {
    CursorKey {
        owner: job.to_owned(),
        step: "before".to_owned(),
        name: trigger.to_owned(),
    }
}
