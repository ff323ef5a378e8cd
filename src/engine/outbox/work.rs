//! What the tasks of the sender do: send, write down, read, gather, sleep.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::lane::{Epoch, Lane, Next, Trouble};
use super::{Heard, Row, Shared, judge};
use crate::delivery::{self, By, Sending, Sent};
use crate::engine::EngineError;
use crate::job::{DeliveryId, NewDelivery};
use crate::journal::{self, Level};
use crate::store::Settled;

#[cfg(test)]
use crate::engine::tests::simulation;

/// What was done.
enum Done {
    Settled(DeliveryId, Option<Box<Row>>),
    Read(Vec<Row>, u32, Epoch, HashSet<DeliveryId>),
    Gathered(Option<(DeliveryId, NewDelivery)>),
    Woken,
}

/// The first and the longest wait before a commit that failed is tried again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

impl Shared {
    /// Does `next`, then what comes next in its lane, until there is nothing.
    pub(super) async fn work(self: Arc<Self>, name: Arc<str>, mut next: Next) {
        loop {
            let sent = matches!(next, Next::Send(_));
            let Some(done) = self.act(&name, next).await else {
                return;
            };
            let mut lanes = self.lanes();
            let (_, lane) = lanes.lane(&name);
            let gathered = apply(lane, done);
            let clock = &self.engine.clock;
            next = match lanes.stopped {
                true => Next::Rest,
                false => {
                    let (_, lane) = lanes.lane(&name);
                    lane.next(clock.now(), clock.monotonic())
                }
            };
            let begins = matches!(next, Next::Send(_));
            if sent != begins {
                self.under_way.send_modify(|count| match begins {
                    true => *count += 1,
                    false => *count -= 1,
                });
            }
            if sent {
                self.settled.send_modify(|count| *count += 1);
            }
            if !matches!(next, Next::Rest) {
                Shared::pump(&self, &mut lanes, &name);
            }
            drop(lanes);
            Shared::offer(&self, Vec::from_iter(gathered));
        }
    }

    async fn act(&self, name: &Arc<str>, next: Next) -> Option<Done> {
        Some(match next {
            Next::Rest => return None,
            Next::Sleep(wait, wake) => {
                tokio::select! {
                    () = self.engine.clock.sleep(wait) => {}
                    () = wake.notified() => {}
                }
                Done::Woken
            }
            Next::Read(few, except, epoch) => {
                let asked = u32::try_from(few + except.len()).unwrap_or(u32::MAX);
                let read = || {
                    let (name, owner) = (Arc::clone(name), self.engine.lock.clone());
                    let store = &self.engine.store;
                    store.read(move |reader| reader.lane(&name, &owner, asked))
                };
                let rows = self.insist(read).await.unwrap_or_default();
                let rows = rows.into_iter().map(Row::from).collect();
                Done::Read(rows, asked, epoch, except)
            }
            Next::Gather => {
                let gather = || self.engine.store.gather(name, &self.engine.lock);
                Done::Gathered(self.insist(gather).await.unwrap_or_default())
            }
            Next::Send(row) => {
                let id = row.id;
                let deliver = Box::pin(self.deliver(row));
                let again = AssertUnwindSafe(deliver).catch_unwind().await;
                Done::Settled(id, again.unwrap_or_default())
            }
        })
    }

