//! Who is alive: each executing process holds a lock file, which the kernel lets go when the process ends.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use uuid::Uuid;

use super::StoreError;
use crate::error::Error;

const FOLDER: &str = "locks";
const DAEMON: &str = "daemon";
const OPENING: &str = "opening";

/// Why a lock was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// A daemon runs on this state folder already.
    #[error("a daemon runs on this state already (process {pid})")]
    Held {
        /// Its process id; 0 when it has not written it yet.
        pid: u32,
    },
    /// The lock file could not be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Error::usage(&error)
                .hint("stop it first, or name another state folder with --state"),
            LockError::Store(error) => error.into(),
        }
    }
}

/// A held lock file: dropping it removes the file, and a process that dies leaves it behind, free.
#[derive(Debug)]
pub struct ProcessLock {
    name: String,
    path: PathBuf,
    file: File,
}

impl ProcessLock {
    /// Takes the lock of one life of one process; `id` is new for each life.
    pub fn acquire(folder: &Path, id: Uuid) -> Result<Self, LockError> {
        take(folder, &id.to_string())
    }

    /// The name that a run's `owner` column holds.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // Removed while it is still locked, so that nobody ever sees a clean end as a free lock file.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// Takes the lock that only one daemon on a state folder can have.
///
/// # Errors
/// [`LockError::Held`] with the process id of the daemon that has it.
pub fn daemon(folder: &Path) -> Result<ProcessLock, LockError> {
    take(folder, DAEMON)
}

/// The process id of the daemon that runs on this state folder; 0 when only that cannot be found out.
pub fn daemon_pid(folder: &Path) -> Option<u32> {
    holder(&folder.join(FOLDER).join(DAEMON)).pid()
}

/// Whether there is no process with this id, as far as this one can see.
pub fn is_gone(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

/// Whether the process that took the lock `name` has ended; not where that cannot be found out.
pub fn is_free(folder: &Path, name: &str) -> bool {
    holder(&folder.join(FOLDER).join(name)) == Holder::Nobody
}

/// The lock files that dead processes left behind.
pub(super) fn orphans(folder: &Path) -> Vec<PathBuf> {
    let lives = entries(folder).filter(|path| !path.ends_with(DAEMON));
    lives
        .filter(|path| holder(path) == Holder::Nobody)
        .collect()
}

/// Removes lock files that [`orphans`] found, unless somebody took them since.
pub(super) fn sweep(orphans: &[PathBuf]) {
    for path in orphans {
        if let Ok(file) = File::open(path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// The process id of some other process that is alive on this folder, 0 where that cannot be found out.
pub(super) fn other(folder: &Path) -> Option<u32> {
    let own = std::process::id();
    entries(folder)
        .filter_map(|path| holder(&path).pid())
        .find(|pid| *pid != own)
}

/// Waits for the lock under which a database is created or set aside.
pub(super) fn opening(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(OPENING);
    let file = open(&path)?;
    file.lock()
        .map_err(|error| StoreError::file("lock", &path, &error))?;
    Ok(file)
}

/// Makes the state folder and the one in it that the lock files lie in. What is in there is the owner's alone:
/// calendars, prompts, answers.
pub(super) fn prepare(folder: &Path) -> Result<(), StoreError> {
    let locks = folder.join(FOLDER);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&locks);
    made.map_err(|error| StoreError::file("create", &locks, &error))
}

fn take(folder: &Path, name: &str) -> Result<ProcessLock, LockError> {
    prepare(folder)?;
    let path = folder.join(FOLDER).join(name);
    loop {
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            // Somebody only looks, in `holder`: a look is shared and over at once.
            Err(TryLockError::WouldBlock) if file.try_lock_shared().is_ok() => continue,
            Err(TryLockError::WouldBlock) => match read_pid(&mut file) {
                // Somebody sweeps, or has not said yet who he is: both are over at once.
                0 => {
                    std::thread::yield_now();
                    continue;
                }
                pid => return Err(LockError::Held { pid }),
            },
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::file("lock", &path, &error).into());
            }
        }
        // Between opening and locking, a sweep or the last holder may have removed the file.
        if !is_at(&file, &path) {
            continue;
        }
        write_pid(&mut file).map_err(|error| StoreError::file("write", &path, &error))?;
        let name = name.to_owned();
        return Ok(ProcessLock { name, path, file });
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options
        .open(path)
        .map_err(|error| StoreError::file("create", path, &error))
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder.join(FOLDER)).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Who has a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Nobody,
    /// The process with this id; 0 when it has not written it yet.
    Process(u32),
    /// The file could not be opened or asked: somebody may have it.
    Unknown,
}

impl Holder {
    fn pid(self) -> Option<u32> {
        match self {
            Holder::Nobody => None,
            Holder::Process(pid) => Some(pid),
            Holder::Unknown => Some(0),
        }
    }
}

fn holder(path: &Path) -> Holder {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Holder::Nobody,
        Err(_) => return Holder::Unknown,
    };
    match file.try_lock_shared() {
        Ok(()) => Holder::Nobody,
        Err(TryLockError::WouldBlock) => Holder::Process(read_pid(&mut file)),
        Err(TryLockError::Error(_)) => Holder::Unknown,
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

fn read_pid(file: &mut File) -> u32 {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    text.trim().parse().unwrap_or(0)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
