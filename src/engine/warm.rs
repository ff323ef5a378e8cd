//! Models that are in memory when a timed job needs them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::Loaded;
use super::schedule::Occurrences;
use crate::clock::Clock;
use crate::journal::{self, Level};
use crate::llm::{self, Model};
use crate::store::Store;
use crate::trigger::Kind;

/// How long before its moment a model is loaded whose loads are not known yet.
const UNKNOWN: Duration = Duration::from_secs(120);

/// Beside twice the longest load that is known.
const MARGIN: Duration = Duration::from_secs(20);

/// What starts early to be on time, starts so much before at most.
const EARLY: TimeDelta = TimeDelta::minutes(1);

/// The wall clock is looked at so often.
const LOOK: Duration = Duration::from_secs(600);

/// A moment, and the model that its job will ask first.
struct Wanted {
    key: String,
    due: DateTime<Utc>,
    at: DateTime<Utc>,
    model: Model,
    tokens: u32,
}

/// Loads models ahead of the moments of jobs that ask for it (`warm = true`); dropped, it ends.
pub(super) async fn ahead(
    (clock, store): (Arc<dyn Clock>, Store),
    mut reloaded: watch::Receiver<Arc<Loaded>>,
) {
    let mut warmed: HashMap<String, DateTime<Utc>> = HashMap::new();
    loop {
        let loaded = Arc::clone(&reloaded.borrow_and_update());
        let wanted = next(&loaded, &store, clock.now(), &warmed).await;
        let Some(wanted) = wanted else {
            match reloaded.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        let left = (wanted.at - clock.now()).to_std().unwrap_or_default();
        if !left.is_zero() {
            tokio::select! {
                () = clock.sleep(left.min(LOOK)) => continue,
                changed = reloaded.changed() => match changed {
                    Ok(()) => { reloaded.mark_changed(); continue }
                    Err(_) => return,
                },
            }
        }
        warmed.insert(wanted.key.clone(), wanted.due);
        let pauses = store.read(|reader| reader.pauses()).await;
        let pause = pauses
            .ok()
            .and_then(|pauses| pauses.get(&wanted.key).copied());
        if pause.is_some_and(|pause| pause.holds(wanted.due)) {
            continue;
        }
        let net = llm::client([&wanted.model], Arc::clone(&clock));
        let done = llm::warm(&wanted.model, wanted.tokens, &net, &*clock).await;
        if let Err(error) = done {
            let name = &wanted.model.name;
            journal::say(
                Level::Warning,
                format!("model `{name}` was not loaded ahead: {error}"),
            );
        }
    }
}

/// What is to be loaded first.
async fn next(
    loaded: &Loaded,
    store: &Store,
    now: DateTime<Utc>,
    warmed: &HashMap<String, DateTime<Utc>>,
) -> Option<Wanted> {
    let mut first: Option<Wanted> = None;
    for job in loaded.jobs.values().filter(|job| job.enabled) {
        let warm = job.steps.iter().find_map(|step| step.kind.warms());
        let Some((route, tokens)) = warm else {
            continue;
        };
        let settings = &loaded.settings;
        let chain = settings.routes.get(route).map(|route| route.chain(None));
        let name = chain.and_then(|chain| chain.first());
        let model = name.and_then(|name| settings.models.get(name));
        let Some(Ok(model)) = model.map(|model| model.with_key(&loaded.secrets)) else {
            continue;
        };
        let lead = TimeDelta::from_std(lead(store, &model.name).await).unwrap_or_default();
        let after = warmed.get(&job.name).copied().unwrap_or(now).max(now);
        for trigger in job.triggers.iter().filter(|trigger| trigger.enabled) {
            let Kind::Cron(cron) = &trigger.kind else {
                continue;
            };
            let moments = Occurrences::new(&cron.entry, cron.timezone);
            let Some(due) = moments.next(after) else {
                continue;
            };
            let early = if cron.on_time {
                EARLY
            } else {
                TimeDelta::zero()
            };
            let at = due - lead - early;
            if first.as_ref().is_none_or(|first| at < first.at) {
                first = Some(Wanted {
                    key: job.name.clone(),
                    due,
                    at,
                    model: model.clone(),
                    tokens,
                });
            }
        }
    }
    first
}

/// How long before its moment a model is loaded.
async fn lead(store: &Store, model: &str) -> Duration {
    let name = model.to_owned();
    let longest = store.read(move |reader| reader.longest_load(&name)).await;
    match longest {
        Ok(Some(longest)) => longest * 2 + MARGIN,
        _ => UNKNOWN,
    }
}
