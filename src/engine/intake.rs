//! Where triggers and people bring what happened.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::following::Ended;
use super::queue::{Cancelled, Queue, Room};
use super::run::{Deliver, Finished};
use super::work::{self, Follower, Row, Work};
use super::{Alerts, EngineError, Loaded, Observer, Outbox, Progress, Question};
use crate::config::Job;
use crate::job::{Event, Outcome, RunId, SlotClaim, StepRecord, TriggerKind};
use crate::store::{Accepted, Along, CursorChange, Start};

/// Something that happened to a job, and what becomes true with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What happened.
    pub event: Event,
    /// The due moment that its run has from now on.
    pub slot: Option<SlotClaim>,
    /// Positions that move past it.
    pub cursors: Vec<CursorChange>,
}

/// How a person's run differs from a trigger's.
pub struct ByHand {
    /// Whether its messages go out.
    pub deliver: Deliver,
    /// Steps that it need not do, with their results.
    pub steps: Vec<StepRecord>,
    /// Hears what goes on.
    pub observer: Box<Observer<'static>>,
}

/// Where triggers and people bring what happened; clones are the same place.
#[derive(Debug, Clone)]
pub struct Intake {
    pub(super) queue: Arc<Queue>,
}

impl Intake {
    /// The way into a queue.
    pub fn new(queue: Arc<Queue>) -> Self {
        Intake { queue }
    }

    /// What sends the messages.
    pub fn outbox(&self) -> &Outbox {
        &self.queue.outbox
    }

    /// What tells the owner; `None` where nothing does.
    pub(super) fn alerts(&self) -> Option<&Alerts> {
        self.queue.engine.alerts.as_ref()
    }

