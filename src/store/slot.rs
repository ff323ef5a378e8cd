//! Slots: due moments that are accounted for.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::value::{Micros, read_reason, reason_text};
use super::{Reader, Store, StoreError};
use crate::job::{Claimed, Fate, Passed, Reason, RunId, SlotClaim, Stretch};

/// Due moments of one trigger, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// The trigger's id.
    pub trigger: String,
    /// Which moments: one that has a run, or all those that share a fate.
    pub stretch: Stretch,
    /// What became of them.
    pub end: SlotEnd,
    /// When that was written down.
    pub accounted_at: DateTime<Utc>,
}

/// What became of due moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotEnd {
    /// Its run, which began in time.
    Run(RunId),
    /// Its run, which came late for this reason.
    CaughtUp(RunId, Reason),
    /// No run has them.
    Passed(Fate, Reason),
}

impl Store {
    /// Writes down that these due moments pass without a run; what follows on others of one reason makes their row longer.
    pub async fn pass(&self, job: &str, trigger: &str, passed: Passed) -> Result<(), StoreError> {
        let (job, trigger, now) = (job.to_owned(), trigger.to_owned(), self.now());
        self.write(move |connection| pass(connection, &job, &trigger, &passed, now))
            .await
    }

    /// Takes back what was written down of moments after `now`, for the clock was ahead: they may still come, but for those that
    /// ran. `count` says how many moments a stretch has left.
    pub async fn unpass(
        &self,
        job: &str,
        trigger: &str,
        now: DateTime<Utc>,
        count: impl Fn(DateTime<Utc>) -> Option<Stretch> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (job, trigger) = (job.to_owned(), trigger.to_owned());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "DELETE FROM slots WHERE job = ?1 AND trigger = ?2 AND due_at > ?3 AND run_id IS NULL",
                )?
                .execute((&job, &trigger, Micros(now)))?;
            connection
                .prepare_cached("UPDATE slots SET ahead = 1 WHERE job = ?1 AND trigger = ?2 AND due_at > ?3")?
                .execute((&job, &trigger, Micros(now)))?;
            let across: Option<Micros> = connection
                .prepare_cached(
                    "SELECT due_at FROM slots
                     WHERE job = ?1 AND trigger = ?2 AND run_id IS NULL AND until > ?3
                       AND due_at = (SELECT max(due_at) FROM slots
                                     WHERE job = ?1 AND trigger = ?2 AND run_id IS NULL AND due_at <= ?3)",
                )?
                .query_row((&job, &trigger, Micros(now)), |row| row.get(0))
                .optional()?;
            let left = across.and_then(|from| Some((count(from.0)?, from)));
            if let Some((left, from)) = left {
                connection
                    .prepare_cached(
                        "UPDATE slots SET until = ?4, count = ?5 WHERE job = ?1 AND trigger = ?2 AND due_at = ?3",
                    )?
                    .execute((&job, &trigger, from, Micros(left.to), column(left.count)))?;
            }
            Ok(())
        })
        .await
    }
}

/// So many rows go in one commit, so that others do not wait long for theirs.
const BATCH: u32 = 500;

