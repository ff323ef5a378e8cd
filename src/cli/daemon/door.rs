//! The daemon's side of the socket.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::socket::{self, Lent, Place};
use crate::journal::{self, Level};

/// Serves those who type.
pub(super) struct Socket {
    close: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Socket {
    /// `None`, and said, where there can be none: the jobs run all the same.
    pub(super) fn open(lent: Lent) -> Option<Self> {
        let runtime = std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
        let place = match Place::take(&lent.state, runtime.as_deref()) {
            Ok(place) => place,
            Err(error) => {
                let what = "commands cannot reach this daemon: there is no socket";
                journal::say(Level::Error, format!("{what}: {error}"));
                return None;
            }
        };
        let (close, closed) = oneshot::channel();
        let clock = Arc::clone(&lent.clock);
        let verb = move |request, output| socket::answer(&lent, request, &output);
        let serving = tokio::spawn(socket::serve(place, clock, verb, async {
            let _ = closed.await;
        }));
        Some(Socket { close, serving })
    }

    /// Lets nobody in any more; the task ends with the last client.
    pub(super) fn close(self) -> JoinHandle<()> {
        drop(self.close);
        self.serving
    }
}
