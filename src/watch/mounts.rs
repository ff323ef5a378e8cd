//! Hears when something is mounted or unmounted, which inotify does not tell.

use std::fs::File;
use std::future;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The table of mounts (proc_pid_mountinfo(5)), which poll(2) tells changes of as an exception.
#[derive(Debug)]
pub struct Mounts {
    table: Option<AsyncFd<File>>,
}

impl Mounts {
    /// Opens it; where there is none, nothing is ever heard.
    pub fn open() -> Self {
        let table = File::open("/proc/self/mountinfo").ok();
        // Deprecated for types that may close their descriptor while it is registered, which a file that is owned does not.
        #[expect(deprecated)]
        let register = |table| AsyncFd::with_interest(table, Interest::PRIORITY).ok();
        Mounts {
            table: table.and_then(register),
        }
    }

    /// Waits for a change.
    pub async fn changed(&self) {
        match &self.table {
            Some(table) => match table.ready(Interest::PRIORITY).await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => future::pending().await,
            },
            None => future::pending().await,
        }
    }
}
