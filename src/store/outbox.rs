//! Deliveries: committed with the outcome, sent afterwards, confirmed one by one.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};
use serde_json::Value;

use super::value::{Json, JsonText, Micros};
use super::{Reader, StoreError};
use crate::job::{DeliveryId, NewDelivery, RunId};

/// How a delivery stands.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryState {
    /// In the outbox: to be sent when its time has come.
    Pending,
    /// Confirmed by the other side.
    Sent {
        /// What the other side gave as proof (a message id).
        receipt: Option<Value>,
        /// When it was confirmed.
        at: DateTime<Utc>,
    },
    /// Given up, for this reason.
    Failed(String),
    /// Not wanted any more, for this reason.
    Dropped(String),
}

/// A message and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// The run that it speaks for.
    pub run: RunId,
    /// That run's job.
    pub job: String,
    /// The lock name of the process that sends it.
    pub owner: Option<String>,
    /// The delivery kind: `console`, `file` ...
    pub kind: String,
    /// Who or where, resolved.
    pub target: Value,
    /// The text.
    pub body: String,
    /// How it stands.
    pub state: DeliveryState,
    /// How often sending it was tried without success.
    pub attempts: u32,
    /// The last try's error.
    pub reason: Option<String>,
    /// Not to be sent before.
    pub due_at: DateTime<Utc>,
    /// When it entered the outbox.
    pub created_at: DateTime<Utc>,
}

/// What became of one try to send.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settled {
    Sent(Option<Value>),
    Failed(String),
    Dropped(String),
    Again(DateTime<Utc>, String),
}

const COLUMNS: &str =
    "SELECT d.id, d.run_id, r.job, d.owner, d.kind, d.target, d.body, d.state, d.attempts, d.reason,
                              d.receipt, d.due_at, d.created_at, d.sent_at
                       FROM deliveries d JOIN runs r ON r.id = d.run_id";

impl Reader<'_> {
    /// The outbox: what is to be sent at `now` or before, the longest due first.
    pub fn pending(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE d.state = 'pending' AND d.due_at <= ?1 ORDER BY d.due_at, d.id LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map((Micros(now), limit), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What processes left in the outbox whose lock is free, in the order it came in: whether somebody heard it is not
    /// known.
    pub fn unsent(&self, is_free: impl Fn(&str) -> bool) -> Result<Vec<Delivery>, StoreError> {
        let sql =
            format!("{COLUMNS} WHERE d.state = 'pending' AND d.owner IS NOT NULL ORDER BY d.id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut unsent: Vec<Delivery> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
        unsent.retain(|delivery| delivery.owner.as_deref().is_some_and(&is_free));
        Ok(unsent)
    }

    /// When the next message in the outbox is due, in the past if it is late.
    pub fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(due_at) FROM deliveries WHERE state = 'pending'";
        let due: Option<Micros> = self
            .connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))?;
        Ok(due.map(|due| due.0))
    }

    /// Everything that `run` said or has to say, in the order it entered the outbox.
    pub(super) fn deliveries(&self, run: RunId) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!("{COLUMNS} WHERE d.run_id = ?1 ORDER BY d.id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([run.0], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Puts messages of `run` into the outbox, for the process that has the run to send.
pub(super) fn add(
    connection: &Connection,
    run: RunId,
    deliveries: &[NewDelivery],
    now: DateTime<Utc>,
) -> Result<Vec<DeliveryId>, StoreError> {
    let mut ids = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        connection
            .prepare_cached(
                "INSERT INTO deliveries (run_id, owner, kind, lane, target, body, state, attempts, due_at, created_at)
                 VALUES (?1, (SELECT owner FROM runs WHERE id = ?1), ?2, ?2, ?3, ?4, 'pending', 0, ?5, ?5)",
            )?
            .execute((
                run.0,
                &delivery.kind,
                JsonText(&delivery.target),
                &delivery.body,
                Micros(now),
            ))?;
        ids.push(DeliveryId(connection.last_insert_rowid()));
    }
    Ok(ids)
}

