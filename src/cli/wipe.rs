//! Everything that is known of people, given to them or made away with: `reveille export-me`, `reveille wipe`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::out::outln;
use crate::error::Error;
use crate::store::{FILE, lock};

#[derive(Debug, Args)]
pub struct ExportMe {
    /// The folder to make
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct Wipe {
    /// Everything: runs, messages, memories, the owner, files of the workspace
    #[arg(long, required = true)]
    all: bool,

    /// Do it
    #[arg(long)]
    yes: bool,
}

/// The folders that a state has.
const OURS: &[&str] = &["locks", "workspace"];

pub(super) fn export_me(context: &Context, arguments: &ExportMe) -> Result<u8, Error> {
    let Some(store) = context.existing_store()? else {
        let what = format!("there is no database in {}", context.state.display());
        return Err(Error::usage(what).hint("nothing ran yet; `--state DIR` names another folder"));
    };
    let folder = &arguments.folder;
    let made = fs::DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::usage(format!("{} is there already", folder.display()))
            .hint("name a folder that is not there yet: it is made, for nobody else to read"),
        _ => cannot("make", folder, &error),
    })?;
    let mut tables: BTreeMap<String, String> = BTreeMap::new();
    let dumped = store.read_now(|reader| {
        reader.dump(|table, row: Value| {
            let text = tables.entry(table.to_owned()).or_default();
            text.push_str(&format!("{row}\n"));
        })
    });
    dumped.map_err(Error::from)?;
    for (table, text) in tables {
        write(&folder.join(format!("{table}.jsonl")), text.as_bytes())?;
    }
    let workspace = context.state.join("workspace");
    if workspace.exists() {
        copy(&workspace, &folder.join("workspace"))?;
    }
    outln!("{}", folder.display());
    Ok(0)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut options = fs::File::options();
    options.write(true).create_new(true).mode(0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| cannot("write", path, &error))
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let made = fs::DirBuilder::new().mode(0o700).create(to);
    made.map_err(|error| cannot("make", to, &error))?;
    let entries = fs::read_dir(from).map_err(|error| cannot("read", from, &error))?;
    for entry in entries.flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry
            .file_type()
            .map_err(|error| cannot("read", &path, &error))?;
        // A link leads elsewhere, and what is there is not ours.
        if kind.is_dir() {
            copy(&path, &target)?;
        } else if kind.is_file() {
            let bytes = fs::read(&path).map_err(|error| cannot("read", &path, &error))?;
            write(&target, &bytes)?;
        }
    }
    Ok(())
}

pub(super) fn wipe(context: &Context, arguments: &Wipe) -> Result<u8, Error> {
    debug_assert!(arguments.all, "it is required");
    let state = &context.state;
    if !state.join(FILE).exists() {
        let what = format!("there is no database in {}", state.display());
        return Err(Error::usage(what).hint("nothing ran yet; `--state DIR` names another folder"));
    }
    // A folder that holds somebody's jobs, or his whole home, is not only state.
    let entries = fs::read_dir(state).map_err(|error| cannot("read", state, &error))?;
    let foreign = entries.flatten().find(|entry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_folder && !OURS.iter().any(|ours| entry.file_name() == *ours)
    });
    if let Some(foreign) = foreign {
        let what = format!(
            "{} is more than a state: it holds {}",
            state.display(),
            foreign.file_name().display()
        );
        let hint = "move that away, or remove reveille.db and workspace/ yourself";
        return Err(Error::usage(what).hint(hint));
    }
    if !arguments.yes {
        let what = format!(
            "everything in {} would go: runs, messages, memories, the owner, files",
            state.display()
        );
        return Err(
            Error::usage(what).hint("`reveille export-me FOLDER` keeps a copy; `--yes` does it")
        );
    }
    // Nobody may begin to write while it goes.
    let lock = lock::daemon(state).map_err(|error| {
        Error::usage(error.to_string()).hint("stop the daemon first: `systemctl stop reveille`")
    })?;
    let entries = fs::read_dir(state).map_err(|error| cannot("read", state, &error))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let gone = match is_folder {
            // The lock is held until the end.
            true if entry.file_name() == "locks" => continue,
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        gone.map_err(|error| cannot("remove", &path, &error))?;
    }
    drop(lock);
    outln!("everything in {} is gone", state.display());
    Ok(0)
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::usage(format!("cannot {what} {}: {error}", path.display()))
}
