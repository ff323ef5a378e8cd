//! Writes about runs: accepted, begun, gone on, finished.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::StoreError;
use super::cursor::{self, CursorChange};
use super::value::{Id, JsonText, Micros, Span, Tokens};
use super::version::{self, Version};
use super::{outbox, slot};
use crate::job::{
    Call, DeliveryId, Event, NewDelivery, Outcome, RunId, RunState, SlotClaim, StepRecord, Wait,
};

/// What an accepted event's run does first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It waits in the queue.
    Queued,
    /// The process that holds this lock executes it at once.
    RunningBy(String),
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
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It has a new run.
    New(RunId),
    /// An event with the same dedupe key, or the same slot, has this run (0 for a slot that was passed over).
    Duplicate(RunId),
}

impl Accepted {
    /// The event's run, new or not.
    pub fn run(self) -> RunId {
        match self {
            Accepted::New(run) | Accepted::Duplicate(run) => run,
        }
    }
}

/// Everything that becomes true of a run at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct RunUpdate {
    /// Which run.
    pub run: RunId,
    /// Where it stands from now on; `None` leaves it. `Running` is for [`super::Store::begin`] to say.
    pub state: Option<RunState>,
    /// Steps that began or ended.
    pub steps: Vec<StepRecord>,
    /// Calls to language models.
    pub calls: Vec<Call>,
    /// Positions that moved.
    pub cursors: Vec<CursorChange>,
    /// Messages for the outbox.
    pub deliveries: Vec<NewDelivery>,
}

impl RunUpdate {
    /// An update of `run` that says nothing yet.
    pub fn of(run: RunId) -> Self {
        RunUpdate {
            run,
            state: None,
            steps: Vec::new(),
            calls: Vec::new(),
            cursors: Vec::new(),
            deliveries: Vec::new(),
        }
    }
}

/// The word of the `outcome` column.
pub(super) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::NothingToSay(_) => "nothing_to_say",
        Outcome::Skipped(_) => "skipped",
        Outcome::Failed(_) => "failed",
        Outcome::Interrupted(_) => "interrupted",
        Outcome::Cancelled => "cancelled",
        Outcome::TooOld => "too_old",
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
    let (state, owner, started_at) = match start {
        Start::Queued => ("queued", None, None),
        Start::RunningBy(owner) => ("running", Some(owner), Some(Micros(now))),
    };
    connection
        .prepare_cached(
            "INSERT INTO runs (uuid, job, job_hash, state, owner, attempt, accepted_at, started_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7)",
        )?
        .execute((
            Id(uuid),
            &event.job,
            job_hash,
            state,
            owner,
            Micros(now),
            started_at,
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
    if let Some(claim) = &along.slot {
        slot::claim(connection, &event.job, claim, run, now)?;
    }
    Ok(Accepted::New(run))
}

/// Takes a run that is queued or waiting.
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
             WHERE id = ?1 AND state IN ('queued', 'waiting')",
        )?
        .execute((run.0, owner, Micros(now)))?;
    taken_unless(changed, connection, run)
}

/// Takes a run over from a process that died.
pub(super) fn adopt(
    connection: &Connection,
    run: RunId,
    from: &str,
    owner: &str,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE runs SET state = 'running', owner = ?3, attempt = attempt + 1, wake_at = NULL
             WHERE id = ?1 AND state IN ('running', 'waiting') AND owner = ?2",
        )?
        .execute((run.0, from, owner))?;
    taken_unless(changed, connection, run)
}

pub(super) fn record(
    connection: &Connection,
    update: &RunUpdate,
    now: DateTime<Utc>,
) -> Result<Vec<DeliveryId>, StoreError> {
    let run = update.run;
    let job = unfinished(connection, run)?;
    for step in &update.steps {
        record_step(connection, run, step)?;
    }
    for call in &update.calls {
        record_call(connection, run, &job, call, now)?;
    }
    cursor::change(connection, &update.cursors, now)?;
    let deliveries = outbox::add(connection, run, &update.deliveries, now)?;
    if let Some(state) = &update.state {
        if matches!(state, RunState::Finished(_)) {
            close_steps(connection, run)?;
        }
        set_state(connection, run, state, now)?;
    }
    Ok(deliveries)
}

