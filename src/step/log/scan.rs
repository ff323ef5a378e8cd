//! Takes lines out of chunks: whole lines only, in constant memory whatever the file holds.

use std::fs::File;

use memchr::{memchr, memrchr};

use super::chunk::{Chunk, chunks};
use super::{Cancel, LinePattern, LogError};

/// The longest line that is looked at, in bytes; the rest of a longer one is passed over.
pub const MAX_LINE: usize = 64 * 1024;
/// Takes complete lines out of files.
#[derive(Debug)]
pub struct Scanner<'a> {
    matches: Option<&'a LinePattern>,
    ignore: Option<&'a LinePattern>,
    cancel: Cancel<'a>,
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
        Scanner {
            matches,
            ignore,
            cancel,
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
        &self,
        file: &File,
        stretch: Stretch,
        mut tell: impl FnMut(&[u8]),
    ) -> Result<Scanned, LogError> {
        let mut scanned = Scanned {
            offset: stretch.from,
            in_cut_line: stretch.in_cut_line,
            ..Scanned::default()
        };
        let mut carry = Vec::new();
        chunks(file, stretch, |chunk| {
            self.cancel.check()?;
            self.chunk(chunk, &mut carry, &mut scanned, &mut tell);
            Ok(())
        })?;
        // Every newline ends one line; one that is cut counts before its newline comes.
        scanned.lines += u64::from(scanned.in_cut_line);
        scanned.lines -= u64::from(stretch.in_cut_line);
        Ok(scanned)
    }

    /// Takes the complete lines out of `carry` and `chunk`, and leaves the rest in `carry`.
    fn chunk(
        &self,
        chunk: &mut Chunk,
        carry: &mut Vec<u8>,
        scanned: &mut Scanned,
        tell: &mut impl FnMut(&[u8]),
    ) {
        scanned.lines += chunk.newlines;
        let bytes = chunk.after(carry);
        let mut done = 0;
        if scanned.in_cut_line {
            match memchr(b'\n', bytes) {
                Some(newline) => {
                    done = newline + 1;
                    scanned.in_cut_line = false;
                }
                None => done = bytes.len(),
            }
        }
        if let Some(newline) = memrchr(b'\n', &bytes[done..]) {
            let end = done + newline + 1;
            self.lines(&bytes[done..end], scanned, tell);
            done = end;
        }
        if bytes.len() - done > MAX_LINE {
            self.cut_line(&bytes[done..done + MAX_LINE], scanned, tell);
            scanned.in_cut_line = true;
            done = bytes.len();
        }
        scanned.offset += done as u64;
        carry.clear();
        carry.extend_from_slice(&bytes[done..]);
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
                    self.whole_lines(&block[start..at], tell);
                    self.cut_line(&block[at..at + MAX_LINE], scanned, tell);
                    let rest = memchr(b'\n', &block[at + MAX_LINE..]).unwrap_or(0);
                    at += MAX_LINE + rest + 1;
                    start = at;
                }
            }
        }
        self.whole_lines(&block[start..], tell);
    }

    fn whole_lines(&self, block: &[u8], tell: &mut impl FnMut(&[u8])) {
        let mut at = 0;
        while let Some((start, end)) = self.next(block, at) {
            self.tell_unless_ignored(&block[start..end], tell);
            at = end + 1;
        }
    }

    fn cut_line(&self, line: &[u8], scanned: &mut Scanned, tell: &mut impl FnMut(&[u8])) {
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
