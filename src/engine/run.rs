//! A run as a whole: accepted, executed, cancelled.

use std::future::pending;

use chrono::{DateTime, Utc};

use super::queue::Seat;
use super::runner::{End, UnderWay};
use super::{Engine, EngineError, Observer, Progress};
use crate::clock;
use crate::config::Job;
use crate::job::{DeliveryId, Event, NewDelivery, Outcome, RunId, RunState, StepRecord};
use crate::store::{Accepted, Along, RunStory, RunUpdate, Start};

/// Whether a run's messages go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deliver {
    /// By this run itself.
    Send,
    /// They are shown to the observer; no remembered position moves.
    Hold,
    /// By the sender of the daemon, which is given them.
    Leave,
    /// Likewise, but what is for the terminal of the person who follows the run goes there at once.
    Attend,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Its number.
    pub run: RunId,
    /// Its end.
    pub outcome: Outcome,
    /// Messages that could not be sent, each with the reason.
    pub unsent: Vec<String>,
    /// Messages whose time has not come, each with its kind and that time.
    pub kept: Vec<String>,
    /// Messages that the sender has to send.
    pub left: Vec<(DeliveryId, NewDelivery)>,
}

impl Finished {
    /// An end without messages.
    pub(super) fn nothing(run: RunId, outcome: Outcome) -> Self {
        Finished {
            run,
            outcome,
            unsent: Vec::new(),
            kept: Vec::new(),
            left: Vec::new(),
        }
    }
}

/// A run that is written down and this process's.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Its number.
    pub run: RunId,
    /// What started it.
    pub event: Event,
    /// The moment that its templates call `now`.
    pub at: DateTime<Utc>,
    /// From 1; one more each time that another process took it over.
    pub attempt: u32,
    /// Steps that have been under way, with what is known of them.
    pub steps: Vec<StepRecord>,
}

impl Begun {
    /// A run that did nothing yet.
    pub fn new(run: RunId, event: Event, at: DateTime<Utc>) -> Self {
        Begun {
            run,
            event,
            at,
            attempt: 1,
            steps: Vec::new(),
        }
    }

    /// A run as its rows tell it.
    pub fn of(story: RunStory, now: DateTime<Utc>) -> Self {
        Begun {
            run: story.row.run,
            event: story.event,
            at: story.row.started_at.unwrap_or(now),
            attempt: story.row.attempt,
            steps: story.steps,
        }
    }
}

impl Engine {
    /// Executes `job` for `event`, but for the `steps` that are known. Dropping the future cancels the run: see [`Engine::cancel`].
    ///
    /// `None` when it waits for somebody's word.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn run(
        &self,
        job: &Job,
        mut event: Event,
        steps: Vec<StepRecord>,
        deliver: Deliver,
        observer: &mut Observer<'_>,
    ) -> Result<Option<Finished>, EngineError> {
        self.loaded.secrets.scrub_value(&mut event.payload);
        let start = Start::RunningBy(self.lock.clone());
        let along = Along {
            version: self.loaded.version(job),
            steps: steps.clone(),
            ..Along::default()
        };
        let accepted = self
            .store
            .accept_along(event.clone(), &job.hash, start, along);
        match accepted.await? {
            Accepted::New(run) => {
                observer(Progress::Accepted(run));
                let begun = Begun {
                    steps,
                    ..Begun::new(run, event, self.clock.now())
                };
                self.execute(job, begun, deliver, None, observer).await
            }
            // A person's run is not paused.
            Accepted::Duplicate(run) | Accepted::Paused(run) => {
                let outcome = Outcome::Skipped(format!("the same event is run {run} already"));
                Ok(Some(Finished::nothing(run, outcome)))
            }
        }
    }

    /// Executes what is left of a run that is this process's. While it waits it leaves its `seat`, which also tells it to
    /// stop: what its end writes down is never cut short. `None` when it waits for somebody's word.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn execute(
        &self,
        job: &Job,
        begun: Begun,
        deliver: Deliver,
        seat: Option<&Seat>,
        observer: &mut Observer<'_>,
    ) -> Result<Option<Finished>, EngineError> {
        let mut under_way = UnderWay::new(self, job, begun, (seat, deliver));
        let steps = under_way.steps(observer);
        let steps = clock::timeout(self.clock.as_ref(), job.timeout, steps);
        let ended = tokio::select! {
            biased;
            ended = steps => Some(ended),
            () = cancelled(seat) => None,
        };
        let outcome = match ended {
            Some(Ok(end)) => match end? {
                End::Outcome(outcome) => outcome,
                End::Asks(nonce) => {
                    under_way.ask(&nonce, observer).await?;
                    return Ok(None);
                }
            },
            Some(Err(_)) => under_way.out_of_time(),
            None => Outcome::Cancelled,
        };
        under_way.finish(outcome, observer).await.map(Some)
    }

    /// Writes down that somebody stopped a run; gives the step with effects that was under way, which may have had
    /// its effect.
    ///
    /// # Errors
    /// The store cannot be read or written; [`EngineError::AlreadyFinished`]: what has an end keeps it.
    pub async fn cancel(&self, run: RunId) -> Result<Option<String>, EngineError> {
        let story = self.store.read(move |reader| reader.run(run)).await?;
        let under_way = story.and_then(|story| Some(story.under_way()?.id.clone()));
        let state = Some(RunState::Finished(Outcome::Cancelled));
        let update = RunUpdate {
            state,
            ..RunUpdate::of(run)
        };
        self.store.record(update).await?;
        Ok(under_way)
    }
}

/// Completes when somebody stops the run of the seat.
async fn cancelled(seat: Option<&Seat>) {
    match seat {
        Some(seat) => seat.cancelled().await,
        None => pending().await,
    }
}
