//! What a list tells of its entries beyond what calendars say: what is over, what clashes, when there is room, whose
//! birthday it is.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta};
use regex::Regex;
use serde_json::{Value, json};

use super::free::{WAKING, clock};
use super::moments::shown as spanned;
use super::{Held, item_example};
use crate::calendar::{Item, Moment, Range};
use crate::step::Done;
use crate::template::Locale;
use crate::zone::Tz;

/// A shorter time between two entries is none to speak of.
const SHORTEST: TimeDelta = TimeDelta::hours(1);

/// Most names in an entry's `clashes`.
const MOST: usize = 10;

type Now = DateTime<Tz>;

/// What a list gives.
pub(super) fn example() -> Value {
    let mut item = item_example();
    let more = json!({
        "shown": "text", "span": "text", "whole_day": false, "over": false, "running": false, "clashes": ["text"],
        "birthday": false, "age": 40
    });
    add(&mut item, more);
    json!({
        "items": [item], "count": 1, "from": "2026-11-20", "days": 1,
        "gaps": [{ "start_time": "09:00", "end_time": "11:00", "running": false, "shown": "text" }],
        "stale": [{ "calendar": "text", "from": "2026-11-20 06:55", "warning": "text" }],
        "warnings": ["text"]
    })
}

/// The result of a list: the times as the reader's language writes them, as seen from now.
pub(super) fn listed(held: Held, range: Range, (now, language): (Now, Locale)) -> Done {
    let clashes = clashes(&held.items, now);
    let told = held.items.iter().zip(clashes).map(|(item, clashes)| {
        let mut value = json!(item);
        let more = json!({
            "shown": shown(item, language), "span": spanned((item.start, item.end), language, now.year()), "whole_day": is_whole(item), "over": is_over(item, now),
            "running": is_running(item, now), "clashes": clashes, "birthday": is_birthday(item),
            "age": age(item)
        });
        add(&mut value, more);
        value
    });
    let items: Vec<Value> = told.collect();
    let result = json!({
        "count": items.len(), "items": items, "from": range.start, "days": range.days,
        "gaps": gaps(&held.items, range, (now, language)), "stale": held.stale,
        "warnings": held.warnings,
    });
    Done {
        cursors: held.cursors,
        ..Done::result(result)
    }
}

fn add(item: &mut Value, more: Value) {
    if let (Some(fields), Value::Object(more)) = (item.as_object_mut(), more) {
        fields.extend(more);
    }
}

/// "09:00-09:30", "until 02:00", "from 22:00"; nothing for what fills its days.
fn shown(item: &Item, language: Locale) -> String {
    let (start, end) = (&item.start_time, &item.end_time);
    match (is_whole(item), item.starts_before, item.ends_after) {
        (true, ..) => String::new(),
        (_, true, _) => until(end, language),
        (_, _, true) => match language {
            Locale::En => format!("from {start}"),
            Locale::Es => format!("desde {start}"),
        },
        _ if start == end => start.clone(),
        _ => format!("{start}-{end}"),
    }
}

fn until(time: &str, language: Locale) -> String {
    match language {
        Locale::En => format!("until {time}"),
        Locale::Es => format!("hasta {time}"),
    }
}

/// Whether it is there from the first moment to the last.
fn is_whole(item: &Item) -> bool {
    item.all_day || (item.starts_before && item.ends_after)
}

fn times(item: &Item) -> Option<(Now, Now)> {
    match (item.start, item.end) {
        (Moment::At(start), Moment::At(end)) => {
            let zone = crate::zone::Tz::UTC;
            Some((start.with_timezone(&zone), end.with_timezone(&zone)))
        }
        _ => None,
    }
}

fn is_over(item: &Item, now: Now) -> bool {
    match item.end {
        Moment::At(end) => end <= now,
        Moment::Day(end) => end <= now.date_naive(),
    }
}

fn is_running(item: &Item, now: Now) -> bool {
    times(item).is_some_and(|(start, end)| start <= now && now < end)
}

/// Of each entry the earlier ones that are not done when it begins: a pair is told once. What fills the days clashes with
/// nothing, and what is over no more.
fn clashes(items: &[Item], now: Now) -> Vec<Vec<&str>> {
    let mut open: Vec<(Now, Now, &str)> = Vec::new();
    let one = |item| {
        let item: &Item = item;
        let Some((start, end)) = times(item).filter(|_| !is_whole(item)) else {
            return Vec::new();
        };
        open.retain(|(_, its_end, _)| *its_end > start && *its_end > now);
        let at_once = open.iter().filter(|(its_start, ..)| *its_start < end);
        let names = at_once.map(|(.., title)| *title).collect();
        if open.len() < MOST {
            open.push((start, end, &item.title));
        }
        names
    };
    items.iter().map(one).collect()
}

/// The free hours between the entries of a day, as far as they are to come.
fn gaps(items: &[Item], range: Range, (now, language): (Now, Locale)) -> Vec<Value> {
    let timed = items.iter().filter(|item| !is_whole(item));
    let spans: Vec<(Now, Now)> = timed.filter_map(times).collect();
    if range.days != 1 || spans.len() < 2 {
        return Vec::new();
    }
    let zone = now.timezone();
    let hour = |hour| {
        let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        clock(range.start, time, zone).with_timezone(&zone)
    };
    let (morning, night) = (hour(WAKING.0), hour(WAKING.1));
    let mut gaps = Vec::new();
    let mut free = spans[0].1;
    for (start, end) in spans {
        let running = free <= now;
        let from = free.max(morning).max(now.min(start)).with_timezone(&zone);
        let to = start.min(night).with_timezone(&zone);
        if to - from >= SHORTEST {
            let (start_time, end_time) = (time(from), time(to));
            let shown = match running && from == now {
                true => until(&end_time, language),
                false => format!("{start_time}-{end_time}"),
            };
            gaps.push(json!({
                "start_time": start_time, "end_time": end_time, "running": from == now && running,
                "shown": shown,
            }));
        }
        free = free.max(end);
    }
    gaps
}

