//! journalctl as a child process that never outlives its look.

use std::io;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// How much of journalctl's own words is kept, in bytes.
const COMPLAINTS: u64 = 4 * 1024;

/// Why the journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no such program.
    #[error("`{0}` is not there: the journal step needs systemd; use `log` for log files")]
    Missing(String),
    /// The user may not read the journal.
    #[error(
        "journalctl may not read the system's journal: add Reveille's user to the group systemd-journal \
         (sudo usermod -aG systemd-journal reveille) and start it again"
    )]
    Denied,
    /// journald does not know the cursor any more.
    #[error("journald does not know the remembered place any more")]
    Cursor,
    /// It ended with an error.
    #[error("journalctl failed ({status}): {stderr}")]
    Failed {
        /// Its exit status.
        status: std::process::ExitStatus,
        /// Its own words.
        stderr: String,
    },
    /// It could not be started or read.
    #[error("journalctl cannot be run: {0}")]
    Io(#[from] io::Error),
}

/// A journalctl that runs; dropping it kills its whole process group.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    /// Starts `command` with `arguments` in a process group of its own.
    ///
    /// # Errors
    /// The program is not there or cannot be started.
    pub fn start(
        command: &[String],
        arguments: &[String],
    ) -> Result<(Self, ChildStdout, ChildStderr), JournalError> {
        let program = command.first().map_or("journalctl", String::as_str);
        let mut child = Command::new(program)
            .args(command.iter().skip(1))
            .args(arguments)
            // Its complaints are told apart by their words.
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => JournalError::Missing(program.to_owned()),
                _ => JournalError::Io(error),
            })?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok((Running { child, group }, stdout, stderr))
    }

    /// Waits for its end and judges it by its status and its `complaints`.
    ///
    /// # Errors
    /// It did not read the journal.
    pub async fn end(&mut self, complaints: &str) -> Result<(), JournalError> {
        let status = self.child.wait().await?;
        // Its number may belong to somebody else from now on.
        self.group = None;
        // journalctl ends well with an empty journal when it may not read it: only its words tell.
        let denied = ["insufficient permissions", "not seeing messages from"];
        if denied.iter().any(|words| complaints.contains(words)) {
            return Err(JournalError::Denied);
        }
        if status.success() {
            return Ok(());
        }
        if complaints.contains("seek to cursor") {
            return Err(JournalError::Cursor);
        }
        let stderr = complaints.trim().to_owned();
        Err(JournalError::Failed { status, stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // An empty group is an error that needs no answer.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The beginning of what `stderr` says; the rest is read and dropped, so that the child does not block.
pub async fn complaints(mut stderr: ChildStderr) -> String {
    let mut text = Vec::new();
    let kept = (&mut stderr).take(COMPLAINTS).read_to_end(&mut text).await;
    if kept.is_ok() {
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&text).into_owned()
}
