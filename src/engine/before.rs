//! Starts jobs ahead of the entries of calendars.

mod ahead;
mod wants;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use serde_json::json;
use tokio::sync::watch;

use super::attempt::tell_of_sign_ins;
use super::schedule::GRACE;
use super::timetable::{Last, last};
use super::{Engine, EngineError, Intake, Loaded, Taken};
use crate::calendar::{Item, Moment, Range};
use crate::hash::fnv1a;
use crate::job::{Claimed, Event, Fate, Passed, Reason, SlotClaim, Stretch, TriggerKind};
use crate::journal::{self, Level};
use crate::step::Desk;
use crate::system::Machine;
pub use ahead::{Ahead, Coming};
use ahead::{KNOWN, key};
use wants::{Wants, wanted};

/// How often calendars are asked for what moved.
const LOOK: TimeDelta = TimeDelta::seconds(60);

/// How long one look may take.
const LIMIT: Duration = Duration::from_secs(45);

/// What was due longer ago is not looked at any more: it began, or was told.
const OVER: TimeDelta = TimeDelta::days(2);

/// Brings the moments before entries to the jobs that wait for them, once the clock is `trusted`; dropped, it ends.
pub(super) fn bring(
    engine: Engine,
    intake: Intake,
    trusted: watch::Receiver<bool>,
) -> impl Future<Output = ()> {
    Before::new(engine, intake).bring(trusted)
}

pub(super) struct Before {
    engine: Engine,
    intake: Intake,
    last: Option<Last>,
    /// Why nothing ran before this life.
    absence: Option<Reason>,
    /// What this life brought already, by job, trigger and moment.
    brought: HashSet<(String, String, DateTime<Utc>)>,
    /// The triggers whose last look gave nothing, which was said.
    failing: HashSet<(String, String)>,
}

impl Before {
    pub(super) fn new(engine: Engine, intake: Intake) -> Self {
        Before {
            // Before this life leaves a sign of its own.
            last: last(&engine.store).ok(),
            engine,
            intake,
            absence: None,
            brought: HashSet::new(),
            failing: HashSet::new(),
        }
    }

