//! The only SQL: one file `reveille.db`, one writer that commits in groups, readers beside it.
//!
//! A write is answered once it is on the disk (WAL, `synchronous = FULL`). Several processes may use one
//! folder: SQLite's locks order their writes, and [`lock`] tells which of them are alive.

mod accept;
mod alert;
mod backup;
mod check;
mod cursor;
mod delivery;
#[cfg(debug_assertions)]
mod die;
mod dump;
mod entries;
mod error;
#[cfg(test)]
pub(crate) mod faults;
mod gather;
mod history;
mod ledger;
pub mod lock;
mod memory;
mod open;
mod outbox;
mod pause;
mod reader;
mod recovery;
mod retain;
mod run;
mod schema;
mod slot;
mod threads;
mod trigger;
mod usage;
mod value;
mod version;
mod waiting;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use uuid::Uuid;

pub use self::accept::{Accepted, Along, Start};
pub use self::alert::{Heard, News, Told, Words};
pub use self::backup::Incoming;
pub use self::check::CheckState;
pub use self::cursor::CursorChange;
pub use self::delivery::{Delivery, DeliveryState, Listing};
pub use self::entries::{Changed, Entry};
pub use self::error::StoreError;
pub use self::gather::DIGEST;
pub use self::history::{DeliveryCounts, Filter, RunRow, RunStory};
pub use self::ledger::{CallId, Cap, Passed};
pub use self::memory::Memory;
pub use self::outbox::{Settled, Which};
pub use self::pause::Pause;
pub use self::reader::Reader;
pub use self::recovery::Orphan;
pub use self::retain::Retention;
pub use self::run::{Follow, Recorded, RunUpdate};
pub use self::slot::{SlotEnd, SlotRow};
pub use self::trigger::TimedTrigger;
pub use self::usage::LedgerRow;
pub use self::version::Version;
pub use self::waiting::Waiting;

use self::check::Checker;
use self::reader::Readers;
use self::writer::Writer;
use crate::clock::Clock;
use crate::job::{Event, RunId};

/// The database's name in the state folder.
pub const FILE: &str = "reveille.db";

/// Who does the work of a write or a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Threads of their own; for programs that do several things at once.
    Threaded,
    /// Whoever asks, on the spot: no threads, so that a simulation is the same each time.
    Inline,
}

/// Something about the database that the owner should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A damaged database was moved out of the way, and a new one begun.
    SetAside {
        /// Where it lies now.
        file: PathBuf,
        /// What was found.
        why: String,
    },
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Notice::SetAside { file, why } = self;
        write!(
            f,
            "the database was damaged ({why}); it lies in {} now, and a new one was begun",
            file.display()
        )
    }
}

/// A store, and what there is to say about its opening.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// For the owner.
    pub notices: Vec<Notice>,
}

/// The database of one state folder; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    writer: Writer,
    readers: Readers,
    checker: Checker,
}

impl Store {
    /// Opens the database in `folder`, making both if they are not there.
    ///
    /// When a process on this folder died without a goodbye, a look for damage begins beside
    /// ([`Store::check_state`]); [`Mode::Inline`] leaves that to the next opening with threads.
    ///
    /// # Errors
    /// A folder that cannot be written, a database of a newer version or of another program. A damaged
    /// one is set aside, which is a [`Notice`].
    pub fn open(folder: &Path, clock: Arc<dyn Clock>, mode: Mode) -> Result<Opened, StoreError> {
        let (connection, notices) = open::open(folder, clock.now())?;
        let path = folder.join(FILE);
        let writer = match mode {
            Mode::Threaded => Writer::spawn(connection, Arc::clone(&clock))?,
            Mode::Inline => Writer::inline(connection),
        };
        let checker = Checker::new(folder);
        if mode == Mode::Threaded && !lock::orphans(folder).is_empty() {
            checker.begin();
        }
        let inner = Inner {
            folder: folder.to_path_buf(),
            readers: Readers::new(path.clone()),
            path,
            clock,
            writer,
            checker,
        };
        let store = Store {
            inner: Arc::new(inner),
        };
        Ok(Opened { store, notices })
    }

    /// Writes an event and its run down, once for each dedupe key that is still kept.
    pub async fn accept(
        &self,
        event: &Event,
        job_hash: &str,
        start: Start,
    ) -> Result<Accepted, StoreError> {
        self.accept_along(event.clone(), job_hash, start, Along::default())
            .await
    }

