//! Brings reminders to the job that tells them when they are due.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::schedule::GRACE;
use super::{Engine, EngineError, Intake, Loaded, Taken};
use crate::config::{Job, teller};
use crate::job::{Event, TriggerKind};
use crate::journal::{self, Level};
use crate::step::remind::{Reminder, key, reminders};
use crate::store::Accepted;

/// So often there is a look for one that another process made; what runs here says so.
const LOOK: TimeDelta = TimeDelta::seconds(60);

/// What was told and never said to be done is forgotten after so long.
const FORGOTTEN: TimeDelta = TimeDelta::days(30);

/// Brings what is due, once the clock is `trusted`; dropped, it ends.
pub(super) async fn bring(engine: Engine, intake: Intake, mut trusted: watch::Receiver<bool>) {
    if trusted.wait_for(|trusted| *trusted).await.is_err() {
        return;
    }
    let mut reloaded = intake.reloaded();
    let mut failing = false;
    loop {
        let loaded = Arc::clone(&reloaded.borrow_and_update());
        let Some(job) = teller(&loaded.jobs) else {
            match reloaded.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        let now = engine.clock.now();
        let next = match look(&engine, &intake, &loaded, job).await {
            Ok(next) => {
                failing = false;
                next
            }
            Err(error) => {
                if !failing {
                    journal::say(Level::Error, format!("reminders wait: {error}"));
                }
                failing = true;
                None
            }
        };
        let longest = now + LOOK;
        let next = next.map_or(longest, |next| next.min(longest));
        tokio::select! {
            // Also where the clock leaps meanwhile.
            () = engine.clock.sleep_until(next) => {}
            () = intake.queue.reminded.notified() => {}
            changed = reloaded.changed() => match changed {
                Ok(()) => reloaded.mark_changed(),
                Err(_) => return,
            },
        }
    }
}

/// Brings what is due to its job; gives the next moment.
pub(super) async fn look(
    engine: &Engine,
    intake: &Intake,
    loaded: &Loaded,
    job: &Job,
) -> Result<Option<DateTime<Utc>>, EngineError> {
    let look = Look {
        engine,
        intake,
        loaded,
        job,
        now: engine.clock.now(),
    };
    look.look().await
}

/// One look at all reminders.
struct Look<'a> {
    engine: &'a Engine,
    intake: &'a Intake,
    loaded: &'a Loaded,
    job: &'a Job,
    now: DateTime<Utc>,
}

impl Look<'_> {
    /// Brings what is due; gives the next moment.
    async fn look(&self) -> Result<Option<DateTime<Utc>>, EngineError> {
        let (now, zone) = (self.now, self.loaded.settings.timezone);
        let job = self.job.name.clone();
        let read = self.engine.store.read(move |reader| {
            let pause = reader.pauses()?.get(&job).copied();
            Ok((reminders(reader)?, pause, reader.plausible(now)?))
        });
        let (all, pause, plausible) = read.await?;
        let rests = pause.is_some_and(|pause| pause.holds(now));
        let mut next = None;
        for (name, mut reminder) in all {
            if let Some(put_back) = reminder.put_back(now, zone) {
                reminder = put_back;
                self.keep(&name, &reminder).await?;
            }
            match reminder.due {
                // They wait for their job, and for their person.
                Some(due) if due <= now && (rests || !self.knows(&reminder.person)) => {}
                Some(due) if due <= now => {
                    let due = reminder.latest(due, now, zone);
                    let after = reminder.clone().after((due, now), zone);
                    next = next.into_iter().chain(after.due).min();
                    self.bring(&name, (&reminder, due), after).await?;
                }
                Some(due) => next = next.into_iter().chain([due]).min(),
                None if reminder.is_forgotten(plausible - FORGOTTEN) => {
                    self.intake.remember(vec![(key(&name), None)]).await?;
                }
                None => {}
            }
        }
        Ok(next)
    }

    async fn keep(&self, name: &str, reminder: &Reminder) -> Result<(), EngineError> {
        let value = serde_json::to_value(reminder).ok();
        self.intake.remember(vec![(key(name), value)]).await
    }

    /// Whether this person may still speak to the bot.
    fn knows(&self, person: &str) -> bool {
        let telegram = self.loaded.settings.telegram.as_ref();
        match person.parse::<i64>() {
            Ok(number) => telegram.is_some_and(|telegram| telegram.users.contains(&number)),
            Err(_) => true,
        }
    }

    /// Brings a moment, which moves the reminder on.
    async fn bring(
        &self,
        name: &str,
        (reminder, due): (&Reminder, DateTime<Utc>),
        after: Reminder,
    ) -> Result<(), EngineError> {
        let taken = Taken {
            event: Event {
                id: self.engine.clock.id(),
                job: self.job.name.clone(),
                kind: TriggerKind::Reminder,
                dedupe_key: Some(format!("reminder:{name}:{}", due.timestamp_micros())),
                payload: self.payload(name, (reminder, due)),
                at: self.now,
            },
            slot: None,
            cursors: vec![(key(name), serde_json::to_value(&after).ok())],
        };
        if let Some(Accepted::Duplicate(_)) = self.intake.bring(&taken).await? {
            // It was told already: somebody was quicker, or a clock was put back.
            let key = key(name);
            let read = self
                .engine
                .store
                .read(move |reader| reader.cursor_as::<Reminder>(&key));
            if let Some(mut same) = read.await?.filter(|now| now.due == reminder.due) {
                same.due = after.due;
                self.keep(name, &same).await?;
            }
        }
        Ok(())
    }

    fn payload(&self, name: &str, (reminder, due): (&Reminder, DateTime<Utc>)) -> Value {
        let late = self.now - due > TimeDelta::from_std(GRACE).unwrap_or_default();
        let due = due.with_timezone(&self.loaded.settings.timezone);
        let mut payload = json!({
            "kind": TriggerKind::Reminder.word(), "reminder": name, "text": reminder.text, "due_at": due.to_rfc3339(),
            "late": late, "repeats": reminder.again(),
        });
        if let Some(chat) = reminder.chat {
            payload["chat"] = json!({ "id": chat, "title": reminder.title });
            if let Some(thread) = reminder.thread {
                payload["chat"]["thread"] = thread.into();
            }
        }
        payload["user"] = json!({ "name": reminder.name });
        // Without a number it is the owner, who may not have one.
        if let Ok(person) = reminder.person.parse::<i64>() {
            payload["user"]["id"] = person.into();
        }
        payload
    }
}
