//! One thing that an installation does.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// One thing to do, with what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Writes a file, over an older one.
    Write {
        path: PathBuf,
        bytes: Vec<u8>,
        mode: u32,
        why: String,
    },
    /// Makes a folder and those above it.
    Folder {
        path: PathBuf,
        mode: u32,
        why: String,
    },
    /// Makes a symbolic link.
    Link {
        path: PathBuf,
        to: PathBuf,
        why: String,
    },
    /// Leaves something as it is.
    Keep { path: PathBuf, why: String },
    /// Runs a program to its end.
    Run { argv: Vec<String>, why: String },
}

impl Act {
    /// A program to run.
    pub(super) fn run(argv: &[&str], why: &str) -> Self {
        Act::Run {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            why: why.to_owned(),
        }
    }

    /// The line that says what it would do.
    pub(super) fn coming(&self) -> String {
        let doing = match self {
            Act::Write { .. } => "write",
            Act::Folder { .. } => "make",
            Act::Link { .. } => "link",
            Act::Keep { .. } => "keep",
            Act::Run { .. } => "run",
        };
        format!("would {doing:<5} {}", self.thing())
    }

    fn thing(&self) -> String {
        match self {
            Act::Write { path, why, .. }
            | Act::Folder { path, why, .. }
            | Act::Link { path, why, .. }
            | Act::Keep { path, why } => format!("{}: {why}", path.display()),
            Act::Run { argv, why } => format!("{}: {why}", argv.join(" ")),
        }
    }

    /// Does it; gives the line that says so.
    pub(super) fn perform(&self) -> Result<String, Error> {
        let done = match self {
            Act::Write {
                path, bytes, mode, ..
            } => {
                write(path, bytes, *mode).map_err(|error| failed("write", path, &error))?;
                "wrote"
            }
            Act::Folder { path, mode, .. } => {
                let made = DirBuilder::new().recursive(true).mode(*mode).create(path);
                made.map_err(|error| failed("make", path, &error))?;
                "made"
            }
            Act::Link { path, to, .. } => {
                link(path, to).map_err(|error| failed("link", path, &error))?;
                "linked"
            }
            Act::Keep { .. } => "kept",
            Act::Run { argv, .. } => {
                start(argv)?;
                "ran"
            }
        };
        Ok(format!("{done:<6} {}", self.thing()))
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    Error::usage(format!("cannot {doing} {}: {error}", path.display()))
        .hint("what was done so far is above; doing it again is safe")
}

/// Whole or not at all: a running program cannot be written over, but its name can be taken.
fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    fs::write(&new, bytes)
        .and_then(|()| fs::set_permissions(&new, Permissions::from_mode(mode)))
        .and_then(|()| fs::rename(&new, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })
}

fn link(path: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match symlink(to, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        ended => ended,
    }
}

fn start(argv: &[String]) -> Result<(), Error> {
    let shown = argv.join(" ");
    let [program, arguments @ ..] = argv else {
        return Ok(());
    };
    let ended = Command::new(program).args(arguments).output();
    let output = ended.map_err(|error| {
        Error::usage(format!("cannot run {shown}: {error}"))
            .hint("what was done so far is above; doing it again is safe")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it did not say why");
    Err(Error::usage(format!("{shown} failed: {said}"))
        .hint("`journalctl -n 20 -u reveille` (--user) says more; doing it again is safe"))
}
