//! A copy of the database while it is in use.

use std::fs;
use std::path::Path;

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