/// The job of a run that can still change.
fn unfinished(connection: &Connection, run: RunId) -> Result<String, StoreError> {
    let found: Option<(String, bool)> = connection
        .prepare_cached("SELECT job, state = 'finished' FROM runs WHERE id = ?1")?
        .query_row([run.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Err(StoreError::UnknownRun(run)),
        Some((_, true)) => Err(StoreError::AlreadyFinished(run)),
        Some((job, false)) => Ok(job),
    }
}

fn taken_unless(changed: usize, connection: &Connection, run: RunId) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    unfinished(connection, run)?;
    Err(StoreError::Taken(run))
}

fn set_state(
    connection: &Connection,
    run: RunId,
    state: &RunState,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (wake_at, wake_token) = match state {
        RunState::Waiting(Wait::Until(moment)) => (Some(Micros(*moment)), None),
        RunState::Waiting(Wait::Token(token)) => (None, Some(token)),
        _ => (None, None),
    };
    let (word, outcome) = match state {
        // Who runs it is what `begin` wrote, and a run that nobody took cannot be running.
        RunState::Running => return Ok(()),
        RunState::Queued => ("queued", None),
        RunState::Waiting(_) => ("waiting", None),
        RunState::Finished(outcome) => ("finished", Some(outcome)),
    };
    // Who backs off still has it: when that process dies, the run is found.
    connection
        .prepare_cached(
            "UPDATE runs SET state = ?2, outcome = ?3, reason = ?4, wake_at = ?5, wake_token = ?6,
                             owner = CASE WHEN ?5 IS NULL THEN NULL ELSE owner END, finished_at = ?7
             WHERE id = ?1",
        )?
        .execute((
            run.0,
            word,
            outcome.map(outcome_word),
            outcome.and_then(Outcome::reason),
            wake_at,
            wake_token,
            outcome.map(|_| Micros(now)),
        ))?;
    Ok(())
}

fn record_step(connection: &Connection, run: RunId, step: &StepRecord) -> Result<(), StoreError> {
    // Only what was under way or waited can get another end.
    let changed = connection
        .prepare_cached(
            "INSERT INTO steps (run_id, position, attempt, id, kind, end, result, error, detail, started_at, took_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (run_id, position, attempt) DO UPDATE SET
                 end = excluded.end, result = excluded.result, error = excluded.error,
                 detail = excluded.detail, started_at = excluded.started_at, took_us = excluded.took_us
             WHERE steps.end IN ('started', 'wait')",
        )?
        .execute((
            run.0,
            step.position,
            step.attempt,
            &step.id,
            &step.kind,
            step.end,
            step.result.as_ref().map(JsonText),
            &step.error,
            step.detail.as_ref().map(JsonText),
            Micros(step.started_at),
            Span(step.took),
        ))?;
    match changed {
        0 => Err(StoreError::StepRecorded {
            run,
            position: step.position,
            attempt: step.attempt,
        }),
        _ => Ok(()),
    }
}

/// What is under way when its run ends has its end with it.
fn close_steps(connection: &Connection, run: RunId) -> Result<(), StoreError> {
    let sql = "UPDATE steps SET end = 'failed', error = ?2 WHERE run_id = ?1 AND end = 'started'";
    let why = "the run ended while it was under way: it may have had its effect";
    connection.prepare_cached(sql)?.execute((run.0, why))?;
    Ok(())
}

fn record_call(
    connection: &Connection,
    run: RunId,
    job: &str,
    call: &Call,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO calls (run_id, number, job, at, step, model, backend, tokens_in, tokens_cached,
                                tokens_out, load_us, first_token_us, total_us, error)
             VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM calls WHERE run_id = ?1),
                     ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute((
            run.0,
            job,
            Micros(now),
            &call.step,
            &call.model,
            &call.backend,
            Tokens(call.tokens_in),
            Tokens(call.tokens_cached),
            Tokens(call.tokens_out),
            Span(call.load),
            Span(call.first_token),
            Span(call.total),
            &call.error,
        ))?;
    Ok(())
}
