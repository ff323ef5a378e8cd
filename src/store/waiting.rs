//! What of the outbox has no good end, counted.

use chrono::{DateTime, Utc};

use super::value::Micros;
use super::{Reader, StoreError};

/// The messages of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// `pending`, `sending`, `parked` or `failed`.
    pub state: String,
    /// So many.
    pub count: u32,
    /// When the first of them entered the outbox.
    pub oldest: DateTime<Utc>,
}

/// So many messages, the newest, are looked at for a count.
const LATELY: i64 = 10_000;

impl Reader<'_> {
    /// How many of the last messages went out without their looks, which the other side had not taken.
    pub fn sent_plain(&self) -> Result<u32, StoreError> {
        let sql = "SELECT count(*) FROM deliveries
                   WHERE id > (SELECT max(id) FROM deliveries) - ?1 AND kind = 'telegram'
                     AND state = 'sent' AND receipt ->> 'plain'";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([LATELY], |row| row.get(0))?)
    }

    /// The messages that nobody confirmed and nobody dropped, by state.
    pub fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let sql = "SELECT state, count(*), min(created_at) FROM deliveries
                   WHERE state NOT IN ('sent', 'dropped') GROUP BY state ORDER BY state DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Waiting {
                state: row.get(0)?,
                count: row.get(1)?,
                oldest: row.get::<_, Micros>(2)?.0,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
