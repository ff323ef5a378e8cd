//! Writes about deliveries: committed with the outcome, sent afterwards, settled one by one.

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use serde_json::Value;

use super::delivery::{Delivery, open};
use super::value::{JsonText, Micros};
use super::{Store, StoreError, lock};
use crate::job::{DeliveryId, NewDelivery, Policy, RunId};

/// What became of one try to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// The other side confirmed it, with what it gave as proof.
    Sent(Option<Value>),
    /// It is given up.
    Failed(String),
    /// It is set aside: it is not known whether it arrived.
    Parked(String),
    /// It is tried again then.
    Again(DateTime<Utc>, String),
    /// It is tried again then, though it may have arrived.
    Perhaps(DateTime<Utc>, String),
    /// A part of it arrived, and the rest follows at once; what is known so far.
    Part(Value),
}

/// Messages that a person means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(DeliveryId),
    /// Every one that is open and not being sent.
    All,
}

/// What is known of a message that may have arrived.
macro_rules! perhaps {
    () => {
        "json_set(coalesce(receipt, '{}'), '$.perhaps', json('true'))"
    };
}

/// Why a message is dropped that a person does not want any more.
const BY_HAND: &str = "dropped by hand";

impl Store {
    /// Puts messages into the outbox that belong to no run, for the process that holds the lock `owner` to send.
    pub async fn say(
        &self,
        messages: Vec<NewDelivery>,
        owner: &str,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let (now, owner) = (self.now(), owner.to_owned());
        self.write(move |connection| {
            let one = |message| say(connection, &owner, message, now);
            messages.iter().map(one).collect()
        })
        .await
    }

    /// Takes over a message whose process died before it sent it, for the process that holds the lock `owner`; one whose bytes
    /// may have left may have arrived.
    ///
    /// # Errors
    /// [`StoreError::NotPending`] if another process was quicker.
    pub async fn adopt_delivery(&self, delivery: &Delivery, owner: &str) -> Result<(), StoreError> {
        let (id, from, owner) = (delivery.id, delivery.owner.clone(), owner.to_owned());
        self.write(move |connection| {
            let sql = concat!(
                "UPDATE deliveries SET owner = ?3, receipt = CASE state WHEN 'sending' THEN ",
                perhaps!(),
                " ELSE receipt END, state = 'pending'
                 WHERE id = ?1 AND owner IS ?2 AND state IN ('pending', 'sending')"
            );
            let mut statement = connection.prepare_cached(sql)?;
            one(id, statement.execute((id.0, &from, &owner))?)
        })
        .await
    }

    /// Takes over all messages of processes that died, for the process that holds the lock `owner`; sets aside those of
    /// which it is not known whether they left, and may not be sent twice, and gives these.
    pub async fn adopt_outbox(&self, owner: &str) -> Result<Vec<Delivery>, StoreError> {
        let folder = self.folder().to_path_buf();
        let gone = self.read(move |reader| {
            let mut senders = reader.senders()?;
            senders.retain(|sender| lock::is_free(&folder, sender));
            Ok(senders)
        });
        let (gone, owner) = (gone.await?, owner.to_owned());
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let parked = self.write(move |connection| {
            let mut parked = Vec::new();
            for sender in &gone {
                parked.extend(adopt(connection, sender, &owner)?);
            }
            Ok(parked)
        });
        let parked = parked.await?;
        self.read(move |reader| {
            let found = parked
                .iter()
                .filter_map(|id| reader.delivery(*id).transpose());
            found.collect()
        })
        .await
    }

    /// The messages that processes left in the outbox when they died, or that waited for their time and belong to nobody:
    /// at most `limit`, above the number `after`.
    pub async fn unsent(
        &self,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let folder = self.folder().to_path_buf();
        self.read(move |reader| reader.unsent(|owner| lock::is_free(&folder, owner), after, limit))
            .await
    }

