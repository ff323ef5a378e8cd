//! The other way: the text of an entry read naively, each second of a window walked as cronie's loop walks its minutes.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};

use crate::zone::Tz;

const NAMES: &[(&str, u32)] = &[
    ("JAN", 1),
    ("FEB", 2),
    ("MAR", 3),
    ("APR", 4),
    ("MAY", 5),
    ("JUN", 6),
    ("JUL", 7),
    ("AUG", 8),
    ("SEP", 9),
    ("OCT", 10),
    ("NOV", 11),
    ("DEC", 12),
    ("SUN", 0),
    ("MON", 1),
    ("TUE", 2),
    ("WED", 3),
    ("THU", 4),
    ("FRI", 5),
    ("SAT", 6),
];

/// The due instants after `from` and up to `to`.
pub fn moments(text: &str, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let fields = split(text);
    let real_time = fields[..3].iter().any(|field| field.contains('*'));
    let second = TimeDelta::seconds(1);
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    let mut due = Vec::new();
    // What the clocks had shown before the window: more than a day of it, so that a repeated hour is known as such.
    let before = (0..26 * 60).map(|minutes| local(from - TimeDelta::minutes(minutes)));
    let mut shown = before.max().unwrap_or_default();
    let mut at = from + second;
    while at <= to {
        let now = local(at);
        let comes = if real_time {
            fits(&fields, now)
        } else {
            let mut comes = false;
            while shown < now {
                shown += second;
                comes |= fits(&fields, shown);
            }
            comes
        };
        if comes {
            due.push(at);
        }
        at += second;
    }
    due
}

fn split(text: &str) -> Vec<String> {
    let text = match text {
        "@hourly" => "0 * * * *",
        "@daily" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" => "0 0 1 1 *",
        text => text,
    };
    let mut fields: Vec<String> = text.split(' ').map(str::to_owned).collect();
    if fields.len() == 5 {
        fields.insert(0, "0".to_owned());
    }
    fields
}

fn fits(fields: &[String], local: NaiveDateTime) -> bool {
    let plain = |index: usize, value: u32, most: u32| {
        fields[index]
            .split(',')
            .any(|part| has(part, value, (index == 4).into(), most))
    };
    if !(plain(0, local.second(), 59) && plain(1, local.minute(), 59) && plain(2, local.hour(), 23))
    {
        return false;
    }
    let last = local
        .date()
        .with_day(1)
        .map(|first| (first + TimeDelta::days(31)).with_day(1));
    let length = last
        .flatten()
        .map(|next| next.pred_opt().map_or(0, |last| last.day()));
    let (day, length) = (local.day(), length.unwrap_or(0));
    let weekday = local.weekday().num_days_from_sunday();
    let by_day = fields[3].split(',').any(|part| match part {
        "L" => day == length,
        part => has(part, day, 1, 31),
    });
    let by_weekday = fields[5].split(',').any(|part| match part.split_once('#') {
        Some((part, "L")) => has(part, weekday, 0, 6) && day + 7 > length,
        Some((part, nth)) => has(part, weekday, 0, 6) && nth.parse() == Ok((day - 1) / 7 + 1),
        None => has(part, weekday, 0, 6) || (weekday == 0 && has(part, 7, 0, 7)),
    });
    let day = if fields[3].contains('*') || fields[5].contains('*') {
        by_day && by_weekday
    } else {
        by_day || by_weekday
    };
    day && plain(4, local.month(), 12)
}

fn has(part: &str, value: u32, least: u32, most: u32) -> bool {
    let (range, step) = part.split_once('/').unwrap_or((part, "1"));
    let number = |text: &str| {
        let named = NAMES.iter().find(|(name, _)| *name == text);
        named.map_or_else(|| text.parse().expect("a number"), |(_, number)| *number)
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (least, most),
        Some((from, to)) => (number(from), number(to)),
        None => (number(range), number(range)),
    };
    (from..=to).contains(&value) && (value - from).is_multiple_of(number(step))
}
