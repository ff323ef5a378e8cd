//! From a folder to an open database: found, created whole, or a damaged one set aside.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, CWD, RenameFlags, access, renameat_with};
use rustix::io::Errno;

use super::{FILE, Notice, StoreError, check, lock, schema};

/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database in `folder` for writing.
pub(super) fn open(
    folder: &Path,
    now: DateTime<Utc>,
) -> Result<(Connection, Vec<Notice>), StoreError> {
    lock::prepare(folder)?;
    access(folder, Access::WRITE_OK)
        .map_err(|error| StoreError::file("write in", folder, &error.into()))?;
    if let Found::Usable(connection) = find(folder)? {
        return Ok((connection, Vec::new()));
    }
    let _guard = lock::opening(folder)?;
    // Looked at again: another process may have put it right while this one waited.
    let notices = match find(folder)? {
        Found::Usable(connection) => return Ok((connection, Vec::new())),
        Found::Missing => Vec::new(),
        Found::Damaged(why) => vec![set_aside(folder, why, now)?],
    };
    let path = folder.join(FILE);
    create(&path)?;
    Ok((connect(&path)?, notices))
}

/// Opens an existing database of ours.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // The log stays when a process ends: the next one need not make it anew (three syncs of an SD
    // card for each `reveille run`). It is folded in every thousand pages, and by `Store::close`.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Else a kept statement is prepared anew for each value, in case that another plan were better for it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Half a megabyte of pages, for the system keeps the file's pages too.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = 8388608;
         PRAGMA cache_size = -512;",
    )?;
    schema::bring_up(&mut connection, path)?;
    Ok(connection)
}

enum Found {
    Usable(Connection),
    Missing,
    Damaged(String),
}

fn find(folder: &Path) -> Result<Found, StoreError> {
    let path = folder.join(FILE);
    if let Some(why) = check::marker(folder) {
        return Ok(Found::Damaged(why));
    }
    match fs::metadata(&path) {
        // Only this one is missing: of any other nothing is known, so nothing may take its place.
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::file("look at", &path, &error))
        }
        // A log would be played into whatever file takes the place of its own.
        Err(_) if with_suffix(&path, "-wal").exists() => {
            Ok(Found::Damaged("only its log is left".to_owned()))
        }
        Err(_) => Ok(Found::Missing),
        Ok(metadata) if metadata.len() == 0 => Ok(Found::Damaged("it is empty".to_owned())),
        Ok(_) => match connect(&path) {
            Ok(connection) => Ok(Found::Usable(connection)),
            Err(StoreError::Damaged(why)) => Ok(Found::Damaged(why)),
            Err(error) => Err(error),
        },
    }
}

/// Makes a new database beside its place and moves it there whole: nobody ever sees half of one.
fn create(path: &Path) -> Result<(), StoreError> {
    let new = with_suffix(path, ".new");
    let made = fill(&new).and_then(|()| publish(&new, path));
    if made.is_err() {
        let _ = fs::remove_file(&new);
    }
    made
}

fn fill(new: &Path) -> Result<(), StoreError> {
    // One that a process left when it died in here.
    let _ = fs::remove_file(new);
    create_new(new)?;
    let mut connection = Connection::open(new)?;
    // One sync at the end does for all of it.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    schema::create(&mut connection)?;
    connection.execute_batch("PRAGMA journal_mode = WAL;")?;
    drop(connection);
    sync(new)
}

/// Moves a damaged database and its log out of the way, the log first: beside a new database it would be
/// taken for that one's.
fn set_aside(folder: &Path, why: String, now: DateTime<Utc>) -> Result<Notice, StoreError> {
    if let Some(pid) = lock::other(folder) {
        return Err(StoreError::DamagedInUse { pid, why });
    }
    let path = folder.join(FILE);
    let file = match half_aside(folder) {
        Some(file) => file,
        None => free_name(&path, now),
    };
    for suffix in ["-wal", "-shm", ""] {
        let from = with_suffix(&path, suffix);
        if from.exists() {
            rename(&from, &with_suffix(&file, suffix))?;
        } else if suffix.is_empty() {
            // An empty one stands beside a log that was alone, so that no later database is taken for its own.
            create_new(&file)?;
        }
    }
    sync_folder(&path)?;
    check::clear_marker(folder)?;
    Ok(Notice::SetAside { file, why })
}

/// Where the log of this database went when a process died between the two: under the same name goes the rest.
fn half_aside(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(FILE);
    if with_suffix(&path, "-wal").exists() || !path.exists() {
        return None;
    }
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let logs = names.filter(|name| name.starts_with(&format!("{FILE}.damaged-")));
    logs.filter_map(|name| Some(folder.join(name.strip_suffix("-wal")?)))
        .find(|file| !file.exists())
}

/// A name that no damaged database has, nor its log.
fn free_name(path: &Path, now: DateTime<Utc>) -> PathBuf {
    let stamp = now.format(".damaged-%Y%m%dT%H%M%SZ");
    let names = (1..).map(|number| match number {
        1 => with_suffix(path, &stamp.to_string()),
        _ => with_suffix(path, &format!("{stamp}-{number}")),
    });
    let taken = |file: &PathBuf| file.exists() || with_suffix(file, "-wal").exists();
    let mut free = names.into_iter().filter(|file| !taken(file));
    free.next().expect("some number is not taken")
}

/// Makes an empty file that is the owner's alone, whoever made the folder; SQLite gives its log the same mode.
pub(super) fn create_new(path: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.map(drop)
        .map_err(|error| StoreError::file("create", path, &error))
}

/// Moves a finished file to its place, durably, unless something is there.
///
/// # Errors
/// [`StoreError::Exists`].
pub(super) fn publish(made: &Path, path: &Path) -> Result<(), StoreError> {
    match renameat_with(CWD, made, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Err(StoreError::Exists(path.to_path_buf())),
        // FAT and some network file systems do not know the flag.
        Err(Errno::INVAL) if fs::symlink_metadata(path).is_err() => rename(made, path)?,
        Err(error) => return Err(StoreError::file("rename", made, &error.into())),
    }
    sync_folder(path)
}

/// Makes a file's bytes durable. Never for a database that this process has open: closing any
/// descriptor of a file drops the process's POSIX locks on it, SQLite's included.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::file("sync", path, &error))
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync(folder),
        _ => sync(Path::new(".")),
    }
}

/// `path` with `suffix` after its whole name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|error| StoreError::file("rename", from, &error))
}
