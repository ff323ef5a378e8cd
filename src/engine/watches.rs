//! Files that settle become events of the jobs that watch them.

use std::path::{self, Path};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::{Alerts, Intake, Loaded, Notice, Subject, Taken};
use crate::clock::Clock;
use crate::config::folder::{DOTENV, SETTINGS};
use crate::job::{Event, TriggerKind};
use crate::store::Store;
use crate::trigger::Kind;
use crate::watch::{Below, Change, Grouping, Pace, Settled, Told, Wanted, Watches};

/// Brings what the machine tells to `intake`, for the jobs as they are at each moment; `looks` hears whether all of them have
/// looked around. Runs until it is dropped.
pub(super) async fn bring(
    (clock, store): (Arc<dyn Clock>, Store),
    intake: Intake,
    looks: watch::Sender<bool>,
    edited: Arc<Notify>,
    alerts: Alerts,
) {
    let (watches, mut told) = Watches::start(Arc::clone(&clock), store.clone());
    let mut reloaded = intake.reloaded();
    reloaded.mark_changed();
    // As many at once as the machine offers, so that they share commits.
    let mut takes = JoinSet::new();
    loop {
        tokio::select! {
            changed = reloaded.changed() => match changed {
                Ok(()) => {
                    let loaded = Arc::clone(&reloaded.borrow_and_update());
                    let (looked, looks) = (watches.set(wanted(&loaded)), looks.clone());
                    // What settles is brought meanwhile.
                    tokio::spawn(async move {
                        looked.await;
                        looks.send_replace(true);
                    });
                }
                Err(_) => return,
            },
            Some(told) = told.recv() => match told {
                Told::Settled(settled) if settled.job.is_empty() => {
                    // Remembered like any other file, so that a start finds what was edited before it once.
                    if store.remember(settled.cursors).await.is_ok() {
                        settled.receipt.accepted();
                        edited.notify_one();
                    }
                }
                Told::Settled(settled) => {
                    let subject = Subject::Watch(settled.job.clone());
                    alerts.over_with(&subject).await;
                    takes.spawn(take(Arc::clone(&clock), intake.clone(), settled));
                }
                Told::Notice(notice) => {
                    let (job, reason) = (notice.job, notice.text);
                    alerts.tell(Notice::Blind { job, reason }).await;
                }
            },
            Some(_) = takes.join_next() => {}
        }
    }
}

async fn take(clock: Arc<dyn Clock>, intake: Intake, settled: Settled) {
    let event = Event {
        id: clock.id(),
        job: settled.job,
        kind: TriggerKind::Watch,
        // The positions keep a version from being told twice; one that comes back after another is told again.
        dedupe_key: None,
        payload: settled.payload,
        at: clock.now(),
    };
    let taken = Taken {
        event,
        slot: None,
        cursors: settled.cursors,
    };
    // What the store refuses is offered again; what no job wants any more is not.
    if intake.take(taken).await.is_ok() {
        settled.receipt.accepted();
    }
}

/// What the jobs want to hear of.
fn wanted(loaded: &Loaded) -> Vec<Wanted> {
    let mut wanted = Vec::from_iter(own_folder(loaded));
    for job in loaded.jobs.values().filter(|job| job.enabled) {
        for trigger in job.triggers.iter().filter(|trigger| trigger.enabled) {
            let Kind::Watch(watch) = &trigger.kind else {
                continue;
            };
            let paths = watch.paths.iter();
            let paths = paths.filter_map(|path| absolute(loaded, path)).collect();
            wanted.push(Wanted {
                job: job.name.clone(),
                trigger: trigger.id.clone(),
                paths,
                below: watch.below,
                pace: watch.pace.clone(),
            });
        }
    }
    wanted
}

/// So long after the last edit the folder is read again: editors write more than once.
const EDITED: Duration = Duration::from_millis(300);

/// The user's folder itself, for nobody's job.
fn own_folder(loaded: &Loaded) -> Option<Wanted> {
    let parts = ["jobs/*.toml", "prompts/*.md", SETTINGS, DOTENV];
    let paths: Option<Vec<String>> = parts.iter().map(|part| absolute(loaded, part)).collect();
    Some(Wanted {
        job: String::new(),
        trigger: "folder".to_owned(),
        paths: paths?,
        below: Below::Files,
        pace: Pace {
            settle: EDITED,
            on: vec![Change::Created, Change::Changed, Change::Removed],
            grouping: Grouping::Together,
        },
    })
}

/// A path or glob as it is from the root; `None` for one relative to the examples within the program.
fn absolute(loaded: &Loaded, path: &str) -> Option<String> {
    let path = loaded.folder.path(path)?;
    let path = path::absolute(Path::new("").join(path)).ok()?;
    path.to_str().map(str::to_owned)
}
