//! Seats: one for each run under way, given back when it ends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use super::{Away, Queue, Rank, Turn};
use crate::engine::work::Work;
use crate::job::RunId;

/// A seat that was kept for a run which may not come: dropped, it is free again.
pub struct Reserved {
    pub(super) queue: Arc<Queue>,
    pub(super) job: Option<String>,
    pub(super) rank: Rank,
}

/// A run's seat.
pub struct Seat {
    pub(super) queue: Arc<Queue>,
    pub(super) job: String,
    pub(super) rank: Rank,
    pub(super) run: RunId,
    pub(super) away: Arc<Away>,
    pub(super) cancel: Arc<Notify>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({})", self.run)
    }
}

impl Reserved {
    /// The run that the seat was kept for begins.
    pub(in crate::engine) fn start(mut self, work: Work) {
        self.job = None;
        let queue = Arc::clone(&self.queue);
        let seat = queue.sit(&mut queue.lock(), self.rank, &work);
        tokio::spawn(Box::pin(work.execute(seat)));
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            let mut state = self.queue.lock();
            state.free += 1;
            state.vacate(&job);
            self.queue.fill(&mut state, &job);
            self.queue.seat(state);
        }
    }
}

impl Seat {
    /// The queue that the run is of.
    pub(in crate::engine) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Completes when somebody stops the run.
    pub(in crate::engine) async fn cancelled(&self) {
        self.cancel.notified().await;
    }

    /// Stops the run.
    pub(in crate::engine) fn cancel(&self) {
        self.cancel.notify_one();
    }

    /// Lets others have the place meanwhile; the job's other runs still wait.
    pub(in crate::engine) fn leave(&self) {
        let mut state = self.queue.lock();
        self.away.gone.store(true, Ordering::Relaxed);
        state.free += 1;
        self.queue.seat(state);
    }

    /// Waits for a place again; in a queue that was stopped there is none, and the process ends.
    pub(in crate::engine) async fn take(&self) {
        {
            let mut state = self.queue.lock();
            let turn = Turn::GoesOn(Arc::clone(&self.away));
            state.ready.insert(self.rank, turn);
            self.queue.seat(state);
        }
        self.away.back.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        if self.away.gone.load(Ordering::Relaxed) {
            state.ready.remove(&self.rank);
        } else {
            state.free += 1;
        }
        state.under_way -= 1;
        if let Some(of_job) = state.jobs.get_mut(&self.job) {
            of_job.under_way.retain(|(run, _)| *run != self.run);
        }
        state.vacate(&self.job);
        self.queue.fill(&mut state, &self.job);
        let ended = state.under_way == 0;
        self.queue.seat(state);
        if ended {
            self.queue.idle.notify_waiters();
        }
    }
}
