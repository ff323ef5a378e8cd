//! The engine as a whole: against independent implementations, against bad input, against cost.

mod against_others;
mod bad_input;
mod behaviour;
mod bounds;

use chrono::NaiveDate;

use super::{Calendar, Listing};
use crate::calendar::range::Range;
use crate::zone::Tz;

/// A file of `tests/data/ics`.
fn data(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ics/");
    std::fs::read(format!("{folder}{name}")).expect("the file is checked in")
}

/// Wraps components into a calendar.
fn calendar(components: &str) -> Calendar {
    let text = format!("BEGIN:VCALENDAR\r\n{components}\r\nEND:VCALENDAR\r\n");
    Calendar::parse(text.as_bytes()).expect("a calendar")
}

/// An event of these properties.
fn event(properties: &str) -> String {
    format!("BEGIN:VEVENT\n{properties}\nEND:VEVENT\n")
}

fn list(calendar: &Calendar, start: &str, days: u32, zone: &str) -> Listing {
    let start: NaiveDate = start.parse().expect("a date");
    let zone: Tz = zone.parse().expect("a zone");
    calendar.items(Range { start, days }, zone)
}