    /// Writes down that a message's bytes are about to leave, so that it is not sent twice whatever happens.
    ///
    /// # Errors
    /// [`StoreError::NotPending`] if somebody settled it meanwhile.
    pub async fn sending(&self, id: DeliveryId) -> Result<(), StoreError> {
        self.write(move |connection| {
            let sql = "UPDATE deliveries SET state = 'sending' WHERE id = ?1 AND state = 'pending'";
            one(id, connection.prepare_cached(sql)?.execute([id.0])?)
        })
        .await
    }

    /// Writes what became of a try.
    ///
    /// # Errors
    /// [`StoreError::NotPending`]: what is not on its way cannot change.
    pub async fn settle(&self, id: DeliveryId, settled: Settled) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |connection| settle(connection, id, &settled, now))
            .await
    }

    /// The other side confirmed a delivery, with what it gave as proof.
    pub async fn delivered(
        &self,
        id: DeliveryId,
        receipt: Option<Value>,
    ) -> Result<(), StoreError> {
        self.settle(id, Settled::Sent(receipt)).await
    }

    /// A delivery is given up.
    pub async fn delivery_failed(&self, id: DeliveryId, reason: &str) -> Result<(), StoreError> {
        self.settle(id, Settled::Failed(reason.to_owned())).await
    }

    /// Makes messages due at once that were set aside, given up or wait for their next try; says how many.
    pub async fn retry_deliveries(&self, which: Which) -> Result<usize, StoreError> {
        let now = self.now();
        let set = concat!(
            "receipt = CASE state WHEN 'parked' THEN ",
            perhaps!(),
            " ELSE receipt END, state = 'pending', owner = CASE state WHEN 'pending' THEN owner END, attempts = 0,
             due_at = ?2, expires_at = CASE WHEN expires_at > ?2 THEN expires_at END, reason = NULL"
        );
        let all = "(state IN ('parked', 'failed') OR attempts > 0)";
        self.by_hand(which, (set, all), Micros(now)).await
    }

    /// Takes messages out of the outbox that are not being sent; says how many.
    pub async fn drop_deliveries(&self, which: Which) -> Result<usize, StoreError> {
        let set = "state = 'dropped', reason = ?2";
        self.by_hand(which, (set, "TRUE"), BY_HAND).await
    }

    async fn by_hand(
        &self,
        which: Which,
        (set, of_all): (&'static str, &'static str),
        value: impl rusqlite::ToSql + Send + 'static,
    ) -> Result<usize, StoreError> {
        let id = match which {
            Which::One(id) => Some(id.0),
            Which::All => None,
        };
        self.write(move |connection| {
            let open = open!();
            let sql = format!(
                "UPDATE deliveries SET {set}
                 WHERE {open} AND state <> 'sending' AND CASE WHEN ?1 IS NULL THEN {of_all} ELSE id = ?1 END"
            );
            Ok(connection.prepare_cached(&sql)?.execute((id, &value))?)
        })
        .await
    }
}

/// Puts messages of `run` into the outbox, for the process that has the run to send.
pub(super) fn add(
    connection: &Connection,
    run: RunId,
    deliveries: &[NewDelivery],
    now: DateTime<Utc>,
) -> Result<Vec<DeliveryId>, StoreError> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let owner: Option<String> = connection
        .prepare_cached("SELECT owner FROM runs WHERE id = ?1")?
        .query_row([run.0], |row| row.get(0))?;
    let deliveries = deliveries.iter();
    deliveries
        .map(|delivery| insert(connection, (Some(run), owner.as_deref()), delivery, now))
        .collect()
}

/// Puts a message of the program itself into the outbox, for the process that holds the lock `owner` to send.
pub(super) fn say(
    connection: &Connection,
    owner: &str,
    delivery: &NewDelivery,
    now: DateTime<Utc>,
) -> Result<DeliveryId, StoreError> {
    insert(connection, (None, Some(owner)), delivery, now)
}

