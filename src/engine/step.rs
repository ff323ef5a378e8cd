//! One attempt at one step.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::Engine;
use crate::clock;
use crate::job::StepEnd;
use crate::step::{Context, Done, Step};

/// Executes the step once. Every failure, a bug of the step's kind included, is an end. No secret leaves it.
pub(super) async fn attempt(engine: &Engine, step: &Step, context: &Context<'_>) -> Done {
    let mut done = bounded(engine, step, context).await;
    engine.secrets.scrub_done(&mut done);
    done
}

async fn bounded(engine: &Engine, step: &Step, context: &Context<'_>) -> Done {
    // Boxed: the largest kind's future would lie in every run's, several times over.
    let work = AssertUnwindSafe(Box::pin(step.kind.run(context))).catch_unwind();
    let ended = if step.kind.ends_itself() {
        work.await
    } else {
        match clock::timeout(engine.clock.as_ref(), step.timeout, work).await {
            Ok(ended) => ended,
            Err(_) => {
                let seconds = step.timeout.as_secs_f64();
                return Done::end(StepEnd::Failed(format!(
                    "no end within its timeout of {seconds} s"
                )));
            }
        }
    };
    match ended {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Done {
            end: StepEnd::Failed(error.message),
            detail: error.detail,
            calls: error.calls,
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
