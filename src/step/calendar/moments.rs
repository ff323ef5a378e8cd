//! Days and times as templates give them, and as people read them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone};

use crate::calendar::Moment;
use crate::moment::said;
use crate::template::{DateStyle, Locale};
use crate::zone::Tz;

/// A day (`2026-11-24`), a time (`2026-11-24T17:30:00+01:00`, `2026-11-24 17:30`) or words for one; none for nothing.
///
/// # Errors
/// It names no moment.
pub fn read(text: &str, now: DateTime<Tz>) -> Result<Option<Moment>, String> {
    let zone = now.timezone();
    if text.is_empty() || text == "none" {
        return Ok(None);
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(Some(Moment::Day(day)));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Some(Moment::At(time.with_timezone(&zone).fixed_offset())));
    }
    let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = local
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let time = match local {
        Some(local) => zone.from_local_datetime(&local).earliest(),
        None => {
            let said = said(text, now);
            if said.whole_days {
                return Ok(said.start.map(|start| Moment::Day(start.date_naive())));
            }
            said.start
        }
    };
    time.map(|time| Some(Moment::At(time.fixed_offset())))
        .ok_or_else(|| format!("`{text}` names no day and no time"))
}

/// Whether words name a time and no day: the same time whenever they are said.
pub fn is_of_any_day(text: &str, now: DateTime<Tz>) -> bool {
    let at = |now| {
        let said = said(text, now);
        let start = said
            .start
            .filter(|_| !said.whole_days && said.range.is_none());
        start.map(|start| start.time())
    };
    let earlier = at(now);
    earlier.is_some() && earlier == at(now - TimeDelta::minutes(37))
}

/// The end of what begins at `start`, where none is said.
pub fn usual_end(start: Moment) -> Moment {
    match start {
        Moment::At(time) => Moment::At(time + TimeDelta::hours(1)),
        Moment::Day(day) => Moment::Day(day + TimeDelta::days(1)),
    }
}

/// "Tue 24 Nov 17:30-18:30", "Tue 24 Nov", "Tue 24 Nov to Thu 26 Nov".
pub fn shown((start, end): (Moment, Moment), locale: Locale, this_year: i32) -> String {
    let date = |day: NaiveDate| locale.date(day, DateStyle::Short, this_year);
    let to = match locale {
        Locale::En => "to",
        Locale::Es => "a",
    };
    match (start, end) {
        (Moment::Day(first), Moment::Day(end)) => {
            let last = end - TimeDelta::days(1);
            match last > first {
                true => format!("{} {to} {}", date(first), date(last)),
                false => date(first),
            }
        }
        (Moment::At(from), Moment::At(until)) => {
            let (day, last) = (from.date_naive(), until.date_naive());
            let (from, until) = (from.format("%H:%M"), until.format("%H:%M"));
            match day == last {
                true => format!("{} {from}-{until}", date(day)),
                false => format!("{} {from} {to} {} {until}", date(day), date(last)),
            }
        }
        (Moment::At(from), Moment::Day(_)) => {
            format!("{} {}", date(from.date_naive()), from.format("%H:%M"))
        }
        (Moment::Day(day), Moment::At(_)) => date(day),
    }
}

/// As it is kept in results: a day, or a time with its offset.
pub fn json(moment: Moment) -> serde_json::Value {
    serde_json::to_value(moment).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_shown_as_people_do() {
        let zone = Tz::named("Europe/Madrid").unwrap();
        let now = zone.with_ymd_and_hms(2026, 11, 20, 10, 30, 0).unwrap();
        let said = |text: &str| read(text, now).unwrap().unwrap();
        let at = said("2026-11-24T16:30:00Z");
        assert_eq!(at, said("2026-11-24 17:30"));
        assert_eq!(at, said("el martes a las 17:30"));
        let show = |start, end| shown((start, end), Locale::En, 2026);
        assert_eq!(show(at, usual_end(at)), "Tue 24 Nov 17:30-18:30");
        let day = said("2026-11-24");
        assert_eq!(show(day, usual_end(day)), "Tue 24 Nov");
        assert_eq!(
            show(day, said("2027-01-02")),
            "Tue 24 Nov to Fri 1 Jan 2027"
        );
        assert_eq!(
            said("el martes"),
            Moment::Day(chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap())
        );
        assert!(is_of_any_day("18:00", now) && is_of_any_day("a las 6", now));
        assert!(!is_of_any_day("in 2 hours", now) && !is_of_any_day("friday at 9", now));
        assert_eq!(read("", now), Ok(None));
        assert!(read("the office", now).is_err());
    }
}
