//! One attempt at one step.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Engine;
use super::items::each;
use crate::clock::{self, Clock};
use crate::job::StepEnd;
use crate::step::{Context, Done, Kind, Step, StepError};

#[cfg(test)]
use super::tests::simulation;

/// Executes the step once. Every failure, a bug of the step's kind included, is an end. No secret leaves it.
pub(super) async fn attempt(engine: &Engine, step: &Step, context: &Context<'_>) -> Done {
    let mut done = match &step.for_each {
        Some(expression) => Box::pin(each(engine, step, expression, context)).await,
        None => bounded(engine, step, context).await,
    };
    engine.loaded.secrets.scrub_done(&mut done);
    done
}

pub(super) async fn bounded(engine: &Engine, step: &Step, context: &Context<'_>) -> Done {
    #[cfg(test)]
    let _busy = match simulation::stands_in(step, context) {
        simulation::Does::Instead(work) => return work.await,
        simulation::Does::Itself(busy) => busy,
    };
    if let Kind::Set(set) = &step.kind {
        return settled(async { set.run(context) }).await;
    }
    // As large as the largest kind, which is no burden for the stack of every run.
    // A type of its own here: what it is made of goes many levels deep.
    let work: BoxFuture<'_, Done> = Box::pin(settled(step.kind.run(context)));
    if step.kind.ends_itself() {
        return work.await;
    }
    within(engine.clock.as_ref(), step.timeout, work).await
}

/// The end of `work`, or that it had none within `limit`.
async fn within(clock: &dyn Clock, limit: Duration, work: impl Future<Output = Done>) -> Done {
    let ended = clock::timeout(clock, limit, work).await;
    ended.unwrap_or_else(|_| {
        let seconds = limit.as_secs_f64();
        let reason = format!("no end within its timeout of {seconds} s");
        Done::end(StepEnd::Failed(reason))
    })
}

/// Errors and panics as ends.
async fn settled(work: impl Future<Output = Result<Done, StepError>>) -> Done {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Done {
            end: StepEnd::Failed(error.message),
            detail: error.detail,
            cursors: Vec::new(),
        },
        Err(panic) => {
            let said = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Done::end(StepEnd::Failed(format!("a bug in the step's kind: {said}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use chrono::DateTime;

    use super::*;
    use crate::clock::TestClock;

    #[tokio::test]
    async fn work_without_an_end_ends_at_its_limit() {
        let clock = TestClock::at(DateTime::UNIX_EPOCH);
        let limit = Duration::from_millis(2500);
        let (done, ()) = tokio::join!(within(&clock, limit, pending()), async {
            clock.sleeping(1).await;
            clock.advance(limit);
        });
        let reason = "no end within its timeout of 2.5 s".to_owned();
        assert_eq!(done.end, StepEnd::Failed(reason));
    }
}
