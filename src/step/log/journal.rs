//! The `journal` step: what is new in systemd's journal, grouped as log lines are.

mod entry;
mod process;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::memory::{JournalCursor, Looked, journal_change, looked_change};
use super::scan::MAX_LINE;
use super::stamp::Calendar;
use super::tally::Tally;
use super::{Choice, Memory, Reading, Since, Source, SourceState};
use crate::zone::Tz;
use entry::Entry;
pub use process::JournalError;
use process::Running;

/// How many entries a first look takes.
const FIRST_LOOK: &str = "500";
/// The longest entry as JSON, in bytes; a longer one is counted as cut and not told.
const MAX_ENTRY: usize = 1024 * 1024;
/// Units told apart in `files`.
const MAX_UNITS: usize = 200;

/// How the journal is read.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The program and its first arguments: `["journalctl"]`.
    pub command: Vec<String>,
    /// The unit whose entries are never read: Reveille's own.
    pub own_unit: String,
}

/// What a `journal` step looks at and what it tells.
#[derive(Debug, Clone)]
pub struct JournalLook {
    /// Units; empty is all.
    pub units: Vec<String>,
    /// From where on; a first look since the last run takes the last 500 entries.
    pub since: Since,
    /// What of it is told; `match` and `ignore` see `program: message`.
    pub choice: Choice,
}

/// Looks at the journal. Dropping the future ends journalctl and its children.
///
/// # Errors
/// journalctl is not there, may not read the journal, or failed.
pub async fn read_journal(
    look: &JournalLook,
    memory: &Memory,
    journal: &Journal,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<Reading, JournalError> {
    let calendar = Calendar::new(zone, now);
    let mut gathered = Gathered::new(look, memory, &calendar, zone);
    let from = start(look, memory, now);
    match gather(&mut gathered, look, journal, from).await {
        // journald deletes old entries, and their cursors with them: then the time has to do.
        Err(JournalError::Cursor) => {
            let since = memory
                .journal
                .as_ref()
                .map(|cursor| cursor.at + TimeDelta::microseconds(1));
            gather(&mut gathered, look, journal, since_argument(since)).await?;
        }
        done => done?,
    }
    let Gathered {
        tally,
        mut reading,
        last,
        ..
    } = gathered;
    reading.tell(tally, &look.choice, memory, now);
    if look.since == Since::LastRun
        && let Some(cursor) = last
    {
        reading.changes.push(journal_change(&cursor));
    }
    if look.choice.remembers() || memory.looked.is_none() && look.since == Since::LastRun {
        let globs = Vec::new();
        reading
            .changes
            .push(looked_change(&Looked { at: now, globs }));
    }
    Ok(reading)
}

/// The argument that says from where on to read.
fn start(look: &JournalLook, memory: &Memory, now: DateTime<Utc>) -> Option<String> {
    match (look.since, &memory.journal, &memory.looked) {
        (Since::Start, ..) => None,
        (Since::Within(time), ..) => {
            let time = TimeDelta::from_std(time).ok();
            since_argument(time.and_then(|time| now.checked_sub_signed(time)))
        }
        (Since::LastRun, Some(at), _) => Some(format!("--after-cursor={}", at.cursor)),
        (Since::LastRun, None, Some(looked)) => since_argument(Some(looked.at)),
        (Since::LastRun, None, None) => Some(format!("--lines={FIRST_LOOK}")),
    }
}

/// systemd.time(7): seconds since the epoch after an `@`, with a fraction.
fn since_argument(since: Option<DateTime<Utc>>) -> Option<String> {
    let since = since?;
    let (seconds, micros) = (since.timestamp(), since.timestamp_subsec_micros());
    Some(format!("--since=@{seconds}.{micros:06}"))
}

async fn gather(
    gathered: &mut Gathered<'_>,
    look: &JournalLook,
    journal: &Journal,
    from: Option<String>,
) -> Result<(), JournalError> {
    let fields = "--output-fields=MESSAGE,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_COMM";
    let mut arguments: Vec<String> = ["--output=json", "--no-pager", "--all", fields]
        .map(str::to_owned)
        .into();
    arguments.extend(from);
    arguments.extend(look.units.iter().map(|unit| format!("--unit={unit}")));
    let (mut running, stdout, stderr) = Running::start(&journal.command, &arguments)?;
    let (read, complaints) = tokio::join!(
        each_entry(stdout, |entry| gathered.add(entry, journal)),
        process::complaints(stderr)
    );
    read?;
    running.end(&complaints).await
}

/// Calls `tell` with each line of `stdout`, at most the first [`MAX_ENTRY`] bytes of it.
async fn each_entry(
    stdout: impl AsyncRead + Unpin,
    mut tell: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    let mut stdout = BufReader::new(stdout);
    let mut entry = Vec::new();
    loop {
        let bytes = stdout.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(());
        }
        let newline = memchr::memchr(b'\n', bytes);
        let end = newline.unwrap_or(bytes.len());
        let room = (MAX_ENTRY - entry.len()).min(end);
        entry.extend_from_slice(&bytes[..room]);
        stdout.consume(newline.map_or(end, |newline| newline + 1));
        if newline.is_some() {
            tell(&entry);
            entry.clear();
        }
    }
}

