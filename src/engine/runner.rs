//! One run from its event to its outcome.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Engine, EngineError, Observer, Progress, roots, step};
use crate::config::Job;
use crate::job::{
    CursorKey, DeliveryId, Event, Outcome, RunId, RunState, StepEnd, StepRecord, Wait,
};
use crate::step::{Context, OnError, Step};
use crate::store::{Accepted, Along, RunUpdate, Start};
use crate::template::Templates;

/// Whether a run's messages go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deliver {
    /// They do.
    Send,
    /// They are shown to the observer; no remembered position moves.
    Hold,
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
}

/// A result that took longer is committed at once, so that a crash does not cost it.
const COSTLY: Duration = Duration::from_secs(1);

impl Engine {
    /// Executes `job` for `event`. Dropping the future cancels the run: see [`Engine::cancel`].
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn run(
        &self,
        job: &Job,
        mut event: Event,
        deliver: Deliver,
        observer: &mut Observer<'_>,
    ) -> Result<Finished, EngineError> {
        self.loaded.secrets.scrub_value(&mut event.payload);
        let start = Start::RunningBy(self.lock.clone());
        let along = Along {
            version: self.loaded.version(job),
            ..Along::default()
        };
        let accepted = self
            .store
            .accept_along(event.clone(), &job.hash, start, along)
            .await?;
        let run = match accepted {
            Accepted::New(run) => run,
            Accepted::Duplicate(run) => {
                let outcome = Outcome::Skipped(format!("the same event is run {run} already"));
                return Ok(Finished {
                    run,
                    outcome,
                    unsent: Vec::new(),
                });
            }
        };
        observer(Progress::Accepted(run));
        let now = self.clock.now();
        let settings = &self.loaded.settings;
        let mut under_way = UnderWay {
            engine: self,
            job,
            run,
            templates: Templates::new(settings.language, settings.timezone, now),
            roots: roots(job, settings, &event, run, now),
            update: RunUpdate::of(run),
            moved: Vec::new(),
            under_way: None,
        };
        let limit =
            crate::clock::timeout(self.clock.as_ref(), job.timeout, under_way.steps(observer));
        let outcome = match limit.await {
            Ok(outcome) => outcome?,
            Err(_) => under_way.out_of_time(),
        };
        under_way.finish(outcome, deliver, observer).await
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

pub(super) struct UnderWay<'a> {
    pub(super) engine: &'a Engine,
    pub(super) job: &'a Job,
    pub(super) run: RunId,
    pub(super) templates: Templates,
    pub(super) roots: Map<String, Value>,
    /// What the next commit holds.
    pub(super) update: RunUpdate,
    /// Positions that move with the outcome, if it is a good one.
    pub(super) moved: Vec<(CursorKey, Option<Value>)>,
    /// The step that is being executed, since when.
    under_way: Option<(StepRecord, Duration)>,
}

impl UnderWay<'_> {
    async fn steps(&mut self, observer: &mut Observer<'_>) -> Result<Outcome, EngineError> {
        for (position, step) in self.job.steps.iter().enumerate() {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            match self.step(position, step, observer).await? {
                StepEnd::Done(value) => {
                    self.roots.insert(step.id.clone(), value);
                }
                StepEnd::Skipped => {
                    self.roots.insert(step.id.clone(), Value::Null);
                }
                StepEnd::Stop => {
                    let expression = step.stop_if.as_deref().unwrap_or_default();
                    return Ok(Outcome::NothingToSay(format!("{}: {expression}", step.id)));
                }
                StepEnd::Failed(_) if step.on_error == OnError::Continue => {
                    self.roots.insert(step.id.clone(), Value::Null);
                }
                StepEnd::Failed(reason) => {
                    return Ok(Outcome::Failed(format!("step `{}`: {reason}", step.id)));
                }
                StepEnd::Wait(_) => {
                    let reason = "it waits for somebody, and no daemon runs to hear the answer";
                    return Ok(Outcome::Failed(format!("step `{}`: {reason}", step.id)));
                }
            }
        }
        Ok(Outcome::Ok)
    }

