//! One timed trigger in the timetable: when it starts next, and what becomes of its moments.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use super::trust::Trust;
use crate::clock::Clock;
use crate::config::Job;
use crate::engine::schedule::{self, Due, GRACE, Occurrences, Plan, Policy};
use crate::engine::{EngineError, Intake, Taken};
use crate::job::{Claimed, Event, Fate, Passed, Reason, SlotClaim, Stretch, TriggerKind};
use crate::store::{Accepted, Pause, Store, TimedTrigger};
use crate::trigger::{Cron, Kind, Trigger};

/// So many past runs tell how early to start.
const LEARNED_FROM: u32 = 20;

/// A timed trigger of a job.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Arc<Job>,
    trigger: usize,
    /// Its moments up to this one are accounted for.
    pub(super) accounted: DateTime<Utc>,
    /// How long before its moments it starts.
    lead: Duration,
}

/// One look at the timetable.
pub(super) struct Look<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) store: &'a Store,
    pub(super) intake: &'a Intake,
    pub(super) now: DateTime<Utc>,
    pub(super) absence: Option<Reason>,
    pub(super) trust: Trust,
}

impl Entry {
    /// The timed triggers of a job that are switched on.
    pub(super) fn of(job: &Arc<Job>) -> impl Iterator<Item = Entry> {
        let timed = |trigger: &Trigger| trigger.enabled && matches!(trigger.kind, Kind::Cron(_));
        let triggers = job.triggers.iter().enumerate();
        triggers
            .filter(move |(_, trigger)| timed(trigger))
            .map(|(trigger, _)| Entry {
                job: Arc::clone(job),
                trigger,
                accounted: DateTime::<Utc>::MAX_UTC,
                lead: Duration::ZERO,
            })
    }

    /// What the store knows it by.
    pub(super) fn timed(&self) -> TimedTrigger {
        let trigger = self.trigger();
        TimedTrigger {
            job: self.job.name.clone(),
            id: trigger.id.clone(),
            moments: trigger.kind.derived_id(),
        }
    }

    fn trigger(&self) -> &Trigger {
        &self.job.triggers[self.trigger]
    }

    fn cron(&self) -> &Cron {
        match &self.trigger().kind {
            Kind::Cron(cron) => cron,
            other => unreachable!("an entry is a cron trigger, not {}", other.word()),
        }
    }

    fn moments(&self) -> Occurrences<'_> {
        let cron = self.cron();
        Occurrences::new(&cron.entry, cron.timezone)
    }

    /// When it starts for its first moment that is not accounted for.
    pub(super) fn next_start(&self) -> Option<DateTime<Utc>> {
        let moments = self.moments();
        let due = moments.next(self.accounted)?;
        if self.cron().on_time {
            return Some(due - delta(self.lead));
        }
        let interval = moments.next(due).map(|next| next - due);
        let most = interval.and_then(|interval| (interval / 2).to_std().ok());
        let most = most.map_or(self.cron().jitter, |most| most.min(self.cron().jitter));
        Some(
            due + delta(schedule::jitter(
                &self.job.name,
                &self.trigger().id,
                due,
                most,
            )),
        )
    }

    /// Learns from past runs how early to start, where it is to deliver on time.
    pub(super) async fn learn(&mut self, store: &Store) -> Result<(), EngineError> {
        if !self.cron().on_time {
            return Ok(());
        }
        let job = self.job.name.clone();
        let took = store
            .read(move |reader| reader.took(&job, LEARNED_FROM))
            .await?;
        let moments = self.moments();
        let due = moments.next(self.accounted);
        let interval = due.and_then(|due| Some(due - moments.previous(due)?));
        let interval = interval.and_then(|interval| interval.to_std().ok());
        self.lead = schedule::lead(&took, interval.unwrap_or(Duration::MAX));
        Ok(())
    }

    /// What passed without a run and lies after `now` may still come.
    pub(super) async fn take_back(
        &self,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let key = self.timed();
        let job = Arc::clone(&self.job);
        let trigger = self.trigger;
        let left = move |from: DateTime<Utc>| {
            let entry = Entry {
                job: Arc::clone(&job),
                trigger,
                accounted: from,
                lead: Duration::ZERO,
            };
            schedule::stretch(&entry.moments(), from - TimeDelta::microseconds(1), now)
        };
        store.unpass(&key.job, &key.id, now, left).await
    }
}

