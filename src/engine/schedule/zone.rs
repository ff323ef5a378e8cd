//! A zone's offsets and where they change.

use chrono::{DateTime, Offset, TimeZone, Utc};

use crate::zone::Tz;

const DAY: i64 = 86_400;

/// A change of a zone's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The first instant of the new offset, in seconds from 1970.
    pub at: i64,
    /// Seconds east of UTC until then.
    pub before: i64,
    /// Seconds east of UTC from then on.
    pub after: i64,
}

impl Change {
    /// What the clocks show as it comes: they would have shown this.
    pub fn local_before(&self) -> i64 {
        self.at + self.before
    }

    /// What the clocks show from then on.
    pub fn local_after(&self) -> i64 {
        self.at + self.after
    }
}

/// The changes of a zone after `from` and up to `to`, in their order.
///
/// Two opposite changes within a day would not be seen; no zone has them.
pub fn changes(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Change> {
    let (mut from, to) = (from.timestamp(), to.timestamp());
    let mut found = Vec::new();
    while let Some(change) = first_change(zone, from, to) {
        from = change.at;
        found.push(change);
    }
    found
}

/// Seconds east of UTC at an instant.
pub(super) fn offset(zone: Tz, at: i64) -> i64 {
    let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
    let offset = zone.offset_from_utc_datetime(&at.naive_utc());
    offset.fix().local_minus_utc().into()
}

/// The first change after `from` and at `to` at the latest.
pub(super) fn first_change(zone: Tz, from: i64, to: i64) -> Option<Change> {
    let before = offset(zone, from);
    let mut begin = from;
    while begin < to {
        let end = (begin + DAY).min(to);
        if offset(zone, end) != before {
            return Some(between(zone, begin, end));
        }
        begin = end;
    }
    None
}

/// The last change after `from` and at `to` at the latest.
pub(super) fn last_change(zone: Tz, from: i64, to: i64) -> Option<Change> {
    let after = offset(zone, to);
    let mut end = to;
    while end > from {
        let begin = (end - DAY).max(from);
        if offset(zone, begin) != after {
            return Some(between(zone, begin, end));
        }
        end = begin;
    }
    None
}

/// The change after `begin` and at `end` at the latest, which have different offsets.
fn between(zone: Tz, mut begin: i64, mut end: i64) -> Change {
    let before = offset(zone, begin);
    while end - begin > 1 {
        let middle = begin + (end - begin) / 2;
        if offset(zone, middle) == before {
            begin = middle;
        } else {
            end = middle;
        }
    }
    Change {
        at: end,
        before,
        after: offset(zone, end),
    }
}
