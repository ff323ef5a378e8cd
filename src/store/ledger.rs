//! The ledger: every call to a model, written down before it is made and when it has ended.
//!
//! Before, it is written down at the most that it can take. What is added up is therefore never less than what was used, whoever
//! dies when, and of calls beside each other each sees those that began before.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::value::{Micros, Span, Tokens};
use super::{Reader, Store, StoreError};
use crate::job::{Call, RunId};

/// The place of a call in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId {
    run: RunId,
    number: i64,
}

/// The most that calls which count may take in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// For people: "the day's budget".
    pub name: String,
    /// Of this job's calls; `None` of all.
    pub job: Option<String>,
    /// Of this run's calls; `None` of all.
    pub run: Option<RunId>,
    /// Of calls since then.
    pub since: DateTime<Utc>,
    /// Tokens of prompts and answers.
    pub tokens: Option<u64>,
    /// Thousand-millionths of the currency.
    pub money: Option<u64>,
}

/// A cap that a call would pass, and what counts towards it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The cap.
    pub cap: Cap,
    /// Tokens.
    pub tokens: u64,
    /// Thousand-millionths of the currency.
    pub money: u64,
}

/// What is written of a call that has begun: it says how it ended where nobody could.
const UNDER_WAY: &str = "it was under way when the program ended";

impl Store {
    /// Writes down that a call of `run` begins, which takes at most what `worst` says; `Err` is the cap that it would pass, and
    /// then nothing is written.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn reserve(
        &self,
        (run, job): (RunId, String),
        worst: Call,
        caps: Vec<Cap>,
    ) -> Result<Result<CallId, Passed>, StoreError> {
        let now = self.now();
        self.write(move |connection| {
            if worst.counts {
                for cap in &caps {
                    let (tokens, money) = counted(connection, cap)?;
                    if !cap.has_room((tokens, money), &worst) {
                        let cap = cap.clone();
                        return Ok(Err(Passed { cap, tokens, money }));
                    }
                }
            }
            let begun = Call {
                error: Some(UNDER_WAY.to_owned()),
                ..worst.clone()
            };
            insert(connection, (run, &job), &begun, now).map(Ok)
        })
        .await
    }

    /// Writes down what a call took.
    ///
    /// # Errors
    /// The store cannot be written: then it counts for the most that it could take.
    pub async fn settle_call(&self, id: CallId, call: Call) -> Result<(), StoreError> {
        self.write(move |connection| {
            let sql = "UPDATE calls SET tokens_in = ?3, tokens_cached = ?4, tokens_out = ?5, load_us = ?6,
                           first_token_us = ?7, total_us = ?8, error = ?9, cost = ?10
                       WHERE run_id = ?1 AND number = ?2";
            connection.prepare_cached(sql)?.execute((
                id.run.0,
                id.number,
                Tokens(call.tokens_in),
                Tokens(call.tokens_cached),
                Tokens(call.tokens_out),
                Span(call.load),
                Span(call.first_token),
                Span(call.total),
                &call.error,
                Tokens(call.cost),
            ))?;
            Ok(())
        })
        .await
    }
}

fn insert(
    connection: &Connection,
    (run, job): (RunId, &str),
    call: &Call,
    now: DateTime<Utc>,
) -> Result<CallId, StoreError> {
    let sql = "INSERT INTO calls (run_id, number, job, at, step, route, class, model, backend, tokens_in, tokens_cached,
                                  tokens_out, load_us, first_token_us, total_us, error, cost, counts)
               VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM calls WHERE run_id = ?1),
                       ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, 0, 0, 0, ?11, ?12, ?13)
               RETURNING number";
    let values = (
        run.0,
        job,
        Micros(now),
        &call.step,
        &call.route,
        &call.class,
        &call.model,
        &call.backend,
        Tokens(call.tokens_in),
        Tokens(call.tokens_out),
        &call.error,
        Tokens(call.cost),
        call.counts,
    );
    let mut statement = connection.prepare_cached(sql)?;
    let number = statement.query_row(values, |row| row.get(0))?;
    Ok(CallId { run, number })
}

impl Cap {
    fn has_room(&self, (tokens, money): (u64, u64), worst: &Call) -> bool {
        let fits = |used: u64, more: u64, most: Option<u64>| {
            most.is_none_or(|most| used.saturating_add(more) <= most)
        };
        let more = worst.tokens_in.saturating_add(worst.tokens_out);
        fits(tokens, more, self.tokens) && fits(money, worst.cost, self.money)
    }
}

/// The tokens and the money that count towards a cap.
fn counted(connection: &Connection, cap: &Cap) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT coalesce(sum(tokens_in + tokens_out), 0), coalesce(sum(cost), 0) FROM calls INDEXED BY calls_counted
               WHERE counts = 1 AND at >= ?1 AND (?2 IS NULL OR job = ?2) AND (?3 IS NULL OR run_id = ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    let values = (Micros(cap.since), &cap.job, cap.run.map(|run| run.0));
    Ok(statement.query_row(values, |row| {
        Ok((row.get::<_, Tokens>(0)?.0, row.get::<_, Tokens>(1)?.0))
    })?)
}

impl Reader<'_> {
    /// The tokens and the money that count towards a cap.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn counted(&self, cap: &Cap) -> Result<(u64, u64), StoreError> {
        counted(self.connection, cap)
    }

    /// How many calls each of these models had since then.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn calls_since(
        &self,
        since: DateTime<Utc>,
        models: &[String],
    ) -> Result<Vec<u64>, StoreError> {
        let sql =
            "SELECT count(*) FROM calls INDEXED BY calls_by_time WHERE at >= ?1 AND model = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let counts = models.iter().map(|model| {
            let count = statement
                .query_row((Micros(since), model), |row| row.get::<_, Tokens>(0))
                .optional()?;
            Ok(count.map_or(0, |count| count.0))
        });
        counts.collect()
    }
}
