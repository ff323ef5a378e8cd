//! Reads about runs: lists, and the whole story of one.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Row;
use uuid::Uuid;

use super::delivery::Delivery;
use super::usage::{CALL, call};
use super::value::{Id, Json, Kind, Micros, Span};
use super::{Reader, StoreError};
use crate::job::{Call, Event, Outcome, RunId, RunState, StepRecord, TriggerKind, Wait};

/// Which runs to list, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only this job's.
    pub job: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// Only those with a lower number: the next page.
    pub before: Option<RunId>,
}

/// One line of a list of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The number that people see.
    pub run: RunId,
    /// UUIDv7, unique across machines.
    pub uuid: Uuid,
    /// The job.
    pub job: String,
    /// Which text of the job file it runs.
    pub job_hash: String,
    /// Where it stands, with its outcome if it has one.
    pub state: RunState,
    /// The lock name of the process that executes it, while one does.
    pub owner: Option<String>,
    /// From 1; one more each time that another process took it over.
    pub attempt: u32,
    /// What started it.
    pub trigger: TriggerKind,
    /// When it was written down.
    pub accepted_at: DateTime<Utc>,
    /// When its first step could begin.
    pub started_at: Option<DateTime<Utc>>,
    /// When it got its outcome.
    pub finished_at: Option<DateTime<Utc>>,
    /// How its messages stand.
    pub deliveries: DeliveryCounts,
}

/// How a run's messages stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// In the outbox, what is set aside included.
    pub pending: u32,
    /// Confirmed.
    pub sent: u32,
    /// Given up.
    pub failed: u32,
    /// Not wanted any more.
    pub dropped: u32,
}

/// Everything that is known of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStory {
    /// Its line in a list.
    pub row: RunRow,
    /// What started it.
    pub event: Event,
    /// Its steps by position, then attempt.
    pub steps: Vec<StepRecord>,
    /// Its calls to language models, in their order.
    pub calls: Vec<Call>,
    /// Its messages, in their order.
    pub deliveries: Vec<Delivery>,
}

const COLUMNS: &str = "SELECT r.id, r.uuid, r.job, r.job_hash, r.state, r.outcome, r.reason, r.wake_at,
           r.wake_token, r.owner, r.attempt, e.kind, r.accepted_at, r.started_at, r.finished_at,
           (SELECT count(*) FROM deliveries d WHERE d.run_id = r.id AND d.state IN ('pending', 'sending', 'parked')) AS pending,
           (SELECT count(*) FROM deliveries d WHERE d.run_id = r.id AND d.state = 'sent') AS sent,
           (SELECT count(*) FROM deliveries d WHERE d.run_id = r.id AND d.state = 'failed') AS failed,
           (SELECT count(*) FROM deliveries d WHERE d.run_id = r.id AND d.state = 'dropped') AS dropped
    FROM runs r JOIN events e ON e.run_id = r.id";

