//! The reading loop: one fixed buffer, whole lines, constant memory whatever the file holds.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memchr_iter, memrchr};

use super::{Cancel, LinePattern, LogError};

/// The longest line that is looked at, in bytes; the rest of a longer one is passed over.
pub const MAX_LINE: usize = 64 * 1024;
/// The reading buffer, in bytes: it holds at least one line that is not cut.
const BUFFER: usize = 256 * 1024;

/// Takes complete lines out of files.
#[derive(Debug)]
pub struct Scanner<'a> {
    matches: Option<&'a LinePattern>,
    ignore: Option<&'a LinePattern>,
    cancel: Cancel<'a>,
    buffer: Vec<u8>,
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// The first byte.
    pub from: u64,
    /// After the last byte.
    pub to: u64,
    /// Whether `from` lies within a line that was already counted.
    pub in_cut_line: bool,
}

/// What came of reading a stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scanned {
    /// After the last complete line, or within a cut one.
    pub offset: u64,
    /// Whether `offset` lies within a line that is already counted.
    pub in_cut_line: bool,
    /// Lines, whether they match or not.
    pub lines: u64,
    /// Lines longer than [`MAX_LINE`].
    pub cut: u64,
}

impl<'a> Scanner<'a> {
    /// Tells lines that match `matches` (each, if `None`) and not `ignore`.
    pub fn new(
        matches: Option<&'a LinePattern>,
        ignore: Option<&'a LinePattern>,
        cancel: Cancel<'a>,
    ) -> Self {
        let buffer = vec![0; BUFFER];
        Scanner {
            matches,
            ignore,
            cancel,
            buffer,
        }
    }

    /// Reads `stretch` of `file` and calls `tell` with each line that is wanted, without its newline.
    ///
    /// A line without a newline at the end is not complete and not counted, unless it is already longer
    /// than [`MAX_LINE`]: then it is counted as cut now, and its rest is passed over in later looks.
    ///
    /// # Errors
    /// The file cannot be read, or the look was cancelled.
    pub fn scan(
        &mut self,
        file: &File,
        stretch: Stretch,
        mut tell: impl FnMut(&[u8]),
    ) -> Result<Scanned, LogError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let scanned = self.scan_with(&mut buffer, file, stretch, &mut tell);
        self.buffer = buffer;
        scanned
    }

    fn scan_with(
        &self,
        buffer: &mut [u8],
        file: &File,
        stretch: Stretch,
        tell: &mut impl FnMut(&[u8]),
    ) -> Result<Scanned, LogError> {
        let mut scanned = Scanned {
            offset: stretch.from,
            in_cut_line: stretch.in_cut_line,
            ..Scanned::default()
        };
        let mut held = 0;
        loop {
            self.cancel.check()?;
            let read_from = scanned.offset + held as u64;
            let left = stretch.to.saturating_sub(read_from);
            let room = (BUFFER - held).min(usize::try_from(left).unwrap_or(BUFFER));
            let read = read_at(file, &mut buffer[held..held + room], read_from)?;
            if read == 0 {
                return Ok(scanned);
            }
            held += read;
            let mut done = 0;
            if scanned.in_cut_line {
                match memchr(b'\n', &buffer[..held]) {
                    Some(newline) => {
                        done = newline + 1;
                        scanned.in_cut_line = false;
                    }
                    None => done = held,
                }
            }
            if let Some(newline) = memrchr(b'\n', &buffer[done..held]) {
                let end = done + newline + 1;
                self.lines(&buffer[done..end], &mut scanned, tell);
                done = end;
            }
            if held - done > MAX_LINE {
                self.cut_line(&buffer[done..done + MAX_LINE], &mut scanned, tell);
                scanned.in_cut_line = true;
                done = held;
            }
            buffer.copy_within(done..held, 0);
            held -= done;
            scanned.offset += done as u64;
        }
    }

    /// `block` holds complete lines; those too long are taken out, so that where a match may be does not
    /// depend on how the file fell into buffers.
    fn lines(&self, block: &[u8], scanned: &mut Scanned, tell: &mut impl FnMut(&[u8])) {
        let mut start = 0;
        let mut at = 0;
        while at + MAX_LINE < block.len() {
            match memrchr(b'\n', &block[at..=at + MAX_LINE]) {
                Some(newline) => at += newline + 1,
                None => {
                    self.whole_lines(&block[start..at], scanned, tell);
                    self.cut_line(&block[at..at + MAX_LINE], scanned, tell);
                    let rest = memchr(b'\n', &block[at + MAX_LINE..]).unwrap_or(0);
                    at += MAX_LINE + rest + 1;
                    start = at;
                }
            }
        }
        self.whole_lines(&block[start..], scanned, tell);
    }

    fn whole_lines(&self, block: &[u8], scanned: &mut Scanned, tell: &mut impl FnMut(&[u8])) {
        scanned.lines += memchr_iter(b'\n', block).count() as u64;
        let mut at = 0;
        while let Some((start, end)) = self.next(block, at) {
            self.tell_unless_ignored(&block[start..end], tell);
            at = end + 1;
        }
    }

    fn cut_line(&self, line: &[u8], scanned: &mut Scanned, tell: &mut impl FnMut(&[u8])) {
        scanned.lines += 1;
        scanned.cut += 1;
        if self.matches.is_none_or(|pattern| pattern.is_match(line)) {
            self.tell_unless_ignored(line, tell);
        }
    }

    fn next(&self, block: &[u8], at: usize) -> Option<(usize, usize)> {
        if at >= block.len() {
            return None;
        }
        match self.matches {
            Some(pattern) => pattern.next_line(block, at),
            None => memchr(b'\n', &block[at..]).map(|length| (at, at + length)),
        }
    }

    fn tell_unless_ignored(&self, line: &[u8], tell: &mut impl FnMut(&[u8])) {
        if !self.ignore.is_some_and(|pattern| pattern.is_match(line)) {
            tell(line);
        }
    }
}

fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
