//! Where the lines of the last minutes begin in a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use chrono::{DateTime, Utc};
use memchr::{memchr, memrchr};

use super::stamp::Calendar;
use super::{Cancel, LogError};

/// Below this distance the search reads on from line to line, in bytes.
const NEAR: u64 = 64 * 1024;
/// How much is read at one place to find a line with a timestamp, in bytes.
const PROBE: usize = 128 * 1024;

/// What a file's timestamps say about a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The first line at or after the moment; lines without a timestamp belong to the line before.
    From(u64),
    /// No line at the end of the file has a timestamp that is understood.
    NoTimes,
}

/// Finds the first line of `file` (of `size` bytes) at or after `since`: by bisection, because logs grow in time's order.
///
/// # Errors
/// The file cannot be read, or the look was cancelled.
pub fn start_of(
    file: &File,
    size: u64,
    since: DateTime<Utc>,
    calendar: &Calendar,
    cancel: Cancel<'_>,
) -> Result<Window, LogError> {
    let mut probe = Probe {
        file,
        size,
        calendar,
        buffer: vec![0; PROBE],
    };
    let (mut low, mut high) = (0, size);
    while high - low > NEAR {
        cancel.check()?;
        let middle = low + (high - low) / 2;
        match probe.first_time(middle, high)? {
            Some((line, at)) if at < since => low = line,
            _ => high = middle,
        }
    }
    // `low` is a line before the moment, or the file's beginning: read on from there.
    let mut any = false;
    let mut at = low;
    while let Some((line, time)) = probe.first_time(at, size)? {
        cancel.check()?;
        any = true;
        if time >= since {
            return Ok(Window::From(line));
        }
        at = line + 1;
        if at > high + NEAR {
            break;
        }
    }
    Ok(if any {
        Window::From(size)
    } else {
        Window::NoTimes
    })
}

/// The first line start at or after `offset`.
///
/// # Errors
/// The file cannot be read.
pub fn line_start(file: &File, offset: u64, size: u64) -> io::Result<u64> {
    if offset == 0 {
        return Ok(0);
    }
    let mut buffer = [0; 8 * 1024];
    // From the byte before: an offset right after a newline is a line's start.
    let mut at = offset - 1;
    while at < size {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            break;
        }
        if let Some(newline) = memchr(b'\n', &buffer[..read]) {
            return Ok(at + newline as u64 + 1);
        }
        at += read as u64;
    }
    // One line without an end: it is read from its beginning once it has one, so nothing is skipped in it.
    last_line_start(file, offset)
}

fn last_line_start(file: &File, before: u64) -> io::Result<u64> {
    let mut buffer = [0; 8 * 1024];
    let mut end = before;
    // Not further back than a line may be long: a longer one is passed over anyway.
    let least = before.saturating_sub(super::scan::MAX_LINE as u64);
    while end > least {
        let start = end.saturating_sub(buffer.len() as u64).max(least);
        let length = usize::try_from(end - start).unwrap_or(0);
        file.read_exact_at(&mut buffer[..length], start)?;
        if let Some(newline) = memrchr(b'\n', &buffer[..length]) {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(least)
}

struct Probe<'a> {
    file: &'a File,
    size: u64,
    calendar: &'a Calendar,
    buffer: Vec<u8>,
}

impl Probe<'_> {
    /// The first line that begins in `from..to` and has a timestamp, within one buffer.
    fn first_time(&mut self, from: u64, to: u64) -> io::Result<Option<(u64, DateTime<Utc>)>> {
        let start = line_start(self.file, from, self.size)?;
        if start >= to {
            return Ok(None);
        }
        let read = self.file.read_at(&mut self.buffer, start)?;
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &self.buffer[at..read]) {
            let line = start + at as u64;
            if line >= to {
                break;
            }
            if let Some(time) = self.calendar.time_of(&self.buffer[at..at + length]) {
                return Ok(Some((line, time)));
            }
            at += length + 1;
        }
        Ok(None)
    }
}