    async fn bring(mut self, mut trusted: watch::Receiver<bool>) {
        if trusted.wait_for(|trusted| *trusted).await.is_err() {
            return;
        }
        let clock = Arc::clone(&self.engine.clock);
        let absence = |last: Last| last.absence(&Machine::default(), clock.now());
        self.absence = self.last.take().and_then(absence);
        let mut reloaded = self.intake.reloaded();
        loop {
            let loaded = Arc::clone(&reloaded.borrow_and_update());
            let Some(next) = self.look(&loaded).await else {
                match reloaded.changed().await {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            };
            tokio::select! {
                // Also where the clock leaps meanwhile.
                () = clock.sleep_until(next) => {}
                changed = reloaded.changed() => match changed {
                    Ok(()) => reloaded.mark_changed(),
                    Err(_) => return,
                },
            }
        }
    }

    /// Looks once; gives when to look again, or nothing where no job waits for entries.
    pub(super) async fn look(&mut self, loaded: &Loaded) -> Option<DateTime<Utc>> {
        let wanted = wanted(loaded);
        let now = self.engine.clock.now();
        // Those of a clock that was ahead may come again, and old ones are not asked about.
        let near = now - OVER..=now;
        self.brought.retain(|(_, _, due)| near.contains(due));
        let mut seen: HashMap<&[String], Result<Vec<Item>, String>> = HashMap::new();
        let mut next = None;
        for wants in &wanted {
            let from = wants.calendar.from.as_slice();
            if !seen.contains_key(from) {
                let alike = wanted.iter().filter(|one| one.calendar.from == from);
                let by = alike.map(|one| one.by).max().unwrap_or_default();
                seen.insert(from, self.items(loaded, from, by).await);
            }
            let found = match &seen[from] {
                Ok(items) => self.trigger(loaded, wants, items).await,
                Err(why) => Err(why.clone()),
            };
            let name = (wants.job.clone(), wants.id.clone());
            match found {
                Ok(due) => {
                    next = next.into_iter().chain(due).min();
                    self.failing.remove(&name);
                }
                Err(why) if self.failing.insert(name) => {
                    let job = &wants.job;
                    let said = format!("`{job}` does not see the entries of calendars: {why}");
                    journal::say(Level::Warning, said);
                }
                Err(_) => {}
            }
        }
        let longest = self.engine.clock.now() + LOOK;
        (!wanted.is_empty()).then(|| next.map_or(longest, |next| longest.min(next)))
    }

    /// The entries of these calendars that may be due soon; the last ones that are known where a calendar does not answer.
    async fn items(
        &self,
        loaded: &Loaded,
        from: &[String],
        by: TimeDelta,
    ) -> Result<Vec<Item>, String> {
        let engine = &self.engine;
        let settings = &loaded.settings;
        let desk = Desk {
            clock: &engine.clock,
            settings,
            folder: &loaded.folder,
            secrets: &loaded.secrets,
            store: &engine.store,
            accounts: &loaded.accounts,
            state: &engine.state,
            limit: LIMIT,
        };
        let now = engine.clock.now();
        let today = now.with_timezone(&settings.timezone).date_naive();
        let ahead = u32::try_from(by.num_days()).unwrap_or(365).min(365);
        let range = Range {
            start: today - TimeDelta::days(1),
            days: ahead + 3,
        };
        let held = desk.items(from, range).await;
        if let Some(alerts) = &engine.alerts {
            tell_of_sign_ins(alerts, loaded).await;
        }
        let held = held?;
        // What was read need not be read again while it is the same.
        let kept = engine.store.remember(held.cursors).await;
        kept.map_err(|error| error.to_string())?;
        Ok(held.items)
    }

    /// Brings what is due of one trigger; gives its next moment.
    async fn trigger(
        &mut self,
        loaded: &Loaded,
        wants: &Wants,
        items: &[Item],
    ) -> Result<Option<DateTime<Utc>>, String> {
        let words = |error: EngineError| error.to_string();
        let known = self.known(wants).await.map_err(words)?;
        let title = wants.calendar.matches.as_deref().map(Regex::new);
        let title = title.transpose().map_err(|error| error.to_string())?;
        let fits = |item: &&Item| {
            let title = title.as_ref();
            title.is_none_or(|title| title.is_match(&item.title))
        };
        let now = self.engine.clock.now();
        let mut coming = Vec::new();
        for item in items.iter().filter(fits) {
            let Moment::At(start) = item.start else {
                // What lasts whole days begins at no time.
                continue;
            };
            let start = start.to_utc();
            let due = start.checked_sub_signed(wants.by);
            let due = due.map(|due| due + apart(item));
            let Some(due) = due.filter(|due| *due > known.since.max(now - OVER)) else {
                continue;
            };
            if due > now {
                let title = item.title.clone();
                coming.push(Coming { due, title });
            } else {
                self.due(loaded, wants, item, (due, start)).await;
            }
        }
        coming.sort_by_key(|coming| coming.due);
        let next = coming.first().map(|coming| coming.due);
        coming.truncate(KNOWN);
        let ahead = Ahead {
            coming,
            ..known.clone()
        };
        if ahead != known {
            self.keep(wants, &ahead).await.map_err(words)?;
        }
        Ok(next)
    }

    /// A moment that came.
    async fn due(
        &mut self,
        loaded: &Loaded,
        wants: &Wants,
        item: &Item,
        (due, start): (DateTime<Utc>, DateTime<Utc>),
    ) {
        let key = (wants.job.clone(), wants.id.clone(), due);
        if self.brought.contains(&key) {
            return;
        }
        let now = self.engine.clock.now();
        let late = now - due > TimeDelta::from_std(GRACE).unwrap_or_default();
        let done = match start > now || !late {
            true => self.start(loaded, wants, item, (due, late)).await,
            false => self.pass(wants, due).await,
        };
        match done {
            Ok(()) => drop(self.brought.insert(key)),
            Err(error) => journal::say(
                Level::Error,
                format!("an entry was not brought to `{}`: {error}", wants.job),
            ),
        }
    }

    async fn start(
        &self,
        loaded: &Loaded,
        wants: &Wants,
        item: &Item,
        (due, late): (DateTime<Utc>, bool),
    ) -> Result<(), EngineError> {
        let now = self.engine.clock.now();
        let pauses = self.engine.store.read(|reader| reader.pauses()).await?;
        if let Some(pause) = pauses.get(&wants.job).filter(|pause| pause.holds(now)) {
            let reason = Reason::Paused { since: pause.since };
            return self.passed(wants, due, (Fate::Skipped, reason)).await;
        }
        let event = Event {
            id: self.engine.clock.id(),
            job: wants.job.clone(),
            kind: TriggerKind::Calendar,
            // The slot is the key.
            dedupe_key: None,
            payload: json!({
                "kind": TriggerKind::Calendar.word(), "item": item,
                "due_at": due.with_timezone(&loaded.settings.timezone).format("%FT%T%:z").to_string(), "catch_up": late,
            }),
            at: now,
        };
        let slot = SlotClaim {
            trigger: wants.id.clone(),
            due_at: due,
            when: match late {
                true => Claimed::CaughtUp(self.because(due)),
                false => Claimed::InTime,
            },
            passed: None,
        };
        let taken = Taken {
            event,
            slot: Some(slot),
            cursors: Vec::new(),
        };
        self.intake.bring(&taken).await.map(|_| ())
    }

    /// The entry has begun: the moment before it is over.
    async fn pass(&self, wants: &Wants, due: DateTime<Utc>) -> Result<(), EngineError> {
        let (job, id) = (wants.job.clone(), wants.id.clone());
        let known = self
            .engine
            .store
            .read(move |reader| reader.slot(&job, &id, due));
        if known.await?.is_some() {
            return Ok(());
        }
        let because = self.because(due);
        self.passed(wants, due, (Fate::TooOld, because)).await
    }

    async fn passed(
        &self,
        wants: &Wants,
        due: DateTime<Utc>,
        (fate, reason): (Fate, Reason),
    ) -> Result<(), EngineError> {
        let passed = Passed {
            stretch: Stretch {
                from: due,
                to: due,
                count: 1,
            },
            fate,
            reason,
        };
        self.engine.store.pass(&wants.job, &wants.id, passed).await
    }

    /// Why a moment did not start its job in time.
    fn because(&self, due: DateTime<Utc>) -> Reason {
        match self.absence {
            Some(reason @ (Reason::Off { from, to } | Reason::Stopped { from, to }))
                if (from..=to).contains(&due) =>
            {
                reason
            }
            _ => Reason::Busy,
        }
    }

    /// What is written down of a trigger; its moments count from its first load.
    async fn known(&self, wants: &Wants) -> Result<Ahead, EngineError> {
        let now = self.engine.clock.now();
        let (job, id) = (wants.job.clone(), wants.id.clone());
        let read = self.engine.store.read(move |reader| {
            let known = Ahead::of(reader, &job, &id)?;
            Ok((known, reader.ahead(&job, &id, now)?))
        });
        let (known, ahead) = read.await?;
        if ahead {
            // The clock was put back: what passed meanwhile may still come.
            let store = &self.engine.store;
            let one = |from| {
                let (to, count) = (from, 1);
                Some(Stretch { from, to, count })
            };
            store.unpass(&wants.job, &wants.id, now, one).await?;
        }
        let means = fnv1a(format!("{:?}", wants.calendar).as_bytes());
        let known = known.filter(|known| known.wants == means && known.since <= now);
        if let Some(known) = known {
            return Ok(known);
        }
        let first = Ahead {
            wants: means,
            since: now,
            coming: Vec::new(),
        };
        self.keep(wants, &first).await?;
        Ok(first)
    }

    async fn keep(&self, wants: &Wants, ahead: &Ahead) -> Result<(), EngineError> {
        let key = key(&wants.job, &wants.id);
        let change = vec![(key, Some(json!(ahead)))];
        self.engine.store.remember(change).await
    }
}

/// Two entries that begin together have a moment each: within a second, and always the same.
fn apart(item: &Item) -> TimeDelta {
    let name = match item.uid.as_str() {
        "" => &item.title,
        uid => uid,
    };
    let hash = fnv1a(name.as_bytes()) % 1_000_000;
    TimeDelta::microseconds(i64::try_from(hash).unwrap_or(0))
}
