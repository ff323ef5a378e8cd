//! Where reading goes on in a file, whatever rotation did to it since the last look.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use super::cursor::{Position, Rotated};
use super::find::is_compressed;
use super::{Cancel, FileCursor, LogError, Memory};

/// How long a rotated file is still followed: until its program has opened the new one.
pub const FOLLOWED: TimeDelta = TimeDelta::hours(1);

/// A file that is open, and from where to read it.
#[derive(Debug)]
pub struct Open {
    /// Where it stands.
    pub path: PathBuf,
    /// The file.
    pub file: File,
    /// As of its opening: what is written later belongs to the next look.
    pub metadata: Metadata,
}

/// How the file at a path goes on.
#[derive(Debug)]
pub struct Trail {
    /// Rotated files with lines that may not have been read, oldest first.
    pub rests: Vec<Left>,
    /// Where reading the path's own file begins.
    pub start: Start,
    /// What could not be followed.
    pub broken: Option<Break>,
}

/// A rotated file, and what is known of it.
#[derive(Debug)]
pub struct Left {
    /// The file.
    pub open: Open,
    /// Up to where it was read.
    pub at: Position,
    /// How long it is followed, when that is already settled.
    pub until: Option<DateTime<Utc>>,
}

/// Where reading begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Where the last look ended.
    At(Position),
    /// A new or emptied file.
    Beginning,
    /// A first look: the end of what there is.
    Tail,
}

/// Why lines may have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The file became shorter or another, under the same inode, and no copy was found.
    Truncated,
    /// The file that was read is gone (deleted, compressed, moved away).
    Gone,
}

/// Where the rest of a rotated file is.
enum Rest {
    Found(Box<Open>),
    /// A file of this same look, which is read under its own path.
    ReadItself,
    Gone,
}

/// Follows the files of one look.
#[derive(Debug)]
pub struct Follower<'a> {
    /// What the last look left.
    pub memory: &'a Memory,
    /// The paths of this look.
    pub paths: &'a BTreeSet<PathBuf>,
    /// The look's moment.
    pub now: DateTime<Utc>,
    /// Asked between files.
    pub cancel: Cancel<'a>,
}

impl Follower<'_> {
    /// Follows the file at a path of this look; `watched` tells whether an earlier look covered the path.
    ///
    /// # Errors
    /// Only when cancelled.
    pub fn follow(&self, open: &Open, watched: Watched) -> Result<Trail, LogError> {
        let name = open.path.to_string_lossy();
        let cursor = self.memory.files.get(name.as_ref());
        let mut trail = self.rests_of(&open.path, cursor, Some(&open.metadata), |position| {
            position.is_in(&open.file, &open.metadata)
        })?;
        let here = cursor.and_then(|cursor| cursor.position.as_ref());
        trail.start = match here.filter(|here| here.is_in(&open.file, &open.metadata)) {
            Some(here) => Start::At(here.clone()),
            None => match self.moved_here(open) {
                Some(position) => Start::At(position),
                None if cursor.is_some() || watched == Watched::Before => Start::Beginning,
                None => Start::Tail,
            },
        };
        Ok(trail)
    }

    /// What is left to read of a path where no file stands any more.
    ///
    /// # Errors
    /// Only when cancelled.
    pub fn follow_missing(&self, path: &Path, cursor: &FileCursor) -> Result<Trail, LogError> {
        self.rests_of(path, Some(cursor), None, |_| false)
    }

    fn rests_of(
        &self,
        path: &Path,
        cursor: Option<&FileCursor>,
        metadata: Option<&Metadata>,
        is_here: impl Fn(&Position) -> bool,
    ) -> Result<Trail, LogError> {
        let mut trail = Trail {
            rests: Vec::new(),
            start: Start::Beginning,
            broken: None,
        };
        let Some(cursor) = cursor else {
            return Ok(trail);
        };
        if let Some(Rotated { position, until }) = &cursor.rotated
            && *until > self.now
            && let Rest::Found(open) = self.rest(path, position)?
        {
            let open = *open;
            let (at, until) = (position.clone(), Some(*until));
            trail.rests.push(Left { open, at, until });
        }
        if let Some(position) = cursor.position.as_ref().filter(|at| !is_here(at)) {
            match self.rest(path, position)? {
                Rest::Found(open) => {
                    let open = *open;
                    let (at, until) = (position.clone(), None);
                    trail.rests.push(Left { open, at, until });
                }
                Rest::ReadItself => {}
                Rest::Gone if metadata.is_some_and(|now| position.has_inode_of(now)) => {
                    trail.broken = Some(Break::Truncated);
                }
                Rest::Gone => trail.broken = Some(Break::Gone),
            }
        }
        Ok(trail)
    }

    /// Looks beside `path` for the file that `position` is in: renamed, or else copied away.
    fn rest(&self, path: &Path, position: &Position) -> Result<Rest, LogError> {
        let mut copy: Option<Open> = None;
        for sibling in siblings(path) {
            self.cancel.check()?;
            let Some(open) = Open::at(&sibling) else {
                continue;
            };
            if position.is_in(&open.file, &open.metadata) {
                return Ok(self.found(open));
            }
            let newer = |copy: &Open| modified(&copy.metadata) < modified(&open.metadata);
            if position.is_in_copy(&open.file, &open.metadata) && copy.as_ref().is_none_or(newer) {
                copy = Some(open);
            }
        }
        Ok(copy.map_or(Rest::Gone, |copy| self.found(copy)))
    }

    fn found(&self, open: Open) -> Rest {
        match self.paths.contains(&open.path) {
            true => Rest::ReadItself,
            false => Rest::Found(Box::new(open)),
        }
    }

    /// The place that another path's cursor has in this file: it was renamed, or its content was copied, to here.
    fn moved_here(&self, open: &Open) -> Option<Position> {
        let mut copied = None;
        for (path, cursor) in &self.memory.files {
            let path = Path::new(path);
            let Some(position) = cursor.position.as_ref().filter(|_| path != open.path) else {
                continue;
            };
            if position.is_in(&open.file, &open.metadata) {
                return Some(position.clone());
            }
            let still_there =
                || Open::at(path).is_some_and(|there| position.is_in(&there.file, &there.metadata));
            if position.is_in_copy(&open.file, &open.metadata) && !still_there() {
                copied = Some(position.clone());
            }
        }
        copied
    }
}

/// Whether an earlier look covered a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// So a file that appears is new.
    Before,
    /// So a file may be years old.
    Never,
}

impl Open {
    /// Opens a regular file; `None` for anything else.
    pub fn at(path: &Path) -> Option<Self> {
        // Asked before opening: a named pipe would wait for its other end.
        fs::metadata(path).ok().filter(Metadata::is_file)?;
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let path = path.to_owned();
        Some(Open {
            path,
            file,
            metadata,
        })
    }
}

/// Whether a file's name is one that rotation gives: `app.log.1`, `app.log-20261120`.
pub fn is_rotated_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit(['.', '-'])
        .next()
        .is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The files beside `path` whose names begin as its name does.
pub fn siblings(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else {
        return Vec::new();
    };
    let stem = stem.as_encoded_bytes();
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(stem))
        .map(|entry| entry.path())
        .filter(|sibling| sibling != path && !is_compressed(sibling))
        .collect()
}

fn modified(metadata: &Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}
