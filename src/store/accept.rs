//! Writes about runs before their first step: accepted, begun, taken over.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::cursor::{self, CursorChange};
use super::run::{outcome_word, record_step, unfinished};
use super::value::{Id, JsonText, Micros};
use super::version::{self, Version};
use super::{StoreError, pause, slot};
use crate::job::{Event, Outcome, RunId, SlotClaim, StepRecord, TriggerKind};

/// What an accepted event's run does first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It waits in the queue.
    Queued,
    /// The process that holds this lock executes it at once.
    RunningBy(String),
    /// It never begins, and this is its outcome.
    Ended(Outcome),
}

/// What becomes true in one commit with an event and its run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Along {
    /// The due moment that the run has from now on.
    pub slot: Option<SlotClaim>,
    /// Positions that moved past the event.
    pub cursors: Vec<CursorChange>,
    /// The texts that the run is pinned to, where they may not be kept yet.
    pub version: Option<Version>,
    /// Steps that it need not do any more.
    pub steps: Vec<StepRecord>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It has a new run.
    New(RunId),
    /// An event with the same dedupe key, or the same slot, has this run (0 for a slot that was passed over).
    Duplicate(RunId),
    /// The job's triggers rest: it has a run that never begins.
    Paused(RunId),
}

impl Accepted {
    /// The event's run, new or not.
    pub fn run(self) -> RunId {
        match self {
            Accepted::New(run) | Accepted::Duplicate(run) | Accepted::Paused(run) => run,
        }
    }
}

pub(super) fn accept(
    connection: &Connection,
    event: &Event,
    job_hash: &str,
    start: &Start,
    along: &Along,
    (uuid, now): (Uuid, DateTime<Utc>),
) -> Result<Accepted, StoreError> {
    if let Some(key) = &event.dedupe_key {
        let known: Option<i64> = connection
            .prepare_cached("SELECT run_id FROM events WHERE dedupe_key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        if let Some(run) = known {
            return Ok(Accepted::Duplicate(RunId(run)));
        }
    }
    if let Some(claim) = &along.slot
        && let Some(run) = slot::taken(connection, &event.job, claim)?
    {
        return Ok(Accepted::Duplicate(run));
    }
    if let Some(version) = &along.version {
        version::keep(connection, version, now)?;
    }
    cursor::change(connection, &along.cursors, now)?;
    // Due moments are accounted for by who keeps the time, and a person knows what he wants.
    let timed = matches!(event.kind, TriggerKind::Cron | TriggerKind::Hand);
    let rests = !timed && pause::holds(connection, &event.job, now)?;
    let paused = Start::Ended(Outcome::Skipped("the job was paused".to_owned()));
    let start = if rests { &paused } else { start };
    let (state, owner, outcome) = match start {
        Start::Queued => ("queued", None, None),
        Start::RunningBy(owner) => ("running", Some(owner), None),
        Start::Ended(outcome) => ("finished", None, Some(outcome)),
    };
    connection
        .prepare_cached(
            "INSERT INTO runs (uuid, job, job_hash, state, owner, attempt, accepted_at, started_at, outcome, reason,
                               finished_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            Id(uuid),
            &event.job,
            job_hash,
            state,
            owner,
            Micros(now),
            owner.map(|_| Micros(now)),
            outcome.map(outcome_word),
            outcome.and_then(Outcome::reason),
            outcome.map(|_| Micros(now)),
        ))?;
    let run = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO events (run_id, id, kind, dedupe_key, payload, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            run,
            Id(event.id),
            event.kind.word(),
            &event.dedupe_key,
            JsonText(&event.payload),
            Micros(event.at),
        ))?;
    let run = RunId(run);
    for step in &along.steps {
        record_step(connection, run, step)?;
    }
    if let Some(claim) = &along.slot {
        slot::claim(connection, &event.job, claim, run, now)?;
    }
    Ok(if rests {
        Accepted::Paused(run)
    } else {
        Accepted::New(run)
    })
}

/// Takes a run that is queued or backs off; one that waits for a word is nobody's until it has it.
pub(super) fn begin(
    connection: &Connection,
    run: RunId,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE runs SET state = 'running', owner = ?2, wake_at = NULL, wake_token = NULL,
                             started_at = coalesce(started_at, ?3)
             WHERE id = ?1 AND state IN ('queued', 'waiting') AND wake_token IS NULL",
        )?
        .execute((run.0, owner, Micros(now)))?;
    taken_unless(changed, connection, run)
}

/// Takes a run over from a process that died; one that waits goes on waiting.
pub(super) fn adopt(
    connection: &Connection,
    run: RunId,
    from: &str,
    owner: &str,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE runs SET owner = ?3, attempt = attempt + 1
             WHERE id = ?1 AND state IN ('running', 'waiting') AND owner = ?2",
        )?
        .execute((run.0, from, owner))?;
    taken_unless(changed, connection, run)
}

fn taken_unless(changed: usize, connection: &Connection, run: RunId) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    unfinished(connection, run)?;
    Err(StoreError::Taken(run))
}
