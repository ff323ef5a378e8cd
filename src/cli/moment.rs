//! Moments as people type and read them.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, TimeDelta, TimeZone,
    Timelike, Utc, Weekday,
};

use crate::engine::schedule::changes;
use crate::error::Error;
use crate::zone::Tz;

/// What somebody asks about: a second, a minute or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its first instant, and the first one after it; what the clocks show twice is two of them.
    pub windows: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// The clocks never showed this time; the window is what they showed next.
    pub never: Option<NaiveDateTime>,
}

impl Asked {
    /// The first instant.
    pub fn from(&self) -> DateTime<Utc> {
        self.windows[0].0
    }
}

/// `now`, which is this minute, `yesterday 7:00`, `mon 7:00`, `7:00`, `2026-11-19 07:00`, `2026-11-19`, or RFC 3339; local times
/// are of `zone`, a weekday is the last one of its name, today included.
pub(super) fn asked(text: &str, now: DateTime<Utc>, zone: Tz) -> Result<Asked, Error> {
    if text.trim().eq_ignore_ascii_case("now") {
        let from = now - TimeDelta::seconds(now.second().into());
        let from = from.trunc_subsecs(0);
        return Ok(Asked {
            windows: vec![(from, from + TimeDelta::minutes(1))],
            never: None,
        });
    }
    read(text.trim(), now.with_timezone(&zone).date_naive(), zone).ok_or_else(|| not_a_moment(text))
}

/// A moment to come, written likewise: a weekday or a time of the day is the next one.
pub(super) fn coming(text: &str, now: DateTime<Utc>, zone: Tz) -> Result<DateTime<Utc>, Error> {
    let text = text.trim();
    let today = now.with_timezone(&zone).date_naive();
    let fixed = ["today", "yesterday", "tomorrow"]
        .iter()
        .any(|word| text.starts_with(word));
    let days = [0, 1, 7];
    let read = days
        .iter()
        .take(if fixed { 1 } else { 3 })
        .map(|days| read(text, today + TimeDelta::days(*days), zone));
    let read: Vec<_> = read.flatten().map(|asked| asked.from()).collect();
    match (read.iter().find(|from| **from > now), read.first()) {
        (Some(from), _) => Ok(*from),
        (None, Some(past)) => Err(
            Error::usage(format!("{} is past", shown(*past, zone, zone)))
                .hint("say a time that is to come, as \"tomorrow 7:00\""),
        ),
        (None, None) => Err(not_a_moment(text)),
    }
}

fn not_a_moment(text: &str) -> Error {
    Error::usage(format!("`{text}` is not a moment")).hint(
        "write it as \"yesterday 7:00\", \"mon 7:00\", \"2026-11-19 07:00\" or \"2026-11-19T07:00:00+01:00\"",
    )
}

fn read(text: &str, today: NaiveDate, zone: Tz) -> Option<Asked> {
    let length = |second: u32| TimeDelta::seconds(if second == 0 { 60 } else { 1 });
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        let from = time.to_utc();
        let windows = vec![(from, from + length(from.second()))];
        return Some(Asked {
            windows,
            never: None,
        });
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time.trim())),
        None if text.contains(':') => ("today", Some(text)),
        None => (text, None),
    };
    let date = date(day, today)?;
    let Some(time) = time else {
        let (from, never) = local(date.and_time(NaiveTime::MIN), zone)?;
        let (to, _) = local(date.succ_opt()?.and_time(NaiveTime::MIN), zone)?;
        let windows = vec![(*from.first()?, *to.first()?)];
        return Some(Asked { windows, never });
    };
    let formats = ["%H:%M", "%H:%M:%S"];
    let time = formats
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(time, format).ok())?;
    let (from, never) = local(date.and_time(time), zone)?;
    let windows = from
        .into_iter()
        .map(|from| (from, from + length(time.second())));
    Some(Asked {
        windows: windows.collect(),
        never,
    })
}

fn date(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    match word.to_lowercase().as_str() {
        "today" => Some(today),
        "yesterday" => today.pred_opt(),
        "tomorrow" => today.succ_opt(),
        word => match word.parse::<Weekday>() {
            Ok(weekday) => {
                let back = today.weekday().days_since(weekday);
                Some(today - TimeDelta::days(back.into()))
            }
            Err(_) => word.parse().ok(),
        },
    }
}

/// The instants at which the clocks show a time; for one in a gap the end of that, and the time.
fn local(local: NaiveDateTime, zone: Tz) -> Option<(Vec<DateTime<Utc>>, Option<NaiveDateTime>)> {
    let found = zone.from_local_datetime(&local);
    if let Some(first) = found.earliest() {
        let last = found.latest().filter(|last| *last != first);
        let all = [Some(first), last]
            .into_iter()
            .flatten()
            .map(|at| at.to_utc());
        return Some((all.collect(), None));
    }
    let near = local.and_utc();
    let around = changes(zone, near - TimeDelta::days(2), near + TimeDelta::days(2));
    let asked = near.timestamp();
    let gap = around
        .iter()
        .find(|change| change.local_before() <= asked && asked < change.local_after())?;
    Some((vec![DateTime::from_timestamp(gap.at, 0)?], Some(local)))
}

