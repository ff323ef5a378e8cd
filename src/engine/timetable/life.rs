//! Signs of life: rare rows that tell a later start since when nothing ran.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::engine::EngineError;
use crate::job::{CursorKey, Reason};
use crate::store::{Filter, Store};
use crate::system::Machine;

/// How often a sign is written down: an SD card wears out by what is written.
const EVERY: Duration = Duration::from_secs(300);

/// The times that the life before is known to have had.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Last {
    sign: Option<DateTime<Utc>>,
    accepted: Option<DateTime<Utc>>,
    finished: Option<DateTime<Utc>>,
}

/// What is known of the life before.
pub(in crate::engine) fn last(store: &Store) -> Result<Last, EngineError> {
    store.read_now(|reader| {
        let sign = reader.cursor(&key())?.and_then(|micros| micros.as_i64());
        let newest = Filter {
            job: None,
            limit: 1,
            before: None,
        };
        let runs = reader.history(&newest)?;
        Ok(Last {
            sign: sign.and_then(DateTime::from_timestamp_micros),
            accepted: runs.first().map(|run| run.accepted_at),
            finished: runs.first().and_then(|run| run.finished_at),
        })
    })
}

impl Last {
    /// The last sign of life that was written as such: with a clock that was believed.
    pub(super) fn sign(&self) -> Option<DateTime<Utc>> {
        self.sign
    }

    /// Why nothing ran from then until `now`: a machine that was switched on meanwhile was off.
    pub(in crate::engine) fn absence(
        &self,
        machine: &Machine,
        now: DateTime<Utc>,
    ) -> Option<Reason> {
        let known = [self.sign, self.accepted, self.finished]
            .into_iter()
            .flatten();
        let (from, to) = (known.filter(|known| *known <= now).max()?, now);
        Some(match machine.started(now) {
            Some(started) if started <= from => Reason::Stopped { from, to },
            _ => Reason::Off { from, to },
        })
    }
}

/// Whether it is time for a sign again.
pub(super) fn is_due(signed: Option<Duration>, monotonic: Duration) -> bool {
    signed.is_none_or(|signed| monotonic.saturating_sub(signed) >= EVERY)
}

/// Writes a sign down.
pub(super) async fn sign(store: &Store, now: DateTime<Utc>) -> Result<(), EngineError> {
    store
        .remember(vec![(key(), Some(json!(now.timestamp_micros())))])
        .await
}

fn key() -> CursorKey {
    CursorKey {
        owner: "daemon".to_owned(),
        step: String::new(),
        name: "alive".to_owned(),
    }
}
