//! The state folder: who may read it, what it lies on, and how long a commit takes there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::finding::Finding;
use super::machine::gib;
use super::root::Root;
use crate::clock::Clock;
use crate::system::{Medium, Storage, storage};

/// Synced writes whose median is told.
const WRITES: usize = 9;

/// Slower than this, a person waits for commits.
const SLOW: Duration = Duration::from_millis(100);

/// Less room than this fills in a bad night.
const LITTLE: u64 = 500 << 20;

/// All of it.
pub(super) fn look(root: &Root, state: &Path, clock: &dyn Clock) -> Vec<Finding> {
    let mut findings = vec![folder(root, state)];
    let on = storage(root.folder(), state);
    findings.extend(on.as_ref().map(disk));
    if root.has(state) && on.is_none_or(|on| !on.read_only) {
        findings.extend(speed(&root.path(state), clock));
    }
    findings
}

fn folder(root: &Root, state: &Path) -> Finding {
    let about = "state";
    let shown = state.display();
    let path = root.path(state);
    let mode = match fs::metadata(&path) {
        Ok(found) => found.permissions().mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Finding::ok(about, format!("{shown} is made by the first run"));
        }
        Err(error) => {
            return Finding::warning(
                about,
                format!("{shown} cannot be looked at by this user: {error}"),
                "`sudo reveille doctor`, or ask the running service",
            );
        }
    };
    if rustix::fs::access(&path, rustix::fs::Access::WRITE_OK).is_err() {
        return Finding::cannot(
            about,
            format!("{shown} cannot be written by this user: nothing can be remembered"),
            "run as its owner, or name another with --state",
        );
    }
    if mode & 0o007 != 0 {
        return Finding::warning(
            about,
            format!(
                "{shown} is open to every user of this machine: it holds calendars, prompts and answers"
            ),
            format!("`chmod 700 {shown}`"),
        );
    }
    Finding::ok(about, format!("{shown}, private"))
}

fn disk(on: &Storage) -> Finding {
    let about = "disk";
    let room = format!("{} free of {}", gib(on.free), gib(on.total));
    let kind = &on.kind;
    if on.read_only {
        let found = format!("{kind}, read-only: nothing can be remembered");
        return Finding::cannot(
            about,
            found,
            "mount it writable, or name another folder with --state",
        );
    }
    match on.medium {
        Medium::Network => Finding::cannot(
            about,
            format!("{kind}, on another machine: SQLite's locks do not hold there"),
            "keep the state on a disk of this machine: --state, or StateDirectory= of the unit",
        ),
        Medium::Memory => Finding::warning(
            about,
            format!("{kind}: all is forgotten at a restart, {room}"),
            "keep the state on a disk",
        ),
        Medium::Overlay => Finding::warning(
            about,
            format!("overlay: a restart may forget all of it, {room}"),
            "if this is overlayroot or a container, put the state on a disk of its own",
        ),
        _ if on.free < LITTLE => Finding::warning(
            about,
            format!("{kind}, {room}: a full disk stops every job"),
            "make room, or keep less with [history]",
        ),
        Medium::SdCard => Finding::warning(
            about,
            format!(
                "{kind} on an SD card, {room}: cards wear out, and lie about what they have kept"
            ),
            "a small SSD on USB is the best that a Pi can be given; back up with `reveille backup`",
        ),
        Medium::Disk => Finding::ok(about, format!("{kind}, {room}")),
    }
}

fn speed(state: &Path, clock: &dyn Clock) -> Option<Finding> {
    let about = "commits";
    let median = match measure(state, clock) {
        Ok(median) => median,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
        Err(error) => {
            let found = format!("a file could not be written and synced: {error}");
            return Some(Finding::cannot(
                about,
                found,
                "look at `dmesg` for errors of the disk",
            ));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let milliseconds = median.as_micros() as f64 / 1000.0;
    let found = format!("a synced write takes {milliseconds:.1} ms (median of {WRITES})");
    Some(if median > SLOW {
        let found = format!("{found}: what is asked over a chat waits for several of them");
        Finding::warning(
            about,
            found,
            "another card or an SSD; look at what else writes to it",
        )
    } else {
        Finding::ok(about, found)
    })
}

fn measure(state: &Path, clock: &dyn Clock) -> io::Result<Duration> {
    let path = state.join(format!(".doctor-{}.tmp", std::process::id()));
    let measured = File::create(&path).and_then(|mut file| {
        let mut took = Vec::with_capacity(WRITES);
        for _ in 0..WRITES {
            let started = clock.monotonic();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            took.push(clock.monotonic().saturating_sub(started));
        }
        took.sort();
        Ok(took[WRITES / 2])
    });
    let _ = fs::remove_file(&path);
    measured
}
