//! `reveille run JOB`

use std::time::Duration;

use clap::Args;

use super::by_hand::{ByHand, by_hand, engine};
use super::context::Context;
use super::follow::{Asked, Place, Printed, follow};
use super::out::{calm, errln};
use super::rehearse;
use crate::clock::timeout;
use crate::config::Config;
use crate::config::folder::Folder;
use crate::engine::{self, Deliver, Engine, Late};
use crate::error::Error;
use crate::store::lock::ProcessLock;
use crate::store::{CheckState, Mode};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    by_hand: ByHand,

    #[command(flatten)]
    how: How,

    /// Keep what it finds and says beside the job, for `reveille test`
    #[arg(long)]
    pub(super) record: bool,
}

/// How a run by hand is executed.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Print what would be delivered, send nothing, and leave remembered positions where they are
    #[arg(long)]
    no_deliver: bool,

    /// The result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let job = context.job(&config, &folder, &arguments.by_hand.job)?;
    let event = by_hand(context, &config.settings, &job, &arguments.by_hand)?;
    let asked = Asked {
        job,
        event,
        steps: Vec::new(),
    };
    let name = asked.job.name.clone();
    let code = execute(context, folder, config, asked, &arguments.how)?;
    if arguments.record {
        rehearse::record_newest(context, &name)?;
    }
    Ok(code)
}

/// Executes a run that a person waits for, in the daemon where this is one; gives the exit code.
pub(super) fn execute(
    context: &Context,
    folder: Folder,
    config: Config,
    asked: Asked,
    how: &How,
) -> Result<u8, Error> {
    let printed = Printed::new(how.json);
    if let Some(lent) = &context.lent {
        let deliver = if how.no_deliver {
            Deliver::Hold
        } else {
            Deliver::Attend
        };
        let place = Place::Daemon(&lent.intake);
        return context.block_on(follow(context, place, asked, deliver, printed))?;
    }
    let deliver = if how.no_deliver {
        Deliver::Hold
    } else {
        Deliver::Send
    };
    let lock = ProcessLock::acquire(&context.state, context.clock.id());
    let lock = lock.map_err(Error::from)?;
    let store = context.open_store(Mode::Threaded)?;
    let engine = engine(context, folder, config, store, lock.name());
    context.block_on(async {
        let whole = async {
            tell_of_the_dead(context, &engine).await?;
            if deliver == Deliver::Send {
                send_left(context, &engine).await?;
            }
            follow(context, Place::Here(&engine), asked, deliver, printed).await
        };
        let code = whole.await;
        tend(context, &engine).await;
        code
    })?
}

async fn tell_of_the_dead(context: &Context, engine: &Engine) -> Result<(), Error> {
    for left in engine::recover(engine).await.map_err(Error::from)? {
        let warning = context.paint.warning("warning");
        errln!(
            "{warning}: run {} of `{}` was interrupted: {}",
            left.run,
            left.job,
            left.reason
        );
    }
    Ok(())
}

/// What dead processes had not sent goes out; what of it is for the terminal goes to stderr, for stdout is this run's.
async fn send_left(context: &Context, engine: &Engine) -> Result<(), Error> {
    let warning = context.paint.warning("warning");
    let mut tell = |late: Late<'_>| {
        let Late { run, job, message } = late;
        match run {
            Some(run) => errln!("{warning}: run {run} of `{job}` had not said:"),
            None => errln!("{warning}: not said so far:"),
        }
        errln!("{}", calm(message.text));
    };
    let unsent = engine::send_left(engine, &mut tell).await;
    for unsent in unsent.map_err(Error::from)? {
        errln!("{}: not delivered: {unsent}", context.paint.error("error"));
    }
    Ok(())
}

/// How long a person waits for a look for damage.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is due now and then: old runs go, and a look for damage is waited for.
async fn tend(context: &Context, engine: &Engine) {
    // Under `--now` nothing is old.
    if context.clock_is_real() {
        let retention = engine.loaded.settings.retention;
        if let Err(error) = engine.store.retain(retention).await {
            errln!(
                "{}: old runs were not removed: {error}",
                context.paint.warning("warning")
            );
        }
    }
    // A look at a large database goes on at the next start.
    let looked = timeout(engine.clock.as_ref(), PATIENCE, engine.store.check_ended()).await;
    if let Ok(CheckState::Damaged(found)) = looked {
        errln!(
            "{}: the database is damaged ({found}); it is set aside at the next start",
            context.paint.error("error")
        );
    }
}
