//! Deliveries as they are read: the outbox, its lanes, what a run said.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use super::value::{Json, Micros};
use super::{Reader, StoreError};
use crate::job::{DeliveryId, NewDelivery, Policy, RunId};

/// How a delivery stands.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryState {
    /// In the outbox: to be sent when its time has come.
    Pending,
    /// Its bytes may be leaving; only for messages that are sent at most once.
    Sending,
    /// Set aside, because it is not known whether it arrived: for a person to decide.
    Parked(String),
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

impl DeliveryState {
    /// The word that people see.
    pub fn word(&self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Sending => "sending",
            DeliveryState::Parked(_) => "parked",
            DeliveryState::Sent { .. } => "sent",
            DeliveryState::Failed(_) => "failed",
            DeliveryState::Dropped(_) => "dropped",
        }
    }
}

/// A message and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// The run that it speaks for; none for what the program itself has to say.
    pub run: Option<RunId>,
    /// That run's job.
    pub job: Option<String>,
    /// The lock name of the process that sends it.
    pub owner: Option<String>,
    /// The message itself, with `due_at` filled in.
    pub message: NewDelivery,
    /// How it stands.
    pub state: DeliveryState,
    /// What is known of it while it is open: the parts that arrived, whether all of it may have.
    pub progress: Value,
    /// How often sending it was tried without success.
    pub attempts: u32,
    /// The last try's error.
    pub reason: Option<String>,
    /// Not to be sent before.
    pub due_at: DateTime<Utc>,
    /// When it entered the outbox.
    pub created_at: DateTime<Utc>,
}

/// Which messages to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// What nobody confirmed and nobody dropped.
    Open,
    /// Everything that is kept.
    All,
}

const COLUMNS: &str = "SELECT d.id, d.run_id, r.job, d.owner, d.kind, d.lane, d.target, d.body, d.policy, d.state,
                              d.attempts, d.reason, d.receipt, d.due_at, d.expires_at, d.created_at, d.sent_at
                       FROM deliveries d LEFT JOIN runs r ON r.id = d.run_id";

/// What the index `deliveries_open` holds: SQLite uses it only where this stands, word for word.
macro_rules! open {
    () => {
        "state NOT IN ('sent', 'dropped')"
    };
}
pub(super) use open;