    /// [`Store::accept`], with what becomes true in the same commit.
    pub async fn accept_along(
        &self,
        event: impl Into<Arc<Event>>,
        job_hash: &str,
        start: Start,
        along: Along,
    ) -> Result<Accepted, StoreError> {
        let (event, job_hash) = (event.into(), job_hash.to_owned());
        let made = (self.new_id(), self.now());
        self.write(move |connection| {
            accept::accept(connection, &event, &job_hash, &start, &along, made)
        })
        .await
    }

    /// Marks a queued or waiting run as executed by the process that holds the lock `owner`.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another process was quicker.
    pub async fn begin(&self, run: RunId, owner: &str) -> Result<(), StoreError> {
        let (owner, now) = (owner.to_owned(), self.now());
        self.write(move |connection| accept::begin(connection, run, &owner, now))
            .await
    }

    /// Takes over a run whose process died, for the process that holds the lock `owner`.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another process was quicker.
    pub async fn adopt(&self, orphan: &Orphan, owner: &str) -> Result<(), StoreError> {
        let (run, from, owner) = (orphan.story.row.run, orphan.owner.clone(), owner.to_owned());
        self.write(move |connection| accept::adopt(connection, run, &from, &owner))
            .await
    }

    /// Commits `update`, which ends a run whose process died.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another process was quicker.
    pub async fn interrupt(
        &self,
        orphan: &Orphan,
        update: RunUpdate,
    ) -> Result<Recorded, StoreError> {
        let (run, from, now) = (orphan.story.row.run, orphan.owner.clone(), self.now());
        self.write(move |connection| {
            accept::adopt(connection, run, &from, &from)?;
            run::record(connection, &update, now)
        })
        .await
    }

    /// Commits all of `update`, or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::AlreadyFinished`] and [`StoreError::StepRecorded`]: what has an end keeps it.
    pub async fn record(&self, update: impl Into<Arc<RunUpdate>>) -> Result<Recorded, StoreError> {
        let (now, update) = (self.now(), update.into());
        self.write(move |connection| run::record(connection, &update, now))
            .await
    }

    /// Commits positions that belong to no run.
    pub async fn remember(&self, changes: Vec<CursorChange>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.write(move |connection| cursor::change(connection, &changes, now))
            .await
    }

    /// Asks questions of one snapshot, without blocking the async caller.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Writer::Inline(_) = self.inner.writer {
            #[cfg(test)]
            faults::meet(faults::Point::Read).await?;
            return self.read_now(work);
        }
        let store = self.clone();
        let reading = self.inner.readers.beside(move || store.read_now(work));
        reading.await
    }

    /// Asks questions of one snapshot, on the spot.
    pub fn read_now<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.noticing_damage(self.inner.readers.read(work))
    }

    /// Completes once the writer has done what it had to do before, and could write: it begins a transaction and commits
    /// nothing, so that nothing reaches the disk.
    ///
    /// # Errors
    /// It could not.
    pub async fn answer(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await
    }

    /// The runs that processes left running when they died.
    pub async fn recover(&self) -> Result<Vec<Orphan>, StoreError> {
        let folder = self.inner.folder.clone();
        self.read(move |reader| reader.orphans(|owner| lock::is_free(&folder, owner)))
            .await
    }

    /// How the look for damage stands.
    pub fn check_state(&self) -> CheckState {
        self.inner.checker.state()
    }

    /// How the look for damage ended, once it has; at once if there was no reason for one.
    pub async fn check_ended(&self) -> CheckState {
        self.inner.checker.ended().await
    }

    /// Folds the log into the database: for the end of a long life.
    pub fn tidy(&self) -> Result<(), StoreError> {
        open::connect(&self.inner.path)?
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(StoreError::from)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.noticing_damage(self.inner.writer.write(work).await)
    }

    /// What shows damage is a reason to look for more of it, and to leave word for the next start.
    fn noticing_damage<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Damaged(_)) = result {
            self.inner.checker.begin();
        }
        result
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    fn new_id(&self) -> Uuid {
        self.inner.clock.id()
    }

    fn folder(&self) -> &Path {
        &self.inner.folder
    }

    fn path(&self) -> &Path {
        &self.inner.path
    }
}
