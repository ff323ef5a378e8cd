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

/// Tells the asker, once the fate of the commit is known.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Does its work in the open transaction, or learns why there is none; gives its failure beside the reply.
type Request =
    Box<dyn FnOnce(Result<&Connection, StoreError>) -> (Reply, Option<StoreError>) + Send>;

/// The owner of the write connection.
#[derive(Debug)]
pub(super) enum Writer {
    /// A thread of its own, fed by a channel.
    Thread {
        requests: Option<Sender<Request>>,
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

    /// Runs `work` in a transaction and returns once it is committed. All of it counts, or nothing;
    /// dropping the future does not take it back.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, mut answer) = oneshot::channel();
        let request = request(work, sender);
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

/// Wraps `work` in a savepoint, so that its failure undoes it and nothing else.
fn request<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    answer: oneshot::Sender<Result<T, StoreError>>,
) -> Request {
    Box::new(move |transaction| {
        let result = transaction.and_then(|connection| in_savepoint(connection, work));
        let failure = result.as_ref().err().cloned();
        let reply: Reply = Box::new(move |commit| {
            let _ = answer.send(result.and_then(|value| commit.map(|()| value)));
        });
        (reply, failure)
    })
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    run(connection, "SAVEPOINT request")?;
    let result = work(connection).and_then(|value| {
        run(connection, "RELEASE request")?;
        Ok(value)
    });
    if result.is_err() && !connection.is_autocommit() {
        run(connection, "ROLLBACK TO request")?;
        run(connection, "RELEASE request")?;
    }
    result
}

fn serve(connection: &Connection, requests: &Receiver<Request>, clock: &dyn Clock) {
    let mut last_commit = Duration::ZERO;
    while let Ok(first) = requests.recv() {
        let mut patience = last_commit / 10;
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
struct Group {
    replies: Vec<Reply>,
    transaction: Result<(), StoreError>,
}

impl Group {
    /// Runs `first` and what `next` gives, which is told how many there are so far.
    fn gather(
        connection: &Connection,
        first: Request,
        mut next: impl FnMut(usize) -> Option<Request>,
    ) -> Group {
        let mut replies = Vec::new();
        let mut transaction = run(connection, "BEGIN IMMEDIATE");
        let mut pending = Some(first);
        while let Some(request) = pending {
            let (reply, failure) = request(transaction.clone().map(|()| connection));
            replies.push(reply);
            // A full disk and its like roll the whole transaction back by themselves.
            if let Some(failure) = failure
                && connection.is_autocommit()
            {
                transaction = Err(failure);
                break;
            }
            pending = next(replies.len());
        }
        Group {
            replies,
            transaction,
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
        for reply in self.replies {
            reply(fate.clone());
        }
    }
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