/// What came out of the journal so far.
struct Gathered<'a> {
    look: &'a JournalLook,
    zone: Tz,
    tally: Tally<'a>,
    reading: Reading,
    last: Option<JournalCursor>,
    line: Vec<u8>,
}

impl<'a> Gathered<'a> {
    fn new(look: &'a JournalLook, memory: &Memory, calendar: &'a Calendar, zone: Tz) -> Self {
        let mut gathered = Gathered {
            look,
            zone,
            tally: Tally::new(look.choice.remembers().then_some(memory), calendar),
            reading: Reading::default(),
            last: None,
            line: Vec::new(),
        };
        for unit in &look.units {
            gathered.unit(unit);
        }
        gathered
    }

    fn add(&mut self, json: &[u8], journal: &Journal) {
        self.reading.bytes += json.len() as u64;
        let Some(entry) = Entry::parse(json) else {
            self.reading.cut += 1;
            if let Some((cursor, at)) = entry::place(json) {
                self.last = Some(JournalCursor { cursor, at });
            }
            return;
        };
        let (cursor, at) = (entry.cursor, entry.at);
        self.last = Some(JournalCursor { cursor, at });
        if entry.unit == journal.own_unit {
            return;
        }
        let time = at.with_timezone(&self.zone);
        let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.line.clear();
        self.line.extend_from_slice(time.as_bytes());
        self.line.push(b' ');
        let start = self.line.len();
        self.line.extend_from_slice(entry.program.as_bytes());
        self.line.extend_from_slice(b": ");
        let one_line = |&byte: &u8| if byte == b'\n' { b' ' } else { byte };
        self.line.extend(entry.message.iter().map(one_line));
        if self.line.len() > MAX_LINE {
            self.line.truncate(MAX_LINE);
            self.reading.cut += 1;
        }
        self.reading.total += 1;
        let source = self.unit(&entry.unit);
        if let SourceState::Read { lines, bytes, .. } = &mut self.reading.files[source].state {
            *lines += 1;
            *bytes += json.len() as u64;
        }
        if self.look.choice.wants(&self.line[start..]) {
            self.tally.enter(source);
            self.tally.add(&self.line);
        }
    }

    /// The unit's place in `files`; units beyond the bound share the last.
    fn unit(&mut self, unit: &str) -> usize {
        let named = |file: &Source| file.path == unit || file.path == format!("{unit}.service");
        let known = self.reading.files.iter().position(|file| {
            named(file) || unit.strip_suffix(".service") == Some(file.path.as_str())
        });
        let files = &mut self.reading.files;
        match known {
            Some(place) => place,
            None if files.len() >= MAX_UNITS => files.len() - 1,
            None => {
                let state = SourceState::Read {
                    lines: 0,
                    bytes: 0,
                    skipped: 0,
                    note: None,
                };
                let path = unit.to_owned();
                files.push(Source { path, state });
                files.len() - 1
            }
        }
    }
}

#[cfg(test)]
mod tests;
