//! Starts jobs ahead of the entries of calendars.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use serde_json::json;
use tokio::sync::watch;

use super::attempt::tell_of_sign_ins;
use super::schedule::GRACE;
use super::{Engine, EngineError, Intake, Loaded, Taken};
use crate::calendar::{Item, Moment, Range};
use crate::hash::fnv1a;
use crate::job::{
    Claimed, CursorKey, Event, Fate, Passed, Reason, SlotClaim, Stretch, TriggerKind,
};
use crate::journal::{self, Level};
use crate::step::Desk;
use crate::trigger::{Calendar, Kind};

/// How often calendars are asked for what moved.
const LOOK: Duration = Duration::from_secs(300);

/// How long one look may take.
const LIMIT: Duration = Duration::from_secs(45);

/// Brings the moments before entries to the jobs that wait for them, once the clock is `trusted`; dropped, it ends.
pub(super) async fn bring(engine: Engine, intake: Intake, mut trusted: watch::Receiver<bool>) {
    if trusted.wait_for(|trusted| *trusted).await.is_err() {
        return;
    }
    let mut reloaded = intake.reloaded();
    let mut before = Before {
        engine,
        intake,
        brought: HashSet::new(),
        failing: false,
    };
    loop {
        let loaded = Arc::clone(&reloaded.borrow_and_update());
        let Some(wait) = before.look(&loaded).await else {
            match reloaded.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        let clock = Arc::clone(&before.engine.clock);
        tokio::select! {
            () = clock.sleep(wait) => {}
            changed = reloaded.changed() => match changed {
                Ok(()) => reloaded.mark_changed(),
                Err(_) => return,
            },
        }
    }
}

struct Before {
    engine: Engine,
    intake: Intake,
    /// What this life brought already, by job, trigger and moment.
    brought: HashSet<(String, String, DateTime<Utc>)>,
    /// The last look gave nothing, which was said.
    failing: bool,
}

/// A trigger of a job.
struct Wants {
    job: String,
    id: String,
    by: TimeDelta,
    calendar: Calendar,
}

/// The triggers that are switched on.
fn wanted(loaded: &Loaded) -> Vec<Wants> {
    let jobs = loaded.jobs.values().filter(|job| job.enabled);
    let triggers = jobs.flat_map(|job| job.triggers.iter().map(move |trigger| (job, trigger)));
    let wanted = triggers.filter_map(|(job, trigger)| match &trigger.kind {
        Kind::Calendar(calendar) if trigger.enabled => Some(Wants {
            job: job.name.clone(),
            id: trigger.id.clone(),
            by: TimeDelta::from_std(calendar.by).unwrap_or(TimeDelta::MAX),
            calendar: calendar.clone(),
        }),
        _ => None,
    });
    wanted.collect()
}

impl Before {
    /// Looks once; gives how long nothing is to be done, or nothing where no job waits for entries.
    async fn look(&mut self, loaded: &Loaded) -> Option<Duration> {
        let wanted = wanted(loaded);
        let mut next = None;
        for wants in &wanted {
            match self.trigger(loaded, wants).await {
                Ok(due) => {
                    next = next.into_iter().chain(due).min();
                    self.failing = false;
                }
                Err(why) if !self.failing => {
                    self.failing = true;
                    journal::say(
                        Level::Warning,
                        format!("entries of calendars are not seen: {why}"),
                    );
                }
                Err(_) => {}
            }
        }
        let now = self.engine.clock.now();
        // Moments of the day before are no longer asked about.
        self.brought
            .retain(|(_, _, due)| *due > now - TimeDelta::days(2));
        let until = next.map(|next| (next - now).to_std().unwrap_or_default());
        let any = !wanted.is_empty();
        any.then(|| until.map_or(LOOK, |until| until.min(LOOK)))
    }

    /// Brings what is due of one trigger; gives its next moment.
    async fn trigger(
        &mut self,
        loaded: &Loaded,
        wants: &Wants,
    ) -> Result<Option<DateTime<Utc>>, String> {
        let engine = &self.engine;
        let settings = &loaded.settings;
        let since = self.since(wants).await.map_err(|error| error.to_string())?;
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
        let ahead = u32::try_from(wants.by.num_days()).unwrap_or(365).min(365);
        let range = Range {
            start: today - TimeDelta::days(1),
            days: ahead + 3,
        };
        let held = desk.items(&wants.calendar.from, range).await;
        if let Some(alerts) = &engine.alerts {
            tell_of_sign_ins(alerts, loaded).await;
        }
        let held = held?;
        let title = wants.calendar.matches.as_deref().map(Regex::new);
        let title = title.transpose().map_err(|error| error.to_string())?;
        let fits = |item: &Item| {
            title
                .as_ref()
                .is_none_or(|title| title.is_match(&item.title))
        };
        let items: Vec<Item> = held.items.into_iter().filter(fits).collect();
        let mut next: Option<DateTime<Utc>> = None;
        for item in items {
            let Moment::At(start) = item.start else {
                // What lasts whole days begins at no time.
                continue;
            };
            let due = start.to_utc() - wants.by + apart(&item);
            if due > now {
                next = Some(next.map_or(due, |next| next.min(due)));
            } else if due > since {
                self.due(loaded, wants, &item, (due, start.to_utc())).await;
            }
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
        let done = match start > now {
            true => self.start(loaded, wants, item, due).await,
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
        due: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let now = self.engine.clock.now();
        let pauses = self.engine.store.read(|reader| reader.pauses()).await?;
        if let Some(pause) = pauses.get(&wants.job).filter(|pause| pause.holds(now)) {
            let reason = Reason::Paused { since: pause.since };
            return self.passed(wants, due, (Fate::Skipped, reason)).await;
        }
        let grace = TimeDelta::from_std(GRACE).unwrap_or_default();
        let late = now - due > grace;
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
                true => Claimed::CaughtUp(Reason::Busy),
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
        self.passed(wants, due, (Fate::TooOld, Reason::Busy)).await
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

    /// Since when the moments of a trigger count: its first load.
    async fn since(&self, wants: &Wants) -> Result<DateTime<Utc>, EngineError> {
        let key = CursorKey {
            owner: wants.job.clone(),
            step: "before".to_owned(),
            name: wants.id.clone(),
        };
        let store = &self.engine.store;
        let known = store.read({
            let key = key.clone();
            move |reader| reader.cursor_as::<DateTime<Utc>>(&key)
        });
        if let Some(known) = known.await? {
            return Ok(known);
        }
        let now = self.engine.clock.now();
        store.remember(vec![(key, Some(json!(now)))]).await?;
        Ok(now)
    }
}

/// Two entries that begin together have a moment each: within a second, and always the same.
fn apart(item: &Item) -> TimeDelta {
    let hash = fnv1a(item.uid.as_bytes()) % 1_000_000;
    TimeDelta::microseconds(i64::try_from(hash).unwrap_or(0))
}
