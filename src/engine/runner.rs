//! One run, step by step.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::attempt::{Attempt, plain, record, tell_of_news};
use super::growing::Draft;
use super::queue::Seat;
use super::run::{Begun, Deliver};
use super::{Engine, EngineError, Observer, Progress, roots, step};
use crate::config::Job;
use crate::job::{Moved, Outcome, RunId, RunState, StepEnd, StepRecord, TriggerKind, Wait};
use crate::step::{Context, Done, Kind, OnError, Resumed, Step};
use crate::store::{Recorded, RunUpdate};
use crate::template::{Roots, Templates};

/// A result that took longer is committed at once, so that a crash does not cost it.
const COSTLY: Duration = Duration::from_secs(1);

pub(super) struct UnderWay<'a> {
    pub(super) engine: &'a Engine,
    pub(super) job: &'a Job,
    pub(super) run: RunId,
    /// What kind of trigger started it.
    pub(super) kind: TriggerKind,
    pub(super) seat: Option<&'a Seat>,
    pub(super) deliver: Deliver,
    pub(super) templates: Templates,
    pub(super) roots: Roots,
    /// What the next commit holds.
    pub(super) update: RunUpdate,
    /// Positions that move with the outcome, if it is a good one.
    pub(super) moved: Vec<Moved>,
    /// What it asked was not approved.
    pub(super) denied: bool,
    /// Who worded what the last step gave that asked a model, and where.
    pub(super) worded: Option<String>,
    /// What a step that waited for a word goes on with.
    resumed: Option<Resumed>,
    /// A message that grows.
    pub(super) draft: Option<Draft>,
    /// What is known of steps from before this process had the run.
    before: Vec<StepRecord>,
    /// The attempt that is being made.
    under_way: Option<Attempt>,
}

/// How the steps of a run end for now.
pub(super) enum End {
    Outcome(Outcome),
    /// The last one waits for a word, by this number.
    Asks(String),
}

