//! Finds a line's own timestamp, in the forms that programs on a small machine write.

use std::sync::{Mutex, PoisonError};

use chrono::{
    DateTime, Datelike, Days, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, Offset,
    TimeZone, Utc,
};

use super::form::{Says, Scan};
use crate::zone::Tz;

/// How far into a line an access log's `[20/Nov/2026:20:04:01 +0000]` or JSON's time is looked for, in bytes.
const REACH: usize = 200;

/// Where a line's timestamp stands, and what it says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp {
    /// First byte, brackets included.
    pub start: usize,
    /// After the last byte.
    pub end: usize,
    says: Says,
}

/// Finds the timestamp of `line`: at its start (also in brackets, or after a syslog `<34>`), where access logs
/// have it, or the first RFC 3339 string of a JSON line.
pub fn locate(line: &[u8]) -> Option<Stamp> {
    let mut scan = Scan { text: line, at: 0 };
    scan.skip_blanks();
    if scan.eat(b'<') {
        scan.number(1, 3)?;
        if !scan.eat(b'>') {
            return None;
        }
        // RFC 5424, section 6.2.2: the version stands before the time.
        let version = scan;
        if !(scan.number(1, 1).is_some() && scan.eat(b' ')) {
            scan = version;
        }
    }
    let start = scan.at;
    let bracketed = scan.eat(b'[');
    scan.skip_blanks();
    let found = scan.any();
    if let Some(says) = found {
        if bracketed && !scan.eat(b']') {
            return None;
        }
        let end = scan.at;
        return Some(Stamp { start, end, says });
    }
    inner(line)
}

/// A timestamp that does not begin the line.
fn inner(line: &[u8]) -> Option<Stamp> {
    let reach = &line[..line.len().min(REACH)];
    let opening: &[u8] = if line.starts_with(b"{") {
        b"\"20"
    } else {
        b"["
    };
    let start = memchr::memmem::find(reach, opening)?;
    let mut scan = Scan {
        text: line,
        at: start + 1,
    };
    let says = match opening {
        b"[" => scan.common_log()?,
        _ => scan.iso()?,
    };
    let closed = scan.eat(b']') || scan.eat(b'"');
    closed.then_some(Stamp {
        start,
        end: scan.at,
        says,
    })
}

/// Turns what stamps say into instants, in one zone and seen from one moment.
#[derive(Debug)]
pub struct Calendar {
    zone: Tz,
    now: DateTime<Utc>,
    /// The zone's offset in the quarter of an hour last asked for: neighbouring lines share it.
    last: Mutex<Option<(i64, i32)>>,
}

impl Calendar {
    /// `zone` is that of stamps without one; `now` chooses the year of stamps without one.
    pub fn new(zone: Tz, now: DateTime<Utc>) -> Self {
        let last = Mutex::new(None);
        Calendar { zone, now, last }
    }

    /// The instant of `line`'s own timestamp.
    pub fn time_of(&self, line: &[u8]) -> Option<DateTime<Utc>> {
        self.resolve(locate(line)?)
    }

    fn resolve(&self, stamp: Stamp) -> Option<DateTime<Utc>> {
        match stamp.says {
            Says::Instant(at) => Some(at),
            Says::Local(local) => self.local(local),
            Says::Yearless(month, day, time) => {
                // Yesterday's 31 December is read on 1 January; a day of grace is for clocks ahead.
                let latest = self.now.naive_utc().checked_add_days(Days::new(1))?;
                let year = latest.year();
                [year, year - 1].into_iter().find_map(|year| {
                    let at = NaiveDate::from_ymd_opt(year, month, day)?.and_time(time);
                    if at <= latest { self.local(at) } else { None }
                })
            }
            Says::SinceBoot => None,
        }
    }

