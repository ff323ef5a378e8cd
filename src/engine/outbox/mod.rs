//! The sender: lanes that do not wait for each other, each in its order.

mod hear;
mod judge;
mod lane;
#[cfg(test)]
mod tests;
mod work;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::{Engine, EngineError, Loaded};
use crate::delivery::Channels;
use crate::job::{DeliveryId, NewDelivery};
use crate::net::Secret;
use crate::telegram::Bot;

pub use hear::{Hear, Heard, aloud, hear};
pub use judge::{Row, judge};

use lane::{Lane, Next, Total};

/// The sender; clones are the same one.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
}

/// The way to an outbox for what it holds itself: it keeps nothing alive.
#[derive(Clone)]
pub(super) struct WeakOutbox(Weak<Shared>);

impl WeakOutbox {
    /// [`Outbox::offer`]; where the sender is gone, the messages are in the store for the next one.
    pub(super) fn offer(&self, messages: Vec<(DeliveryId, NewDelivery)>) {
        if let Some(shared) = self.0.upgrade() {
            Shared::offer(&shared, messages);
        }
    }
}

/// What its tasks share.
struct Shared {
    engine: Engine,
    loaded: watch::Receiver<Arc<Loaded>>,
    channels: Channels,
    hear: Hear,
    lanes: Mutex<Lanes>,
    settled: watch::Sender<u64>,
    under_way: watch::Sender<usize>,
    /// What is being sent, each since when by the monotonic clock.
    sending: Mutex<HashMap<DeliveryId, Duration>>,
}

#[derive(Default)]
struct Lanes {
    by_name: HashMap<Arc<str>, Lane>,
    total: Total,
    /// The highest number that a lane which was forgotten had seen.
    forgotten: DeliveryId,
    stopped: bool,
}

/// So many lanes are remembered; beyond them those go in which nothing happens.
const LANES: usize = 1024;

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settled = *self.shared.settled.borrow();
        let mut shown = f.debug_struct("Outbox");
        shown.field("settled", &settled).finish_non_exhaustive()
    }
}

impl Outbox {
    /// A sender that sends what it is offered, by the newest of `loaded`.
    pub fn new(engine: Engine, loaded: watch::Receiver<Arc<Loaded>>, hear: Hear) -> Self {
        let channels = Channels::new(engine.state.clone(), Arc::clone(&engine.clock));
        Outbox {
            shared: Arc::new(Shared {
                engine,
                loaded,
                channels,
                hear,
                lanes: Mutex::default(),
                settled: watch::Sender::new(0),
                under_way: watch::Sender::new(0),
                sending: Mutex::default(),
            }),
        }
    }

    /// The way to it for what it holds itself.
    pub(super) fn downgrade(&self) -> WeakOutbox {
        WeakOutbox(Arc::downgrade(&self.shared))
    }

