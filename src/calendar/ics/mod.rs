//! iCalendar (RFC 5545): bytes to the events of some days.
//!
//! `line` reads content lines, `reader` walks components, `event` and `rule` hold what they say; `recur` and `pattern`
//! work rules out, `zone` and `vtimezone` know offsets, `series` joins rules, dates, exceptions and changed
//! instances, and `listing` makes items of what falls within a range.

pub(super) mod event;
mod extent;
pub(super) mod line;
pub(super) mod listing;
mod pattern;
pub(super) mod reader;
mod recur;
mod rule;
pub(super) mod series;
#[cfg(test)]
mod tests;
pub(super) mod value;
mod vtimezone;
mod windows;
pub(super) mod zone;

use super::item::{Item, Moment};
use super::range::Range;
use crate::zone::Tz;
use series::Series;
use zone::Zones;

/// Why some bytes are no calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IcsError {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// HTML.
    #[error("this is a web page, not a calendar: is the address the *secret iCal* one?")]
    WebPage,
    /// Not text that could be read.
    #[error("this is not a calendar in plain UTF-8 text: {0}")]
    Binary(&'static str),
    /// Text of another kind; how it begins.
    #[error("this is not a calendar: it begins with `{0}` instead of `BEGIN:VCALENDAR`")]
    OtherText(String),
    /// The end is missing, as after a broken download.
    #[error("this calendar is cut off: `END:VCALENDAR` is missing (whole events read: {events})")]
    CutOff {
        /// Whole events before the end.
        events: usize,
    },
}

/// A calendar that was read.
#[derive(Debug)]
pub struct Calendar {
    series: Vec<Series>,
    zones: Zones,
    /// What was wrong with it, in words; the events concerned were left out or shown in part.
    pub warnings: Vec<String>,
}

/// What a calendar holds for some days.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// In order: see [`Item::order`].
    pub items: Vec<Item>,
    /// Series that could not be worked out, in words.
    pub warnings: Vec<String>,
}

impl Calendar {
    /// Reads a calendar, several concatenated ones included. A broken event is left out and said in `warnings`.
    pub fn parse(bytes: &[u8]) -> Result<Calendar, IcsError> {
        let contents = reader::read(bytes)?;
        let mut warnings = contents.warnings;
        let zones = contents.zones.resolve(&mut warnings);
        let series = series::group(contents.events, &mut warnings);
        Ok(Calendar {
            series,
            zones,
            warnings,
        })
    }

    /// The UID of its events, and when the first begins and the last ends, with some days around them; the end is none where
    /// it goes on for good. Seconds since 1970; none for a calendar without events.
    pub fn extent(&self, zone: Tz) -> Option<(String, i64, Option<i64>)> {
        let view = zone::View {
            zones: &self.zones,
            viewer: zone,
        };
        let seconds = |time: chrono::NaiveDateTime| time.and_utc().timestamp();
        let extents = self.series.iter().map(|series| series.extent(view));
        let (first, last) = extents.reduce(|(first, last), (from, to)| {
            (first.min(from), last.zip(to).map(|(last, to)| last.max(to)))
        })?;
        let uid = self.series.first()?.uid().to_owned();
        Some((uid, seconds(first), last.map(seconds)))
    }

    /// Which occasion of a series this is, by the start that the series gives it, where it holds one changed occasion and no
    /// series.
    pub fn replaced(&self, zone: Tz) -> Option<Moment> {
        let view = zone::View {
            zones: &self.zones,
            viewer: zone,
        };
        match self.series.as_slice() {
            [only] => only.replaced().map(|stamp| view.moment(stamp)),
            _ => None,
        }
    }

    /// The items that touch `range`, as seen from `zone`: what floats is in this zone, days are this zone's days.
    /// Cancelled ones are left out; `Item::calendar` is left to the caller.
    pub fn items(&self, range: Range, zone: Tz) -> Listing {
        listing::list(&self.series, &self.zones, range, zone)
    }
}
