//! Reads the files of one look, each from where it goes on.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::cursor::{Position, Rotated};
use super::follow::{
    Break, FOLLOWED, Follower, Left, Open, Start, Watched, is_rotated_name, siblings,
};
use super::memory::file_change;
use super::scan::{Scanned, Scanner, Stretch};
use super::stamp::Calendar;
use super::tally::Tally;
use super::window::{Window, line_start, start_of};
use super::{
    FileCursor, LogError, LogGlob, Look, Reading, Since, Source, SourceState, Surroundings,
};

/// How much of a file a first look reads, in bytes.
const FIRST_LOOK: u64 = 64 * 1024;
/// How long the cursor of a missing file is kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// A look under way.
#[derive(Debug)]
pub struct Reader<'a> {
    look: &'a Look,
    around: Surroundings<'a>,
    calendar: Calendar,
    follower: Follower<'a>,
    scanner: Scanner<'a>,
    tally: Tally<'a>,
    reading: Reading,
}

/// What was read of one path so far.
#[derive(Debug, Default)]
struct Sum {
    lines: u64,
    bytes: u64,
    skipped: u64,
}

impl<'a> Reader<'a> {
    /// Begins a look; `reading` already tells of the files that cannot be opened.
    pub fn new(
        look: &'a Look,
        around: Surroundings<'a>,
        follower: Follower<'a>,
        tally: Tally<'a>,
        reading: Reading,
    ) -> Self {
        Reader {
            look,
            around,
            calendar: Calendar::new(around.zone, around.now),
            follower,
            scanner: Scanner::new(
                look.choice.matches.as_ref(),
                look.choice.ignore.as_ref(),
                around.cancel,
            ),
            tally,
            reading,
        }
    }

    /// What was gathered.
    pub fn finish(self) -> (Tally<'a>, Reading) {
        (self.tally, self.reading)
    }

    /// Reads one file.
    ///
    /// # Errors
    /// Only when cancelled.
    pub fn file(&mut self, open: Open) -> Result<(), LogError> {
        let name = open.path.to_string_lossy().into_owned();
        self.tally.enter(self.reading.files.len());
        let mut sum = Sum::default();
        let done = match self.look.since {
            Since::LastRun => self.since_last_run(&open, &name, &mut sum),
            Since::Within(time) => self.within(&open, time, &mut sum),
            Since::Start => self.stretch(&open, 0, false, &mut sum).map(|_| None),
        };
        let state = match done {
            Ok(note) => read_state(sum, note),
            Err(LogError::Cancelled) => return Err(LogError::Cancelled),
            Err(LogError::Io(error)) => unreadable(&error),
        };
        self.reading.files.push(Source { path: name, state });
        Ok(())
    }

