//! The words in which a tracker is told and tells.

use super::Change;
use super::version::Version;

/// What somebody found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File(Version),
    /// No file.
    Nothing,
    /// It could not be seen: that tells nothing.
    Unknown,
}

impl Found {
    /// The version, where there is a file.
    pub fn version(self) -> Option<Version> {
        match self {
            Found::File(version) => Some(version),
            Found::Nothing | Found::Unknown => None,
        }
    }
}

/// What becomes of a path that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to tell, or not yet.
    Wait,
    /// It is to be told.
    Tell(Change),
    /// The job does not want to hear of it, but its version is remembered.
    Remember,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is on the disk.
    Accepted,
    /// It is offered again.
    Refused,
}

/// How files count that were never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They came since.
    News,
    /// They were there before the trigger was.
    Baseline,
}

/// What made a path suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A name appeared.
    Appeared,
    /// A file was written to or went, or a scan found something.
    Other,
}