    /// Takes over what dead processes left, and sends it. What may not be sent twice and may have left is set aside, and
    /// heard of.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn begin(&self) -> Result<(), EngineError> {
        let engine = &self.shared.engine;
        for delivery in engine.store.adopt_outbox(&engine.lock).await? {
            (self.shared.hear)(Heard::Undelivered(&delivery));
        }
        self.look().await
    }

    /// Sends messages that this process committed, in the order of their numbers.
    pub fn offer(&self, messages: Vec<(DeliveryId, NewDelivery)>) {
        Shared::offer(&self.shared, messages);
    }

    /// Writes down what the program itself has to say, and sends it; waits for room where there is none.
    ///
    /// # Errors
    /// What does not pass by waiting.
    pub async fn say(&self, messages: Vec<NewDelivery>) -> Result<(), EngineError> {
        let engine = &self.shared.engine;
        let say = async || Ok(engine.store.say(messages.clone(), &engine.lock).await?);
        let numbers = engine.patiently(say).await?;
        self.offer(numbers.into_iter().zip(messages).collect());
        Ok(())
    }

    /// The bot with this token, by the connections that its messages go out by.
    ///
    /// # Errors
    /// The address of its server is none.
    pub fn bot(&self, token: &Secret, server: Option<&str>) -> Result<Bot, String> {
        self.shared.channels.bot(token, server)
    }

    /// Waits until a message may go to this chat, and counts it.
    pub(super) async fn turn(&self, chat: i64) {
        self.shared.channels.telegram.turn(chat).await;
    }

    /// Telegram wants no message to this chat for so long.
    pub(super) fn hold(&self, chat: i64, wait: Duration) {
        self.shared.channels.telegram.hold(chat, wait);
    }

    /// The person who paired.
    pub fn owner(&self) -> Option<i64> {
        self.shared.channels.telegram.owner()
    }

    /// From now on this is the owner.
    pub fn set_owner(&self, owner: Option<i64>) {
        self.shared.channels.telegram.set_owner(owner);
    }

    /// Looks into the store again: after somebody retried or dropped messages, and after the wall clock was stepped.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn look(&self) -> Result<(), EngineError> {
        let names = self.shared.engine.store.read(|reader| reader.lanes());
        let names = names.await?;
        let mut lanes = self.shared.lanes();
        for name in &names {
            lanes.lane(name);
        }
        let all: Vec<_> = lanes.by_name.keys().cloned().collect();
        for name in all {
            lanes.lane(&name).1.forget();
            Shared::pump(&self.shared, &mut lanes, &name);
        }
        Ok(())
    }

    /// How many tries were written down so far: it grows while the outbox moves.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.shared.settled.subscribe()
    }

    /// Since when, by the monotonic clock, the message is being sent that is so the longest: each kind ends by itself.
    pub fn sending_since(&self) -> Option<Duration> {
        self.shared.sending().values().min().copied()
    }

    /// Begins nothing more, and waits for what is under way. What is left is in the store.
    pub async fn stop(&self) {
        {
            let mut lanes = self.shared.lanes();
            lanes.stopped = true;
            lanes.by_name.values().for_each(Lane::call);
        }
        let mut under_way = self.shared.under_way.subscribe();
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    /// Messages in memory, those under way not counted.
    #[cfg(test)]
    fn in_memory(&self) -> usize {
        let lanes = self.shared.lanes();
        lanes.by_name.values().map(Lane::in_memory).sum()
    }

    /// The same, as the lanes count it.
    #[cfg(test)]
    fn counted(&self) -> usize {
        self.shared.lanes().total.count()
    }
}

impl Shared {
    fn sending(&self) -> MutexGuard<'_, HashMap<DeliveryId, Duration>> {
        self.sending
            .lock()
            .expect("nothing panics while it holds them")
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes
            .lock()
            .expect("nothing panics while it holds the lanes")
    }

    fn offer(shared: &Arc<Shared>, messages: Vec<(DeliveryId, NewDelivery)>) {
        let now = shared.engine.clock.now();
        let mut lanes = shared.lanes();
        for (id, message) in messages {
            let (name, lane) = lanes.lane(&message.lane);
            lane.offer(Row::new(id, message, now));
            Shared::pump(shared, &mut lanes, &name);
        }
    }

    /// Puts everything that can be done in a lane under way.
    fn pump(shared: &Arc<Shared>, lanes: &mut Lanes, name: &Arc<str>) {
        if lanes.stopped {
            return;
        }
        let clock = &shared.engine.clock;
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let (_, lane) = lanes.lane(name);
        loop {
            match lane.next(now, monotonic) {
                Next::Rest => return,
                next => {
                    if let Next::Send(_) = next {
                        shared.under_way.send_modify(|count| *count += 1);
                    }
                    // On the heap: a task moves its future about.
                    tokio::spawn(Box::pin(Arc::clone(shared).work(Arc::clone(name), next)));
                }
            }
        }
    }
}

impl Lanes {
    fn lane(&mut self, name: &str) -> (Arc<str>, &mut Lane) {
        if !self.by_name.contains_key(name) {
            if self.by_name.len() >= LANES {
                self.by_name.retain(|_, lane| {
                    if lane.is_idle() {
                        self.forgotten = self.forgotten.max(lane.high());
                    }
                    !lane.is_idle()
                });
            }
            let lane = Lane::new(self.forgotten, self.total.clone());
            self.by_name.insert(Arc::from(name), lane);
        }
        let key = self
            .by_name
            .get_key_value(name)
            .map(|(key, _)| Arc::clone(key));
        let key = key.expect("it was put there");
        let lane = self.by_name.get_mut(name).expect("it was put there");
        (key, lane)
    }
}
