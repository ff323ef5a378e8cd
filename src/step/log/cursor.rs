//! Where a file was read up to, and how to know it again.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::hash::fnv1a;

/// The most that is hashed of a file's beginning, in bytes.
const HEAD: u64 = 1024;
/// The most that is hashed before the offset, in bytes.
const TAIL: u64 = 256;
/// From how many bytes on content alone tells files apart, without the inode or the device number.
const TELLING: u64 = 64;

/// What is remembered of one path between looks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FileCursor {
    /// Where reading ended; `None` when there was no file yet.
    pub position: Option<Position>,
    /// The file that stood at the path before: programs write to it until they open the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<Rotated>,
    /// Since when there is no file at the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<DateTime<Utc>>,
}

/// A rotated file that is still followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rotated {
    /// Where reading it ended.
    pub position: Position,
    /// How long it is followed.
    pub until: DateTime<Utc>,
}

/// A place in one file, with what tells that file from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    device: u64,
    inode: u64,
    /// The first byte that was not read.
    pub offset: u64,
    /// Whether the offset lies within a line that was already counted as cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_cut_line: bool,
    head: Mark,
    tail: Mark,
}

/// The hash of some bytes of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mark {
    at: u64,
    length: u64,
    hash: u64,
}

impl Position {
    /// The place `offset` in `file`; the marks cover only what was read, because that does not change.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn take(
        file: &File,
        metadata: &Metadata,
        offset: u64,
        in_cut_line: bool,
    ) -> io::Result<Self> {
        let tail = offset.min(TAIL);
        Ok(Position {
            device: metadata.dev(),
            inode: metadata.ino(),
            offset,
            in_cut_line,
            head: Mark::take(file, 0, offset.min(HEAD))?,
            tail: Mark::take(file, offset - tail, tail)?,
        })
    }

    /// Whether `file` is the one this place is in, grown or not.
    ///
    /// Device numbers may change when the machine starts, so they count only where content cannot tell.
    pub fn is_in(&self, file: &File, metadata: &Metadata) -> bool {
        self.inode == metadata.ino()
            && (self.device == metadata.dev() || self.offset >= TELLING)
            && self.holds(file, metadata)
    }

    /// Whether `file` is a copy of the one this place is in (copytruncate makes one).
    pub fn is_in_copy(&self, file: &File, metadata: &Metadata) -> bool {
        self.offset > 0 && self.holds(file, metadata)
    }

    /// Whether `metadata` is of the same inode: with other content it was truncated or used again.
    pub fn has_inode_of(&self, metadata: &Metadata) -> bool {
        self.inode == metadata.ino() && self.device == metadata.dev()
    }

    fn holds(&self, file: &File, metadata: &Metadata) -> bool {
        metadata.len() >= self.offset && self.head.holds(file) && self.tail.holds(file)
    }
}

impl Mark {
    fn take(file: &File, at: u64, length: u64) -> io::Result<Self> {
        let mut bytes = [0; HEAD as usize];
        let bytes = &mut bytes[..length as usize];
        file.read_exact_at(bytes, at)?;
        let hash = fnv1a(bytes);
        Ok(Mark { at, length, hash })
    }

    fn holds(&self, file: &File) -> bool {
        self.length <= HEAD
            && Mark::take(file, self.at, self.length).is_ok_and(|mark| mark.hash == self.hash)
    }
}
