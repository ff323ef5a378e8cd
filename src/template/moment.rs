//! What a value means as a time: RFC 3339 texts, dates, local times and Unix seconds.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use minijinja::{Error, ErrorKind, Value};

use crate::zone::Tz;

/// A moment as the template's zone sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Moment {
    /// A day without a time: what lasts all day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Tz>),
}

impl Moment {
    /// Reads RFC 3339 ("2026-11-20T08:00:00Z"), a date ("2026-11-20"), a local time
    /// ("2026-11-20T09:00" or with a space) or Unix seconds.
    pub(super) fn read(value: &Value, zone: Tz) -> Result<Moment, Error> {
        let moment = match value.as_str() {
            Some(text) => parse(text.trim(), zone),
            None => value.as_i64().and_then(|seconds| unix(seconds, zone)),
        };
        moment.ok_or_else(|| {
            let what = format!(
                "{value:.60} is not a time: times look like 2026-11-20T09:00:00Z or 2026-11-20"
            );
            Error::new(ErrorKind::InvalidOperation, what)
        })
    }

    /// The local date.
    pub(super) fn date(self) -> NaiveDate {
        match self {
            Moment::Day(date) => date,
            Moment::Instant(instant) => instant.date_naive(),
        }
    }

    /// The instant; a day's is its first moment.
    pub(super) fn instant(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Moment::Day(date) => local(date.and_time(NaiveTime::MIN), zone).to_utc(),
            Moment::Instant(instant) => instant.to_utc(),
        }
    }
}

fn parse(text: &str, zone: Tz) -> Option<Moment> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Moment::Instant(instant.with_timezone(&zone)));
    }
    if let Ok(date) = text.parse() {
        return Some(Moment::Day(date));
    }
    let formats = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let naive = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(Moment::Instant(local(naive, zone)))
}

fn unix(seconds: i64, zone: Tz) -> Option<Moment> {
    let instant = DateTime::from_timestamp(seconds, 0)?;
    Some(Moment::Instant(instant.with_timezone(&zone)))
}

/// A local time as an instant: the earlier of two, and for one inside a gap the moment after it
/// (RFC 5545, section 3.3.5, reads it with the offset before the gap).
fn local(naive: NaiveDateTime, zone: Tz) -> DateTime<Tz> {
    if let Some(instant) = zone.from_local_datetime(&naive).earliest() {
        return instant;
    }
    let before = naive - chrono::TimeDelta::hours(3);
    match zone.from_local_datetime(&before).earliest() {
        Some(before) => before + chrono::TimeDelta::hours(3),
        None => zone.from_utc_datetime(&naive),
    }
}
