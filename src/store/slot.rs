//! Slots: due moments that are accounted for.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::StoreError;
use super::value::Micros;
use crate::job::{Claimed, RunId, SlotClaim, Stretch};

/// The run that has the slot at `due_at`, or 0 where it was passed over.
pub(super) fn taken(
    connection: &Connection,
    job: &str,
    claim: &SlotClaim,
) -> Result<Option<RunId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(run_id, 0) FROM slots WHERE job = ?1 AND trigger = ?2 AND due_at = ?3",
    )?;
    let mut rows = statement.query((job, &claim.trigger, Micros(claim.due_at)))?;
    Ok(match rows.next()? {
        Some(row) => Some(RunId(row.get(0)?)),
        None => None,
    })
}

/// Gives a slot to a run, and writes down what it stands for.
pub(super) fn claim(
    connection: &Connection,
    job: &str,
    claim: &SlotClaim,
    run: RunId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let Some(stretch) = &claim.passed {
        pass(connection, job, &claim.trigger, stretch, now)?;
    }
    let state = match claim.when {
        Claimed::InTime => "run",
        Claimed::CaughtUp => "caught_up",
    };
    connection
        .prepare_cached(
            "INSERT INTO slots (job, trigger, due_at, until, count, state, run_id, accounted_at)
             VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6)",
        )?
        .execute((
            job,
            &claim.trigger,
            Micros(claim.due_at),
            state,
            run.0,
            Micros(now),
        ))?;
    Ok(())
}

/// Writes a stretch down that no run has.
pub(super) fn pass(
    connection: &Connection,
    job: &str,
    trigger: &str,
    stretch: &Stretch,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO slots (job, trigger, due_at, until, count, state, reason, accounted_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'skipped', ?6, ?7)
             ON CONFLICT (job, trigger, due_at) DO NOTHING",
        )?
        .execute((
            job,
            trigger,
            Micros(stretch.from),
            Micros(stretch.to),
            i64::try_from(stretch.count).unwrap_or(i64::MAX),
            &stretch.reason,
            Micros(now),
        ))?;
    Ok(())
}
