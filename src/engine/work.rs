//! A run on its way through the queue.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::following::Ended;
use super::queue::{Queue, Seat};
use super::run::{Begun, Deliver, Finished};
use super::{Engine, EngineError, Loaded, Observer};
use crate::config::Job;
use crate::delivery;
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
    Fresh(Arc<Event>),
    /// Queued, or with steps that it did before: what it knows is in its rows, but for its event where that is small.
    Kept(Option<Arc<Event>>),
    /// This process has it, and it did something before.
    Adopted,
    /// This process has it, and it waits for the rest of its time.
    BackedOff(DateTime<Utc>),
}

/// Somebody who follows a run to its end.
pub struct Follower {
    /// Hears what goes on.
    pub observer: Box<Observer<'static>>,
    /// Gets the end.
    pub end: oneshot::Sender<Finished>,
}

impl Work {
    /// Executes the run, to its end or until its seat is told to stop it.
    pub(super) async fn execute(self, seat: Seat) {
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
        let mut asks = false;
        let work = async {
            let Some(begun) = begin(&engine, run, self.row, &seat).await? else {
                return Ok(None);
            };
            let whole = engine.execute(&job, begun, self.deliver, Some(&seat), &mut *observer);
            let finished = whole.await?;
            asks = finished.is_none();
            Ok(finished)
        };
        let ended = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(ended) => ended,
            Err(_) => {
                let outcome = Outcome::Failed("a bug in the program ended it".to_owned());
                let ended = Ended {
                    run,
                    job: &job.name,
                    kind: self.kind,
                    outcome: &outcome,
                };
                let written = self::end(&queue, ended).await;
                written.map(|()| Some(Finished::nothing(run, outcome)))
            }
        };
        match ended {
            Ok(Some(finished)) => queue.after(finished, end),
            Ok(None) => {
                if let Some(end) = end.filter(|_| asks) {
                    queue.follows_on(run, self.deliver, Follower { observer, end });
                }
            }
            // Its row stays as it is: the next start goes on with it.
            Err(error) => journal::say(
                Level::Error,
                format!("run {run} of `{}`: {error}", job.name),
            ),
        }
        // Not before its messages are given to the sender: those of the job's next run come after them.
        drop(seat);
    }

    /// Ends as skipped, for a newer event of the job came.
    pub(super) async fn replaced(self, queue: Arc<Queue>, by: RunId) {
        let reason = format!("run {by}, for a newer event, took its place");
        let outcome = Outcome::Skipped(reason);
        let ended = Ended {
            run: self.run,
            job: &self.job.name,
            kind: self.kind,
            outcome: &outcome,
        };
        if let Err(error) = end(&queue, ended).await {
            journal::say(Level::Error, error);
        }
    }
}

impl Queue {
    /// What follows from the end of a run.
    fn after(self: &Arc<Self>, mut finished: Finished, end: Option<oneshot::Sender<Finished>>) {
        let left = std::mem::take(&mut finished.left);
        if let Some(end) = end {
            let places = left.iter().map(|(_, message)| delivery::place(message));
            finished.kept.extend(places);
            let _ = end.send(finished);
        }
        self.outbox.offer(left);
    }
}

/// Makes the run this process's; `None` when it has an end already.
async fn begin(
    engine: &Engine,
    run: RunId,
    row: Row,
    seat: &Seat,
) -> Result<Option<Begun>, EngineError> {
    if let Row::BackedOff(until) = row {
        let rest = (until - engine.clock.now()).to_std().unwrap_or_default();
        seat.leave();
        tokio::select! {
            () = engine.clock.sleep(rest) => seat.take().await,
            // Its end is written down as that of any other.
            () = seat.cancelled() => seat.cancel(),
        }
    }
    match row {
        Row::Fresh(event) => {
            let event = Arc::unwrap_or_clone(event);
            return Ok(Some(Begun::new(run, event, engine.clock.now())));
        }
        Row::Kept(_) | Row::BackedOff(_) => {
            let begin = || engine.store.begin(run, &engine.lock);
            match engine.patiently(begin).await {
                Ok(()) => {}
                Err(EngineError::AlreadyFinished(_) | EngineError::Taken(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Row::Adopted => {}
    }
    if let Row::Kept(Some(event)) = row {
        let event = Arc::unwrap_or_clone(event);
        return Ok(Some(Begun::new(run, event, engine.clock.now())));
    }
    let story = engine.store.read(move |reader| reader.run(run)).await?;
    Ok(story.map(|story| Begun::of(story, engine.clock.now())))
}

/// Writes down an end that the run did not come to by itself, with what follows from it.
pub(super) async fn end(queue: &Arc<Queue>, ended: Ended<'_>) -> Result<(), EngineError> {
    let following = queue.engine.following(Some(queue), ended);
    let mut update = RunUpdate {
        state: Some(RunState::Finished(ended.outcome.clone())),
        ..RunUpdate::of(ended.run)
    };
    following.add_to(&mut update);
    let update = Arc::new(update);
    let record = || queue.engine.store.record(Arc::clone(&update));
    let mut recorded = queue.engine.patiently(record).await?;
    following.committed(&mut recorded);
    Ok(())
}