/// `Thu 19 Nov 2026 07:00 CET`, with seconds where there are any, and the zone's name where it is not `usual`.
pub(super) fn shown(at: DateTime<Utc>, zone: Tz, usual: Tz) -> String {
    let at = at.with_timezone(&zone);
    let time = if at.second() == 0 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    };
    let name = if zone == usual {
        String::new()
    } else {
        format!(" ({})", zone.name())
    };
    format!("{}{name}", at.format(&format!("%a %d %b %Y {time} %Z")))
}

/// A time of the day; with its date where that is another than `beside`'s, with its seconds where `beside` has some.
pub(super) fn clock(at: DateTime<Utc>, zone: Tz, beside: DateTime<Utc>) -> String {
    let at = at.with_timezone(&zone);
    let same_day = at.date_naive() == beside.with_timezone(&zone).date_naive();
    let format = match (same_day, beside.second()) {
        (true, 0) => "%H:%M",
        (true, _) => "%H:%M:%S",
        (false, 0) => "%a %d %b %H:%M",
        (false, _) => "%a %d %b %H:%M:%S",
    };
    at.format(format).to_string()
}

/// `7 h`, `12 min`, `40 s`, `3 days`.
pub(super) fn length(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::zone::Tz;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn madrid() -> Tz {
        Tz::named("Europe/Madrid").unwrap()
    }

    #[test]
    fn moments_are_read_as_they_are_said() {
        // A Friday.
        let now = at("2026-11-20T08:00:00Z");
        let check = |text: &str, from: &str, seconds: i64| {
            let asked = asked(text, now, madrid());
            let asked = asked.unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let (begin, end) = asked.windows[0];
            let found = (begin, (end - begin).num_seconds());
            assert_eq!(found, (at(from), seconds), "{text}");
        };
        check("now", "2026-11-20T08:00:00Z", 60);
        check("yesterday 7:00", "2026-11-19T06:00:00Z", 60);
        check("today 07:00", "2026-11-20T06:00:00Z", 60);
        check("7:00", "2026-11-20T06:00:00Z", 60);
        check("7:00:30", "2026-11-20T06:00:30Z", 1);
        check("tomorrow 0:00", "2026-11-20T23:00:00Z", 60);
        check("mon 7:00", "2026-11-16T06:00:00Z", 60);
        check("Friday 7:00", "2026-11-20T06:00:00Z", 60);
        check("2026-11-19 07:00", "2026-11-19T06:00:00Z", 60);
        check("2026-11-19T07:00", "2026-11-19T06:00:00Z", 60);
        check("2026-11-19T07:00:00+01:00", "2026-11-19T06:00:00Z", 60);
        check("2026-11-19", "2026-11-18T23:00:00Z", 86_400);
        check("2026-10-25", "2026-10-24T22:00:00Z", 90_000);
        // Shown twice, and never.
        check("2026-10-25 02:30", "2026-10-25T00:30:00Z", 60);
        let twice =
            asked("2026-10-25 02:30", now, madrid()).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(twice.windows[1].0, at("2026-10-25T01:30:00Z"));
        check("2026-03-29 02:30", "2026-03-29T01:00:00Z", 60);
        assert!(asked("2026-03-29 02:30", now, madrid()).is_ok_and(|asked| asked.never.is_some()));
        for wrong in ["soon", "2026-13-01", "25:00", "yesterday seven", ""] {
            assert!(asked(wrong, now, madrid()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_to_come_is_the_next_of_its_name() {
        let now = at("2026-11-20T08:00:00Z");
        let check = |text: &str, expected: &str| {
            let found =
                coming(text, now, madrid()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(found, at(expected), "{text}");
        };
        check("mon 7:00", "2026-11-23T06:00:00Z");
        check("7:00", "2026-11-21T06:00:00Z");
        check("10:00", "2026-11-20T09:00:00Z");
        check("fri", "2026-11-26T23:00:00Z");
        check("2026-11-27", "2026-11-26T23:00:00Z");
        for past in ["today 7:00", "2026-11-19", "yesterday"] {
            assert!(coming(past, now, madrid()).is_err(), "{past}");
        }
    }

    #[test]
    fn lengths_are_rounded_to_what_is_read() {
        let check = |seconds, expected| assert_eq!(length(TimeDelta::seconds(seconds)), expected);
        check(0, "0 s");
        check(119, "119 s");
        check(720, "12 min");
        check(25_200, "7 h");
        check(3 * 86_400, "3 days");
    }
}