/// Puts a message of the program itself into the outbox, for the process that holds the lock `owner` to send.
pub(super) fn say(
    connection: &Connection,
    owner: &str,
    delivery: &NewDelivery,
    now: DateTime<Utc>,
) -> Result<DeliveryId, StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO deliveries (run_id, owner, kind, lane, target, body, state, attempts, due_at, created_at)
             VALUES (NULL, ?1, ?2, ?2, ?3, ?4, 'pending', 0, ?5, ?5)",
        )?
        .execute((
            owner,
            &delivery.kind,
            JsonText(&delivery.target),
            &delivery.body,
            Micros(now),
        ))?;
    Ok(DeliveryId(connection.last_insert_rowid()))
}

/// Takes a message over from a process that died before it sent it.
pub(super) fn adopt(
    connection: &Connection,
    id: DeliveryId,
    from: Option<&str>,
    owner: &str,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE deliveries SET owner = ?3 WHERE id = ?1 AND owner IS ?2 AND state = 'pending'";
    let changed = connection
        .prepare_cached(sql)?
        .execute((id.0, from, owner))?;
    match changed {
        0 => Err(StoreError::NotPending(id)),
        _ => Ok(()),
    }
}

/// Writes what became of a try; only what is pending can change.
pub(super) fn settle(
    connection: &Connection,
    id: DeliveryId,
    settled: &Settled,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let changed = match settled {
        Settled::Sent(receipt) => connection
            .prepare_cached(
                "UPDATE deliveries SET state = 'sent', receipt = ?2, sent_at = ?3
                 WHERE id = ?1 AND state = 'pending'",
            )?
            .execute((id.0, receipt.as_ref().map(JsonText), Micros(now)))?,
        Settled::Failed(reason) => give_up(connection, id, "failed", reason)?,
        Settled::Dropped(reason) => give_up(connection, id, "dropped", reason)?,
        Settled::Again(due_at, reason) => connection
            .prepare_cached(
                "UPDATE deliveries SET attempts = attempts + 1, due_at = ?2, reason = ?3
                 WHERE id = ?1 AND state = 'pending'",
            )?
            .execute((id.0, Micros(*due_at), reason))?,
    };
    match changed {
        0 => Err(StoreError::NotPending(id)),
        _ => Ok(()),
    }
}

fn give_up(
    connection: &Connection,
    id: DeliveryId,
    state: &str,
    reason: &str,
) -> Result<usize, StoreError> {
    let sql = "UPDATE deliveries SET state = ?2, attempts = attempts + (?2 = 'failed'), reason = ?3
               WHERE id = ?1 AND state = 'pending'";
    Ok(connection
        .prepare_cached(sql)?
        .execute((id.0, state, reason))?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let reason: Option<String> = row.get("reason")?;
    let word: String = row.get("state")?;
    let state = match word.as_str() {
        "pending" => DeliveryState::Pending,
        "sent" => DeliveryState::Sent {
            receipt: row.get::<_, Option<Json>>("receipt")?.map(|json| json.0),
            at: row.get::<_, Micros>("sent_at")?.0,
        },
        "failed" => DeliveryState::Failed(reason.clone().unwrap_or_default()),
        _ => DeliveryState::Dropped(reason.clone().unwrap_or_default()),
    };
    Ok(Delivery {
        id: DeliveryId(row.get("id")?),
        run: RunId(row.get("run_id")?),
        job: row.get("job")?,
        owner: row.get("owner")?,
        kind: row.get("kind")?,
        target: row.get::<_, Json>("target")?.0,
        body: row.get("body")?,
        state,
        attempts: row.get("attempts")?,
        reason,
        due_at: row.get::<_, Micros>("due_at")?.0,
        created_at: row.get::<_, Micros>("created_at")?.0,
    })
}