impl Reader<'_> {
    /// The messages to be sent of one lane in their order, those of `owner` and of nobody, from the first on.
    pub fn lane(&self, lane: &str, owner: &str, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let sql = concat!(
            " WHERE d.",
            open!(),
            " AND d.lane = ?1 AND d.state = 'pending' AND (d.owner IS NULL OR d.owner = ?2)
              ORDER BY d.id LIMIT ?3"
        );
        self.deliveries_where(sql, (lane, owner, limit))
    }

    /// The lanes that hold something open.
    pub fn lanes(&self) -> Result<Vec<String>, StoreError> {
        // One step down the index for each, whatever they hold.
        let sql = concat!(
            "SELECT min(lane) FROM deliveries WHERE ",
            open!(),
            " AND lane > ?1"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut lanes: Vec<String> = Vec::new();
        loop {
            let last = lanes.last().map_or("", String::as_str);
            let next: Option<String> = statement.query_row([last], |row| row.get(0))?;
            match next {
                Some(lane) => lanes.push(lane),
                None => return Ok(lanes),
            }
        }
    }

    /// One message.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let sql = format!("{COLUMNS} WHERE d.id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id.0], read).optional()?)
    }

    /// At most `limit` messages, the newest of them, in the order they came in.
    pub fn outbox(&self, which: Listing, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let sql = match which {
            Listing::Open => concat!(
                " WHERE d.id IN (SELECT id FROM deliveries INDEXED BY deliveries_open WHERE ",
                open!(),
                " ORDER BY id DESC LIMIT ?1) ORDER BY d.id"
            ),
            Listing::All => {
                " WHERE d.id IN (SELECT id FROM deliveries ORDER BY id DESC LIMIT ?1) ORDER BY d.id"
            }
        };
        self.deliveries_where(sql, (limit,))
    }

    /// The first messages on their way whose process is gone, or that nobody has, in the order they came in, above the
    /// number `after`.
    pub fn unsent(
        &self,
        is_free: impl Fn(&str) -> bool,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut alive = self.senders()?;
        alive.retain(|sender| !is_free(sender));
        let sql = concat!(
            " WHERE d.id IN (SELECT id FROM deliveries INDEXED BY deliveries_open WHERE ",
            open!(),
            " AND id > ?1) AND d.state IN ('pending', 'sending') ORDER BY d.id"
        );
        let mut statement = self.connection.prepare_cached(&format!("{COLUMNS}{sql}"))?;
        let rows = statement.query_map([after.0], read)?;
        let left = rows.filter(|row| match row {
            Ok(delivery) => delivery
                .owner
                .as_ref()
                .is_none_or(|owner| !alive.contains(owner)),
            Err(_) => true,
        });
        Ok(left.take(limit).collect::<Result<_, _>>()?)
    }

    /// The processes that have open messages.
    pub(super) fn senders(&self) -> Result<Vec<String>, StoreError> {
        let sql = concat!(
            "SELECT DISTINCT owner FROM deliveries INDEXED BY deliveries_open WHERE ",
            open!(),
            " AND owner IS NOT NULL AND state IN ('pending', 'sending')"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Everything that `run` said or has to say, in the order it entered the outbox.
    pub(super) fn deliveries(&self, run: RunId) -> Result<Vec<Delivery>, StoreError> {
        self.deliveries_where(" WHERE d.run_id = ?1 ORDER BY d.id", [run.0])
    }

    /// What proves that the newest message of `job` was sent whose target has `value` at `key`; its last hundred runs are
    /// looked at.
    pub fn last_receipt(
        &self,
        job: &str,
        key: &str,
        value: &str,
    ) -> Result<Option<Value>, StoreError> {
        let sql = "SELECT receipt FROM deliveries
                   WHERE run_id IN (SELECT id FROM runs WHERE job = ?1 ORDER BY id DESC LIMIT 100)
                     AND state = 'sent' AND target ->> ?2 = ?3
                   ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row((job, key, value), |row| row.get::<_, Option<Json>>(0));
        Ok(found.optional()?.flatten().map(|json| json.0))
    }

    fn deliveries_where(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!("{COLUMNS}{condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(parameters, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(super) fn policy_of(row: &Row<'_>) -> rusqlite::Result<Policy> {
    let json: Option<Json> = row.get("policy")?;
    // One of a later version that this one does not understand is the usual one, and never a row that cannot be read.
    Ok(json
        .and_then(|json| serde_json::from_value(json.0).ok())
        .unwrap_or_default())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let reason: Option<String> = row.get("reason")?;
    let word: String = row.get("state")?;
    let why = || reason.clone().unwrap_or_default();
    let mut receipt = row.get::<_, Option<Json>>("receipt")?.map(|json| json.0);
    let state = match word.as_str() {
        "pending" => DeliveryState::Pending,
        "sending" => DeliveryState::Sending,
        "parked" => DeliveryState::Parked(why()),
        "sent" => DeliveryState::Sent {
            receipt: receipt.take(),
            at: row.get::<_, Micros>("sent_at")?.0,
        },
        "failed" => DeliveryState::Failed(why()),
        _ => DeliveryState::Dropped(why()),
    };
    let due_at = row.get::<_, Micros>("due_at")?.0;
    Ok(Delivery {
        id: DeliveryId(row.get("id")?),
        run: row.get::<_, Option<i64>>("run_id")?.map(RunId),
        job: row.get("job")?,
        owner: row.get("owner")?,
        message: NewDelivery {
            kind: row.get("kind")?,
            lane: row.get("lane")?,
            target: row.get::<_, Json>("target")?.0,
            body: row.get("body")?,
            policy: policy_of(row)?,
            due_at: Some(due_at),
            expires_at: row.get::<_, Option<Micros>>("expires_at")?.map(|at| at.0),
        },
        state,
        progress: receipt.unwrap_or_default(),
        attempts: row.get("attempts")?,
        reason,
        due_at,
        created_at: row.get::<_, Micros>("created_at")?.0,
    })
}