    /// Sends a message once and writes down what became of it; gives it back where it is tried again.
    async fn deliver(&self, mut row: Box<Row>) -> Option<Box<Row>> {
        let (clock, store) = (&self.engine.clock, &self.engine.store);
        let settled = loop {
            let settled = match row.expired(clock.now()) {
                Some(expired) => expired,
                None => {
                    if row.is_marked() {
                        self.insist(|| store.sending(row.id)).await?;
                    }
                    let sent = self.send(&row).await;
                    judge(&row, sent, clock.now())
                }
            };
            self.insist(|| store.settle(row.id, settled.clone()))
                .await?;
            match settled {
                Settled::Part(progress) => *row = row.after(progress),
                settled => break settled,
            }
        };
        match settled {
            Settled::Sent(_) => {
                self.trouble(&row, Trouble::None);
                None
            }
            Settled::Part(_) => Some(row),
            Settled::Perhaps(due_at, _) => {
                row.progress["perhaps"] = true.into();
                (row.attempts, row.due_at) = (row.attempts + 1, due_at);
                Some(row)
            }
            Settled::Again(due_at, _) => {
                (row.attempts, row.due_at) = (row.attempts + 1, due_at);
                Some(row)
            }
            Settled::Failed(_) | Settled::Parked(_) => {
                self.trouble(&row, Trouble::Perhaps);
                let id = row.id;
                let read = || store.read(move |reader| reader.delivery(id));
                if let Some(Some(delivery)) = self.insist(read).await {
                    (self.hear)(Heard::Undelivered(&delivery));
                }
                None
            }
        }
    }

    fn trouble(&self, row: &Row, trouble: Trouble) {
        let news = self.lanes().lane(&row.message.lane).1.delivers(trouble);
        if news && trouble == Trouble::None {
            (self.hear)(Heard::Well(&row.message.lane));
        }
    }

    async fn send(&self, row: &Row) -> Sent {
        #[cfg(test)]
        if let Some(sent) = simulation::sink(row, self.engine.clock.as_ref()).await {
            return sent;
        }
        let loaded = Arc::clone(&self.loaded.borrow());
        let sending = Sending {
            channels: &self.channels,
            settings: &loaded.settings,
            secrets: &loaded.secrets,
            store: &self.engine.store,
            by: By::Daemon,
        };
        let mut say = |said: delivery::Said<'_>| (self.hear)(Heard::Said(said));
        let sent = async {
            delivery::turn(&row.message, sending).await;
            let sent = delivery::send((row.id, &row.progress), &row.message, sending, &mut say);
            // On the heap, and not before it is its turn: hundreds may wait for theirs.
            Box::pin(sent).await
        };
        // A bug in a channel is one message's, and ends no lane.
        let since = self.engine.clock.monotonic();
        self.sending().insert(row.id, since);
        let sent = AssertUnwindSafe(sent).catch_unwind().await;
        self.sending().remove(&row.id);
        let mut sent = sent.unwrap_or_else(|_| Sent::Unknown("a bug in the program".to_owned()));
        if let Sent::Again { reason, .. } | Sent::Unknown(reason) | Sent::Refused(reason) =
            &mut sent
        {
            loaded.secrets.scrub(reason);
        }
        sent
    }

    /// Does it again until the store takes it: a disk that is full keeps the lane waiting, and nothing is sent twice for
    /// it. `None` where somebody settled the message meanwhile, or the store is closed.
    async fn insist<T, F>(&self, work: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, EngineError>>,
    {
        let (mut wait, longest) = AGAIN;
        loop {
            // On the heap: what waits long is not to hold room for what is soon over.
            match Box::pin(work()).await {
                Ok(done) => return Some(done),
                Err(EngineError::NotPending(_) | EngineError::Closed) => return None,
                Err(error) => {
                    if wait == AGAIN.0 {
                        let said = format!("{error}: the outbox waits until it is better");
                        journal::say(Level::Warning, said);
                    }
                    self.engine.clock.sleep(wait).await;
                }
            }
            wait = (wait * 2).min(longest);
        }
    }
}

fn apply(lane: &mut Lane, done: Done) -> Option<(DeliveryId, NewDelivery)> {
    match done {
        Done::Settled(id, again) => lane.settled(id, again),
        Done::Read(rows, asked, epoch, except) => lane.read(rows, asked, epoch, &except),
        Done::Gathered(one) => {
            lane.gathered();
            return one;
        }
        Done::Woken => lane.woken(),
    }
    None
}
