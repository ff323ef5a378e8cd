//! What a simulation does to a store without threads: lets others go first, fails, ends the process.

use std::cell::RefCell;
use std::future::pending;

use super::StoreError;

/// Where a store is when it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// Before a read.
    Read,
    /// Before a commit.
    Commit,
    /// After one.
    Committed,
}

/// What happens there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Others go first, so many times.
    Wait(u32),
    /// It cannot be done; after a commit that is too late.
    Fail(StoreError),
    /// The process is dead: nothing of it goes on.
    Death,
}

type Chooser = Box<dyn FnMut(Point) -> Fault>;

thread_local! {
    static CHOOSER: RefCell<Option<Chooser>> = const { RefCell::new(None) };
}

/// From now on `chooser` says what happens to the stores of this thread.
pub(crate) fn choose(chooser: Option<Chooser>) {
    CHOOSER.set(chooser);
}

pub(super) async fn meet(point: Point) -> Result<(), StoreError> {
    let fault = CHOOSER.with_borrow_mut(|chooser| chooser.as_mut().map(|choose| choose(point)));
    match fault {
        None => Ok(()),
        Some(Fault::Wait(times)) => {
            for _ in 0..times {
                tokio::task::yield_now().await;
            }
            Ok(())
        }
        Some(Fault::Fail(error)) => Err(error),
        Some(Fault::Death) => pending().await,
    }
}
