//! Brings each timed trigger's due moments to the intake: one heap of next starts, looked at when the first of them comes,
//! and each second, for clocks leap.

mod entry;
mod life;
mod metronome;
#[cfg(test)]
mod tests;
mod trust;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, watch};

use super::{Engine, EngineError, Intake};
use crate::clock::Clock;
use crate::job::Reason;
use crate::journal::{self, Level};
use crate::store::{Store, TimedTrigger};
use crate::system::Machine;

use entry::{Entry, Look};
use trust::Trust;

pub(super) use life::{Last, last};
pub use metronome::Metronome;

/// The wall clock and the other one differ by more than this only where the former leapt.
const LEAP: TimeDelta = TimeDelta::seconds(2);

/// It looks this often even where nobody wakes it.
const LONGEST: Duration = Duration::from_secs(60);

/// So many slots are on their way into the store at once, so that it commits them in groups.
const AT_ONCE: usize = 1024;

/// The due moments of all timed triggers.
#[derive(Debug)]
pub struct Timetable {
    clock: Arc<dyn Clock>,
    store: Store,
    intake: Intake,
    machine: Machine,
    trust: Trust,
    entries: Vec<Entry>,
    /// When which entry is to be looked at.
    heap: BinaryHeap<Reverse<(DateTime<Utc>, usize)>>,
    /// The entries are not what they should be.
    stale: bool,
    /// What is known of the life before.
    last: life::Last,
    /// The last stretch of time in which nothing could run.
    absence: Option<Reason>,
    /// Both clocks, as they were last seen.
    seen: (DateTime<Utc>, Duration),
    /// When the last sign of life was written down.
    signed: Option<Duration>,
    beat: watch::Sender<Duration>,
    coming: watch::Sender<Option<DateTime<Utc>>>,
    trusted: watch::Sender<bool>,
}

impl Timetable {
    /// A timetable for the jobs that the intake knows. Nothing happens before the first [`Timetable::tick`].
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(engine: &Engine, intake: Intake, machine: Machine) -> Result<Self, EngineError> {
        let clock = Arc::clone(&engine.clock);
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let last = life::last(&engine.store)?;
        Ok(Timetable {
            trust: Trust::new(monotonic, last.sign()),
            absence: None,
            last,
            store: engine.store.clone(),
            clock,
            intake,
            machine,
            entries: Vec::new(),
            heap: BinaryHeap::new(),
            stale: true,
            seen: (now, monotonic),
            signed: None,
            beat: watch::Sender::new(monotonic),
            coming: watch::Sender::new(None),
            trusted: watch::Sender::new(false),
        })
    }

    /// When the last look ended, by the clock that does not leap: what feeds watchdogs.
    pub fn beat(&self) -> watch::Receiver<Duration> {
        self.beat.subscribe()
    }

    /// When the next start is, as far as is known.
    pub fn coming(&self) -> watch::Receiver<Option<DateTime<Utc>>> {
        self.coming.subscribe()
    }

    /// Whether what is due by the clock may begin.
    pub fn trusted(&self) -> watch::Receiver<bool> {
        self.trusted.subscribe()
    }

    /// What a look gave; the owner hears when the store fails and when it can be written again.
    fn heard(
        &self,
        looked: Result<Option<DateTime<Utc>>, EngineError>,
        failing: &mut Option<EngineError>,
    ) -> Option<DateTime<Utc>> {
        let (now, alerts) = (self.clock.now(), self.intake.alerts());
        match looked {
            Ok(next) => {
                if let (Some(reason), Some(alerts)) = (failing.take(), alerts) {
                    alerts.room(now, &reason);
                }
                next
            }
            Err(error) => {
                if failing.is_none() {
                    journal::say(Level::Error, format!("timed jobs wait: {error}"));
                }
                if let Some(alerts) = alerts.filter(|_| error.may_pass()) {
                    alerts.no_room(now);
                }
                *failing = Some(error);
                None
            }
        }
    }

    /// Looks until `stop` completes: when the next start is due, when `second` tells of a second, when the jobs change.
    pub async fn run(mut self, second: Arc<Notify>, stop: impl Future<Output = ()>) {
        let mut reloaded = self.intake.reloaded();
        let mut failing = None;
        tokio::pin!(stop);
        loop {
            let looked = self.tick().await;
            // After a failure the next second is soon enough.
            let next = self.heard(looked, &mut failing);
            let longest = self.clock.now() + LONGEST;
            let next = next.map_or(longest, |next| next.min(longest));
            tokio::select! {
                () = &mut stop => break,
                () = self.clock.sleep_until(next) => {}
                () = second.notified() => {}
                changed = reloaded.changed() => match changed {
                    Ok(()) => self.stale = true,
                    Err(_) => break,
                },
            }
        }
        // The end of a clean life is known to the second.
        let _ = life::sign(&self.store, self.clock.now()).await;
    }

    /// The jobs changed: the next look takes those that are loaded now.
    pub fn reload(&mut self) {
        self.stale = true;
    }

    /// Looks once: brings what is due to the intake, and gives the moment of the next start.
    ///
    /// # Errors
    /// The store cannot be read or written; the next look begins anew.
    pub async fn tick(&mut self) -> Result<Option<DateTime<Utc>>, EngineError> {
        let now = self.clock.now();
        self.notice_leap(now);
        let wait = self.intake.loaded().settings.clock_wait;
        if self
            .trust
            .look(&self.machine, (now, self.clock.monotonic()), wait)
        {
            // Also where the clock was set meanwhile: until now nothing could run at the right time.
            self.absence = self.last.absence(&self.machine, now);
            self.stale = true;
        }
        let next = match self.trust {
            Trust::Waiting { .. } => None,
            Trust::Unsure { .. } | Trust::Sure => {
                self.trusted
                    .send_if_modified(|known| !std::mem::replace(known, true));
                if let Err(error) = self.look(now).await {
                    self.stale = true;
                    if error.may_pass() {
                        // A full disk is waited for; a new start would not make room.
                        self.beat.send_replace(self.clock.monotonic());
                    }
                    return Err(error);
                }
                self.heap.peek().map(|Reverse((next, _))| *next)
            }
        };
        self.beat.send_replace(self.clock.monotonic());
        self.coming.send_replace(next);
        Ok(next)
    }

