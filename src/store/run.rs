//! Writes about runs under way: gone on, finished.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;
use uuid::Uuid;

use super::StoreError;
use super::accept::{Accepted, Along, Start, accept};
use super::alert::{self, News, Told};
use super::cursor::{self, CursorChange};
use super::outbox;
use super::value::{JsonText, Micros, Span};
use super::version::Version;
use crate::job::{DeliveryId, Event, NewDelivery, Outcome, RunId, RunState, StepRecord, Wait};

/// Everything that becomes true of a run at one instant.
#[derive(Debug, Clone)]
pub struct RunUpdate {
    /// Which run.
    pub run: RunId,
    /// Where it stands from now on; `None` leaves it. `Running` is for [`super::Store::begin`] to say.
    pub state: Option<RunState>,
    /// Steps that began or ended.
    pub steps: Vec<StepRecord>,
    /// Positions that moved.
    pub cursors: Vec<CursorChange>,
    /// Messages for the outbox.
    pub deliveries: Vec<NewDelivery>,
    /// What follows from it: events whose runs wait in the queue.
    pub events: Vec<Follow>,
    /// What its end is to the owner.
    pub news: Option<News>,
}

/// An event that follows from a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// What happened.
    pub event: Event,
    /// Which text of its job it is for.
    pub job_hash: String,
    /// That text, where it may not be kept yet.
    pub version: Option<Version>,
    /// Its own id, and its run's.
    pub uuid: Uuid,
}

/// What a commit gave numbers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// The new messages', in their order.
    pub deliveries: Vec<DeliveryId>,
    /// The runs of the events, in their order.
    pub runs: Vec<Accepted>,
    /// What the owner is told.
    pub told: Told,
}

impl RunUpdate {
    /// An update of `run` that says nothing yet.
    pub fn of(run: RunId) -> Self {
        RunUpdate {
            run,
            state: None,
            steps: Vec::new(),
            cursors: Vec::new(),
            deliveries: Vec::new(),
            events: Vec::new(),
            news: None,
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

pub(super) fn record(
    connection: &Connection,
    update: &RunUpdate,
    now: DateTime<Utc>,
) -> Result<Recorded, StoreError> {
    let run = update.run;
    unfinished(connection, run)?;
    for step in &update.steps {
        record_step(connection, run, step)?;
    }
    cursor::change(connection, &update.cursors, now)?;
    let deliveries = outbox::add(connection, run, &update.deliveries, now)?;
    if let Some(state) = &update.state {
        if matches!(state, RunState::Finished(_)) {
            close_steps(connection, run)?;
        }
        set_state(connection, run, state, now)?;
    }
    let runs = update.events.iter().map(|follow| {
        let along = Along {
            version: follow.version.clone(),
            ..Along::default()
        };
        let (event, made) = (&follow.event, (follow.uuid, now));
        accept(
            connection,
            event,
            &follow.job_hash,
            &Start::Queued,
            &along,
            made,
        )
    });
    let runs = runs.collect::<Result<_, _>>()?;
    let told = match &update.news {
        Some(news) => alert::hear(connection, news, now)?,
        None => Told::new(),
    };
    Ok(Recorded {
        deliveries,
        runs,
        told,
    })
}

/// The job of a run that can still change.
pub(super) fn unfinished(connection: &Connection, run: RunId) -> Result<String, StoreError> {
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

pub(super) fn record_step(
    connection: &Connection,
    run: RunId,
    step: &StepRecord,
) -> Result<(), StoreError> {
    let moved = (!step.moved.is_empty()).then(|| json!(step.moved).to_string());
    // Only what was under way or waited can get another end.
    let changed = connection
        .prepare_cached(
            "INSERT INTO steps (run_id, position, attempt, id, kind, end, result, error, detail, started_at, took_us,
                                moved)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (run_id, position, attempt) DO UPDATE SET
                 end = excluded.end, result = excluded.result, error = excluded.error,
                 detail = excluded.detail, started_at = excluded.started_at, took_us = excluded.took_us,
                 moved = excluded.moved
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
            moved,
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
