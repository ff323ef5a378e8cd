//! Reads, each on one snapshot of the database, beside the writer.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::StoreError;
use super::open::connect;
use super::threads::Threads;

/// So many read at once, others wait: a connection of its own costs each of a crowd more than its turn.
const KEPT: usize = 4;

/// Read connections, made when they are first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    threads: Threads,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Readers {
            path,
            idle: Mutex::default(),
            threads: Threads::new(KEPT),
        }
    }

    /// Does `work`, which reads, beside the asker.
    pub(super) async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.threads.run(work).await?
    }

    /// Runs `work` on one snapshot. It blocks.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = match self.idle().pop() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = Reader::snapshot(&connection, work);
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        result
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let connection = connect(&self.path)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1024;")?;
        Ok(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What can be asked of the store; all answers of one reader come from one snapshot.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) connection: &'a Connection,
}

impl<'a> Reader<'a> {
    /// Runs `work` in a read transaction, so that it sees no commit that comes meanwhile.
    pub(super) fn snapshot<T>(
        connection: &'a Connection,
        work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _snapshot = connection.unchecked_transaction()?;
        work(&Reader { connection })
    }
}
