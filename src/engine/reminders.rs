//! Brings reminders to the job that tells them when they are due.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::sync::watch;

use super::schedule::GRACE;
use super::{Engine, EngineError, Intake, Loaded, Taken};
use crate::job::{Event, TriggerKind};
use crate::journal::{self, Level};
use crate::step::remind::{Reminder, key, reminders};
use crate::trigger::Kind;

/// So often there is a look for one that was made meanwhile, by whatever process.
const LOOK: Duration = Duration::from_secs(5);

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
        let Some(job) = teller(&loaded) else {
            match reloaded.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        let next = match look(&engine, &intake, (&loaded, &job)).await {
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
        let left = next.map(|next| (next - engine.clock.now()).to_std().unwrap_or_default());
        tokio::select! {
            () = engine.clock.sleep(left.map_or(LOOK, |left| left.min(LOOK))) => {}
            changed = reloaded.changed() => match changed {
                Ok(()) => reloaded.mark_changed(),
                Err(_) => return,
            },
        }
    }
}

/// The job that tells reminders: the first that wants to.
fn teller(loaded: &Loaded) -> Option<String> {
    let mut jobs = loaded.jobs.values().filter(|job| job.enabled);
    let tells = jobs.find(|job| {
        let mut triggers = job.triggers.iter();
        triggers.any(|trigger| trigger.enabled && matches!(trigger.kind, Kind::Reminder(_)))
    });
    tells.map(|job| job.name.clone())
}

/// Brings what is due; gives the next moment.
async fn look(
    engine: &Engine,
    intake: &Intake,
    (loaded, job): (&Loaded, &str),
) -> Result<Option<DateTime<Utc>>, EngineError> {
    let now = engine.clock.now();
    let mut next = None;
    for (name, reminder) in reminders(&engine.store).await? {
        match reminder.due {
            Some(due) if due <= now => {
                let after = reminder.clone().after((due, now), loaded.settings.timezone);
                next = next.into_iter().chain(after.due).min();
                let taken = taken(engine, (loaded, job), (&name, &reminder, due), &after);
                intake.bring(&taken).await?;
            }
            Some(due) => next = next.into_iter().chain([due]).min(),
            None if reminder.told.is_none_or(|told| now - told > FORGOTTEN) => {
                intake.remember(vec![(key(&name), None)]).await?;
            }
            None => {}
        }
    }
    Ok(next)
}

/// A reminder's moment, which moves it on.
fn taken(
    engine: &Engine,
    (loaded, job): (&Loaded, &str),
    (name, reminder, due): (&str, &Reminder, DateTime<Utc>),
    after: &Reminder,
) -> Taken {
    let now = engine.clock.now();
    let late = now - due > TimeDelta::from_std(GRACE).unwrap_or_default();
    let zoned = due.with_timezone(&loaded.settings.timezone);
    let mut payload = json!({
        "kind": TriggerKind::Reminder.word(), "reminder": name, "text": reminder.text, "due_at": zoned.to_rfc3339(),
        "late": late, "repeats": reminder.again(),
    });
    if let Some(chat) = reminder.chat {
        payload["chat"] = json!({ "id": chat });
        payload["user"] = json!({ "id": reminder.person.parse::<i64>().unwrap_or(chat) });
    }
    Taken {
        event: Event {
            id: engine.clock.id(),
            job: job.to_owned(),
            kind: TriggerKind::Reminder,
            dedupe_key: Some(format!("reminder:{name}:{}", due.timestamp_micros())),
            payload,
            at: now,
        },
        slot: None,
        cursors: vec![(key(name), serde_json::to_value(after).ok())],
    }
}
