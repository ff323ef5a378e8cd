//! The one place that writes: waiting requests share one transaction and one commit.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;
#[cfg(debug_assertions)]
use super::die;
use crate::clock::Clock;

/// So many requests share a commit at most: it bounds the write-ahead log and the wait of the first of them.
const GROUP: usize = 1024;

/// Something to be done in the open transaction; once more in the next one, where that one was given up.
pub(super) trait Request: Send {
    /// Does it, or learns why there is no transaction; gives its failure. What it gave before counts no more.
    fn work(&mut self, transaction: Result<&Connection, StoreError>) -> Option<StoreError>;

    /// Tells the asker, once the fate of the commit is known.
    fn reply(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Asked<T, W> {
    work: W,
    result: Result<T, StoreError>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Request for Asked<T, W>
where
    T: Send,
    W: Fn(&Connection) -> Result<T, StoreError> + Send,
{
    fn work(&mut self, transaction: Result<&Connection, StoreError>) -> Option<StoreError> {
        self.result = transaction.and_then(&self.work);
        self.result.as_ref().err().cloned()
    }

    fn reply(self: Box<Self>, commit: Result<(), StoreError>) {
        let Asked {
            work,
            result,
            answer,
        } = *self;
        // What it shares with the asker is the asker's alone from now on.
        drop(work);
        let _ = answer.send(result.and_then(|value| commit.map(|()| value)));
    }
}

/// The owner of the write connection.
#[derive(Debug)]
pub(super) enum Writer {
    /// A thread of its own, fed by a channel.
    Thread {
        requests: Option<Sender<Box<dyn Request>>>,
        thread: Option<JoinHandle<()>>,
    },
    /// No thread: whoever asks does the work.
    Inline(Mutex<Connection>),
}

impl Writer {
    /// Starts the thread; it ends when the writer is dropped.
    pub(super) fn spawn(connection: Connection, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(&connection, &receiver, clock.as_ref()))
            .map_err(|error| StoreError::Disk(format!("cannot start its thread: {error}")))?;
        Ok(Writer::Thread {
            requests: Some(sender),
            thread: Some(thread),
        })
    }

    /// A writer without a thread.
    pub(super) fn inline(connection: Connection) -> Self {
        Writer::Inline(Mutex::new(connection))
    }

    /// Runs `work` in a transaction and returns once it is committed. All of it counts, or nothing, though it may be run again
    /// before it does; dropping the future does not take it back.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, mut answer) = oneshot::channel();
        let request: Box<dyn Request> = Box::new(Asked {
            work,
            result: Err(StoreError::Closed),
            answer: sender,
        });
        match self {
            Writer::Thread { requests, .. } => {
                let requests = requests.as_ref().ok_or(StoreError::Closed)?;
                requests.send(request).map_err(|_| StoreError::Closed)?;
                answer.await.map_err(|_| StoreError::Closed)?
            }
            Writer::Inline(connection) => {
                #[cfg(test)]
                super::faults::meet(super::faults::Point::Commit).await?;
                {
                    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                    Group::gather(&connection, request, |_| None).finish(&connection);
                }
                #[cfg(test)]
                let _ = super::faults::meet(super::faults::Point::Committed).await;
                answer.try_recv().map_err(|_| StoreError::Closed)?
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Writer::Thread { requests, thread } = self {
            drop(requests.take());
            if let Some(thread) = thread.take() {
                // A panic in it was seen by whoever asked, as `Closed`.
                let _ = thread.join();
            }
        }
    }
}

/// No asker waits longer for others, however long the last commit took.
const PATIENCE: Duration = Duration::from_millis(50);

fn serve(connection: &Connection, requests: &Receiver<Box<dyn Request>>, clock: &dyn Clock) {
    let mut last_commit = Duration::ZERO;
    while let Ok(first) = requests.recv() {
        let mut patience = (last_commit / 10).min(PATIENCE);
        let group = Group::gather(connection, first, |size| {
            if size >= GROUP {
                return None;
            }
            if let Ok(request) = requests.try_recv() {
                return Some(request);
            }
            // A lone asker has nobody to wait for. With more of them, two crowds would otherwise
            // alternate, each commit carrying half of what it could.
            if size == 1 || patience.is_zero() {
                return None;
            }
            let since = clock.monotonic();
            let request = requests.recv_timeout(patience).ok();
            patience = patience.saturating_sub(clock.monotonic() - since);
            request
        });
        let since = clock.monotonic();
        group.finish(connection);
        last_commit = clock.monotonic() - since;
    }
}

/// Requests that share one transaction.
///
/// A savepoint for each of them would copy every page that it changes. So there is none until a request fails that had changed
/// something, which is rare: then all of them are done once more in a new transaction, each in a savepoint.
struct Group {
    requests: Vec<Box<dyn Request>>,
    transaction: Result<(), StoreError>,
    savepoints: bool,
}

impl Group {
    /// Runs `first` and what `next` gives, which is told how many there are so far.
    fn gather(
        connection: &Connection,
        first: Box<dyn Request>,
        mut next: impl FnMut(usize) -> Option<Box<dyn Request>>,
    ) -> Group {
        let mut group = Group {
            requests: Vec::new(),
            transaction: run(connection, "BEGIN IMMEDIATE"),
            savepoints: false,
        };
        let mut pending = Some(first);
        while let Some(request) = pending {
            let begun = group.transaction.is_ok();
            group.requests.push(request);
            group.work(connection, group.requests.len() - 1);
            if begun && group.transaction.is_err() {
                break;
            }
            pending = next(group.requests.len());
        }
        group
    }

    /// Does one of them; its failure undoes it and nothing else.
    fn work(&mut self, connection: &Connection, which: usize) {
        let request = &mut self.requests[which];
        if let Err(error) = &self.transaction {
            request.work(Err(error.clone()));
            return;
        }
        let before = connection.total_changes();
        let failure = match self.savepoints {
            true => in_savepoint(connection, request.as_mut()),
            false => request.work(Ok(connection)),
        };
        let Some(failure) = failure else {
            return;
        };
        if connection.is_autocommit() {
            // A full disk and its like roll the whole transaction back by themselves.
            self.transaction = Err(failure);
        } else if !self.savepoints && connection.total_changes() != before {
            self.savepoints = true;
            let begun =
                run(connection, "ROLLBACK").and_then(|()| run(connection, "BEGIN IMMEDIATE"));
            self.transaction = begun;
            (0..=which).for_each(|which| self.work(connection, which));
        }
    }

    /// Commits, and answers everybody.
    fn finish(self, connection: &Connection) {
        #[cfg(debug_assertions)]
        die::perhaps(die::Side::Before);
        let fate = self.transaction.and_then(|()| run(connection, "COMMIT"));
        #[cfg(debug_assertions)]
        die::perhaps(die::Side::After);
        if fate.is_err() && !connection.is_autocommit() {
            let _ = run(connection, "ROLLBACK");
        }
        for request in self.requests {
            request.reply(fate.clone());
        }
    }
}

fn in_savepoint(connection: &Connection, request: &mut dyn Request) -> Option<StoreError> {
    let opened = run(connection, "SAVEPOINT request");
    let failure = request.work(opened.map(|()| connection));
    if connection.is_autocommit() {
        return failure;
    }
    let closed = match failure {
        None => run(connection, "RELEASE request"),
        Some(_) => {
            run(connection, "ROLLBACK TO request").and_then(|()| run(connection, "RELEASE request"))
        }
    };
    match closed {
        Ok(()) => failure,
        // What it did may not count.
        Err(error) => request.work(Err(error)),
    }
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
