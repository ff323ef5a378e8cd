//! What can go wrong with the database, in words that name what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::error::Error;
use crate::job::{DeliveryId, RunId};

/// Why the store could not do what it was asked; after an error from a write nothing of it is
/// known to be committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space on the device that holds the state folder.
    #[error("the disk that holds the state is full")]
    Full,
    /// The state folder or the database cannot be written.
    #[error("the state in {0} cannot be written")]
    ReadOnly(PathBuf),
    /// Another process kept the database locked for longer than the wait.
    #[error("the database was locked by another process for too long")]
    Locked,
    /// The database's bytes contradict themselves.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The database is damaged, and a running process still has it open.
    #[error("the database is damaged ({why}) and process {pid} still has it open")]
    DamagedInUse {
        /// The process that holds a lock.
        pid: u32,
        /// What SQLite found.
        why: String,
    },
    /// A later version of the program wrote this file.
    #[error("{path} has schema version {found}; this program knows versions up to {known}")]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// A SQLite file, but not one of ours.
    #[error("{0} is a SQLite database of another program")]
    Foreign(PathBuf),
    /// What was to be made is there already.
    #[error("{0} exists already, and is not overwritten")]
    Exists(PathBuf),
    /// A file operation failed.
    #[error("cannot {doing} {path}: {reason}")]
    File {
        /// A verb, as in "cannot create".
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The device failed under the database.
    #[error("the disk failed under the database: {0}")]
    Disk(String),
    /// No run has this number.
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    /// A run that has its outcome is never changed.
    #[error("run {0} has finished already")]
    AlreadyFinished(RunId),
    /// The run is in other hands, or does not wait for any.
    #[error("run {0} was taken by another process")]
    Taken(RunId),
    /// This attempt at this step has its end already.
    #[error("attempt {attempt} at step {position} of run {run} is recorded already")]
    StepRecorded {
        /// The run.
        run: RunId,
        /// From 0.
        position: u32,
        /// From 1.
        attempt: u32,
    },
    /// The delivery is not in the outbox: unknown, or sent, failed or dropped before.
    #[error("delivery {} is not in the outbox", .0.0)]
    NotPending(DeliveryId),
    /// The writer is gone: the store was closed, or its thread panicked.
    #[error("the store is closed")]
    Closed,
    /// SQLite refused a statement.
    #[error("SQLite: {0}")]
    Sqlite(String),
}

impl StoreError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            StoreError::Full => {
                "free some space; what was committed is safe, and work goes on by itself"
            }
            StoreError::ReadOnly(_) => {
                "check the owner, the mode and the mount of the state folder, or name another one with --state"
            }
            StoreError::Locked => "see whether a backup tool or a `sqlite3` shell holds it",
            StoreError::Damaged(_) => {
                "the next start sets the file aside and begins a new one; a copy made by `reveille backup` can be put in its place"
            }
            StoreError::DamagedInUse { .. } => "stop that process first, then start again",
            StoreError::Newer { .. } => {
                "run the newer `reveille`, or restore the backup made before it was upgraded"
            }
            StoreError::Foreign(_) => "name another state folder with --state",
            StoreError::Exists(_) => "name a file that does not exist",
            StoreError::Disk(_) => {
                "look at the kernel's log (`dmesg`): the card or its connection may be failing"
            }
            StoreError::UnknownRun(_) => "`reveille history` lists the runs that are kept",
            StoreError::File { .. }
            | StoreError::AlreadyFinished(_)
            | StoreError::Taken(_)
            | StoreError::StepRecorded { .. }
            | StoreError::NotPending(_)
            | StoreError::Closed
            | StoreError::Sqlite(_) => return None,
        })
    }

    /// The error of a file operation, told apart where there is something particular to do.
    pub(super) fn file(doing: &'static str, path: &Path, error: &io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                StoreError::ReadOnly(path.to_path_buf())
            }
            _ => StoreError::File {
                doing,
                path: path.to_path_buf(),
                reason: error.to_string(),
            },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                StoreError::ReadOnly(PathBuf::from(super::FILE))
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(text),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => StoreError::Disk(text),
            _ => StoreError::Sqlite(text),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let shown = match error {
            StoreError::StepRecorded { .. } | StoreError::NotPending(_) | StoreError::Sqlite(_) => {
                Error::bug(&error)
            }
            _ => Error::usage(&error),
        };
        match error.hint() {
            Some(hint) => shown.hint(hint),
            None => shown,
        }
    }
}
