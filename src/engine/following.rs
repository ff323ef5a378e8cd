//! What the end of a run brings with it: the jobs that wait for such an end, and what the owner hears.

use std::sync::Arc;

use serde_json::json;

use super::alerts::OfRun;
use super::queue::Queue;
use super::run::Deliver;
use super::work::{Row, Work};
use super::{Alerts, Engine, Loaded};
use crate::config::Job;
use crate::job::{Event, Outcome, RunId, TriggerKind};
use crate::store::{Accepted, Follow, Recorded, RunUpdate};

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<'a> {
    /// Its number.
    pub(super) run: RunId,
    /// Its job.
    pub(super) job: &'a str,
    /// What kind of trigger started it.
    pub(super) kind: TriggerKind,
    /// How.
    pub(super) outcome: &'a Outcome,
}

/// What an end brings with it: written down in its commit, begun and told after it.
pub(super) struct Following<'e> {
    alerts: Option<(&'e Alerts, OfRun)>,
    waiting: Option<Waiting<'e>>,
}

/// The jobs that wait for an end, each with its event.
struct Waiting<'e> {
    queue: &'e Arc<Queue>,
    loaded: Arc<Loaded>,
    follow: Vec<(Arc<Job>, Follow)>,
}

impl Engine {
    /// What follows from an end; without a `queue` no job waits for it.
    pub(super) fn following<'e>(
        &'e self,
        queue: Option<&'e Arc<Queue>>,
        ended: Ended<'_>,
    ) -> Following<'e> {
        let Ended {
            run,
            job,
            kind,
            outcome,
        } = ended;
        let alerts = self.alerts.as_ref();
        Following {
            alerts: alerts
                .and_then(|alerts| Some((alerts, alerts.of_run(job, kind, run, outcome)?))),
            waiting: queue.map(|queue| queue.waiting_for(ended)),
        }
    }
}

impl Queue {
    fn waiting_for<'e>(self: &'e Arc<Self>, ended: Ended<'_>) -> Waiting<'e> {
        let Ended {
            run, job, outcome, ..
        } = ended;
        let loaded = Arc::clone(&self.latest.borrow());
        let clock = &self.engine.clock;
        let payload = || json!({ "job": job, "run": run, "outcome": outcome.word() });
        let follow = loaded
            .after(job, outcome)
            .into_iter()
            .map(|(job, trigger)| {
                let follow = Follow {
                    event: Event {
                        id: clock.id(),
                        job: job.name.clone(),
                        kind: TriggerKind::After,
                        dedupe_key: Some(format!("after:{}:{}:{trigger}", run.0, job.name)),
                        payload: payload(),
                        at: clock.now(),
                    },
                    job_hash: job.hash.clone(),
                    version: self.unkept(&loaded, job),
                    uuid: clock.id(),
                };
                (Arc::clone(job), follow)
            });
        Waiting {
            queue: self,
            follow: follow.collect(),
            loaded,
        }
    }
}

impl Following<'_> {
    /// Nothing of it is for the owner's ears.
    pub(super) fn unheard(mut self) -> Self {
        self.alerts = None;
        self
    }

    /// Adds what is written down with the end.
    pub(super) fn add_to(&self, update: &mut RunUpdate) {
        update.news = self.alerts.as_ref().map(|(_, of_run)| of_run.news.clone());
        if let Some(waiting) = &self.waiting {
            update.events = waiting
                .follow
                .iter()
                .map(|(_, follow)| follow.clone())
                .collect();
        }
    }

    /// It is on the disk: the owner is told, and the runs of the jobs that waited begin.
    pub(super) fn committed(self, recorded: &mut Recorded) {
        if let Some((alerts, of_run)) = &self.alerts {
            alerts.committed(of_run, std::mem::take(&mut recorded.told));
        }
        if let Some(waiting) = self.waiting {
            waiting.begin(&recorded.runs);
        }
    }
}

impl Waiting<'_> {
    /// Each runs its job as it was written down.
    fn begin(self, accepted: &[Accepted]) {
        for ((job, follow), accepted) in self.follow.into_iter().zip(accepted) {
            let Accepted::New(run) = *accepted else {
                continue;
            };
            if follow.version.is_some() {
                self.queue.kept(&job);
            }
            self.queue.push(Work {
                run,
                job,
                loaded: Arc::clone(&self.loaded),
                kind: TriggerKind::After,
                row: Row::Kept(None),
                deliver: Deliver::Leave,
                follower: None,
            });
        }
    }
}
