//! What a calendar holds for a day, as templates see it.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};

/// Most names in [`Item::overlaps`].
const MAX_OVERLAPS: usize = 10;

/// One event on one occasion, in the viewer's zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The day it is listed under: its first, or the range's first when it began before.
    pub date: NaiveDate,
    /// The weekday of `date`, 1 (Monday) to 7 (Sunday), as in ISO 8601.
    pub weekday: u32,
    /// `09:00`; empty for a whole day. Of the event's own first day.
    pub start_time: String,
    /// `09:30`; empty for a whole day. Of the event's own last day.
    pub end_time: String,
    /// Whether it is about days and not about times.
    pub all_day: bool,
    /// SUMMARY; may be empty.
    pub title: String,
    /// LOCATION; may be empty.
    pub location: String,
    /// DESCRIPTION, at most 2,000 characters; may be empty.
    pub description: String,
    /// The label of its calendar, given by the caller.
    pub calendar: String,
    /// When it begins.
    pub start: Moment,
    /// When it ends, exclusive: an all-day event of one day ends on the next.
    pub end: Moment,
    /// Which of its days `date` is, from 1.
    pub day: u32,
    /// How many days it touches.
    pub days: u32,
    /// It began before the range.
    pub starts_before: bool,
    /// It goes on after the range.
    pub ends_after: bool,
    /// Titles of timed items at the same time, at most 10; see [`mark_overlaps`].
    pub overlaps: Vec<String>,
    /// `confirmed` or `tentative`.
    pub status: String,
    /// UID; the same for all occasions of a series.
    pub uid: String,
    /// What `update` and `delete` take to mean it; empty where its calendar is only read.
    pub entry: String,
    /// The start that its series gives it; none where it is no occasion of one.
    pub original: Option<Moment>,
    /// The start in seconds since 1970 (a whole day's is its local midnight).
    pub timestamp: i64,
}

/// A day (`2026-11-20`) or a time with the viewer's offset (RFC 3339, `2026-11-20T09:00:00+01:00`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// A time.
    At(DateTime<FixedOffset>),
    /// A day.
    Day(NaiveDate),
}

impl Moment {
    /// `09:00`, or nothing for a day.
    pub fn time(&self) -> String {
        match self {
            Moment::At(time) => time.format("%H:%M").to_string(),
            Moment::Day(_) => String::new(),
        }
    }
}

impl Item {
    /// The order of a briefing: by start, whole days before times at the same instant, then by title.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |item: &Self| (item.timestamp, !item.all_day);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.title.cmp(&other.title))
            .then_with(|| self.uid.cmp(&other.uid))
    }

    fn time_span(&self) -> Option<(i64, i64)> {
        match (self.start, self.end) {
            (Moment::At(start), Moment::At(end)) => Some((start.timestamp(), end.timestamp())),
            _ => None,
        }
    }
}

/// Several calendars' items as one list, in order. What is the same event in two of them (an invitation that both hold) is
/// kept once, from the first.
pub fn merge(lists: Vec<Vec<Item>>) -> Vec<Item> {
    let mut items: Vec<Item> = lists.into_iter().flatten().collect();
    items.sort_by(Item::order);
    items.dedup_by(|later, first| {
        !first.uid.is_empty()
            && (&first.uid, &first.title) == (&later.uid, &later.title)
            && (first.start, first.end) == (later.start, later.end)
    });
    items
}

/// Fills in [`Item::overlaps`] of an ordered list. Items that only touch do not overlap.
pub fn mark_overlaps(items: &mut [Item]) {
    for first in 0..items.len() {
        let Some((_, end)) = items[first].time_span() else {
            continue;
        };
        for second in first + 1..items.len() {
            if items[first].overlaps.len() == MAX_OVERLAPS || items[second].timestamp >= end {
                break;
            }
            let Some((start, its_end)) = items[second].time_span() else {
                continue;
            };
            if start < end && items[first].timestamp < its_end {
                let (earlier, later) = items.split_at_mut(second);
                note(&mut earlier[first], &later[0].title);
                note(&mut later[0], &earlier[first].title);
            }
        }
    }
}

fn note(item: &mut Item, title: &str) {
    if item.overlaps.len() < MAX_OVERLAPS {
        item.overlaps.push(title.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::ics::Calendar;
    use crate::calendar::range::Range;

    /// Items of a day from lines `title start end` in UTC.
    fn items(lines: &[(&str, &str, &str)]) -> Vec<Item> {
        let mut text = "BEGIN:VCALENDAR\n".to_owned();
        for (title, start, end) in lines {
            text += &format!(
                "BEGIN:VEVENT\nUID:{title}\nSUMMARY:{title}\nDTSTART:{start}\nDTEND:{end}\nEND:VEVENT\n"
            );
        }
        let calendar = Calendar::parse((text + "END:VCALENDAR").as_bytes()).expect("a calendar");
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date");
        calendar.items(Range::day(day), crate::zone::Tz::UTC).items
    }

    fn overlaps(items: &[Item]) -> Vec<(&str, Vec<&str>)> {
        items
            .iter()
            .map(|item| {
                (
                    item.title.as_str(),
                    item.overlaps.iter().map(String::as_str).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn overlapping_times_are_named_on_both_sides() {
        let mut list = items(&[
            ("dentist", "20261120T113000Z", "20261120T123000Z"),
            ("review", "20261120T120000Z", "20261120T130000Z"),
            ("lunch", "20261120T130000Z", "20261120T140000Z"),
            ("ping", "20261120T121500Z", "20261120T121500Z"),
            ("bins", "20261120", "20261121"),
        ]);
        mark_overlaps(&mut list);
        let expected = [
            ("bins", vec![]),
            ("dentist", vec!["review", "ping"]),
            ("review", vec!["dentist", "ping"]),
            ("ping", vec!["dentist", "review"]),
            ("lunch", vec![]),
        ];
        assert_eq!(overlaps(&list), expected);
    }

    #[test]
    fn a_crowd_does_not_explode() {
        let mut list =
            vec![items(&[("one", "20261120T113000Z", "20261120T123000Z")]).remove(0); 20_000];
        mark_overlaps(&mut list);
        assert!(
            list.iter()
                .all(|item| (1..=MAX_OVERLAPS).contains(&item.overlaps.len()))
        );
    }

    #[test]
    fn calendars_are_joined_in_order_and_invitations_kept_once() {
        let work = items(&[
            ("b", "20261120T100000Z", "20261120T110000Z"),
            ("day", "20261120", "20261121"),
        ]);
        let home = items(&[
            ("b", "20261120T100000Z", "20261120T110000Z"),
            ("midnight", "20261120T000000Z", "20261120T010000Z"),
            ("a", "20261120T100000Z", "20261120T110000Z"),
        ]);
        let joined = merge(vec![work, home]);
        let titles: Vec<_> = joined.iter().map(|item| item.title.as_str()).collect();
        assert_eq!(titles, ["day", "midnight", "a", "b"]);
    }

    #[test]
    fn an_item_survives_json() {
        let list = items(&[
            ("t", "20261120T100000Z", "20261120T110000Z"),
            ("d", "20261120", "20261121"),
        ]);
        let json = serde_json::to_value(&list).expect("serialisable");
        assert_eq!(json[0]["start"], "2026-11-20");
        assert_eq!(json[1]["end"], "2026-11-20T11:00:00Z");
        assert_eq!(
            serde_json::from_value::<Vec<Item>>(json).expect("readable"),
            list
        );
    }
}