impl Look<'_> {
    /// Brings what is due of an entry; gives the moment up to which it is accounted for.
    pub(super) async fn bring(
        &self,
        entry: &Entry,
        pause: Option<Pause>,
    ) -> Result<DateTime<Utc>, EngineError> {
        let cron = entry.cron();
        let moments = entry.moments();
        // One that is to deliver on time starts before its moment.
        let horizon = if cron.on_time {
            self.now + delta(entry.lead)
        } else {
            self.now
        };
        let mut after = entry.accounted;
        if let Some(pause) = pause {
            let rests_to = match pause.until {
                Some(until) if until <= self.now => until - TimeDelta::microseconds(1),
                _ => horizon,
            };
            let reason = Reason::Paused { since: pause.since };
            let rested = schedule::stretch(&moments, after, rests_to);
            after = self
                .pass(entry, rested, Fate::Skipped, reason)
                .await?
                .unwrap_or(after);
        }
        let policy = Policy {
            missed: cron.missed,
            max_age: cron.max_age,
            grace: GRACE + cron.jitter,
        };
        let plan = schedule::plan(&moments, (after, horizon), self.now, policy);
        let Plan {
            too_old,
            skipped,
            due,
        } = plan;
        if let Some(stretch) = too_old {
            let reason = self.reason(stretch.to);
            after = self
                .pass(entry, too_old, Fate::TooOld, reason)
                .await?
                .unwrap_or(after);
        }
        let passed = skipped.map(|stretch| Passed {
            stretch,
            fate: Fate::Skipped,
            reason: self.reason(stretch.to),
        });
        if due.is_empty() {
            let reason = passed.as_ref().map_or(Reason::Busy, |passed| passed.reason);
            return Ok(self
                .pass(entry, skipped, Fate::Skipped, reason)
                .await?
                .unwrap_or(after));
        }
        let mut passed = passed;
        for one in due {
            self.start(entry, one, passed.take()).await?;
            after = one.at;
        }
        Ok(after)
    }

    /// Writes a stretch down that passes without a run; gives its end.
    async fn pass(
        &self,
        entry: &Entry,
        stretch: Option<Stretch>,
        fate: Fate,
        reason: Reason,
    ) -> Result<Option<DateTime<Utc>>, EngineError> {
        let Some(stretch) = stretch else {
            return Ok(None);
        };
        let passed = Passed {
            stretch,
            fate,
            reason,
        };
        self.store
            .pass(&entry.job.name, &entry.trigger().id, passed)
            .await?;
        Ok(Some(stretch.to))
    }

    /// One moment's run; where another process or another day's clock had it, that one stays the only one.
    async fn start(
        &self,
        entry: &Entry,
        due: Due,
        passed: Option<Passed>,
    ) -> Result<(), EngineError> {
        let late = due.missed > 0;
        let zoned = due.at.with_timezone(&entry.cron().timezone);
        let mut payload = json!({
            "kind": TriggerKind::Cron.word(),
            "due_at": zoned.to_rfc3339_opts(SecondsFormat::Secs, false),
            "missed": due.missed,
            "catch_up": late,
        });
        if self.trust != Trust::Sure {
            payload["clock"] = "unsure".into();
        }
        let event = Event {
            id: self.clock.id(),
            job: entry.job.name.clone(),
            kind: TriggerKind::Cron,
            // The slot is the key.
            dedupe_key: None,
            payload,
            at: self.now,
        };
        let slot = SlotClaim {
            trigger: entry.trigger().id.clone(),
            due_at: due.at,
            when: if late {
                Claimed::CaughtUp(self.reason(due.at))
            } else {
                Claimed::InTime
            },
            passed: passed.clone(),
        };
        let taken = Taken {
            event,
            slot: Some(slot),
            cursors: Vec::new(),
        };
        let accepted = self.intake.take(taken).await?;
        if let (Some(Accepted::Duplicate(_)), Some(passed)) = (accepted, passed) {
            self.store
                .pass(&entry.job.name, &entry.trigger().id, passed)
                .await?;
        }
        Ok(())
    }

    /// Why a moment was not seen when it was due.
    fn reason(&self, due: DateTime<Utc>) -> Reason {
        self.absence
            .filter(|absence| absence.covers(due))
            .unwrap_or(Reason::Busy)
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
