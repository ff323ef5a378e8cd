//! Runs programs: a cleared environment, the workspace as folder, limits, and an end for certain.
//!
//! This is enough for a fixed command that the owner wrote. What a command that carries outside
//! text needs beyond it (Landlock, seccomp) belongs into `Program::command`.

mod family;
mod output;
mod resolve;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use crate::clock::{Clock, timeout};
use family::Family;
pub use output::Output;

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a program has between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(2);

/// One program to run once.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program and its arguments; no shell reads them.
    pub argv: Vec<String>,
    /// The folder it starts in, and its `HOME`.
    pub workspace: PathBuf,
    /// The zone (IANA name) that it sees as `TZ`; `None` leaves it to the system.
    pub zone: Option<String>,
    /// What it reads; `None` is an empty input.
    pub stdin: Option<Vec<u8>>,
    /// After this it is ended, and every process that it started.
    pub timeout: Duration,
    /// Bytes kept of each of stdout and stderr; more is read and counted, not kept.
    pub max_output: usize,
    /// What it may use.
    pub limits: Limits,
}

/// Resource limits (setrlimit(2)); each process it starts has them anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// File descriptors.
    pub open_files: u64,
    /// Processor time, in whole seconds.
    pub cpu: Option<Duration>,
    /// Bytes of address space.
    pub memory: Option<u64>,
    /// Bytes of any one file it writes.
    pub file_size: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            open_files: 1024,
            cpu: None,
            memory: None,
            file_size: None,
        }
    }
}

/// How a program came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It ended by itself with this exit code.
    Code(i32),
    /// A signal ended it that was not ours.
    Signal(i32),
    /// Its time was up.
    TimedOut,
}

/// What is left of a program that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote to its standard output.
    pub stdout: Output,
    /// What it wrote to its standard error.
    pub stderr: Output,
    /// Start to end.
    pub took: Duration,
}

