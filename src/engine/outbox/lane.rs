//! One lane: what is sent in its order. Pure: it is told the time and what was done, and says what is to be done.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use super::Row;
use crate::delivery::spacing;
use crate::job::DeliveryId;

/// So many messages of a lane are kept in memory at most, and so many bytes of them; the others are in the store.
pub(super) const KEPT: usize = 256;
const KEPT_BYTES: usize = 1 << 20;

/// So many of all lanes: once there are more, each lane keeps a few.
pub(super) const KEPT_OF_ALL: usize = 512;
pub(super) const FEW: usize = 2;

/// How many messages all lanes keep in memory; clones count the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Total(Arc<AtomicUsize>);

impl Total {
    /// How many one lane may keep now.
    fn share(&self) -> usize {
        match self.0.load(Ordering::Relaxed) {
            all if all < KEPT_OF_ALL => KEPT,
            _ => FEW,
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn more(&self, by: usize) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    fn fewer(&self, by: usize) {
        self.0.fetch_sub(by, Ordering::Relaxed);
    }
}

/// What is to be done next in a lane.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this.
    Send(Box<Row>),
    /// Read so many of what the store has of it, these beside them and passed over.
    Read(usize, HashSet<DeliveryId>, Epoch),
    /// Make one message of what is due.
    Gather,
    /// Nothing for so long, unless somebody calls.
    Sleep(Duration, Arc<Notify>),
    /// Nothing.
    Rest,
}

/// Tells a reading of the store from before somebody changed it by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Epoch(u64);

/// Whether a lane delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Trouble {
    #[default]
    Perhaps,
    None,
}

/// A lane. What it holds in memory is the beginning of what the store holds of it, in its order.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// On the heap each: the map has room for several where there is one.
    queue: BTreeMap<DeliveryId, Box<Row>>,
    bytes: usize,
    total: Total,
    /// The store may hold some that are not in the queue.
    more: bool,
    /// Somebody reads or gathers.
    busy: bool,
    sleeping: bool,
    wake: Arc<Notify>,
    epoch: Epoch,
    /// A reading may have seen everything up to here: what is offered below it is read again, and never sent twice.
    high: DeliveryId,
    in_flight: HashSet<DeliveryId>,
    /// How many may be under way beside those that are.
    width: usize,
    /// Whether its last message failed; unknown until one is sent.
    trouble: Trouble,
    /// By the monotonic clock: the next begins no sooner.
    not_before: Duration,
}

impl Lane {
    /// A lane; what is offered with a number up to `high` may have been in the store when it was last forgotten.
    pub(super) fn new(high: DeliveryId, total: Total) -> Self {
        Lane {
            high,
            total,
            ..Lane::default()
        }
    }

    /// A message that was committed.
    pub(super) fn offer(&mut self, row: Row) {
        let room = self.queue.len() < self.total.share() && self.bytes < KEPT_BYTES;
        if self.more || self.busy || !room || row.id <= self.high {
            self.more = true;
        } else {
            self.put(Box::new(row));
        }
    }

    /// Somebody changed the store by hand: what is in memory counts no more.
    pub(super) fn forget(&mut self) {
        self.clear();
        self.more = true;
        self.epoch.0 += 1;
        self.call();
    }

    /// Wakes whoever sleeps until something is due.
    pub(super) fn call(&self) {
        self.wake.notify_one();
    }

    /// What the store gave for a [`Next::Read`].
    pub(super) fn read(
        &mut self,
        rows: Vec<Row>,
        asked: u32,
        epoch: Epoch,
        except: &HashSet<DeliveryId>,
    ) {
        self.busy = false;
        if epoch != self.epoch {
            self.more = true;
            return;
        }
        self.more |= rows.len() >= asked as usize;
        for row in rows {
            if self.bytes >= KEPT_BYTES {
                self.more = true;
                break;
            }
            self.high = self.high.max(row.id);
            if !except.contains(&row.id) {
                self.put(Box::new(row));
            }
        }
    }

    /// What was due is gathered; there may be more.
    pub(super) fn gathered(&mut self) {
        self.clear();
        (self.busy, self.more) = (false, true);
    }

    /// A message has its end, or waits for its next try.
    pub(super) fn settled(&mut self, id: DeliveryId, again: Option<Box<Row>>) {
        self.in_flight.remove(&id);
        if let Some(row) = again {
            self.put(row);
        }
    }

    /// It gave a message up, or delivered one; says whether that is news.
    pub(super) fn delivers(&mut self, trouble: Trouble) -> bool {
        std::mem::replace(&mut self.trouble, trouble) != trouble
    }

    /// A sleep is over.
    pub(super) fn woken(&mut self) {
        self.sleeping = false;
    }

    /// Whether forgetting it loses nothing but `high`.
    pub(super) fn is_idle(&self) -> bool {
        let holds = self.more || self.busy || self.sleeping;
        !holds && self.queue.is_empty() && self.in_flight.is_empty()
    }

    pub(super) fn high(&self) -> DeliveryId {
        self.high
    }

    #[cfg(test)]
    pub(super) fn in_memory(&self) -> usize {
        self.queue.len()
    }

    /// What is to be done now. What it says is under way from then on; it says `Rest` until something changes.
    pub(super) fn next(&mut self, now: DateTime<Utc>, monotonic: Duration) -> Next {
        if self.busy || (self.width <= self.in_flight.len() && !self.in_flight.is_empty()) {
            return Next::Rest;
        }
        let Some(head) = self.queue.first_entry() else {
            if !self.more {
                return Next::Rest;
            }
            (self.busy, self.more) = (true, false);
            return Next::Read(self.total.share(), self.in_flight.clone(), self.epoch);
        };
        let policy = &head.get().message.policy;
        let width = policy.width.max(1) as usize;
        if !self.in_flight.is_empty() && self.in_flight.len() >= width {
            return Next::Rest;
        }
        let due_in = (head.get().ready_at(now) - now)
            .to_std()
            .unwrap_or_default();
        let wait = due_in.max(self.not_before.saturating_sub(monotonic));
        if !wait.is_zero() {
            if self.sleeping {
                return Next::Rest;
            }
            self.sleeping = true;
            return Next::Sleep(wait, Arc::clone(&self.wake));
        }
        if policy.digest.is_some() {
            self.busy = true;
            return Next::Gather;
        }
        let row = head.remove();
        self.total.fewer(1);
        self.bytes -= row.message.body.len();
        self.width = if self.in_flight.is_empty() {
            width
        } else {
            self.width.min(width)
        };
        self.in_flight.insert(row.id);
        self.not_before = monotonic + spacing(&row.message.kind);
        Next::Send(row)
    }

    fn put(&mut self, row: Box<Row>) {
        let bytes = row.message.body.len();
        if self.queue.insert(row.id, row).is_none() {
            self.total.more(1);
            self.bytes += bytes;
        }
    }

    fn clear(&mut self) {
        self.total.fewer(self.queue.len());
        self.queue.clear();
        self.bytes = 0;
    }
}
