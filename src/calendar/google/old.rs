//! What an event was, read back from the text that `text` (the module) made of it.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use google_calendar3::api::EventDateTime;

use super::text::MAX_DESCRIPTION;
use crate::calendar::ics::line::{ContentLine, Lines};
use crate::calendar::ics::value::{self, Written};
use crate::zone::Tz;

/// Longest text that is read.
const MAX_TEXT: usize = 100_000;

/// An event as it was.
#[derive(Debug, Default)]
pub(super) struct Old {
    pub(super) title: String,
    pub(super) location: String,
    /// None where it was cut, and is better left as it is.
    pub(super) description: Option<String>,
    pub(super) start: Option<EventDateTime>,
    pub(super) end: Option<EventDateTime>,
    pub(super) is_tentative: bool,
    /// Whether it is one instance of a series.
    pub(super) is_instance: bool,
}

impl Old {
    /// Reads a VCALENDAR with one event.
    pub(super) fn read(ics: &str) -> Old {
        let mut old = Old {
            description: Some(String::new()),
            ..Old::default()
        };
        for raw in Lines::new(ics.as_bytes()) {
            let unfolded = raw.unfold();
            let Some(line) = ContentLine::parse(&unfolded) else {
                continue;
            };
            let text = || value::text(line.value, MAX_TEXT);
            if line.is("SUMMARY") {
                old.title = text();
            } else if line.is("LOCATION") {
                old.location = text();
            } else if line.is("DESCRIPTION") {
                let whole = text();
                let is_cut = whole.chars().count() >= MAX_DESCRIPTION;
                old.description = Some(whole).filter(|_| !is_cut);
            } else if line.is("DTSTART") {
                old.start = moment(&line);
            } else if line.is("DTEND") {
                old.end = moment(&line);
            } else if line.is("STATUS") {
                old.is_tentative = line.value == b"TENTATIVE";
            } else if line.is("RECURRENCE-ID") {
                old.is_instance = true;
            }
        }
        old
    }

    /// When an instance was that nobody had changed: where its rule has it, as long as its series says.
    pub(super) fn unchanged(
        &self,
        original: &EventDateTime,
    ) -> Option<(EventDateTime, EventDateTime)> {
        let (start, end) = (self.start.as_ref()?, self.end.as_ref()?);
        let mut until = original.clone();
        until.date = match (original.date, start.date, end.date) {
            (Some(day), Some(first), Some(last)) => day.checked_add_signed(last - first),
            _ => None,
        };
        until.date_time = match (original.date_time, start.date_time, end.date_time) {
            (Some(at), Some(first), Some(last)) => at.checked_add_signed(last - first),
            _ => None,
        };
        Some((original.clone(), until))
    }
}

fn moment(line: &ContentLine<'_>) -> Option<EventDateTime> {
    let named = line.param("TZID").and_then(|name| Tz::named(&name));
    let zone = named.unwrap_or(Tz::UTC);
    Some(match value::stamp(line.value)? {
        Written::Date(day) => of_day(day),
        Written::Utc(at) => EventDateTime {
            date_time: Some(at.and_utc()),
            ..EventDateTime::default()
        },
        Written::Local(local) => EventDateTime {
            date_time: Some(instant(zone, local)),
            time_zone: Some(zone.name().to_owned()),
            date: None,
        },
    })
}

fn of_day(day: NaiveDate) -> EventDateTime {
    EventDateTime {
        date: Some(day),
        ..EventDateTime::default()
    }
}

/// Of a time that comes twice the first; one that never comes is an hour later.
fn instant(zone: Tz, local: NaiveDateTime) -> chrono::DateTime<Utc> {
    let known = zone.from_local_datetime(&local).earliest();
    let later = || {
        zone.from_local_datetime(&(local + TimeDelta::hours(1)))
            .earliest()
    };
    known
        .or_else(later)
        .map_or_else(|| local.and_utc(), |at| at.to_utc())
}
