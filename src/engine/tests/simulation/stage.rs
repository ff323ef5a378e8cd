//! What stands in for the world outside: programs, the places that messages go to, the disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::sync::Notify;

use super::rng::Rng;
use crate::clock::Clock;
use crate::delivery::Sent;
use crate::engine::outbox::Row;
use crate::job::{DeliveryId, RunId, StepEnd};
use crate::step::{Context, Done, Kind, Step};
use crate::store::StoreError;
use crate::store::faults::{Fault, Point};

/// The world outside, of one thread.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) rng: Rng,
    /// Which life of the program this is.
    pub(super) life: u32,
    /// What programs did.
    pub(super) effects: Vec<Effect>,
    /// What arrived where messages go.
    pub(super) arrivals: Vec<Arrival>,
    /// Programs that run now, by job.
    running: BTreeMap<String, u32>,
    /// The most that ran at once, by job.
    pub(super) crowd: BTreeMap<String, u32>,
    /// The disk has no room.
    pub(super) full: bool,
    /// The process dies at so many points from now.
    pub(super) dies_in: Option<u32>,
    pub(super) death: Arc<Notify>,
    dead: bool,
    /// The simulated part is troubled no more.
    pub(super) calm: bool,
    /// Steps that really do something now.
    pub(super) busy: u32,
    /// Grows with all that goes on.
    pub(super) moves: u64,
}

/// A program that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) run: RunId,
    pub(super) step: String,
    pub(super) life: u32,
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) id: DeliveryId,
    pub(super) body: String,
    /// When it was sent.
    pub(super) left: DateTime<Utc>,
    pub(super) life: u32,
    /// Whether the sender was told that it came.
    pub(super) told: bool,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// Works on the stage of this thread; `None` where there is none.
pub(super) fn on_stage<T>(work: impl FnOnce(&mut Stage) -> T) -> Option<T> {
    STAGE.with_borrow_mut(|stage| stage.as_mut().map(work))
}

impl Stage {
    pub(super) fn new(rng: Rng) -> Self {
        Stage {
            rng,
            life: 0,
            effects: Vec::new(),
            arrivals: Vec::new(),
            running: BTreeMap::new(),
            crowd: BTreeMap::new(),
            full: false,
            dies_in: None,
            death: Arc::default(),
            dead: false,
            calm: false,
            busy: 0,
            moves: 0,
        }
    }

    /// Opens the stage, or closes it.
    pub(super) fn set(stage: Option<Stage>) -> Option<Stage> {
        let chooser =
            || Box::new(|point| on_stage(|stage| stage.meet(point)).unwrap_or(Fault::Death));
        crate::store::faults::choose(stage.is_some().then(|| chooser() as _));
        STAGE.replace(stage)
    }

    /// Another life begins.
    pub(super) fn begin_life(&mut self, dies_in: Option<u32>) {
        self.life += 1;
        self.dies_in = dies_in;
        self.dead = false;
        self.death = Arc::default();
        self.running.clear();
        self.busy = 0;
    }

    pub(super) fn die(&mut self) {
        self.dead = true;
        self.death.notify_one();
    }

    fn meet(&mut self, point: Point) -> Fault {
        self.moves += 1;
        if let Some(left) = &mut self.dies_in {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.die();
            }
        }
        if self.dead {
            return Fault::Death;
        }
        if self.full && point == Point::Commit {
            return Fault::Fail(StoreError::Full);
        }
        match self.rng.below(4) {
            0 | 1 => Fault::Wait(0),
            waits => Fault::Wait(u32::try_from(waits).expect("it is small") * 2),
        }
    }
}

/// Who does the work of a step.
pub(in crate::engine) enum Does {
    /// Nothing but this.
    Instead(Pin<Box<dyn Future<Output = Done> + Send>>),
    /// The step, and whoever waits for quiet waits for it.
    Itself(Option<Busy>),
}

/// A step really does something.
pub(in crate::engine) struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        on_stage(|stage| {
            stage.busy = stage.busy.saturating_sub(1);
            stage.moves += 1;
        });
    }
}