/// The file that a program's name means, as [`Program::run`] looks for it.
///
/// # Errors
/// There is none, or it may not be executed.
pub fn find(written: &str, workspace: &Path) -> Result<PathBuf, SandboxError> {
    resolve::program(written, workspace)
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// `argv` has no element, or an empty first one.
    #[error("there is no program to run: the list is empty")]
    Empty,
    /// No such program.
    #[error("program `{program}` is not found{}", .meant.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    NotFound {
        /// As written.
        program: String,
        /// A program with a name like it.
        meant: Option<String>,
    },
    /// The file is there but may not be executed.
    #[error("`{0}` is not executable (chmod +x makes it so)")]
    NotExecutable(PathBuf),
    /// The system refused.
    #[error("cannot run `{program}` in {}: {source}", .workspace.display())]
    Start {
        /// As written.
        program: String,
        /// The folder it should have started in.
        workspace: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

impl Program {
    /// A program with the usual limits: 60 seconds, 64 KiB of each output.
    pub fn new(argv: Vec<String>, workspace: &Path) -> Self {
        Program {
            argv,
            workspace: workspace.to_owned(),
            zone: None,
            stdin: None,
            timeout: Duration::from_secs(60),
            max_output: 64 * 1024,
            limits: Limits::default(),
        }
    }

    /// Runs it to its end. At the end of its time, or when the future is dropped, every process
    /// that it started ends too; when it ends by itself, so does what it left in its group.
    ///
    /// # Errors
    /// Where it cannot be started. A program that fails is no error: see [`Ended`].
    pub async fn run(mut self, clock: &dyn Clock) -> Result<Finished, SandboxError> {
        let started = clock.monotonic();
        let mut family = Family::new();
        let mut child = self.spawn(&family)?;
        family.founded_by(leader(&child));

        let mut stdout = Output::default();
        let mut stderr = Output::default();
        let streams = {
            let feed = feed(child.stdin.take(), self.stdin.take().unwrap_or_default());
            let gather_out = stdout.gather(child.stdout.take(), self.max_output);
            let gather_err = stderr.gather(child.stderr.take(), self.max_output);
            async { tokio::join!(feed, gather_out, gather_err) }
        };
        let ending = AtomicBool::new(false);
        let ended = {
            let mut life = pin!(live(&mut child, streams, &family, &ending, clock));
            match timeout(clock, self.timeout, &mut life).await {
                Ok(status) => ended(status.map_err(|source| self.failed(source))?),
                Err(_) => {
                    ending.store(true, Ordering::Relaxed);
                    family.signal(Signal::TERM);
                    let ended = timeout(clock, GRACE, &mut life).await;
                    family.kill();
                    if ended.is_err() {
                        // Even a killed process can stay: in a system call on a dead disk.
                        let _ = timeout(clock, GRACE, &mut life).await;
                    }
                    Ended::TimedOut
                }
            }
        };
        family.gone();
        Ok(Finished {
            ended,
            stdout,
            stderr,
            took: clock.monotonic() - started,
        })
    }

    fn spawn(&self, family: &Family) -> Result<Child, SandboxError> {
        let written = self.argv.first().ok_or(SandboxError::Empty)?;
        let file = resolve::program(written, &self.workspace)?;
        let child = self.command(&file, family).spawn();
        child
            .and_then(|child| self.limit(&child).map(|()| child))
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> SandboxError {
        SandboxError::Start {
            program: self.argv.first().cloned().unwrap_or_default(),
            workspace: self.workspace.clone(),
            source,
        }
    }

    /// The command as it is started: the place of the real sandbox.
    fn command(&self, file: &Path, family: &Family) -> Command {
        let mut command = Command::new(file);
        command
            // As typed: programs begin their messages with it.
            .arg0(&self.argv[0])
            .args(&self.argv[1..])
            .current_dir(&self.workspace)
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", &self.workspace)
            .env("LANG", "C.UTF-8")
            .env(family::MARK, family.mark())
            .envs(self.zone.as_ref().map(|zone| ("TZ", zone)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Set from outside right after the start, which needs no unsafe code between fork and exec.
    fn limit(&self, child: &Child) -> io::Result<()> {
        let Some(pid) = leader(child) else {
            return Ok(());
        };
        let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        let limits = [
            (Resource::Core, Some(0)),
            (Resource::Nofile, Some(self.limits.open_files.min(hard))),
            (
                Resource::Cpu,
                self.limits.cpu.map(|time| time.as_secs().max(1)),
            ),
            (Resource::As, self.limits.memory),
            (Resource::Fsize, self.limits.file_size),
        ];
        for (resource, limit) in limits {
            let Some(limit) = limit else { continue };
            let limit = Rlimit {
                current: Some(limit),
                maximum: Some(limit),
            };
            match prlimit(Some(pid), resource, limit) {
                Ok(_) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Waits for the program's end while its streams flow.
async fn live(
    child: &mut Child,
    streams: impl Future,
    family: &Family,
    ending: &AtomicBool,
    clock: &dyn Clock,
) -> io::Result<ExitStatus> {
    let mut streams = pin!(streams);
    let mut flowing = true;
    let status = {
        let mut exit = pin!(child.wait());
        loop {
            tokio::select! {
                status = &mut exit => break status,
                _ = &mut streams, if flowing => flowing = false,
            }
        }
    };
    match (ending.load(Ordering::Relaxed), flowing) {
        (true, false) => {}
        (false, false) => family.kill_group(),
        // Those that it leaves have their time of grace; `run` bounds this wait.
        (true, true) => drop(streams.await),
        (false, true) => {
            family.kill_group();
            // Who holds the streams now has left the group on purpose, and is not waited for.
            let _ = timeout(clock, GRACE, streams).await;
        }
    }
    status
}

fn leader(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// A program need not read its input: a broken pipe is no error.
async fn feed(stdin: Option<ChildStdin>, bytes: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(&bytes).await;
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or(0)),
    }
}
