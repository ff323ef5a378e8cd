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

impl Reader<'_> {
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