/// What stands in for `step` on this thread.
pub(in crate::engine) fn stands_in(step: &Step, context: &Context<'_>) -> Does {
    if on_stage(|_| ()).is_none() {
        return Does::Itself(None);
    }
    match &step.kind {
        Kind::Exec(_) => {
            let run = RunId(
                context.scope.get("run").expect("it is there")["id"]
                    .as_i64()
                    .expect("a run has a number"),
            );
            let clock = Arc::clone(context.clock);
            let (job, step) = (context.job.to_owned(), step.id.clone());
            Does::Instead(Box::pin(async move {
                let Some((_running, takes, fails)) =
                    on_stage(|stage| stage.effect(run, job, &step))
                else {
                    return std::future::pending().await;
                };
                if !takes.is_zero() {
                    clock.sleep(takes).await;
                }
                Done::end(if fails {
                    StepEnd::Failed("exit code 1".to_owned())
                } else {
                    StepEnd::Done(json!({ "code": 0, "stdout": "", "stderr": "" }))
                })
            }))
        }
        Kind::Log(_) => {
            on_stage(|stage| stage.busy += 1);
            Does::Itself(Some(Busy))
        }
        _ => Does::Itself(None),
    }
}

/// A program of a job that runs.
struct Running(String);

impl Drop for Running {
    fn drop(&mut self) {
        on_stage(|stage| {
            if let Some(count) = stage.running.get_mut(&self.0) {
                *count = count.saturating_sub(1);
            }
            stage.moves += 1;
        });
    }
}

impl Stage {
    fn effect(&mut self, run: RunId, job: String, step: &str) -> (Running, Duration, bool) {
        self.moves += 1;
        self.effects.push(Effect {
            run,
            step: step.to_owned(),
            life: self.life,
        });
        let count = self.running.entry(job.clone()).or_default();
        *count += 1;
        let most = self.crowd.entry(job.clone()).or_default();
        *most = (*most).max(*count);
        let takes = match self.rng.below(3) {
            0 => Duration::ZERO,
            _ => Duration::from_millis(self.rng.below(90_000)),
        };
        let fails = !self.calm && step.starts_with("flaky") && self.rng.percent(40);
        (Running(job), takes, fails)
    }
}

/// Takes a message of the outbox; `None` where no stage is.
pub(in crate::engine) async fn sink(row: &Row, clock: &dyn Clock) -> Option<Sent> {
    let (takes, arrives, sent) = on_stage(Stage::answer)?;
    let left = clock.now();
    if !takes.is_zero() {
        clock.sleep(takes).await;
    }
    if arrives {
        on_stage(|stage| {
            let arrival = Arrival {
                id: row.id,
                body: row.message.body.clone(),
                left,
                life: stage.life,
                told: matches!(sent, Sent::Delivered(_)),
            };
            stage.arrivals.push(arrival);
        });
    }
    // The answer takes its time.
    if !takes.is_zero() {
        clock.sleep(takes).await;
    }
    on_stage(|stage| stage.moves += 1);
    Some(sent)
}

impl Stage {
    /// How long the way takes, whether the message arrives, and the answer.
    fn answer(&mut self) -> (Duration, bool, Sent) {
        self.moves += 1;
        let takes = match self.rng.below(2) {
            0 => Duration::ZERO,
            _ => Duration::from_millis(self.rng.below(20_000)),
        };
        let delivered = Sent::Delivered(None);
        if self.calm {
            return (takes, true, delivered);
        }
        let (arrives, sent) = match self.rng.below(100) {
            0..60 => (true, delivered),
            60..75 => {
                let after = self.rng.percent(30);
                let again = Sent::Again {
                    reason: "not now".to_owned(),
                    after: after.then(|| Duration::from_secs(self.rng.below(600))),
                };
                (false, again)
            }
            75..86 => (true, Sent::Unknown("no answer".to_owned())),
            86..96 => (false, Sent::Unknown("no answer".to_owned())),
            _ => (false, Sent::Refused("no".to_owned())),
        };
        (takes, arrives, sent)
    }
}
