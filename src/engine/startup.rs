//! The daemon's start is an event too.

use std::sync::Arc;

use serde_json::json;

use super::{Intake, Taken};
use crate::clock::Clock;
use crate::job::{Event, TriggerKind};
use crate::journal::{self, Level};
use crate::trigger::Kind;

/// Brings the start to the jobs that wait for it, each after its delay; dropped, it brings no more.
pub(super) async fn bring(clock: Arc<dyn Clock>, intake: Intake) {
    let loaded = intake.loaded();
    let jobs = loaded.jobs.values().filter(|job| job.enabled);
    let triggers = jobs.flat_map(|job| job.triggers.iter().map(move |trigger| (job, trigger)));
    let mut waiting: Vec<_> = triggers
        .filter(|(_, trigger)| trigger.enabled)
        .filter_map(|(job, trigger)| match &trigger.kind {
            Kind::Startup(startup) => Some((startup.delay, job.name.clone())),
            _ => None,
        })
        .collect();
    waiting.sort();
    let began = clock.monotonic();
    for (delay, job) in waiting {
        let passed = clock.monotonic().saturating_sub(began);
        clock.sleep(delay.saturating_sub(passed)).await;
        let event = Event {
            id: clock.id(),
            job,
            kind: TriggerKind::Startup,
            dedupe_key: None,
            payload: json!({}),
            at: clock.now(),
        };
        let taken = Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        };
        if let Err(error) = intake.bring(&taken).await {
            journal::say(Level::Error, format!("a start was not brought: {error}"));
        }
    }
}