impl<'a> UnderWay<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        job: &'a Job,
        mut begun: Begun,
        (seat, deliver): (Option<&'a Seat>, Deliver),
    ) -> Self {
        let settings = &engine.loaded.settings;
        UnderWay {
            engine,
            job,
            run: begun.run,
            seat,
            deliver,
            templates: Templates::new(settings.language, settings.timezone, begun.at),
            roots: roots(job, settings, &mut begun),
            kind: begun.event.kind,
            update: RunUpdate::of(begun.run),
            moved: Vec::new(),
            denied: false,
            worded: None,
            resumed: None,
            draft: None,
            before: begun.steps,
            under_way: None,
        }
    }

    pub(super) async fn steps(&mut self, observer: &mut Observer<'_>) -> Result<End, EngineError> {
        if Draft::is_wanted(self.job) {
            self.draft = Box::pin(Draft::begin(self)).await?;
        }
        for (position, step) in self.job.steps.iter().enumerate() {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            let end = match self.recorded(position, step) {
                Some(end) => end,
                None => self.step(position, step, observer).await?,
            };
            match end {
                StepEnd::Done(value) if said_no(step, &value) => {
                    self.denied = true;
                    let why = value["why"].as_str().unwrap_or_default();
                    let why = format!("{}: {why}", step.id);
                    return Ok(End::Outcome(Outcome::NothingToSay(why)));
                }
                StepEnd::Done(value) => {
                    self.roots.insert(step.id.clone(), value);
                }
                StepEnd::Skipped => {
                    self.roots.insert(step.id.clone(), Value::Null);
                }
                StepEnd::Stop => {
                    let expression = step.stop_if.as_deref().unwrap_or_default();
                    let why = format!("{}: {expression}", step.id);
                    return Ok(End::Outcome(Outcome::NothingToSay(why)));
                }
                StepEnd::Failed(_) if step.on_error == OnError::Continue => {
                    self.roots.insert(step.id.clone(), Value::Null);
                }
                StepEnd::Failed(reason) => {
                    let reason = format!("step `{}`: {reason}", step.id);
                    return Ok(End::Outcome(Outcome::Failed(reason)));
                }
                StepEnd::Wait(Wait::Until(_)) => unreachable!("no step waits for a moment"),
                StepEnd::Wait(Wait::Token(_)) if self.deliver == Deliver::Hold => {
                    let reason = "it asks somebody, and nothing is to be sent";
                    let reason = format!("step `{}`: {reason}", step.id);
                    return Ok(End::Outcome(Outcome::Failed(reason)));
                }
                StepEnd::Wait(Wait::Token(nonce)) => return Ok(End::Asks(nonce)),
            }
        }
        Ok(End::Outcome(Outcome::Ok))
    }

    /// How the step ended before this process had the run, if it did.
    fn recorded(&mut self, position: u32, step: &Step) -> Option<StepEnd> {
        let of_step = |record: &&mut StepRecord| record.position == position;
        let record = self.before.iter_mut().rfind(of_step)?;
        if let (Kind::Agent(_), Some(result)) = (&step.kind, &record.result)
            && result["approved"].is_boolean()
        {
            // Its question was answered, and it goes on.
            self.resumed = Some(Resumed {
                detail: record.detail.take().unwrap_or_default(),
                approved: result["approved"] == true,
            });
            return None;
        }
        let end = match record.end {
            "done" => StepEnd::Done(record.result.take().unwrap_or_default()),
            "skipped" => StepEnd::Skipped,
            "failed" if step.retry.after(record.attempt).is_none() => {
                StepEnd::Failed(record.error.take().unwrap_or_default())
            }
            // Under way, or to be tried again.
            _ => return None,
        };
        self.moved.append(&mut record.moved);
        let detail = record.detail.take();
        self.was_worded(step, detail.as_ref());
        Some(end)
    }

    /// Takes note of who worded a step's result.
    fn was_worded(&mut self, step: &Step, detail: Option<&Value>) {
        if step.kind.route().is_some() {
            let by = detail.and_then(|detail| detail["by"].as_str());
            self.worded = by.map(str::to_owned);
        }
    }

    /// The number of the next attempt at a step.
    fn next_attempt(&self, position: u32) -> u32 {
        let of_step = self
            .before
            .iter()
            .filter(|record| record.position == position);
        of_step.map(|record| record.attempt + 1).max().unwrap_or(1)
    }

    async fn step(
        &mut self,
        position: u32,
        step: &Step,
        observer: &mut Observer<'_>,
    ) -> Result<StepEnd, EngineError> {
        let kind = step.kind.word();
        if let Some(mut end) = self.gate(step) {
            if let StepEnd::Failed(reason) = &mut end {
                self.engine.loaded.secrets.scrub(reason);
            }
            let attempt = self.attempt(position, self.next_attempt(position));
            let record = record(step, attempt, Duration::ZERO, &end);
            self.update.steps.push(record);
            observer(Progress::Ended {
                step: &step.id,
                end: &end,
                took: Duration::ZERO,
            });
            return Ok(end);
        }
        let effects = step.effects;
        let (engine, most) = (self.engine, self.engine.loaded.settings.max_commands);
        for number in self.next_attempt(position).. {
            // Before it counts as begun, to nobody's clock. On the heap: most steps need no place.
            let place = match &step.kind {
                Kind::Exec(_) if step.for_each.is_none() => {
                    Some(Box::pin(engine.commands.place(most)).await)
                }
                _ => None,
            };
            let attempt = self.attempt(position, number);
            if effects {
                // Written down before it begins: after a crash it is known that it may have happened.
                let mut started = record(step, attempt, Duration::ZERO, &StepEnd::Skipped);
                started.end = "started";
                self.update.steps.push(started);
                self.commit().await?;
            }
            observer(Progress::Begins {
                step: &step.id,
                kind,
            });
            self.under_way = Some(attempt);
            let done = match &step.kind {
                // On the heap: most runs ask no model.
                Kind::Prompt(_) | Kind::Agent(_) => Box::pin(self.heard(step, observer)).await?,
                _ => step::attempt(self.engine, step, &self.context(step)).await,
            };
            drop(place);
            tell_of_news(engine, step).await;
            if let Some(why) = plain(done.detail.as_ref()) {
                observer(Progress::Plain {
                    step: &step.id,
                    why: &why,
                });
            }
            self.under_way = None;
            let took = self.took(attempt);
            let mut record = record(step, attempt, took, &done.end);
            record.detail = done.detail;
            self.was_worded(step, record.detail.as_ref());
            record.moved.clone_from(&done.cursors);
            self.update.steps.push(record);
            self.moved.extend(done.cursors);
            // What waits for a word is committed with what asks for it.
            if (effects || took >= COSTLY) && !matches!(done.end, StepEnd::Wait(_)) {
                self.commit().await?;
            }
            if let (StepEnd::Failed(reason), Some(wait)) = (&done.end, step.retry.after(number)) {
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
            self.resumed = None;
            return Ok(done.end);
        }
        unreachable!("the last attempt returns")
    }

    /// An attempt at a step that has a model write, whose words are shown as they come.
    async fn heard(
        &mut self,
        step: &Step,
        observer: &mut Observer<'_>,
    ) -> Result<Done, EngineError> {
        let mut draft = self.draft.take();
        let (grows, mut grown) = watch::channel(String::new());
        let mut seen = grown.clone();
        let run = &*self;
        let attempt = async {
            let done = {
                let context = Context {
                    grows: Some(&grows),
                    resumed: run.resumed.clone(),
                    ..run.context(step)
                };
                step::attempt(run.engine, step, &context).await
            };
            drop(grows);
            done
        };
        let shows = async {
            while seen.changed().await.is_ok() {
                let text = seen.borrow_and_update().clone();
                let (step, text) = (step.id.as_str(), text.as_str());
                observer(Progress::Says { step, text });
            }
        };
        let draws = async {
            match &mut draft {
                Some(draft) => draft.follow(run, step, &mut grown).await,
                None => Ok(()),
            }
        };
        let (done, (), drawn) = tokio::join!(attempt, shows, draws);
        drawn?;
        self.draft = draft;
        Ok(done)
    }

    /// `stop_if`, then `when`.
    fn gate(&self, step: &Step) -> Option<StepEnd> {
        let holds = |expression: &str| {
            let context = self.roots.context();
            self.templates.truthy(expression, &context)
        };
        match step.stop_if.as_deref().map(holds) {
            Some(Ok(true)) => return Some(StepEnd::Stop),
            Some(Err(error)) => return Some(StepEnd::Failed(format!("stop_if: {error}"))),
            Some(Ok(false)) | None => {}
        }
        match step.when.as_deref().map(holds) {
            Some(Ok(false)) => Some(StepEnd::Skipped),
            Some(Err(error)) => Some(StepEnd::Failed(format!("when: {error}"))),
            Some(Ok(true)) | None => None,
        }
    }

    /// The run's time is up: the step under way ends with it.
    pub(super) fn out_of_time(&mut self) -> Outcome {
        let seconds = self.job.timeout.as_secs_f64();
        let mut reason = format!("the run did not end within its timeout of {seconds} s");
        if let Some(attempt) = self.under_way.take() {
            let step = &self.job.steps[attempt.position as usize];
            reason = format!("{reason}: step `{}` was under way", step.id);
            let end = StepEnd::Failed("the run's timeout ended it".to_owned());
            let record = record(step, attempt, self.took(attempt), &end);
            self.update.steps.push(record);
        }
        Outcome::Failed(reason)
    }

    fn context<'c>(&'c self, step: &'c Step) -> Context<'c> {
        let mut context =
            self.engine
                .context(self.job, step, &self.templates, (self.run, &self.roots));
        if let Kind::Agent(_) | Kind::Remember(_) | Kind::Recall(_) | Kind::Remind(_) = &step.kind {
            // Nobody is the owner where that cannot be read.
            context.owner = self.owner().unwrap_or_default();
        }
        context
    }

    /// An attempt that begins now.
    fn attempt(&self, position: u32, number: u32) -> Attempt {
        let clock = &self.engine.clock;
        Attempt {
            position,
            number,
            at: clock.now(),
            since: clock.monotonic(),
        }
    }

    fn took(&self, attempt: Attempt) -> Duration {
        let now = self.engine.clock.monotonic();
        now.saturating_sub(attempt.since)
    }

    /// Backs off as a row that waits, so that everybody sees it, and holds no place meanwhile.
    async fn wait(&mut self, wait: Duration) -> Result<(), EngineError> {
        let until = self.engine.clock.now() + wait;
        self.update.state = Some(RunState::Waiting(Wait::Until(until)));
        self.commit().await?;
        if let Some(seat) = self.seat {
            seat.leave();
        }
        self.engine.clock.sleep(wait).await;
        if let Some(seat) = self.seat {
            seat.take().await;
        }
        let (run, lock) = (self.run, &self.engine.lock);
        self.engine
            .patiently(|| self.engine.store.begin(run, lock))
            .await
    }

    pub(super) async fn commit(&mut self) -> Result<Recorded, EngineError> {
        let mut update = std::mem::replace(&mut self.update, RunUpdate::of(self.run));
        self.engine.loaded.secrets.scrub_update(&mut update);
        let update = Arc::new(update);
        let record = || self.engine.store.record(Arc::clone(&update));
        self.engine.patiently(record).await
    }
}

/// Whether the step asked, the answer was no, and the run ends with it.
fn said_no(step: &Step, result: &Value) -> bool {
    let asks = matches!(step.kind, Kind::Approve(_));
    asks && step.on_error == OnError::Fail && result["approved"] != true
}
