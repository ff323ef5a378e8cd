//! What the ledger comes to.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::value::{Micros, Span, Tokens};
use super::{Reader, StoreError};
use crate::job::{Call, RunId};

/// A call, and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The job.
    pub job: String,
    /// The run.
    pub run: RunId,
    /// The call.
    pub call: Call,
}

pub(super) const CALL: &str =
    "step, route, class, model, backend, tokens_in, tokens_cached, tokens_out, load_us,
     first_token_us, total_us, error, cost, counts";

pub(super) fn call(row: &Row<'_>) -> rusqlite::Result<Call> {
    Ok(Call {
        step: row.get("step")?,
        route: row.get("route")?,
        class: row.get("class")?,
        model: row.get("model")?,
        backend: row.get("backend")?,
        tokens_in: row.get::<_, Tokens>("tokens_in")?.0,
        tokens_cached: row.get::<_, Tokens>("tokens_cached")?.0,
        tokens_out: row.get::<_, Tokens>("tokens_out")?.0,
        load: row.get::<_, Span>("load_us")?.0,
        first_token: row.get::<_, Span>("first_token_us")?.0,
        total: row.get::<_, Span>("total_us")?.0,
        error: row.get("error")?,
        cost: row.get::<_, Tokens>("cost")?.0,
        counts: row.get("counts")?,
    })
}

impl Reader<'_> {
    /// Tells every call since then, the oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn ledger(
        &self,
        since: DateTime<Utc>,
        mut each: impl FnMut(LedgerRow),
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT at, job, run_id, {CALL} FROM calls WHERE at >= ?1 ORDER BY at, run_id, number"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([Micros(since)])?;
        while let Some(row) = rows.next()? {
            each(LedgerRow {
                at: row.get::<_, Micros>("at")?.0,
                job: row.get("job")?,
                run: RunId(row.get("run_id")?),
                call: call(row)?,
            });
        }
        Ok(())
    }

    /// The longest that one of the last calls of a model waited for it to be loaded.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn longest_load(&self, model: &str) -> Result<Option<Duration>, StoreError> {
        let sql = "SELECT max(load_us) FROM (SELECT load_us FROM calls INDEXED BY calls_by_time
                   WHERE model = ?1 AND error IS NULL ORDER BY at DESC LIMIT 20)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let longest = statement.query_row([model], |row| row.get::<_, Option<Span>>(0))?;
        Ok(longest.map(|longest| longest.0))
    }

    /// How many runs since then ended with nothing to say, of jobs that ever asked a model.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn calls_avoided(&self, since: DateTime<Utc>) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM runs WHERE accepted_at >= ?1 AND outcome = 'nothing_to_say'
                   AND job IN (SELECT DISTINCT job FROM calls)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = statement.query_row([Micros(since)], |row| row.get::<_, Tokens>(0))?;
        Ok(count.0)
    }
}
