//! `reveille backup FILE`

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::out::{self, outln};
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The file to make
    pub(super) file: PathBuf,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let Some(store) = context.existing_store()? else {
        let what = format!("there is no database in {}", context.state.display());
        return Err(Error::usage(what).hint("nothing ran yet; `--state DIR` names another folder"));
    };
    match (out::client(), &context.lent) {
        // The client makes the file, with its own rights: the daemon's reach further.
        (Some(client), Some(lent)) => {
            let made = lent.state.join(format!("backup-{}", lent.clock.id()));
            store.backup(&made).map_err(Error::from)?;
            let sent = client.file(&made);
            let _ = std::fs::remove_file(&made);
            sent.map_err(|error| Error::job(format!("the copy cannot be read: {error}")))?;
        }
        _ => store.backup(&arguments.file).map_err(Error::from)?,
    }
    outln!("{}", arguments.file.display());
    Ok(0)
}