impl Store {
    /// Forgets the slots that were due before `oldest`, and more than `count` of one trigger; its newest stays.
    pub(super) async fn forget_slots(
        &self,
        oldest: DateTime<Utc>,
        count: u32,
    ) -> Result<(), StoreError> {
        let old = self
            .read(move |reader| reader.old_slots(oldest, count))
            .await?;
        for (job, trigger, end) in old {
            let delete = move |connection: &Connection| {
                let sql = "DELETE FROM slots WHERE (job, trigger, due_at) IN
                               (SELECT job, trigger, due_at FROM slots
                                WHERE job = ?1 AND trigger = ?2 AND due_at < ?3 ORDER BY due_at LIMIT ?4)";
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute((&job, &trigger, Micros(end), BATCH))?)
            };
            while self.write(delete.clone()).await? == BATCH as usize {}
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// What became of the moment `due` of a trigger; `None` where nothing is known of it.
    pub fn slot(
        &self,
        job: &str,
        trigger: &str,
        due: DateTime<Utc>,
    ) -> Result<Option<SlotRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT * FROM slots WHERE job = ?1 AND trigger = ?2 AND due_at = ?3
             UNION ALL
             SELECT * FROM (SELECT * FROM slots INDEXED BY slots_passed
                            WHERE job = ?1 AND trigger = ?2 AND due_at < ?3 AND run_id IS NULL
                            ORDER BY due_at DESC LIMIT 1)
             WHERE until >= ?3 LIMIT 1",
        )?;
        let row = statement.query_row((job, trigger, Micros(due)), read_row);
        Ok(row.optional()?)
    }

    /// What became of the moments of a trigger from `from` on and before `to`.
    pub fn slots_within(
        &self,
        job: &str,
        trigger: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<SlotRow>, StoreError> {
        let mut rows = Vec::from_iter(self.slot(job, trigger, from)?);
        let mut statement = self.connection.prepare_cached(
            "SELECT * FROM slots WHERE job = ?1 AND trigger = ?2 AND due_at > ?3 AND due_at < ?4
             ORDER BY due_at LIMIT 100",
        )?;
        for row in statement.query_map((job, trigger, Micros(from), Micros(to)), read_row)? {
            rows.push(row?);
        }
        Ok(rows)
    }

    /// The ids of the triggers of a job that slots are known of, those included that are gone.
    pub fn slot_triggers(&self, job: &str) -> Result<Vec<String>, StoreError> {
        // From id to id through the key.
        let mut statement = self.connection.prepare_cached(
            "WITH RECURSIVE ids (id) AS (
                 SELECT min(trigger) FROM slots WHERE job = ?1
                 UNION ALL
                 SELECT (SELECT min(trigger) FROM slots WHERE job = ?1 AND trigger > ids.id) FROM ids WHERE id IS NOT NULL)
             SELECT id FROM ids WHERE id IS NOT NULL",
        )?;
        let ids = statement.query_map([job], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

impl Reader<'_> {
    /// The triggers that have slots to forget, each with the first moment whose slot is kept.
    fn old_slots(
        &self,
        oldest: DateTime<Utc>,
        count: u32,
    ) -> Result<Vec<(String, String, DateTime<Utc>)>, StoreError> {
        // From trigger to trigger through the key; the newest of all is kept whatever its age.
        let mut triggers = self.connection.prepare_cached(
            "WITH RECURSIVE keys (job, trigger) AS (
                 SELECT * FROM (SELECT job, trigger FROM slots ORDER BY job, trigger LIMIT 1)
                 UNION ALL
                 SELECT next.job, next.trigger FROM keys JOIN slots AS next
                 ON (next.job, next.trigger, next.due_at) = (SELECT s.job, s.trigger, s.due_at FROM slots s
                     WHERE (s.job, s.trigger) > (keys.job, keys.trigger) ORDER BY s.job, s.trigger, s.due_at LIMIT 1))
             SELECT job, trigger FROM keys",
        )?;
        let mut ends = self.connection.prepare_cached(
            "SELECT min((SELECT max(due_at) FROM slots WHERE job = ?1 AND trigger = ?2),
                        max(?3, coalesce((SELECT due_at FROM slots WHERE job = ?1 AND trigger = ?2
                                          ORDER BY due_at DESC LIMIT 1 OFFSET max(?4 - 1, 0)), ?3)))
             WHERE EXISTS (SELECT 1 FROM slots WHERE job = ?1 AND trigger = ?2
                           ORDER BY due_at DESC LIMIT 1 OFFSET ?4)
                OR (SELECT min(due_at) FROM slots WHERE job = ?1 AND trigger = ?2) < ?3",
        )?;
        let mut old = Vec::new();
        let mut rows = triggers.query([])?;
        while let Some(row) = rows.next()? {
            let (job, trigger): (String, String) = (row.get(0)?, row.get(1)?);
            let end: Option<Micros> = ends
                .query_row((&job, &trigger, Micros(oldest), count), |row| row.get(0))
                .optional()?;
            old.extend(end.map(|end| (job, trigger, end.0)));
        }
        Ok(old)
    }
}

