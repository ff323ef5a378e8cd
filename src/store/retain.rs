//! Forgetting: finished runs go when they are old or their job has many newer ones.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;

use super::value::Micros;
use super::{Reader, Store, StoreError};
use crate::job::CursorKey;

/// How much is kept. What is not finished, has a message in the outbox, or is the newest run of all, always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Runs that finished longer ago go.
    pub age: Duration,
    /// Each job keeps so many of its newest runs at most.
    pub count: u32,
    /// What people had remembered longer ago goes; none keeps it until it is forgotten.
    pub memories: Option<Duration>,
}

/// The ledger of calls is kept for this long at least, whatever becomes of the runs: a year's costs can be compared.
const LEDGER_AGE: Duration = Duration::from_secs(400 * 24 * 3600);

/// So often there is something to look for.
const EVERY: TimeDelta = TimeDelta::days(1);

/// So many runs go in one commit, so that others do not wait long for theirs.
const BATCH: u32 = 200;

impl Store {
    /// Deletes what is beyond `retention`, in small commits, and says how many runs went. It does so once
    /// a day; called more often, it costs one read.
    ///
    /// Age counts from the last known day on which something ran, not from a clock that leapt: one start with a
    /// wrong clock does not empty the history.
    pub async fn retain(&self, retention: Retention) -> Result<u64, StoreError> {
        let now = self.now();
        let key = looked_at();
        let last = self.read(move |reader| reader.cursor(&key)).await?;
        let last = last.and_then(|micros| DateTime::from_timestamp_micros(micros.as_i64()?));
        if last.is_some_and(|last| (now - last).abs() < EVERY) {
            return Ok(0);
        }
        let looked = (looked_at(), Some(json!(now.timestamp_micros())));
        self.remember(vec![looked]).await?;
        self.forget(retention, now).await
    }

    async fn forget(&self, retention: Retention, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let now = self.read(move |reader| reader.plausible(now)).await?;
        let oldest = before(now, retention.age);
        let count = retention.count;
        let limits = self.read(move |reader| reader.surplus(count)).await?;
        let mut gone = self
            .forget_runs(move |connection| {
                Ok(connection
                    .prepare_cached(BY_AGE)?
                    .execute((Micros(oldest), BATCH))?)
            })
            .await?;
        for (job, limit) in limits {
            gone += self
                .forget_runs(move |connection| {
                    let mut statement = connection.prepare_cached(BY_COUNT)?;
                    Ok(statement.execute((&job, limit, BATCH))?)
                })
                .await?;
        }
        self.forget_slots(oldest, count).await?;
        self.forget_runs(move |connection| {
            let mut statement = connection.prepare_cached(SAID)?;
            Ok(statement.execute((Micros(oldest), BATCH))?)
        })
        .await?;
        self.forget_runs(move |connection| {
            let mut statement = connection.prepare_cached(VERSIONS)?;
            Ok(statement.execute((Micros(oldest), BATCH))?)
        })
        .await?;
        if let Some(age) = retention.memories {
            let oldest = before(now, age);
            self.forget_runs(move |connection| {
                let mut statement = connection.prepare_cached(MEMORIES)?;
                Ok(statement.execute((Micros(oldest), BATCH))?)
            })
            .await?;
        }
        let oldest = before(now, retention.age.max(LEDGER_AGE));
        self.forget_runs(move |connection| {
            let mut statement = connection.prepare_cached(CALLS)?;
            Ok(statement.execute((Micros(oldest), BATCH))?)
        })
        .await?;
        Ok(gone)
    }

    /// Repeats `delete` in commits of its own until it finds less than a batch.
    async fn forget_runs(
        &self,
        delete: impl Fn(&Connection) -> Result<usize, StoreError> + Clone + Send + 'static,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let deleted = self.write(delete.clone()).await?;
            gone += deleted as u64;
            if deleted < BATCH as usize {
                return Ok(gone);
            }
        }
    }
}

/// Runs may go that are finished, have nothing in the outbox, and are not the newest: its number keeps
/// the numbers of later runs from beginning again.
macro_rules! may_go {
    ($condition:literal) => {
        concat!(
            "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE ",
            $condition,
            " AND state = 'finished' AND id < (SELECT max(id) FROM runs)
              AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.run_id = runs.id AND d.state IN ('pending', 'sending', 'parked'))
              ORDER BY id LIMIT "
        )
    };
}

/// From the oldest up to the first that was accepted too late: no index on time is needed, and when nothing is old it reads one row.
const BY_AGE: &str = concat!(
    may_go!(
        "id < coalesce((SELECT id FROM runs WHERE accepted_at >= ?1 ORDER BY id LIMIT 1), 9223372036854775807)
         AND finished_at < ?1"
    ),
    "?2)"
);

const BY_COUNT: &str = concat!(may_go!("job = ?1 AND id <= ?2"), "?3)");

/// What the program itself said goes by its own age; no run takes it along.
const SAID: &str = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries
    WHERE run_id IS NULL AND state IN ('sent', 'failed', 'dropped') AND created_at < ?1 LIMIT ?2)";

/// Texts that no run is pinned to any more.
const VERSIONS: &str = "DELETE FROM versions WHERE hash IN (
    SELECT hash FROM versions WHERE first_used_at < ?1 AND hash NOT IN (SELECT job_hash FROM runs) LIMIT ?2)";

const MEMORIES: &str =
    "DELETE FROM memories WHERE id IN (SELECT id FROM memories WHERE at < ?1 LIMIT ?2)";

const CALLS: &str = "DELETE FROM calls WHERE (run_id, number) IN (
    SELECT run_id, number FROM (SELECT run_id, number, at FROM calls ORDER BY run_id, number LIMIT ?2) WHERE at < ?1)";

impl Reader<'_> {
    /// `now`, but at most a day after the newest run that is at least a day old by it: the runs of today may have
    /// their times from the same wrong clock.
    pub fn plausible(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, StoreError> {
        let sql = "SELECT accepted_at FROM runs WHERE accepted_at <= ?1 ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let known: Option<Micros> = statement
            .query_row([Micros(now - EVERY)], |row| row.get(0))
            .optional()?;
        Ok(known.map_or(now, |known| now.min(known.0 + EVERY)))
    }

    /// The jobs that have more than `count` runs, each with the number of its first run too many.
    fn surplus(&self, count: u32) -> Result<Vec<(String, i64)>, StoreError> {
        let mut surplus = Vec::new();
        for row in self.jobs_last()? {
            let sql = "SELECT id FROM runs WHERE job = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2";
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query((&row.job, count))?;
            if let Some(first) = rows.next()? {
                surplus.push((row.job, first.get(0)?));
            }
        }
        Ok(surplus)
    }
}

fn looked_at() -> CursorKey {
    CursorKey {
        owner: "store".to_owned(),
        step: String::new(),
        name: "retention".to_owned(),
    }
}

fn before(now: DateTime<Utc>, age: Duration) -> DateTime<Utc> {
    let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(age)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}