    async fn step(
        &mut self,
        position: u32,
        step: &Step,
        observer: &mut Observer<'_>,
    ) -> Result<StepEnd, EngineError> {
        let kind = step.kind.word();
        let now = self.engine.clock.now();
        if let Some(mut end) = self.gate(step) {
            if let StepEnd::Failed(reason) = &mut end {
                self.engine.loaded.secrets.scrub(reason);
            }
            let record = self.record(position, step, 1, (now, Duration::ZERO), &end);
            self.update.steps.push(record);
            observer(Progress::Ended {
                step: &step.id,
                end: &end,
                took: Duration::ZERO,
            });
            return Ok(end);
        }
        let effects = step.kind.declaration().effects;
        for attempt in 1.. {
            let began = (self.engine.clock.now(), self.engine.clock.monotonic());
            let times = (began.0, Duration::ZERO);
            let mut started = self.record(position, step, attempt, times, &StepEnd::Skipped);
            started.end = "started";
            if effects {
                // Written down before it begins: after a crash it is known that it may have happened.
                self.update.steps.push(started.clone());
                self.commit().await?;
            }
            observer(Progress::Begins {
                step: &step.id,
                kind,
            });
            self.under_way = Some((started, began.1));
            let done = step::attempt(self.engine, step, &self.context(step)).await;
            self.under_way = None;
            let took = self.engine.clock.monotonic().saturating_sub(began.1);
            let mut record = self.record(position, step, attempt, (began.0, took), &done.end);
            record.detail = done.detail;
            self.update.steps.push(record);
            self.update.calls.extend(done.calls);
            self.moved.extend(done.cursors);
            if effects || took >= COSTLY {
                self.commit().await?;
            }
            if let (StepEnd::Failed(reason), Some(wait)) = (&done.end, step.retry.after(attempt)) {
                observer(Progress::Again {
                    step: &step.id,
                    reason,
                    wait,
                });
                self.wait(wait).await?;
                continue;
            }
            observer(Progress::Ended {
                step: &step.id,
                end: &done.end,
                took,
            });
            return Ok(done.end);
        }
        unreachable!("the last attempt returns")
    }

    /// `stop_if`, then `when`.
    fn gate(&self, step: &Step) -> Option<StepEnd> {
        let context = (&self.roots).into();
        let holds = |expression: &str| self.templates.truthy(expression, &context);
        match step.stop_if.as_deref().map(holds) {
            Some(Ok(true)) => return Some(StepEnd::Stop),
            Some(Err(error)) => return Some(StepEnd::Failed(format!("stop_if: {error}"))),
            Some(Ok(false)) | None => {}
        }
        match step.when.as_deref().map(holds) {
            Some(Ok(false)) => Some(StepEnd::Skipped),
            Some(Err(error)) => Some(StepEnd::Failed(format!("when: {error}"))),
            Some(Ok(true)) | None if step.for_each.is_some() => {
                let reason = "this version checks `for_each` but cannot run it yet";
                Some(StepEnd::Failed(reason.to_owned()))
            }
            Some(Ok(true)) | None => None,
        }
    }

    /// The run's time is up: the step under way ends with it.
    fn out_of_time(&mut self) -> Outcome {
        let seconds = self.job.timeout.as_secs_f64();
        let mut reason = format!("the run did not end within its timeout of {seconds} s");
        if let Some((mut record, began)) = self.under_way.take() {
            reason = format!("{reason}: step `{}` was under way", record.id);
            record.end = StepEnd::Failed(String::new()).word();
            record.error = Some("the run's timeout ended it".to_owned());
            record.took = self.engine.clock.monotonic().saturating_sub(began);
            self.update.steps.push(record);
        }
        Outcome::Failed(reason)
    }

    fn context<'c>(&'c self, step: &'c Step) -> Context<'c> {
        self.engine
            .context(self.job, step, &self.templates, &self.roots)
    }

    fn record(
        &self,
        position: u32,
        step: &Step,
        attempt: u32,
        (started_at, took): (DateTime<Utc>, Duration),
        end: &StepEnd,
    ) -> StepRecord {
        StepRecord {
            position,
            id: step.id.clone(),
            kind: step.kind.word().to_owned(),
            attempt,
            end: end.word(),
            result: match end {
                StepEnd::Done(value) => Some(value.clone()),
                _ => None,
            },
            error: match end {
                StepEnd::Failed(reason) => Some(reason.clone()),
                _ => None,
            },
            detail: None,
            started_at,
            took,
        }
    }

    /// Backs off as a row that waits, so that everybody sees it.
    async fn wait(&mut self, wait: Duration) -> Result<(), EngineError> {
        let until = self.engine.clock.now() + wait;
        self.update.state = Some(RunState::Waiting(Wait::Until(until)));
        self.commit().await?;
        self.engine.clock.sleep(wait).await;
        self.engine.store.begin(self.run, &self.engine.lock).await
    }

    pub(super) async fn commit(&mut self) -> Result<Vec<DeliveryId>, EngineError> {
        let mut update = std::mem::replace(&mut self.update, RunUpdate::of(self.run));
        self.engine.loaded.secrets.scrub_update(&mut update);
        self.engine.store.record(update).await
    }
}
