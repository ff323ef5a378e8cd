//! One look at log files.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::find::Found;
use super::follow::{Follower, Open};
use super::memory::{Looked, looked_change};
use super::reader::{Reader, unreadable};
use super::stamp::Calendar;
use super::tally::Tally;
use super::{Cancel, LinePattern, LogError, LogGlob, Memory, Reading, Source, SourceState};
use crate::zone::Tz;

/// What a `log` step looks at and what it tells.
#[derive(Debug, Clone)]
pub struct Look {
    /// Which files.
    pub globs: Vec<LogGlob>,
    /// From where on.
    pub since: Since,
    /// The most that is read of one file in one look, in bytes; the latest are read.
    pub max_bytes: Option<u64>,
    /// What of it is told.
    pub choice: Choice,
}

/// Which lines and patterns are told, of files and of the journal.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Which lines; `None` is all.
    pub matches: Option<LinePattern>,
    /// Which of these not.
    pub ignore: Option<LinePattern>,
    /// Which patterns; empty is all, and then patterns are not remembered.
    pub only: Vec<Only>,
    /// The most patterns told; the latest are kept.
    pub max_lines: usize,
    /// The most text told, in bytes.
    pub max_text: usize,
}

/// From where a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Where the last look ended; a first look takes the last 64 KiB.
    LastRun,
    /// Lines whose own timestamp is within this time before now.
    Within(Duration),
    /// The beginning, each time.
    Start,
}

/// Which patterns are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Never seen before, or not for 30 days.
    New,
    /// At least 10 lines, and more than 4 times the usual rate.
    Surging,
}

/// What a look has to know of the world.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The look's moment.
    pub now: DateTime<Utc>,
    /// The zone of timestamps that do not tell theirs: the system's.
    pub zone: Tz,
    /// Files and folders that are never read: Reveille's own.
    pub own: &'a [PathBuf],
    /// Ends the look early.
    pub cancel: Cancel<'a>,
}

impl Look {
    /// A look since the last run with the usual choice and no bound on reading.
    pub fn at(globs: Vec<LogGlob>) -> Self {
        Look {
            globs,
            since: Since::LastRun,
            max_bytes: None,
            choice: Choice::default(),
        }
    }
}

impl Default for Choice {
    /// Every line, in 50 patterns and 16 KiB at most.
    fn default() -> Self {
        Choice {
            matches: None,
            ignore: None,
            only: Vec::new(),
            max_lines: 50,
            max_text: 16 * 1024,
        }
    }
}

impl Choice {
    /// Whether patterns are remembered between runs.
    pub fn remembers(&self) -> bool {
        !self.only.is_empty()
    }

    /// Whether `line` is wanted.
    pub fn wants(&self, line: &[u8]) -> bool {
        self.matches
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(line))
            && !self
                .ignore
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(line))
    }
}

/// Looks at the files; blocks while it reads.
///
/// What concerns one file (missing, not readable, lines that may be lost) is told in the result's `files`.
///
/// # Errors
/// Only when cancelled.
pub fn read(look: &Look, memory: &Memory, around: Surroundings<'_>) -> Result<Reading, LogError> {
    let calendar = Calendar::new(around.zone, around.now);
    let mut reading = Reading::default();
    let files = files(look, around, &mut reading)?;
    let paths = files.iter().map(|open| open.path.clone()).collect();
    let tally = Tally::new(look.choice.remembers().then_some(memory), &calendar);
    let follower = Follower {
        memory,
        paths: &paths,
        now: around.now,
        cancel: around.cancel,
    };
    let mut reader = Reader::new(look, around, follower, tally, reading);
    if look.since == Since::LastRun {
        reader.missing()?;
    }
    for open in files {
        reader.file(open)?;
    }
    let (tally, mut reading) = reader.finish();
    reading.tell(tally, &look.choice, memory, around.now);
    remember_look(look, memory, around.now, &mut reading);
    Ok(reading)
}

/// Opens each file that the globs name, once, in the order of their last change: the latest lines come last.
fn files(
    look: &Look,
    around: Surroundings<'_>,
    reading: &mut Reading,
) -> Result<Vec<Open>, LogError> {
    let own: Vec<PathBuf> = around
        .own
        .iter()
        .filter_map(|own| fs::canonicalize(own).ok())
        .collect();
    let mut seen = HashSet::new();
    let mut open = Vec::new();
    for glob in &look.globs {
        let mut found = Vec::new();
        glob.find(around.cancel, &mut found)?;
        let nothing = found.iter().all(
            |found| matches!(&found.is, Err(error) if error.kind() == io::ErrorKind::NotFound),
        );
        if nothing {
            reading.missing.push(glob.text().to_owned());
            reading.files.push(Source {
                path: glob.text().to_owned(),
                state: SourceState::Missing { note: None },
            });
        }
        for Found { path, is } in found {
            let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if own.iter().any(|own| real.starts_with(own)) || !seen.insert(real) {
                continue;
            }
            match is.and_then(|metadata| opened(&path, metadata)) {
                Ok(file) => open.push(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => reading.files.push(Source {
                    path: path.to_string_lossy().into_owned(),
                    state: unreadable(&error),
                }),
            }
        }
    }
    open.sort_by_key(|open| (open.metadata.mtime(), open.metadata.mtime_nsec()));
    Ok(open)
}

fn opened(path: &Path, metadata: fs::Metadata) -> io::Result<Open> {
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let path = path.to_owned();
    Ok(Open {
        path,
        file,
        metadata,
    })
}

fn remember_look(look: &Look, memory: &Memory, now: DateTime<Utc>, reading: &mut Reading) {
    let globs: Vec<String> = look
        .globs
        .iter()
        .map(|glob| glob.text().to_owned())
        .collect();
    let same = memory
        .looked
        .as_ref()
        .is_some_and(|looked| looked.globs == globs);
    if look.choice.remembers() || !same && look.since == Since::LastRun {
        reading
            .changes
            .push(looked_change(&Looked { at: now, globs }));
    }
}
