//! Timed triggers: since when their moments count, and up to which they are accounted for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;

use super::value::Micros;
use super::{Reader, Store, StoreError};

/// A timed trigger that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimedTrigger {
    /// Its job.
    pub job: String,
    /// Its id.
    pub id: String,
    /// What fixes its moments: a change of it makes another trigger, whose moments count from then.
    pub moments: String,
}

impl Store {
    /// Remembers which timed triggers are loaded, and since when: those that are new, or have other moments, from now on.
    /// Others are forgotten; what became of their moments is not.
    pub async fn load_triggers(&self, loaded: Vec<TimedTrigger>) -> Result<(), StoreError> {
        let now = self.now();
        let known = self.read(|reader| reader.triggers()).await?;
        let mut gone: HashMap<_, _> = known;
        let mut fresh = Vec::new();
        for trigger in loaded {
            match gone.remove(&trigger) {
                // From a clock that was ahead.
                Some(since) if since > now => fresh.push(trigger),
                Some(_) => {}
                None => fresh.push(trigger),
            }
        }
        if fresh.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.write(move |connection| {
            let sql = "DELETE FROM triggers WHERE job = ?1 AND id = ?2 AND moments = ?3";
            let mut forget = connection.prepare_cached(sql)?;
            for trigger in gone.keys() {
                forget.execute((&trigger.job, &trigger.id, &trigger.moments))?;
            }
            let mut remember = connection.prepare_cached(
                "INSERT INTO triggers (job, id, moments, loaded_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET moments = excluded.moments, loaded_at = excluded.loaded_at",
            )?;
            for trigger in &fresh {
                remember.execute((&trigger.job, &trigger.id, &trigger.moments, Micros(now)))?;
            }
            Ok(())
        })
        .await
    }
}

impl Reader<'_> {
    /// The timed triggers, each with the moment from which its own count.
    pub fn triggers(&self) -> Result<HashMap<TimedTrigger, DateTime<Utc>>, StoreError> {
        let sql = "SELECT job, id, moments, loaded_at FROM triggers";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let trigger = TimedTrigger {
                job: row.get(0)?,
                id: row.get(1)?,
                moments: row.get(2)?,
            };
            Ok((trigger, row.get::<_, Micros>(3)?.0))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The last moment of a trigger that is accounted for and lies at `now` at the latest.
    pub fn accounted(
        &self,
        job: &str,
        trigger: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT until FROM slots WHERE job = ?1 AND trigger = ?2 AND due_at <= ?3 AND NOT ahead
             ORDER BY due_at DESC LIMIT 1",
        )?;
        let until: Option<Micros> = statement
            .query_row((job, trigger, Micros(now)), |row| row.get(0))
            .optional()?;
        Ok(until.map(|until| until.0))
    }

    /// Whether moments of a trigger that lie after `now` are accounted for, as if the clock had not been ahead.
    pub fn ahead(&self, job: &str, trigger: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM slots
                            WHERE job = ?1 AND trigger = ?2 AND due_at > ?3 AND NOT ahead)
                 OR EXISTS (SELECT 1 FROM (SELECT until FROM slots INDEXED BY slots_passed
                                           WHERE job = ?1 AND trigger = ?2 AND due_at <= ?3 AND run_id IS NULL
                                           ORDER BY due_at DESC LIMIT 1)
                            WHERE until > ?3)",
        )?;
        Ok(statement.query_row((job, trigger, Micros(now)), |row| row.get(0))?)
    }
}
