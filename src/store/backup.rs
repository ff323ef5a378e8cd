//! A copy of the database while it is in use.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::check::quick_check;
use super::open::{connect, create_new, publish, sync, with_suffix};
use super::{Store, StoreError};

impl Store {
    /// Writes the state of this moment to `file`, checked and durable, while others go on writing.
    /// It blocks for as long as reading the database twice takes.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is a `file` already; on any error nothing is left at its place.
    pub fn backup(&self, file: &Path) -> Result<(), StoreError> {
        if file.exists() {
            return Err(StoreError::Exists(file.to_path_buf()));
        }
        let partial = with_suffix(file, &format!(".{}.partial", self.new_id()));
        let made = copy(self.path(), &partial).and_then(|()| publish(&partial, file));
        if made.is_err() {
            let _ = fs::remove_file(&partial);
        }
        made
    }
}

/// A copy that arrives piece by piece, for a file that is not there yet: whole and durable, or not there.
#[derive(Debug)]
pub struct Incoming {
    file: PathBuf,
    partial: PathBuf,
    writer: File,
}

impl Incoming {
    /// Begins beside `file`.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is a `file` already.
    pub fn create(file: &Path) -> Result<Self, StoreError> {
        if file.exists() {
            return Err(StoreError::Exists(file.to_path_buf()));
        }
        let partial = with_suffix(file, &format!(".{}.partial", std::process::id()));
        let made = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial);
        let writer = made.map_err(|error| StoreError::file("create", &partial, &error))?;
        Ok(Incoming {
            file: file.to_path_buf(),
            partial,
            writer,
        })
    }

    /// The next piece.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.writer.write_all(bytes);
        written.map_err(|error| StoreError::file("write", &self.partial, &error))
    }

    /// It is whole: moves it to its place.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if somebody else made the file meanwhile.
    pub fn publish(self) -> Result<(), StoreError> {
        let synced = self.writer.sync_all();
        synced.map_err(|error| StoreError::file("sync", &self.partial, &error))?;
        publish(&self.partial, &self.file)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Once published it is not there any more.
        let _ = fs::remove_file(&self.partial);
    }
}

/// In one step, so on one snapshot: with several, each commit of another process would start it anew
/// (<https://sqlite.org/backup.html>).
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    create_new(to)?;
    let source = connect(from)?;
    let mut target = Connection::open(to)?;
    target.execute_batch("PRAGMA synchronous = OFF;")?;
    match Backup::new(&source, &mut target)?.step(-1)? {
        StepResult::Done => {}
        _ => return Err(StoreError::Locked),
    }
    // One file that any medium can hold: the log mode would want to write beside it.
    target.execute_batch("PRAGMA journal_mode = DELETE;")?;
    quick_check(&target)?;
    drop(target);
    sync(to)
}
