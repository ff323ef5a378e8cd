//! Time zones and times of the day.

use std::str::FromStr;

use chrono::NaiveTime;

use super::from_text;
use crate::config::suggest::did_you_mean;
use crate::zone::Tz;

type Wrong = (String, String);

/// An IANA time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub Tz);

from_text!(
    Zone,
    zone,
    "TimeZone",
    None,
    "an IANA time zone, as \"Europe/Madrid\""
);

/// A time of the day, `"08:00"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockTime(pub NaiveTime);

from_text!(
    ClockTime,
    clock_time,
    "ClockTime",
    Some("^[0-2][0-9]:[0-5][0-9]$"),
    "hours and minutes, as \"08:00\""
);

/// A stretch of the day, which may cross midnight: `"22:00-07:00"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// Its first moment.
    pub from: NaiveTime,
    /// The first moment after it.
    pub to: NaiveTime,
}

from_text!(
    QuietHours,
    quiet_hours,
    "QuietHours",
    Some("^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"),
    "two times of the day, as \"22:00-07:00\""
);

fn zone(text: &str) -> Result<Zone, Wrong> {
    Tz::from_str(text).map(Zone).map_err(|_| {
        let near = did_you_mean(text, Tz::names());
        let right = if near.is_empty() {
            "use an IANA name, as \"Europe/Madrid\" or \"UTC\"".to_owned()
        } else {
            near
        };
        (format!("time zone `{text}` is not known"), right)
    })
}

fn clock_time(text: &str) -> Result<ClockTime, Wrong> {
    let wrong = (
        format!("`{text}` is not a time of the day"),
        "write hours and minutes, as \"08:00\"".to_owned(),
    );
    let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| wrong)?;
    Ok(ClockTime(time))
}

fn quiet_hours(text: &str) -> Result<QuietHours, Wrong> {
    let read = || {
        let (from, to) = text.split_once('-')?;
        let from = clock_time(from.trim()).ok()?.0;
        let to = clock_time(to.trim()).ok()?.0;
        (from != to).then_some(QuietHours { from, to })
    };
    read().ok_or_else(|| {
        (
            format!("`{text}` is not a stretch of the day"),
            "write two different times, as \"22:00-07:00\"".to_owned(),
        )
    })
}