/// The run that has the slot at `due_at`, or 0 where it was passed over. One that came while the clock was ahead has come now.
pub(super) fn taken(
    connection: &Connection,
    job: &str,
    claim: &SlotClaim,
) -> Result<Option<RunId>, StoreError> {
    let key = (job, &claim.trigger, Micros(claim.due_at));
    let found: Option<(i64, bool)> = connection
        .prepare_cached("SELECT coalesce(run_id, 0), ahead FROM slots WHERE job = ?1 AND trigger = ?2 AND due_at = ?3")?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((_, true)) = found {
        connection
            .prepare_cached(
                "UPDATE slots SET ahead = 0 WHERE job = ?1 AND trigger = ?2 AND due_at = ?3",
            )?
            .execute((job, &claim.trigger, Micros(claim.due_at)))?;
    }
    Ok(found.map(|(run, _)| RunId(run)))
}

/// Gives a slot to a run, and writes down what it stands for.
pub(super) fn claim(
    connection: &Connection,
    job: &str,
    claim: &SlotClaim,
    run: RunId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let Some(passed) = &claim.passed {
        pass(connection, job, &claim.trigger, passed, now)?;
    }
    let (state, reason) = match &claim.when {
        Claimed::InTime => ("run", None),
        Claimed::CaughtUp(reason) => ("caught_up", Some(reason_text(reason))),
    };
    connection
        .prepare_cached(
            "INSERT INTO slots (job, trigger, due_at, until, count, state, reason, run_id, accounted_at)
             VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            job,
            &claim.trigger,
            Micros(claim.due_at),
            state,
            reason,
            run.0,
            Micros(now),
        ))?;
    Ok(())
}

/// Writes a stretch down that no run has.
fn pass(
    connection: &Connection,
    job: &str,
    trigger: &str,
    passed: &Passed,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let state = match passed.fate {
        Fate::Skipped => "skipped",
        Fate::TooOld => "too_old",
    };
    let reason = reason_text(&passed.reason);
    let Stretch { from, to, count } = passed.stretch;
    let before: Option<(Micros, Micros, bool, bool)> = connection
        .prepare_cached(
            "SELECT due_at, until, run_id IS NULL, state = ?4 AND reason = ?5 FROM slots
             WHERE job = ?1 AND trigger = ?2 AND due_at <= ?3 ORDER BY due_at DESC LIMIT 1",
        )?
        .query_row((job, trigger, Micros(from), state, &reason), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let (from, count) = match before {
        // Another process was quicker.
        Some((_, until, true, _)) if until.0 >= to => return Ok(()),
        Some((known, until, true, true)) if until.0 < from => {
            connection
                .prepare_cached(
                    "UPDATE slots SET until = ?4, count = count + ?5, accounted_at = ?6
                     WHERE job = ?1 AND trigger = ?2 AND due_at = ?3",
                )?
                .execute((job, trigger, known, Micros(to), column(count), Micros(now)))?;
            return Ok(());
        }
        // The first of them ran while the clock was ahead: the row of the others begins right behind it.
        Some((known, ..)) if known.0 == from => (from + TimeDelta::microseconds(1), count - 1),
        _ => (from, count),
    };
    if count > 0 {
        connection
            .prepare_cached(
                "INSERT INTO slots (job, trigger, due_at, until, count, state, reason, accounted_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (job, trigger, due_at) DO NOTHING",
            )?
            .execute((job, trigger, Micros(from), Micros(to), column(count), state, &reason, Micros(now)))?;
    }
    Ok(())
}

fn column(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<SlotRow> {
    let time = |column: &str| Ok::<_, rusqlite::Error>(row.get::<_, Micros>(column)?.0);
    let reason = || read_reason(row);
    let run = || Ok::<_, rusqlite::Error>(RunId(row.get("run_id")?));
    let end = match row.get_ref("state")?.as_str()? {
        "run" => SlotEnd::Run(run()?),
        "caught_up" => SlotEnd::CaughtUp(run()?, reason()?),
        "too_old" => SlotEnd::Passed(Fate::TooOld, reason()?),
        _ => SlotEnd::Passed(Fate::Skipped, reason()?),
    };
    Ok(SlotRow {
        trigger: row.get("trigger")?,
        stretch: Stretch {
            from: time("due_at")?,
            to: time("until")?,
            count: row.get::<_, i64>("count")?.unsigned_abs(),
        },
        end,
        accounted_at: time("accounted_at")?,
    })
}
