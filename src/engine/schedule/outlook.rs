//! What there is to say of coming moments: where the clocks change around them.

use std::fmt;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::Occurrences;
use super::zone::{Change, changes};
use crate::zone::Tz;

/// What to know about a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Since the moment before, the clocks were put forward when they showed this time.
    Forward(NaiveTime),
    /// Since the moment before, they were put back when they showed this time.
    Back(NaiveTime),
    /// The time that the entry names is jumped over: it comes at once after the gap.
    Jumped(NaiveTime),
    /// The clocks show its time twice, and it comes the first time.
    Twice(NaiveTime),
}

/// The moments after `after`, the first `count` of them, each with what there is to know about it.
pub fn outlook(
    moments: &Occurrences<'_>,
    zone: Tz,
    after: DateTime<Utc>,
    count: usize,
) -> Vec<(DateTime<Utc>, Vec<Note>)> {
    let mut before = after;
    let each = std::iter::successors(moments.next(after), |due| moments.next(*due));
    let noted = each.take(count).map(|due| {
        let notes = notes(moments, zone, (before, due));
        before = due;
        (due, notes)
    });
    noted.collect()
}

fn notes(
    moments: &Occurrences<'_>,
    zone: Tz,
    (before, due): (DateTime<Utc>, DateTime<Utc>),
) -> Vec<Note> {
    let mut notes = Vec::new();
    // Years without a moment have many changes that say nothing about it.
    let before = before.max(due - TimeDelta::days(40));
    if let Some(change) = changes(zone, before, due).last() {
        let jumped = moments
            .jumped(change)
            .filter(|_| change.at == due.timestamp());
        notes.extend(jumped.map(|local| Note::Jumped(time(local))));
        let shown = time(change.local_before());
        notes.push(if change.after > change.before {
            Note::Forward(shown)
        } else {
            Note::Back(shown)
        });
    }
    let soon = changes(zone, due, due + TimeDelta::days(1));
    let twice = |change: &Change| {
        let local = due.timestamp() + change.before;
        local >= change.local_after() && local < change.local_before() && !moments.repeats()
    };
    if soon.first().is_some_and(twice) {
        notes.push(Note::Twice(due.with_timezone(&zone).time()));
    }
    notes
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Forward(time) => write!(f, "clocks went forward at {}", short(*time)),
            Note::Back(time) => write!(f, "clocks went back at {}", short(*time)),
            Note::Jumped(time) => write!(f, "there is no {}", short(*time)),
            Note::Twice(time) => write!(f, "the first {} of two", short(*time)),
        }
    }
}

fn short(time: NaiveTime) -> String {
    let text = time.format("%H:%M:%S").to_string();
    text.strip_suffix(":00")
        .map_or_else(|| text.clone(), str::to_owned)
}

fn time(local: i64) -> NaiveTime {
    let seconds = u32::try_from(local.rem_euclid(86_400)).unwrap_or_default();
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default()
}