    /// The newest reading of the user's folder.
    pub fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.queue.latest.borrow())
    }

    /// Hears of each new reading.
    pub fn reloaded(&self) -> watch::Receiver<Arc<Loaded>> {
        self.queue.latest.clone()
    }

    /// Writes down what happened, with its run; the run then begins by itself. On the disk when it returns.
    ///
    /// `None` when the job is not there any more.
    ///
    /// # Errors
    /// The store cannot be written: nothing of it is true, and the trigger brings it again.
    pub async fn take(&self, taken: Taken) -> Result<Option<Accepted>, EngineError> {
        let loaded = self.loaded();
        let Some(job) = loaded.jobs.get(&taken.event.job).cloned() else {
            return Ok(None);
        };
        let along = Along {
            slot: taken.slot,
            cursors: taken.cursors,
            ..Along::default()
        };
        let accepted = self.accept(taken.event, along, (loaded, job), Deliver::Leave, None);
        accepted.await.map(Some)
    }

    /// [`Intake::take`], which waits for room where there is none.
    ///
    /// # Errors
    /// What does not pass by waiting.
    pub async fn bring(&self, taken: &Taken) -> Result<Option<Accepted>, EngineError> {
        let engine = &self.queue.engine;
        engine.patiently(|| self.take(taken.clone())).await
    }

    /// Remembers positions of triggers that brought nothing for a run; waits for room where there is none.
    ///
    /// # Errors
    /// What does not pass by waiting.
    pub(super) async fn remember(&self, changes: Vec<CursorChange>) -> Result<(), EngineError> {
        let engine = &self.queue.engine;
        let remember = async || Ok(engine.store.remember(changes.clone()).await?);
        engine.patiently(remember).await
    }

    /// Executes a run that a person asked for, in its turn; `None` when the process ends under it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn by_hand(
        &self,
        job: Arc<Job>,
        event: Event,
        hand: ByHand,
    ) -> Result<Option<Finished>, EngineError> {
        let (end, finished) = oneshot::channel();
        let follower = Follower {
            observer: hand.observer,
            end,
        };
        let along = Along {
            steps: hand.steps,
            ..Along::default()
        };
        let pinned = (self.loaded(), job);
        let accepted = self.accept(event, along, pinned, hand.deliver, Some(follower));
        accepted.await?;
        Ok(finished.await.ok())
    }

    /// Stops a run that is under way, or that waits for its turn; gives the step with effects that was under way.
    ///
    /// # Errors
    /// [`EngineError::UnknownRun`], [`EngineError::AlreadyFinished`]; the store cannot be written.
    pub async fn cancel(&self, run: RunId) -> Result<Option<String>, EngineError> {
        let engine = &self.queue.engine;
        let story = engine.store.read(move |reader| reader.run(run)).await?;
        let story = story.ok_or(EngineError::UnknownRun(run))?;
        match self.queue.cancel(run) {
            Cancelled::UnderWay => Ok(story.under_way().map(|step| step.id.clone())),
            Cancelled::Waiting => {
                let ended = Ended {
                    run,
                    job: &story.row.job,
                    kind: story.row.trigger,
                    outcome: &Outcome::Cancelled,
                };
                work::end(&self.queue, ended).await?;
                Ok(None)
            }
            Cancelled::Unknown => {
                // It may wait for a word, and somebody with it.
                drop(self.queue.follower(run));
                match Question::of(story) {
                    Some(question) => self.withdraw(question).await.map(|()| None),
                    None => engine.cancel(run).await,
                }
            }
        }
    }

    /// Whoever asked may go away: what is written down is begun all the same.
    async fn accept(
        &self,
        event: Event,
        along: Along,
        pinned: (Arc<Loaded>, Arc<Job>),
        deliver: Deliver,
        follower: Option<Follower>,
    ) -> Result<Accepted, EngineError> {
        let intake = self.clone();
        // On the heap: a task moves its future about.
        let accepted = Box::pin(async move {
            let accepted = intake.accepted(event, along, pinned, deliver, follower);
            accepted.await
        });
        let accepted = tokio::spawn(accepted).await;
        accepted.unwrap_or(Err(EngineError::Closed))
    }

    async fn accepted(
        &self,
        mut event: Event,
        mut along: Along,
        (loaded, job): (Arc<Loaded>, Arc<Job>),
        deliver: Deliver,
        mut follower: Option<Follower>,
    ) -> Result<Accepted, EngineError> {
        let queue = &self.queue;
        let store = &queue.engine.store;
        loaded.secrets.scrub_value(&mut event.payload);
        let event = Arc::new(event);
        along.version = queue.unkept(&loaded, &job);
        let brings_version = along.version.is_some();
        let (kind, known) = (event.kind, !along.steps.is_empty());
        let room = queue.room(&job, kind);
        let start = match &room {
            Room::Now(_) => Start::RunningBy(queue.engine.lock.clone()),
            Room::Later => Start::Queued,
            Room::Taken(other) => {
                let other = other.map_or_else(String::new, |run| format!(" {run}"));
                let reason = format!("run{other} of this job was under way");
                Start::Ended(Outcome::Skipped(reason))
            }
        };
        let row = match &room {
            Room::Now(_) if !known => Row::Fresh(Arc::clone(&event)),
            Room::Now(_) => Row::Adopted,
            // Thousands may wait, so only what is small waits with them.
            _ if kind == TriggerKind::Cron => Row::Kept(Some(Arc::clone(&event))),
            _ => Row::Kept(None),
        };
        let accepted = store.accept_along(event, &job.hash, start, along).await?;
        let Accepted::New(run) = accepted else {
            let reason = format!("the same event is run {} already", accepted.run());
            self.tell(follower, accepted.run(), Outcome::Skipped(reason));
            return Ok(accepted);
        };
        if brings_version {
            queue.kept(&job);
        }
        if let Some(follower) = &mut follower {
            (follower.observer)(Progress::Accepted(run));
        }
        let work = |follower| Work {
            run,
            job,
            loaded,
            kind,
            row,
            deliver,
            follower,
        };
        match room {
            Room::Now(reserved) => reserved.start(work(follower)),
            Room::Later => queue.push(work(follower)),
            Room::Taken(_) => {
                let reason = "another run of this job is under way".to_owned();
                self.tell(follower, run, Outcome::Skipped(reason));
            }
        }
        Ok(accepted)
    }

    fn tell(&self, follower: Option<Follower>, run: RunId, outcome: Outcome) {
        if let Some(follower) = follower {
            let _ = follower.end.send(Finished::nothing(run, outcome));
        }
    }
}
