//! A few threads for what blocks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::StoreError;

/// A thread that had nothing to do for so long ends.
const UNUSED: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce() + Send>;

/// Threads that are started when they are needed, at most so many.
///
/// Not the runtime's: that starts another one whenever the last has answered and not yet sat down. A crowd makes thirty of
/// them, and each keeps pages of the allocator.
#[derive(Debug)]
pub(super) struct Threads {
    most: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to do, or nothing ever again.
    told: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    idle: usize,
    closed: bool,
    #[cfg(test)]
    started: usize,
}

impl Threads {
    pub(super) fn new(most: usize) -> Self {
        Threads {
            most,
            shared: Arc::default(),
        }
    }

    /// Does `work` on one of them, in the order of asking. Where nobody waits for it any more when its turn comes, it is left.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, answer) = oneshot::channel();
        self.give(Box::new(move || {
            if !sender.is_closed() {
                let _ = sender.send(work());
            }
        }))?;
        // A panic in it is said by the hook.
        answer.await.map_err(|_| StoreError::Closed)
    }

    fn give(&self, work: Work) -> Result<(), StoreError> {
        let mut state = self.shared.state();
        state.waiting.push_back(work);
        if state.idle >= state.waiting.len() {
            self.shared.told.notify_one();
        } else if state.threads < self.most {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("reader".to_owned());
            match thread.spawn(move || shared.serve()) {
                Ok(_) => {
                    state.threads += 1;
                    #[cfg(test)]
                    {
                        state.started += 1;
                    }
                }
                // Another one comes to it.
                Err(_) if state.threads > 0 => {}
                Err(error) => {
                    state.waiting.pop_back();
                    return Err(StoreError::Disk(format!("cannot start a thread: {error}")));
                }
            }
        }
        Ok(())
    }

    /// How many were started so far.
    #[cfg(test)]
    pub(super) fn started(&self) -> usize {
        self.shared.state().started
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.told.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread.
    fn serve(&self) {
        let mut state = self.state();
        loop {
            while let Some(work) = state.waiting.pop_front() {
                drop(state);
                let _ = catch_unwind(AssertUnwindSafe(work));
                state = self.state();
            }
            state.idle += 1;
            let nothing = |state: &mut State| state.waiting.is_empty() && !state.closed;
            let waited = self.told.wait_timeout_while(state, UNUSED, nothing);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            if state.waiting.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_crowd_has_no_more_threads_than_it_may() {
        let threads = Threads::new(4);
        let all = (0..2000).map(|number| threads.run(move || number * 2));
        let all: Vec<_> = join_all(all).await;
        assert!(all.iter().enumerate().all(|(at, got)| *got == Ok(at * 2)));
        for number in 0..200 {
            assert_eq!(threads.run(move || number).await, Ok(number));
        }
        assert!(threads.started() <= 4, "{}", threads.started());
    }

    #[tokio::test]
    async fn a_bug_in_one_costs_no_thread() {
        let threads = Threads::new(1);
        let bug: Result<(), _> = threads.run(|| panic!("as asked for")).await;
        assert_eq!(bug, Err(StoreError::Closed));
        assert_eq!(threads.run(|| 1).await, Ok(1));
        assert_eq!(threads.started(), 1);
    }
}
