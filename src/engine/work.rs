//! A run on its way through the queue.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{Notify, oneshot};

use super::queue::{Queue, Seat};
use super::run::{Begun, Deliver, Finished};
use super::{Engine, EngineError, Loaded, Observer};
use crate::config::Job;
use crate::job::{Event, Outcome, RunId, RunState, TriggerKind};
use crate::journal::{self, Level};
use crate::store::RunUpdate;

/// A run that is written down and waits for its turn.
pub struct Work {
    /// Its number.
    pub run: RunId,
    /// The job as the run is pinned to it.
    pub job: Arc<Job>,
    /// The reading of the folder that it is of.
    pub loaded: Arc<Loaded>,
    /// What kind of trigger started it.
    pub kind: TriggerKind,
    /// How it stands in its row.
    pub row: Row,
    /// Whether its messages go out.
    pub deliver: Deliver,
    /// Who follows it.
    pub follower: Option<Follower>,
}

/// How a run stands in its row.
pub enum Row {
    /// This process has it already, and it did nothing yet.
    Fresh(Box<Event>),
    /// Queued, or with steps that it did before: what it knows is in its rows.
    Kept,
    /// This process has it, and it did something before.
    Adopted,
}

/// Somebody who follows a run to its end.
pub struct Follower {
    /// Hears what goes on.
    pub observer: Box<Observer<'static>>,
    /// Gets the end.
    pub end: oneshot::Sender<Finished>,
}

impl Work {
    /// Executes the run, to its end or until it is told to `cancel`.
    pub(super) async fn execute(self, seat: Seat, cancel: Arc<Notify>) {
        let queue = Arc::clone(seat.queue());
        let engine = Engine {
            loaded: Arc::clone(&self.loaded),
            ..queue.engine.clone()
        };
        let (run, job) = (self.run, Arc::clone(&self.job));
        let (observer, end) = match self.follower {
            Some(follower) => (Some(follower.observer), Some(follower.end)),
            None => (None, None),
        };
        let mut observer = observer.unwrap_or_else(|| Box::new(|_| ()));
        let work = async {
            let Some(begun) = begin(&engine, run, self.row).await? else {
                return Ok(None);
            };
            let whole = engine.execute(&job, begun, self.deliver, Some(&seat), &mut *observer);
            whole.await.map(Some)
        };
        let ended = tokio::select! {
            ended = AssertUnwindSafe(work).catch_unwind() => Some(ended),
            () = cancel.notified() => None,
        };
        let ended = match ended {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => {
                failed(
                    &engine,
                    (run, &job.name, self.kind),
                    "a bug in the program ended it",
                )
                .await
            }
            None => cancelled(&engine, run).await,
        };
        drop(seat);
        match ended {
            Ok(Some(finished)) => queue.after(finished, end),
            Ok(None) => {}
            // Its row stays as it is: the next start goes on with it.
            Err(error) => journal::say(
                Level::Error,
                format!("run {run} of `{}`: {error}", job.name),
            ),
        }
    }

    /// Ends as skipped, for a newer event of the job came.
    pub(super) async fn replaced(self, engine: Engine, by: RunId) {
        let reason = format!("run {by}, for a newer event, took its place");
        let outcome = Outcome::Skipped(reason);
        if let Err(error) = ended(&engine, self.run, outcome).await {
            journal::say(Level::Error, error);
        }
    }
}

impl Queue {
    /// What follows from the end of a run.
    fn after(self: &Arc<Self>, mut finished: Finished, end: Option<oneshot::Sender<Finished>>) {
        self.outbox.offer(std::mem::take(&mut finished.left));
        let latest = self.latest.borrow().clone();
        for (run, name) in std::mem::take(&mut finished.follow) {
            if let Some(job) = latest.jobs.get(&name) {
                self.push(Work {
                    run,
                    job: Arc::clone(job),
                    loaded: Arc::clone(&latest),
                    kind: TriggerKind::After,
                    row: Row::Kept,
                    deliver: Deliver::Leave,
                    follower: None,
                });
            }
        }
        if let Some(end) = end {
            let _ = end.send(finished);
        }
    }
}

/// Makes the run this process's; `None` when it has an end already.
async fn begin(engine: &Engine, run: RunId, row: Row) -> Result<Option<Begun>, EngineError> {
    match row {
        Row::Fresh(event) => return Ok(Some(Begun::new(run, *event, engine.clock.now()))),
        Row::Kept => {
            let begin = || engine.store.begin(run, &engine.lock);
            match engine.patiently(begin).await {
                Ok(()) => {}
                Err(EngineError::AlreadyFinished(_) | EngineError::Taken(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Row::Adopted => {}
    }
    let story = engine.store.read(move |reader| reader.run(run)).await?;
    Ok(story.map(|story| Begun::of(story, engine.clock.now())))
}

async fn cancelled(engine: &Engine, run: RunId) -> Result<Option<Finished>, EngineError> {
    match engine.patiently(|| engine.cancel(run)).await {
        Ok(_) => Ok(Some(Finished::nothing(run, Outcome::Cancelled))),
        // It was quicker.
        Err(EngineError::AlreadyFinished(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn failed(
    engine: &Engine,
    (run, job, kind): (RunId, &str, TriggerKind),
    why: &str,
) -> Result<Option<Finished>, EngineError> {
    let outcome = Outcome::Failed(why.to_owned());
    let alerts = engine.alerts.as_ref();
    let news = alerts.and_then(|alerts| alerts.of_run(job, kind, run, &outcome));
    let update = Arc::new(RunUpdate {
        state: Some(RunState::Finished(outcome.clone())),
        news: news.as_ref().map(|of_run| of_run.news.clone()),
        ..RunUpdate::of(run)
    });
    let record = || engine.store.record(Arc::clone(&update));
    let recorded = engine.patiently(record).await?;
    if let (Some(alerts), Some(news)) = (alerts, &news) {
        alerts.committed(news, recorded.told);
    }
    Ok(Some(Finished::nothing(run, outcome)))
}

/// Writes down an end that the run did not come to by itself.
pub(super) async fn ended(
    engine: &Engine,
    run: RunId,
    outcome: Outcome,
) -> Result<(), EngineError> {
    let update = Arc::new(RunUpdate {
        state: Some(RunState::Finished(outcome)),
        ..RunUpdate::of(run)
    });
    let record = || engine.store.record(Arc::clone(&update));
    engine.patiently(record).await.map(|_| ())
}
