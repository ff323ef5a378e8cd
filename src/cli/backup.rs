//! `reveille backup FILE`

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::out::outln;
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The file to make
    file: PathBuf,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let Some(store) = context.existing_store()? else {
        let what = format!("there is no database in {}", context.state.display());
        return Err(Error::usage(what).hint("nothing ran yet; `--state DIR` names another folder"));
    };
    store.backup(&arguments.file).map_err(Error::from)?;
    outln!("{}", arguments.file.display());
    Ok(0)
}