fn time(time: Now) -> String {
    time.format("%H:%M").to_string()
}

fn is_birthday(item: &Item) -> bool {
    let title = item.title.to_lowercase();
    let words = ["birthday", "cumple"];
    item.all_day && words.iter().any(|word| title.contains(word))
}

/// How old somebody gets whose birthday it is, where the title tells a year, or the description one of birth.
fn age(item: &Item) -> Option<i32> {
    static YEAR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(1[89]\d\d|20\d\d)\b").expect("a constant pattern"));
    static BORN: LazyLock<Regex> = LazyLock::new(|| {
        let born = r"(?i)\b(?:born|birth|nacid[oa]|naci[oó]|nacimiento)\b\D{0,20}(?:\d{1,2}\D{1,20}){0,2}\b(1[89]\d\d|20\d\d)\b";
        Regex::new(born).expect("a constant pattern")
    });
    if !is_birthday(item) {
        return None;
    }
    let title = YEAR.captures(&item.title);
    let year = title.or_else(|| BORN.captures(&item.description))?;
    let year: i32 = year[1].parse().ok()?;
    Some(item.date.year() - year).filter(|age| (1..=120).contains(age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::look::bytes_of;
    use crate::job::StepEnd;

    const ZONE: Tz = Tz::UTC;

    /// A list of 20 November 2026 as it is told at `now`: events by their start and end.
    fn list(now: &str, events: &[(&str, &str)]) -> Value {
        let mut ics = "BEGIN:VCALENDAR\n".to_owned();
        for (number, (start, end)) in events.iter().enumerate() {
            ics += &format!(
                "BEGIN:VEVENT\nUID:{number}\nSUMMARY:{number}\nDTSTART:{start}\nDTEND:{end}\nEND:VEVENT\n"
            );
        }
        let ics = ics + "END:VCALENDAR\n";
        let range = Range::day(chrono::NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date"));
        let items = bytes_of(ics.as_bytes(), range, ZONE)
            .expect("a calendar")
            .items;
        let held = Held {
            items,
            ..Held::default()
        };
        let now: DateTime<chrono::Utc> = format!("2026-11-20T{now}:00Z").parse().expect("a time");
        let done = listed(held, range, (now.with_timezone(&ZONE), Locale::En));
        match done.end {
            StepEnd::Done(result) => result,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_has_the_fields_of_a_list() {
        let list = list("07:00", &[("20261120T090000", "20261120T100000"); 2]);
        let fields = |value: &Value| -> Vec<String> {
            let mut fields: Vec<String> = value
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect();
            fields.sort();
            fields
        };
        assert_eq!(fields(&example()), fields(&list));
        assert_eq!(fields(&example()["items"][0]), fields(&list["items"][0]));
    }

    #[test]
    fn gaps_lie_between_entries_in_waking_hours_and_ahead() {
        let check = |now: &str, events: &[(&str, &str)], expected: &[&str]| {
            let at = |time: &str| match time.len() {
                4 => format!("20261120T{time}00"),
                _ => format!("202611{time}00"),
            };
            let events: Vec<_> = events
                .iter()
                .map(|(start, end)| (at(start), at(end)))
                .collect();
            let events: Vec<_> = events
                .iter()
                .map(|(start, end)| (&start[..], &end[..]))
                .collect();
            let list = list(now, &events);
            let gaps = list["gaps"].as_array().expect("a list").iter();
            let gaps: Vec<&str> = gaps.filter_map(|gap| gap["shown"].as_str()).collect();
            assert_eq!(gaps, expected, "{now} {events:?}");
        };
        check("07:00", &[("0900", "1000")], &[]);
        check("07:00", &[("0900", "1000"), ("1059", "1100")], &[]);
        check(
            "07:00",
            &[("0900", "1000"), ("1100", "1200")],
            &["10:00-11:00"],
        );
        // One within another, and a long one that is over later.
        check(
            "07:00",
            &[("0900", "1200"), ("0930", "1000"), ("1300", "1400")],
            &["12:00-13:00"],
        );
        check(
            "07:00",
            &[("0000", "0100"), ("1000", "1100")],
            &["08:00-10:00"],
        );
        check(
            "07:00",
            &[("1900", "2000"), ("2300", "2330")],
            &["20:00-22:00"],
        );
        // The night before counts; what fills the day does not.
        check(
            "07:00",
            &[("19T2200", "20T0800"), ("1000", "1100")],
            &["08:00-10:00"],
        );
        check("07:00", &[("19T2200", "21T0800"), ("1000", "1100")], &[]);
        check(
            "11:30",
            &[("0900", "1000"), ("1300", "1400")],
            &["until 13:00"],
        );
        check("12:01", &[("0900", "1000"), ("1300", "1400")], &[]);
        check("15:00", &[("0900", "1000"), ("1300", "1400")], &[]);
    }

    #[test]
    fn a_crowd_clashes_with_ten_at_most_and_in_little_time() {
        let crowd = [("20261120T090000", "20261120T100000"); 3_000];
        let list = list("07:00", &crowd);
        let items = list["items"].as_array().expect("a list").iter();
        let most = items.filter_map(|item| item["clashes"].as_array().map(Vec::len));
        assert_eq!(most.max(), Some(MOST));
    }
}