    fn local(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let quarter = local.and_utc().timestamp().div_euclid(900);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, offset)) = last.filter(|(known, _)| *known == quarter) {
            return Some((local - Duration::seconds(i64::from(offset))).and_utc());
        }
        let at = match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => at,
            // In the repeated hour: the later one unless it has not been yet.
            MappedLocalTime::Ambiguous(_, later) if later <= self.now => later,
            MappedLocalTime::Ambiguous(earlier, _) => earlier,
            MappedLocalTime::None => return None,
        };
        let offset = at.offset().fix().local_minus_utc();
        *last = Some((quarter, offset));
        Some(at.to_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(now: &str) -> Calendar {
        let now = now.parse().expect("a time");
        Calendar::new(Tz::named("Europe/Madrid").unwrap(), now)
    }

    fn check(line: &str, time: Option<&str>, without: &str) {
        let stamp = locate(line.as_bytes());
        let at = stamp.and_then(|stamp| calendar("2026-11-20T21:00:00Z").resolve(stamp));
        let expected = time.map(|time| time.parse::<DateTime<Utc>>().expect("a time"));
        assert_eq!(at, expected, "{line}");
        let rest = stamp.map_or(line.to_owned(), |stamp| {
            format!("{}{}", &line[..stamp.start], &line[stamp.end..])
        });
        assert_eq!(rest, without);
    }

    #[test]
    fn every_common_form_is_read() {
        let noon = Some("2026-11-20T11:04:01Z");
        check("2026-11-20T12:04:01+01:00 pi x: y", noon, " pi x: y");
        check("2026-11-20T11:04:01Z x", noon, " x");
        check("2026-11-20 12:04:01 ERROR x", noon, " ERROR x");
        check("2026-11-20 12:04:01,000 x", noon, " x");
        check("2026-11-20 11:04:01 +0000 x", noon, " x");
        check(
            "2026/11/20 12:04:01 [error] 1#1: x",
            noon,
            " [error] 1#1: x",
        );
        check("[2026-11-20 12:04:01] x", noon, " x");
        check("Nov 20 12:04:01 pi sshd[1]: x", noon, " pi sshd[1]: x");
        check(
            "Nov  2 12:04:01 pi x",
            Some("2026-11-02T11:04:01Z"),
            " pi x",
        );
        check("<34>Nov 20 12:04:01 pi x", noon, "<34> pi x");
        check("<34>1 2026-11-20T11:04:01Z pi x", noon, "<34>1  pi x");
        check(
            "[Fri Nov 20 12:04:01.000000 2026] [core:error] x",
            noon,
            " [core:error] x",
        );
        check("1795172641 x", Some("2026-11-20T11:04:01Z"), " x");
        check(
            "1795172641.000 12 TCP_MISS",
            Some("2026-11-20T11:04:01Z"),
            " 12 TCP_MISS",
        );
        let access = "10.0.0.1 - - [20/Nov/2026:11:04:01 +0000] \"GET / HTTP/1.1\" 500 1";
        check(access, noon, "10.0.0.1 - -  \"GET / HTTP/1.1\" 500 1");
        let json = r#"{"time":"2026-11-20T11:04:01Z","level":"error"}"#;
        check(json, noon, r#"{"time":,"level":"error"}"#);
        check("[   12.345678] usb 1-1: x", None, " usb 1-1: x");
        check(
            "2026-11-20 12:04:01.25 x",
            Some("2026-11-20T11:04:01.25Z"),
            " x",
        );
        check("2026-11-20 12:04:01 -5 degrees", noon, " -5 degrees");
    }

    #[test]
    fn a_summer_time_and_a_year_are_chosen_by_zone_and_now() {
        check("Jul  1 12:00:00 x", Some("2026-07-01T10:00:00Z"), " x");
        check("Dec 31 23:59:59 x", Some("2025-12-31T22:59:59Z"), " x");
        check("Nov 21 12:00:00 x", Some("2026-11-21T11:00:00Z"), " x");
    }

    #[test]
    fn the_repeated_hour_is_read_as_the_later_one_once_it_has_been() {
        let line = b"2026-10-25 02:30:00 x";
        let cases = [
            ("2026-10-25T00:31:00Z", "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:31:00Z", "2026-10-25T01:30:00Z"),
        ];
        for (now, expected) in cases {
            let expected: DateTime<Utc> = expected.parse().expect("a time");
            assert_eq!(calendar(now).time_of(line), Some(expected));
        }
    }

    #[test]
    fn what_is_no_timestamp_is_left_alone() {
        for line in [
            "",
            "[",
            "<",
            "<34",
            "x",
            "2026",
            "2026-13-20 12:04:01",
            "2026-11-20",
            "Nov",
            "Nov 20",
            "Foo 20 12:04:01",
            "99999999999 x",
            "[error] 2026 x",
            "2026-11-20 25:04:01 x",
            "Feb 30 12:00:00 x{",
            "{\"20\"}",
            "\u{e9}\u{e9}",
        ] {
            assert_eq!(
                calendar("2026-11-20T21:00:00Z").time_of(line.as_bytes()),
                None,
                "{line}"
            );
        }
    }
}