    fn since_last_run(
        &mut self,
        open: &Open,
        name: &str,
        sum: &mut Sum,
    ) -> Result<Option<&'static str>, LogError> {
        let trail = self.follower.follow(open, self.watched(&open.path))?;
        let note = trail.broken.and_then(|broken| note(broken, &open.path));
        let rotated = self.rests(trail.rests, sum)?;
        let (from, in_cut_line) = match &trail.start {
            Start::At(position) => (position.offset, position.in_cut_line),
            Start::Beginning => (0, false),
            Start::Tail => (self.near_end(open, FIRST_LOOK, sum)?, false),
        };
        let scanned = self.stretch(open, from, in_cut_line, sum)?;
        let unmoved = match trail.start {
            Start::At(at) if at.offset == scanned.offset => Some(at),
            _ => None,
        };
        let position = match unmoved {
            Some(at) => at,
            None => Position::take(
                &open.file,
                &open.metadata,
                scanned.offset,
                scanned.in_cut_line,
            )?,
        };
        let cursor = FileCursor {
            position: Some(position),
            rotated,
            missing_since: None,
        };
        self.remember(name, cursor);
        Ok(note)
    }

    /// Reads what is left of rotated files; the last of them is followed on.
    fn rests(&mut self, rests: Vec<Left>, sum: &mut Sum) -> Result<Option<Rotated>, LogError> {
        let mut rotated = None;
        for Left { open, at, until } in rests {
            let scanned = self.stretch(&open, at.offset, at.in_cut_line, sum)?;
            let position = match scanned.offset == at.offset && at.has_inode_of(&open.metadata) {
                true => at,
                false => place(&open, scanned)?,
            };
            rotated = Some(Rotated {
                position,
                until: until.unwrap_or(self.around.now + FOLLOWED),
            });
        }
        Ok(rotated)
    }

    fn within(
        &mut self,
        open: &Open,
        time: Duration,
        sum: &mut Sum,
    ) -> Result<Option<&'static str>, LogError> {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        let since = self
            .around
            .now
            .checked_sub_signed(time)
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        for sibling in siblings(&open.path) {
            let rotated = is_rotated_name(&sibling) && !self.follower.paths.contains(&sibling);
            if let Some(before) = Open::at(&sibling).filter(|_| rotated) {
                self.window(&before, since, sum)?;
            }
        }
        self.window(open, since, sum)
    }

    fn window(
        &mut self,
        open: &Open,
        since: DateTime<Utc>,
        sum: &mut Sum,
    ) -> Result<Option<&'static str>, LogError> {
        if open.metadata.mtime() < since.timestamp() {
            return Ok(None);
        }
        let size = open.metadata.len();
        let start = start_of(&open.file, size, since, &self.calendar, self.around.cancel)?;
        let (from, note) = match start {
            Window::From(from) => (from, None),
            Window::NoTimes => {
                let note = "its lines have no timestamps: read from its last 64 KiB";
                (self.near_end(open, FIRST_LOOK, sum)?, Some(note))
            }
        };
        self.stretch(open, from, false, sum)?;
        Ok(note)
    }

    /// Reads from `from` to the end, or the last `max_bytes` of that.
    fn stretch(
        &mut self,
        open: &Open,
        from: u64,
        in_cut_line: bool,
        sum: &mut Sum,
    ) -> Result<Scanned, LogError> {
        let to = open.metadata.len();
        let mut stretch = Stretch {
            from,
            to,
            in_cut_line,
        };
        if let Some(most) = self.look.max_bytes.filter(|most| to - from.min(to) > *most) {
            stretch.from = line_start(&open.file, to - most, to)?.max(from);
            stretch.in_cut_line &= stretch.from == from;
            sum.skipped += stretch.from - from;
        }
        let tally = &mut self.tally;
        let scanned = self
            .scanner
            .scan(&open.file, stretch, |line| tally.add(line))?;
        let bytes = scanned.offset - stretch.from;
        sum.bytes += bytes;
        sum.lines += scanned.lines;
        self.reading.bytes += bytes;
        self.reading.total += scanned.lines;
        self.reading.cut += scanned.cut;
        Ok(scanned)
    }

    fn near_end(&self, open: &Open, length: u64, sum: &mut Sum) -> io::Result<u64> {
        let size = open.metadata.len();
        let from = line_start(&open.file, size.saturating_sub(length), size)?;
        sum.skipped += from;
        Ok(from)
    }

    /// Goes after paths that were read before and where no file stands now.
    ///
    /// # Errors
    /// Only when cancelled.
    pub fn missing(&mut self) -> Result<(), LogError> {
        for (name, cursor) in &self.follower.memory.files {
            let path = Path::new(name);
            let told = |file: &Source| {
                file.path == *name && matches!(file.state, SourceState::Unreadable { .. })
            };
            if self.follower.paths.contains(path) || self.reading.files.iter().any(told) {
                continue;
            }
            let since = cursor.missing_since.unwrap_or(self.around.now);
            let named = self.look.globs.iter().any(|glob| glob.names(path));
            if named && self.around.now - since <= KEPT {
                self.missing_file(name, cursor, since)?;
            } else {
                self.reading.changes.push(file_change(name, None));
            }
        }
        Ok(())
    }

    fn missing_file(
        &mut self,
        name: &str,
        cursor: &FileCursor,
        since: DateTime<Utc>,
    ) -> Result<(), LogError> {
        let path = Path::new(name);
        let trail = self.follower.follow_missing(path, cursor)?;
        let told = self.reading.files.iter().position(|file| file.path == name);
        self.tally.enter(told.unwrap_or(self.reading.files.len()));
        let mut sum = Sum::default();
        let mut after = cursor.clone();
        after.missing_since = Some(since);
        let state = match self.rests(trail.rests, &mut sum) {
            Ok(Some(rotated)) => {
                after.position = Some(rotated.position);
                Some(read_state(sum, None))
            }
            // Said once, when it is first missed.
            Ok(None) if cursor.missing_since.is_none() => {
                let note = trail.broken.and_then(|broken| note(broken, path));
                note.map(|note| SourceState::Missing { note: Some(note) })
            }
            Ok(None) => None,
            Err(LogError::Cancelled) => return Err(LogError::Cancelled),
            Err(LogError::Io(error)) => Some(unreadable(&error)),
        };
        if let Some(state) = state {
            let path = name.to_owned();
            match told {
                Some(told) => self.reading.files[told].state = state,
                None => self.reading.files.push(Source { path, state }),
            }
        }
        self.remember(name, after);
        Ok(())
    }

    fn remember(&mut self, name: &str, cursor: FileCursor) {
        if self.follower.memory.files.get(name) != Some(&cursor) {
            self.reading.changes.push(file_change(name, Some(&cursor)));
        }
    }

    fn watched(&self, path: &Path) -> Watched {
        let looked = self
            .follower
            .memory
            .looked
            .iter()
            .flat_map(|looked| &looked.globs);
        let globs: Vec<&String> = looked.collect();
        let known = |glob: &&LogGlob| globs.iter().any(|text| **text == glob.text());
        match self
            .look
            .globs
            .iter()
            .filter(known)
            .any(|glob| glob.names(path))
        {
            true => Watched::Before,
            false => Watched::Never,
        }
    }
}

fn place(open: &Open, scanned: Scanned) -> io::Result<Position> {
    Position::take(
        &open.file,
        &open.metadata,
        scanned.offset,
        scanned.in_cut_line,
    )
}

fn read_state(sum: Sum, note: Option<&'static str>) -> SourceState {
    SourceState::Read {
        lines: sum.lines,
        bytes: sum.bytes,
        skipped: sum.skipped,
        note,
    }
}

/// The state of a file that cannot be read, with what to do about it.
pub fn unreadable(error: &io::Error) -> SourceState {
    let reason = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "permission denied: logs are usually readable by the group adm (sudo usermod -aG adm reveille)".to_owned()
        }
        _ => error.to_string(),
    };
    SourceState::Unreadable { reason }
}

/// Losing an old rotated file is what rotation is for.
fn note(broken: Break, path: &Path) -> Option<&'static str> {
    match broken {
        _ if is_rotated_name(path) => None,
        Break::Truncated => {
            Some("truncated since the last look: lines written before that may be missed")
        }
        Break::Gone => Some(
            "rotated since the last look and the old file is gone or compressed: lines in it may be missed",
        ),
    }
}
