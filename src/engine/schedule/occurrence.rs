//! The due instants of a cron entry in a zone, by cronie's rules for changes of the clocks.
//!
//! An entry of fixed times has each of its local times once: one that the clocks jumped over is due at the first instant
//! after the gap, one that comes twice is due the first time. An entry that follows real time is due whenever the clocks
//! show a fitting time: it skips what was jumped over and repeats what comes twice. The rule is the same for every change,
//! whether an hour, half an hour or a day.
//!
//! croner 4 differs in this: it takes lists and ranges of times for intervals, loses a fixed time whose gap ends on another
//! day, and gives up on gaps of more than two hours.

use chrono::{DateTime, Utc};

use super::zone::{Change, first_change, last_change, offset};
use crate::config::value::{CronEntry, Fields, Pace};
use crate::zone::Tz;

/// No zone ever showed more than a day twice.
const REPEATED: i64 = 86_400;

/// A cron entry in a zone. Instants are whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Occurrences<'a> {
    fields: &'a Fields,
    zone: Tz,
}

impl<'a> Occurrences<'a> {
    /// The due instants of `entry` in `zone`.
    pub fn new(entry: &'a CronEntry, zone: Tz) -> Self {
        let fields = entry.fields();
        Occurrences { fields, zone }
    }

    /// The first due instant after `after`.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.next_second(after.timestamp()).and_then(instant)
    }

    /// The last due instant before `before`.
    pub fn previous(&self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let partly = i64::from(before.timestamp_subsec_nanos() > 0);
        let before = before.timestamp() + partly;
        self.previous_second(before).and_then(instant)
    }

    /// The last due instant at `now` or before it.
    pub fn last(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.previous_second(now.timestamp() + 1).and_then(instant)
    }

    /// How many due instants lie after `after` and at `to` at the latest. It costs as much as there are days between
    /// them, however many instants these hold.
    pub fn count(&self, after: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
        let (mut begin, to) = (after.timestamp(), to.timestamp());
        let mut local = self.consumed(begin) + 1;
        let mut count = 0;
        loop {
            let change = first_change(self.zone, begin, to);
            let end = change.map_or(to + 1, |change| change.at) + offset(self.zone, begin);
            count += self.fields.count(local, end.max(local));
            let Some(change) = change else { return count };
            count += u64::from(self.jumped(&change).is_some());
            (begin, local) = (change.at, self.first_local(&change));
        }
    }

    /// Whether it comes again when the clocks show its times again.
    pub(super) fn repeats(&self) -> bool {
        self.fields.pace() == Pace::RealTime
    }

    /// The first of its local times that a change jumps over, where the change itself is not at one of them.
    pub(super) fn jumped(&self, change: &Change) -> Option<i64> {
        let apart = self.lands_on(change) && self.fields.misfit(change.local_after()).is_some();
        self.fields
            .first_from(change.local_before())
            .filter(|_| apart)
    }

    fn next_second(&self, after: i64) -> Option<i64> {
        let mut begin = after;
        let mut local = self.consumed(after) + 1;
        loop {
            let due = self.fields.first_from(local)? - offset(self.zone, begin);
            let Some(change) = first_change(self.zone, begin, due) else {
                return Some(due);
            };
            if self.lands_on(&change) {
                return Some(change.at);
            }
            (begin, local) = (change.at, self.first_local(&change));
        }
    }

    fn previous_second(&self, before: i64) -> Option<i64> {
        let mut end = before - 1;
        loop {
            let east = offset(self.zone, end);
            let local = self.fields.last_to(end + east)?;
            let due = local - east;
            let Some(change) = last_change(self.zone, due - REPEATED, end) else {
                return Some(due);
            };
            if due >= change.at && local >= self.first_local(&change) {
                return Some(due);
            }
            if self.lands_on(&change) {
                return Some(change.at);
            }
            end = change.at - 1;
        }
    }

    /// The latest local time that had come by `at`: for fixed times what the clocks show again does not come again.
    fn consumed(&self, at: i64) -> i64 {
        let local = at + offset(self.zone, at);
        match last_change(self.zone, at - REPEATED, at) {
            Some(change) => local.max(self.first_local(&change) - 1),
            None => local,
        }
    }

    /// The first local time that counts after a change.
    fn first_local(&self, change: &Change) -> i64 {
        match self.fields.pace() {
            Pace::Fixed => change.local_after().max(change.local_before()),
            Pace::RealTime => change.local_after(),
        }
    }

    /// Whether a fixed time lies among those that a change jumps over.
    fn lands_on(&self, change: &Change) -> bool {
        let gap = change.local_before()..change.local_after();
        self.fields.pace() == Pace::Fixed
            && self
                .fields
                .first_from(gap.start)
                .is_some_and(|local| gap.contains(&local))
    }
}

fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}
