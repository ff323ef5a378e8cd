//! What calendar servers give and take, Google's and CalDAV's alike: events travel as iCalendar text, so that one reader
//! expands them all, and both are kept in one table.

use std::time::Duration;

use super::Moment;
use crate::zone::Tz;

/// What changed on a server since a token was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// Whether this is all there is, so that what it does not name is gone.
    pub whole: bool,
    /// What is new, changed or gone, each id once.
    pub changes: Vec<Change>,
    /// What to ask with the next time; none asks for everything again.
    pub token: Option<String>,
}

/// One thing on a server that is new, changed or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Google's event id, or the path of a CalDAV resource.
    pub id: String,
    /// What it is now; none when it is gone.
    pub now: Option<Resource>,
}

/// What a server keeps under one id: an event, a series with its changed instances, or (Google) one changed instance of a
/// series that lies under another id and shares its UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its version, quotes and all; guards a write.
    pub etag: String,
    /// A whole VCALENDAR with one UID, time zones included.
    pub ics: String,
}

/// An event that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Chosen before the first try, lower-case letters a to v and digits only (what Google takes as an id), 5 to 200 of them:
    /// a second try finds what the first one made.
    pub uid: String,
    /// SUMMARY.
    pub title: String,
    /// LOCATION; may be empty.
    pub location: String,
    /// DESCRIPTION; may be empty.
    pub description: String,
    /// When it begins.
    pub start: Moment,
    /// When it ends, exclusive; of the same kind as `start`.
    pub end: Moment,
    /// Whose clock the times are of.
    pub zone: Tz,
}

/// What is to be changed or deleted.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The id under which it lies.
    pub id: &'a str,
    /// What was last seen there.
    pub seen: &'a Resource,
    /// Which occurrence of a series, by the start that its rule gives it; none is the whole.
    pub occurrence: Option<Moment>,
}

/// Why a server gave or took nothing.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Only a person can mend it; what happened, and the command to run.
    #[error("{why}: {right}")]
    SignIn {
        /// What is wrong, without secrets.
        why: String,
        /// What to do.
        right: String,
    },
    /// It may be read, not written, or not even that.
    #[error("{0}")]
    Refused(String),
    /// Nothing lies there (any more).
    #[error("it is not there any more")]
    Gone,
    /// Somebody else changed it since it was seen.
    #[error("it was changed elsewhere meanwhile: look at it and say it again")]
    Changed,
    /// Too much was asked of it, or it has trouble of its own; the tries are used up.
    #[error("{why}")]
    Busy {
        /// What it said.
        why: String,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// The way there.
    #[error("{0}")]
    Net(String),
    /// It answers with something else than expected.
    #[error("its answer is of no use: {0}")]
    Answer(String),
}
