//! `reveille cancel RUN`

use clap::Args;

use super::context::Context;
use super::out::outln;
use super::show::parse;
use crate::error::Error;
use crate::job::{RunId, RunState};
use crate::store::lock;
use crate::store::{Mode, RunUpdate, StoreError};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The run's number, as 12 or #12
    run: String,
}

/// Stops a run that is under way in the daemon, or that waits.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let run = parse(&arguments.run)?;
    let during = match &context.lent {
        Some(lent) => context.block_on(lent.intake.cancel(run))??,
        None => {
            waiting(context, run)?;
            None
        }
    };
    match during {
        Some(step) => outln!(
            "run {run} is cancelled; step `{step}` was under way, and may have had its effect"
        ),
        None => outln!("run {run} is cancelled"),
    }
    Ok(0)
}

/// Without a daemon, only what nobody has can be stopped.
fn waiting(context: &Context, run: RunId) -> Result<(), Error> {
    let store = context.open_store(Mode::Inline)?;
    let story = store.read_now(|reader| reader.run(run))?;
    let story = story.ok_or(StoreError::UnknownRun(run))?;
    if let Some(owner) = &story.row.owner
        && !lock::is_free(&context.state, owner)
    {
        let what = format!("run {run} is another process's");
        return Err(Error::usage(what).hint("stop it there, with Ctrl-C"));
    }
    let update = RunUpdate {
        state: Some(RunState::Finished(crate::job::Outcome::Cancelled)),
        ..RunUpdate::of(run)
    };
    context.block_on(store.record(update))??;
    Ok(())
}
