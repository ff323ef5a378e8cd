//! Looks for damage beside the work, and leaves word of it for the next start.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use tokio::sync::watch;

use super::open::{connect, with_suffix};
use super::{FILE, StoreError, lock};

/// How the look for damage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// The last process ended as it should: there is no reason to look.
    NotNeeded,
    /// It is under way.
    Running,
    /// Every page is sound.
    Passed,
    /// It found this; the next start sets the file aside.
    Damaged(String),
    /// It could not be made.
    NotMade(StoreError),
}

/// Runs the check once, in a thread and on a connection of its own.
#[derive(Debug, Clone)]
pub(super) struct Checker {
    folder: PathBuf,
    begun: Arc<AtomicBool>,
    state: watch::Sender<CheckState>,
}

impl Checker {
    pub(super) fn new(folder: &Path) -> Self {
        Checker {
            folder: folder.to_path_buf(),
            begun: Arc::default(),
            state: watch::Sender::new(CheckState::NotNeeded),
        }
    }

    /// Begins, unless it has begun already.
    pub(super) fn begin(&self) {
        if self.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        self.state.send_replace(CheckState::Running);
        let checker = self.clone();
        let thread = std::thread::Builder::new().name("store-check".to_owned());
        if let Err(error) = thread.spawn(move || checker.run()) {
            let error = StoreError::Disk(format!("cannot start a thread: {error}"));
            self.state.send_replace(CheckState::NotMade(error));
        }
    }

    /// How it stands now.
    pub(super) fn state(&self) -> CheckState {
        self.state.borrow().clone()
    }

    /// How it ended, once it has.
    pub(super) async fn ended(&self) -> CheckState {
        let mut states = self.state.subscribe();
        let ended = states.wait_for(|state| *state != CheckState::Running).await;
        ended.expect("the sender is in self").clone()
    }

    fn run(self) {
        // The reason to look goes away with its finding, and not before: a stop in between looks again.
        let orphans = lock::orphans(&self.folder);
        let state = match connect(&self.folder.join(FILE)).and_then(|own| quick_check(&own)) {
            Ok(()) => {
                lock::sweep(&orphans);
                CheckState::Passed
            }
            Err(StoreError::Damaged(why)) => match leave_marker(&self.folder, &why) {
                Ok(()) => CheckState::Damaged(why),
                Err(error) => CheckState::NotMade(error),
            },
            Err(error) => CheckState::NotMade(error),
        };
        self.state.send_replace(state);
    }
}

/// Reads every page of a database (<https://sqlite.org/pragma.html#pragma_quick_check>).
pub(super) fn quick_check(connection: &Connection) -> Result<(), StoreError> {
    let finding: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match finding.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Damaged(finding.replace('\n', " "))),
    }
}

#[cfg(test)]
impl super::Reader<'_> {
    /// Reads every page and every index entry (<https://sqlite.org/pragma.html#pragma_integrity_check>).
    pub fn integrity(&self) -> Result<(), StoreError> {
        let sql = "PRAGMA integrity_check";
        let finding: String = self.connection.query_row(sql, [], |row| row.get(0))?;
        match finding.as_str() {
            "ok" => Ok(()),
            _ => Err(StoreError::Damaged(finding)),
        }
    }
}

/// What the last check found, if it was bad.
pub(super) fn marker(folder: &Path) -> Option<String> {
    let bytes = fs::read(marker_path(folder)).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn clear_marker(folder: &Path) -> Result<(), StoreError> {
    let path = marker_path(folder);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::file("remove", &path, &error))
        }
        _ => Ok(()),
    }
}

fn leave_marker(folder: &Path, why: &str) -> Result<(), StoreError> {
    let path = marker_path(folder);
    fs::write(&path, why).map_err(|error| StoreError::file("write", &path, &error))
}

fn marker_path(folder: &Path) -> PathBuf {
    with_suffix(&folder.join(FILE), ".damage-found")
}
