//! Messages that are gathered until a time of the day, and then go out as one.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::delivery::{open, policy_of};
use super::outbox::insert;
use super::value::{Json, Micros};
use super::{Store, StoreError};
use crate::job::{self, DeliveryId, NewDelivery, RunId};

impl Store {
    /// Puts all that is due of a lane that gathers into one new message, in one commit: none of it is lost or sent twice,
    /// whenever the program stops. `None` when nothing was due.
    pub async fn gather(
        &self,
        lane: &str,
        owner: &str,
    ) -> Result<Option<(DeliveryId, NewDelivery)>, StoreError> {
        let (lane, owner, now) = (lane.to_owned(), owner.to_owned(), self.now());
        self.write(move |connection| gather(connection, &lane, &owner, now))
            .await
    }
}

/// So many go into one message at most, and so many bytes of them: the rest goes into the next.
const GATHERED: u32 = 500;
const GATHERED_BYTES: usize = 512 << 10;

fn gather(
    connection: &Connection,
    lane: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<Option<(DeliveryId, NewDelivery)>, StoreError> {
    let sql = concat!(
        "SELECT id, run_id, kind, target, body, policy, due_at, expires_at, created_at FROM deliveries WHERE ",
        open!(),
        " AND lane = ?1 AND state = 'pending' AND (due_at <= ?2 OR due_at > ?5)
         AND (owner IS NULL OR owner = ?3) ORDER BY id LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(sql)?;
    let (now_at, leapt) = (Micros(now), Micros(now + job::LEAPT));
    let mut rows = statement.query((lane, now_at, owner, GATHERED, leapt))?;
    let (mut ids, mut parts, mut bytes, mut last) = (Vec::new(), Vec::new(), 0, None);
    while let Some(row) = rows.next()? {
        let body: String = row.get("body")?;
        bytes += body.len();
        if bytes > GATHERED_BYTES && !parts.is_empty() {
            break;
        }
        ids.push(row.get::<_, i64>("id")?);
        parts.push((row.get::<_, Micros>("created_at")?.0, body));
        let patience = match row.get::<_, Option<Micros>>("expires_at")? {
            Some(expires_at) => Some(expires_at.0 - row.get::<_, Micros>("due_at")?.0),
            None => None,
        };
        let message = NewDelivery {
            kind: row.get("kind")?,
            // Where what is gathered is sent: the same place, in its order with everything else.
            lane: lane
                .rsplit_once(DIGEST)
                .map_or(lane, |(place, _)| place)
                .to_owned(),
            target: row.get::<_, Json>("target")?.0,
            body: String::new(),
            policy: policy_of(row)?,
            due_at: None,
            expires_at: patience.and_then(|patience| now.checked_add_signed(patience)),
        };
        last = Some((row.get::<_, Option<i64>>("run_id")?.map(RunId), message));
    }
    let Some((run, mut message)) = last else {
        return Ok(None);
    };
    let zone = message
        .policy
        .digest
        .take()
        .map_or(crate::zone::Tz::UTC, |digest| digest.zone);
    message.body = job::digest(&parts, zone, now);
    let id = insert(connection, (run, Some(owner)), &message, now)?;
    let why = format!("in the digest {}", id.0);
    let sql = "UPDATE deliveries SET state = 'dropped', reason = ?2 WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    for gathered in ids {
        statement.execute((gathered, &why))?;
    }
    Ok(Some((id, message)))
}

/// Stands in the name of a lane that gathers, between the place and what tells it from others.
pub const DIGEST: &str = " digest ";
