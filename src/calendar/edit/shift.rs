//! A whole series at another time: its exceptions and changed occurrences go along.

use chrono::{Datelike, NaiveDateTime, TimeDelta};

use super::document::{Document, Line, Part};
use super::times::{Times, wall};
use crate::calendar::Moment;
use crate::calendar::ics::event::Event as Read;
use crate::calendar::ics::value::{self, Written};
use crate::calendar::ics::zone::Stamp;
use crate::calendar::remote::RemoteError;

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// How far the wall clock moves.
struct Shift {
    /// The first occurrence, before.
    start: Stamp,
    by: TimeDelta,
    /// How many days its date moves.
    days: TimeDelta,
    weekdays: (&'static str, &'static str),
}

/// Moves all that hangs on the start of a series to go with a start at `to`; the start itself is the caller's.
///
/// # Errors
/// `Refused`, in words: a rule that names days or hours does not follow.
pub fn series(
    document: &mut Document,
    times: &mut Times,
    master: &Read,
    to: Moment,
) -> Result<(), RemoteError> {
    let start = master.start;
    let local: NaiveDateTime = match (to, start.is_date) {
        (Moment::Day(day), true) => day.into(),
        (Moment::At(time), false) => {
            let local = times.view().to_local(start.zone, time.naive_utc());
            if times.view().to_utc(start.zone, local) != time.naive_utc() {
                return refuse("its clock shows that time twice on that day");
            }
            local
        }
        _ => {
            return refuse(
                "a series of whole days does not become one of times, nor the other way",
            );
        }
    };
    let weekday = |time: NaiveDateTime| DAYS[time.weekday().num_days_from_monday() as usize];
    let shift = Shift {
        start,
        by: local - start.local,
        days: local.date() - start.local.date(),
        weekdays: (weekday(start.local), weekday(local)),
    };
    if shift.by.is_zero() {
        return Ok(());
    }
    for part in &mut document.parts {
        let Part::Event(event) = part else {
            continue;
        };
        let read = event.read(&mut times.names)?;
        // A changed occurrence that has the time of its rule goes along with it.
        let follows = read.replaces.is_some_and(|replaces| {
            let own = replaces.instance.or_in(start.zone);
            own.utc(times.view()) == read.start.utc(times.view())
        });
        event.map_values(|line| {
            let moved = match line.name.as_str() {
                "RRULE" => shift.rule(&line.value, times)?,
                "EXRULE" => return refuse("its rule of exceptions does not follow"),
                "EXDATE" | "RDATE" | "RECURRENCE-ID" => shift.dates(line, times)?,
                "DTSTART" | "DTEND" if follows => shift.dates(line, times)?,
                _ => return Ok(None),
            };
            Ok(Some(moved).filter(|moved| *moved != line.value))
        })?;
    }
    Ok(())
}

impl Shift {
    fn rule(&self, rule: &str, times: &Times) -> Result<String, RemoteError> {
        let upper = rule.to_ascii_uppercase();
        let parts: Vec<(&str, &str)> = upper
            .split(';')
            .filter_map(|part| part.trim().split_once('='))
            .collect();
        let of = |name: &str| parts.iter().find(|part| part.0 == name).map(|part| part.1);
        let names: Vec<&str> = parts
            .iter()
            .map(|part| part.0)
            .filter(|name| name.starts_with("BY"))
            .collect();
        if names
            .iter()
            .any(|name| ["BYHOUR", "BYMINUTE", "BYSECOND"].contains(name))
        {
            return refuse("its rule names hours");
        }
        let weekly = of("FREQ") == Some("WEEKLY");
        let on_its_day = weekly && names == ["BYDAY"] && of("BYDAY") == Some(self.weekdays.0);
        let plain = names.is_empty() && !matches!(of("FREQ"), Some("MONTHLY" | "YEARLY"));
        if !self.days.is_zero() && !plain && !on_its_day {
            return refuse("its rule names days, which do not follow to another one");
        }
        let moved = rule.split(';').map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_uppercase().as_str() {
                "UNTIL" => format!("{name}={}", self.until(value, times)),
                "BYDAY" if on_its_day => format!("{name}={}", self.weekdays.1),
                _ => part.to_owned(),
            }
        });
        Ok(moved.collect::<Vec<_>>().join(";"))
    }

    fn until(&self, value: &str, times: &Times) -> String {
        match value::stamp(value.as_bytes()) {
            Some(Written::Utc(utc)) if !self.start.is_date => {
                let local = times.view().to_local(self.start.zone, utc) + self.by;
                format!("{}Z", wall(times.view().to_utc(self.start.zone, local)))
            }
            Some(Written::Utc(utc)) => format!("{}Z", wall(utc + self.days)),
            Some(Written::Local(local)) => wall(local + self.by),
            Some(Written::Date(day)) => (day + self.days).format("%Y%m%d").to_string(),
            None => value.to_owned(),
        }
    }

    fn dates(&self, line: &Line, times: &mut Times) -> Result<String, RemoteError> {
        if line.head.to_ascii_uppercase().contains("RANGE=") {
            return refuse("one of its changes holds for all that follow");
        }
        if line.value.contains('/') {
            return refuse("some of its dates have an end of their own");
        }
        let mut moved = Vec::new();
        for value in line.value.split(',') {
            moved.push(match times.stamp(line, value) {
                Some(stamp) => self.date(value, stamp, times),
                None => value.to_owned(),
            });
        }
        Ok(moved.join(","))
    }

    /// On the wall clock of the series, and back to how it is written.
    fn date(&self, value: &str, stamp: Stamp, times: &Times) -> String {
        let view = times.view();
        if stamp.is_date {
            return (stamp.local.date() + self.days)
                .format("%Y%m%d")
                .to_string();
        }
        let zone = self.start.zone;
        let stamp = stamp.or_in(zone);
        let local = stamp.local_in(zone, view) + self.by;
        if stamp.zone == zone && !value.trim().ends_with(['Z', 'z']) {
            return wall(local);
        }
        let utc = view.to_utc(zone, local);
        match value.trim().ends_with(['Z', 'z']) {
            true => format!("{}Z", wall(utc)),
            false => wall(view.to_local(stamp.zone, utc)),
        }
    }
}

fn refuse<T>(why: &str) -> Result<T, RemoteError> {
    Err(RemoteError::Refused(format!(
        "this series cannot be moved as a whole: {why}; move it in the calendar's own program, or one occurrence"
    )))
}
