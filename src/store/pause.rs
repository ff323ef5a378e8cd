//! Jobs whose triggers rest.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::value::Micros;
use super::{Reader, Store, StoreError};

/// A job's triggers rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// The first moment at which they do not any more; `None` until somebody says so.
    pub until: Option<DateTime<Utc>>,
}

impl Pause {
    /// Whether they rest at `now`.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Store {
    /// Lets the triggers of `job` rest; a rest under way keeps its beginning.
    pub async fn pause(&self, job: &str, until: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let (job, now) = (job.to_owned(), self.now());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO pauses (job, since, until) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET
                         since = CASE WHEN pauses.until <= excluded.since THEN excluded.since ELSE pauses.since END,
                         until = excluded.until",
                )?
                .execute((&job, Micros(now), until.map(Micros)))?;
            Ok(())
        })
        .await
    }

    /// Ends the rest of `job`; gives the one that there was.
    pub async fn resume(&self, job: &str) -> Result<Option<Pause>, StoreError> {
        let (job, now) = (job.to_owned(), self.now());
        let known = self.read(|reader| reader.pauses()).await?;
        let known = known.get(&job).copied().filter(|pause| pause.holds(now));
        self.write(move |connection| {
            // Its end, not its absence: what passed meanwhile is still to be accounted for.
            connection
                .prepare_cached(
                    "UPDATE pauses SET until = ?2 WHERE job = ?1 AND (until IS NULL OR until > ?2)",
                )?
                .execute((&job, Micros(now)))?;
            Ok(known)
        })
        .await
    }
}

impl Reader<'_> {
    /// The rests of jobs, those that are over included.
    pub fn pauses(&self) -> Result<HashMap<String, Pause>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT job, since, until FROM pauses")?;
        let rows = statement.query_map([], |row| {
            let until: Option<Micros> = row.get(2)?;
            let pause = Pause {
                since: row.get::<_, Micros>(1)?.0,
                until: until.map(|until| until.0),
            };
            Ok((row.get(0)?, pause))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Whether the triggers of `job` rest at `now`.
pub(super) fn holds(
    connection: &Connection,
    job: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM pauses WHERE job = ?1 AND (until IS NULL OR until > ?2))";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((job, Micros(now)), |row| row.get(0))?)
}