impl Reader<'_> {
    /// Runs, the newest first; as quick with a million runs as with a thousand.
    pub fn history(&self, filter: &Filter) -> Result<Vec<RunRow>, StoreError> {
        let before = filter.before.map_or(i64::MAX, |run| run.0);
        match &filter.job {
            Some(job) => self.rows(
                "r.job = ?1 AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3",
                (job, before, filter.limit),
            ),
            None => self.rows(
                "r.id < ?1 ORDER BY r.id DESC LIMIT ?2",
                (before, filter.limit),
            ),
        }
    }

    /// The runs without an outcome, the oldest first: queued, running and waiting.
    pub fn active(&self) -> Result<Vec<RunRow>, StoreError> {
        // Named, because the planner would rather walk the whole table in its order.
        self.rows(
            "r.id IN (SELECT id FROM runs INDEXED BY runs_active WHERE state <> 'finished') ORDER BY r.id",
            [],
        )
    }

    /// Each job's last run that has an outcome, by name of the job.
    pub fn jobs_last(&self) -> Result<Vec<RunRow>, StoreError> {
        // From name to name through the index: GROUP BY would read an entry for each run.
        self.rows(
            "r.id IN (WITH RECURSIVE names (job) AS (
                          SELECT min(job) FROM runs
                          UNION ALL
                          SELECT (SELECT min(job) FROM runs WHERE job > names.job) FROM names WHERE job IS NOT NULL)
                      SELECT (SELECT id FROM runs WHERE runs.job = names.job AND state = 'finished'
                              ORDER BY id DESC LIMIT 1)
                      FROM names)
             ORDER BY r.job",
            [],
        )
    }

    /// How long the last runs of `job` that ended as ok took, the newest first: `limit` of them at most,
    /// among its last twenty times as many.
    pub fn took(&self, job: &str, limit: u32) -> Result<Vec<Duration>, StoreError> {
        // Bounded, so that a job that always fails is not searched from end to end.
        let sql = "SELECT max(finished_at - started_at, 0)
                   FROM (SELECT * FROM runs WHERE job = ?1 ORDER BY id DESC LIMIT ?2 * 20)
                   WHERE outcome = 'ok' AND started_at IS NOT NULL ORDER BY id DESC LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let spans = statement.query_map((job, limit), |row| Ok(row.get::<_, Span>(0)?.0))?;
        Ok(spans.collect::<Result<_, _>>()?)
    }

    /// The whole story of one run, if it is kept.
    pub fn run(&self, run: RunId) -> Result<Option<RunStory>, StoreError> {
        let Some(row) = self.rows("r.id = ?1", [run.0])?.pop() else {
            return Ok(None);
        };
        Ok(Some(RunStory {
            event: self.event(run, &row.job)?,
            steps: self.steps(run)?,
            calls: self.calls_of(run)?,
            deliveries: self.deliveries(run)?,
            row,
        }))
    }

    fn rows(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<RunRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(parameters, read_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn event(&self, run: RunId, job: &str) -> Result<Event, StoreError> {
        let sql = "SELECT id, kind, dedupe_key, payload, at FROM events WHERE run_id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([run.0], |row| {
            Ok(Event {
                id: row.get::<_, Id>("id")?.0,
                job: job.to_owned(),
                kind: row.get::<_, Kind>("kind")?.0,
                dedupe_key: row.get("dedupe_key")?,
                payload: row.get::<_, Json>("payload")?.0,
                at: row.get::<_, Micros>("at")?.0,
            })
        })?)
    }

    fn steps(&self, run: RunId) -> Result<Vec<StepRecord>, StoreError> {
        let sql =
            "SELECT position, attempt, id, kind, end, result, error, detail, started_at, took_us, moved
                   FROM steps WHERE run_id = ?1 ORDER BY position, attempt";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([run.0], |row| {
            Ok(StepRecord {
                position: row.get("position")?,
                id: row.get("id")?,
                kind: row.get("kind")?,
                attempt: row.get("attempt")?,
                end: end_word(&row.get::<_, String>("end")?),
                result: row.get::<_, Option<Json>>("result")?.map(|json| json.0),
                error: row.get("error")?,
                detail: row.get::<_, Option<Json>>("detail")?.map(|json| json.0),
                started_at: row.get::<_, Micros>("started_at")?.0,
                took: row.get::<_, Span>("took_us")?.0,
                moved: match row.get::<_, Option<Json>>("moved")? {
                    Some(Json(moved)) => serde_json::from_value(moved).unwrap_or_default(),
                    None => Vec::new(),
                },
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The calls to models of a run, in their order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn calls_of(&self, run: RunId) -> Result<Vec<Call>, StoreError> {
        let sql = format!("SELECT {CALL} FROM calls WHERE run_id = ?1 ORDER BY number");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([run.0], call)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        run: RunId(row.get("id")?),
        uuid: row.get::<_, Id>("uuid")?.0,
        job: row.get("job")?,
        job_hash: row.get("job_hash")?,
        state: read_state(row)?,
        owner: row.get("owner")?,
        attempt: row.get("attempt")?,
        trigger: row.get::<_, Kind>("kind")?.0,
        accepted_at: row.get::<_, Micros>("accepted_at")?.0,
        started_at: time(row, "started_at")?,
        finished_at: time(row, "finished_at")?,
        deliveries: DeliveryCounts {
            pending: row.get("pending")?,
            sent: row.get("sent")?,
            failed: row.get("failed")?,
            dropped: row.get("dropped")?,
        },
    })
}

fn read_state(row: &Row<'_>) -> rusqlite::Result<RunState> {
    let word: String = row.get("state")?;
    Ok(match word.as_str() {
        "queued" => RunState::Queued,
        "running" => RunState::Running,
        "waiting" => RunState::Waiting(match time(row, "wake_at")? {
            Some(moment) => Wait::Until(moment),
            None => Wait::Token(row.get("wake_token")?),
        }),
        _ => RunState::Finished(read_outcome(row)?),
    })
}

fn read_outcome(row: &Row<'_>) -> rusqlite::Result<Outcome> {
    let word: String = row.get("outcome")?;
    let reason = || -> rusqlite::Result<String> {
        Ok(row.get::<_, Option<String>>("reason")?.unwrap_or_default())
    };
    Ok(match word.as_str() {
        "ok" => Outcome::Ok,
        "nothing_to_say" => Outcome::NothingToSay(reason()?),
        "skipped" => Outcome::Skipped(reason()?),
        "interrupted" => Outcome::Interrupted(reason()?),
        "cancelled" => Outcome::Cancelled,
        "too_old" => Outcome::TooOld,
        _ => Outcome::Failed(reason()?),
    })
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<DateTime<Utc>>> {
    Ok(row.get::<_, Option<Micros>>(column)?.map(|time| time.0))
}

/// The word that the domain has for a step's end; the schema's CHECK allows no others.
fn end_word(word: &str) -> &'static str {
    const WORDS: [&str; 6] = ["started", "done", "skipped", "stop", "wait", "failed"];
    WORDS
        .into_iter()
        .find(|known| *known == word)
        .unwrap_or("failed")
}