    async fn look(&mut self, now: DateTime<Utc>) -> Result<(), EngineError> {
        if self.trust == Trust::Sure && life::is_due(self.signed, self.clock.monotonic()) {
            life::sign(&self.store, now).await?;
            self.signed = Some(self.clock.monotonic());
        }
        if self.stale {
            self.load(now).await?;
            self.stale = false;
        }
        while self.next_is_due(now) {
            self.bring(now).await?;
        }
        Ok(())
    }

    fn next_is_due(&self, now: DateTime<Utc>) -> bool {
        self.heap
            .peek()
            .is_some_and(|Reverse((next, _))| *next <= now)
    }

    /// Brings all that is due by `now`.
    async fn bring(&mut self, now: DateTime<Utc>) -> Result<(), EngineError> {
        let mut due = Vec::new();
        while self.next_is_due(now)
            && let Some(Reverse((_, index))) = self.heap.pop()
        {
            due.push(index);
        }
        // On the spot: there are few, and to hand it to another thread takes much longer than to read them.
        let pauses = self.store.read_now(|reader| reader.pauses())?;
        let look = Look {
            clock: self.clock.as_ref(),
            store: &self.store,
            intake: &self.intake,
            now,
            absence: self.absence,
            trust: self.trust,
        };
        let entries = &self.entries;
        let brought = stream::iter(due).map(|index| {
            let entry = &entries[index];
            let pause = pauses.get(&entry.job.name).copied();
            let look = &look;
            async move { (index, look.bring(entry, pause).await) }
        });
        let mut brought = brought.buffer_unordered(AT_ONCE);
        let mut done = Vec::new();
        let mut failed = None;
        while let Some((index, accounted)) = brought.next().await {
            match accounted {
                Ok(accounted) => done.push((index, accounted)),
                Err(error) => failed = Some(error),
            }
        }
        drop(brought);
        for (index, accounted) in done {
            let stuck = accounted <= self.entries[index].accounted;
            self.entries[index].accounted = accounted;
            if stuck {
                // Nothing was due of it after all; it is looked at again, and not at once.
                self.heap
                    .push(Reverse((now + TimeDelta::seconds(1), index)));
            } else {
                self.schedule(index).await?;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Takes the jobs that are loaded now, each trigger from where its moments are accounted for.
    async fn load(&mut self, now: DateTime<Utc>) -> Result<(), EngineError> {
        let loaded = self.intake.loaded();
        let jobs = loaded.jobs.values().filter(|job| job.enabled);
        self.entries = jobs.flat_map(Entry::of).collect();
        self.heap.clear();
        let sure = self.trust == Trust::Sure;
        if sure {
            self.take_back(now).await?;
            let triggers = self.entries.iter().map(Entry::timed).collect();
            self.store.load_triggers(triggers).await?;
        }
        let keys: Vec<_> = self.entries.iter().map(Entry::timed).collect();
        let accounted = self.store.read(move |reader| {
            let since = reader.triggers()?;
            let of = |key: &TimedTrigger| {
                let since = since.get(key).copied().filter(|since| *since <= now);
                let accounted = reader.accounted(&key.job, &key.id, now)?;
                Ok(accounted
                    .max(since)
                    .filter(|_| since.is_some())
                    .unwrap_or(now))
            };
            keys.iter().map(of).collect::<Result<Vec<_>, _>>()
        });
        for (entry, accounted) in self.entries.iter_mut().zip(accounted.await?) {
            entry.accounted = accounted;
        }
        for index in 0..self.entries.len() {
            self.schedule(index).await?;
        }
        Ok(())
    }

    /// What passed without a run while the clock was ahead may still come.
    async fn take_back(&self, now: DateTime<Utc>) -> Result<(), EngineError> {
        let keys: Vec<_> = self.entries.iter().map(Entry::timed).collect();
        let ahead = self.store.read(move |reader| {
            let of = |key: &TimedTrigger| reader.ahead(&key.job, &key.id, now);
            keys.iter().map(of).collect::<Result<Vec<_>, _>>()
        });
        for (entry, ahead) in self.entries.iter().zip(ahead.await?) {
            if ahead {
                entry.take_back(&self.store, now).await?;
            }
        }
        Ok(())
    }

    /// Puts the next start of an entry on the heap.
    async fn schedule(&mut self, index: usize) -> Result<(), EngineError> {
        let entry = &mut self.entries[index];
        entry.learn(&self.store).await?;
        if let Some(start) = entry.next_start() {
            self.heap.push(Reverse((start, index)));
        }
        Ok(())
    }

    /// Compares the wall clock with the one that does not leap.
    fn notice_leap(&mut self, now: DateTime<Utc>) {
        let (wall, monotonic) = self.seen;
        self.seen = (now, self.clock.monotonic());
        let passed = TimeDelta::from_std(self.seen.1.saturating_sub(monotonic)).unwrap_or_default();
        let leapt = now - wall - passed;
        if leapt.abs() > LEAP {
            self.absence = Some(Reason::Leapt {
                from: wall,
                to: now,
            });
            self.stale = true;
        }
    }
}