pub(super) fn insert(
    connection: &Connection,
    (run, owner): (Option<RunId>, Option<&str>),
    delivery: &NewDelivery,
    now: DateTime<Utc>,
) -> Result<DeliveryId, StoreError> {
    let policy = match &delivery.policy {
        usual if *usual == Policy::default() => None,
        policy => serde_json::to_string(policy).ok(),
    };
    connection
        .prepare_cached(
            "INSERT INTO deliveries (run_id, owner, kind, lane, target, body, policy, state, attempts, due_at, expires_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 0, ?8, ?9, ?10)",
        )?
        .execute((
            run.map(|run| run.0),
            owner,
            &delivery.kind,
            &delivery.lane,
            JsonText(&delivery.target),
            &delivery.body,
            policy,
            Micros(delivery.due_at.unwrap_or(now)),
            delivery.expires_at.map(Micros),
            Micros(now),
        ))?;
    Ok(DeliveryId(connection.last_insert_rowid()))
}

fn adopt(connection: &Connection, from: &str, owner: &str) -> Result<Vec<DeliveryId>, StoreError> {
    let sql = concat!(
        "UPDATE deliveries SET state = 'parked', reason = ?2 WHERE ",
        open!(),
        " AND state = 'sending' AND owner = ?1 AND policy ->> '$.on_unknown' = 'park' RETURNING id"
    );
    let why = "the program stopped while it was sent: it may have arrived";
    let mut statement = connection.prepare_cached(sql)?;
    let parked = statement.query_map((from, why), |row| Ok(DeliveryId(row.get(0)?)))?;
    let parked = parked.collect::<Result<_, _>>()?;
    let sql = concat!(
        "UPDATE deliveries SET owner = ?2, receipt = CASE state WHEN 'sending' THEN ",
        perhaps!(),
        " ELSE receipt END, state = 'pending' WHERE ",
        open!(),
        " AND state IN ('pending', 'sending') AND owner = ?1"
    );
    connection.prepare_cached(sql)?.execute((from, owner))?;
    Ok(parked)
}

fn settle(
    connection: &Connection,
    id: DeliveryId,
    settled: &Settled,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let changed = match settled {
        Settled::Sent(receipt) => connection
            .prepare_cached(
                "UPDATE deliveries SET state = 'sent', receipt = ?2, sent_at = ?3
                 WHERE id = ?1 AND state IN ('pending', 'sending')",
            )?
            .execute((id.0, receipt.as_ref().map(JsonText), Micros(now)))?,
        Settled::Failed(reason) => tried(connection, id, ("failed", None), reason)?,
        Settled::Parked(reason) => tried(connection, id, ("parked", None), reason)?,
        Settled::Again(due_at, reason) => {
            tried(connection, id, ("pending", Some(*due_at)), reason)?
        }
        Settled::Perhaps(due_at, reason) => {
            let sql = concat!(
                "UPDATE deliveries SET receipt = ",
                perhaps!(),
                " WHERE id = ?1 AND state IN ('pending', 'sending')"
            );
            connection.prepare_cached(sql)?.execute([id.0])?;
            tried(connection, id, ("pending", Some(*due_at)), reason)?
        }
        Settled::Part(progress) => connection
            .prepare_cached(
                "UPDATE deliveries SET state = 'pending', receipt = ?2, attempts = 0
                 WHERE id = ?1 AND state IN ('pending', 'sending')",
            )?
            .execute((id.0, JsonText(progress)))?,
    };
    one(id, changed)
}

fn tried(
    connection: &Connection,
    id: DeliveryId,
    (state, due_at): (&str, Option<DateTime<Utc>>),
    reason: &str,
) -> Result<usize, StoreError> {
    let sql = "UPDATE deliveries SET state = ?2, attempts = attempts + 1, due_at = coalesce(?3, due_at), reason = ?4
               WHERE id = ?1 AND state IN ('pending', 'sending')";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute((id.0, state, due_at.map(Micros), reason))?)
}

fn one(id: DeliveryId, changed: usize) -> Result<(), StoreError> {
    match changed {
        0 => Err(StoreError::NotPending(id)),
        _ => Ok(()),
    }
}
