//! Held against a second way to the same moments: every second is walked, and cronie's rules are applied to it.

mod brute;
mod clocks;
mod missed;
mod start;

use chrono::{DateTime, Utc};

use super::Occurrences;
use crate::config::value::CronEntry;
use crate::zone::Tz;

fn entry(text: &str) -> CronEntry {
    CronEntry::read(text).unwrap_or_else(|(what, right)| panic!("{what}: {right}"))
}

fn at(text: &str) -> DateTime<Utc> {
    let text = if text.len() == 16 {
        format!("{text}:00Z")
    } else {
        text.to_owned()
    };
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn zone(name: &str) -> Tz {
    name.parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The moments after `from` and up to `to`, one after the other.
fn forward(
    moments: &Occurrences<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<DateTime<Utc>> {
    let each = std::iter::successors(moments.next(from), |due| moments.next(*due));
    each.take_while(|due| *due <= to).collect()
}
