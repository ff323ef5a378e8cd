//! `reveille init DIR`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::out::outln;
use crate::config::examples::{EXAMPLES, GITIGNORE};
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder to make
    dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let root = &arguments.dir;
    write_all(root)?;
    let shown = root.display();
    outln!("A working example is in {shown}:");
    outln!("  config/reveille.toml   models, calendars, Telegram");
    outln!("  jobs/                  what runs, and when");
    outln!("  prompts/               how it is worded");
    outln!("Next: reveille --dir {shown} run daily-briefing");
    Ok(0)
}

/// Writes the example into a folder that has nothing of it.
pub(super) fn write_all(root: &Path) -> Result<(), Error> {
    let files = || EXAMPLES.iter().copied().chain([(".gitignore", GITIGNORE)]);
    if let Some((name, _)) = files().find(|(name, _)| root.join(name).exists()) {
        let what = format!("{} is there already", root.join(name).display());
        return Err(Error::usage(what).hint("name a new folder; nothing was written"));
    }
    for (name, text) in files() {
        write(&root.join(name), text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error| Error::usage(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
