//! This program once more, for another verb.

use std::path::Path;
use std::process::Command;

use crate::error::Error;

/// Runs a verb on the same folder and state; gives its exit code.
pub(super) fn run(dir: Option<&Path>, state: Option<&Path>, words: &[&str]) -> Result<u8, Error> {
    let program =
        std::env::current_exe().map_err(|error| Error::bug(format!("no program: {error}")))?;
    let mut command = Command::new(program);
    if let Some(dir) = dir {
        command.arg("--dir").arg(dir);
    }
    if let Some(state) = state {
        command.arg("--state").arg(state);
    }
    let status = command.args(words).status();
    let status = status.map_err(|error| Error::bug(format!("cannot start itself: {error}")))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}
