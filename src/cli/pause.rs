//! `reveille pause JOB`, `reveille resume JOB`

use clap::Args;

use super::context::Context;
use super::moment::{coming, shown};
use super::out::outln;
use crate::error::Error;
use crate::store::{Mode, StoreError};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The job
    job: String,

    /// When it goes on by itself, as "tomorrow 7:00" or "2026-11-27"
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The job
    job: String,
}

/// Lets the triggers of a job rest: by hand it still runs.
pub(super) fn pause(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let job = context.known_job(&config, &folder, &arguments.job)?;
    let (now, zone) = (context.clock.now(), config.settings.timezone);
    let until = match &arguments.until {
        Some(text) => Some(coming(text, now, zone)?),
        None => None,
    };
    let store = context.open_store(Mode::Inline)?;
    wait(store.pause(&job.name, until))?;
    match until {
        Some(until) => outln!(
            "`{}` is paused until {}",
            job.name,
            shown(until, zone, zone)
        ),
        None => outln!(
            "`{}` is paused until `reveille resume {}`",
            job.name,
            job.name
        ),
    }
    Ok(0)
}

/// Ends the rest of a job.
pub(super) fn resume(context: &Context, arguments: &ResumeArguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let job = context.known_job(&config, &folder, &arguments.job)?;
    let zone = config.settings.timezone;
    let rested = match context.existing_store()? {
        Some(store) => wait(store.resume(&job.name))?,
        None => None,
    };
    match rested {
        Some(pause) => outln!(
            "`{}` goes on; it was paused since {}",
            job.name,
            shown(pause.since, zone, zone)
        ),
        None => outln!("`{}` was not paused", job.name),
    }
    Ok(0)
}

/// A store without threads answers on the spot.
fn wait<T>(write: impl Future<Output = Result<T, StoreError>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Error::bug(format!("cannot start: {error}")))?;
    runtime.block_on(write).map_err(Error::from)
}
