//! Values of properties (RFC 5545, section 3.3): dates, times, durations, texts.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// Longest duration that is believed: 100 years, in days.
const MAX_DAYS: i64 = 36_525;
/// Longest title and location, in characters.
const MAX_TITLE: usize = 300;

/// A DATE or DATE-TIME as written, before its zone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A whole day.
    Date(NaiveDate),
    /// A wall-clock time, floating or of a TZID.
    Local(NaiveDateTime),
    /// A time in UTC (the form with `Z`).
    Utc(NaiveDateTime),
}

/// A length of time: nominal days first, exact seconds after (RFC 5545, section 3.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Calendar days, whatever their length in hours.
    pub days: i64,
    /// Exact seconds.
    pub seconds: i64,
}

impl Span {
    /// A bound for how long it may last, in whole days.
    pub fn at_most_days(self) -> i64 {
        self.days + self.seconds / 86_400 + 1
    }
}

/// Reads `19970714`, `19970714T133000` or `19970714T173000Z`; the form decides, not the VALUE parameter,
/// as many writers leave that out or get it wrong.
pub fn stamp(value: &[u8]) -> Option<Written> {
    let value = value.trim_ascii();
    let date = date(value.get(..8)?)?;
    let Some((letter, time)) = value[8..].split_first() else {
        return Some(Written::Date(date));
    };
    if !letter.eq_ignore_ascii_case(&b'T') {
        return None;
    }
    let (time, is_utc) = match time.split_last() {
        Some((b'Z' | b'z', time)) => (time, true),
        _ => (time, false),
    };
    let local = date.and_time(self::time(time)?);
    Some(if is_utc {
        Written::Utc(local)
    } else {
        Written::Local(local)
    })
}

/// Reads `P15DT5H0M20S`, `PT1H` or `-P7W`: the sign apart, up to 100 years.
pub fn duration(value: &[u8]) -> Option<Span> {
    let value = value.trim_ascii();
    let (sign, value) = match value.split_first()? {
        (b'-', rest) => (-1, rest),
        (b'+', rest) => (1, rest),
        _ => (1, value),
    };
    let mut span = Span::default();
    let mut amount: Option<i64> = None;
    let mut units = 0;
    for byte in value
        .strip_prefix(b"P")
        .or_else(|| value.strip_prefix(b"p"))?
    {
        if byte.is_ascii_digit() {
            let digit = i64::from(byte - b'0');
            amount = Some(amount.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        if byte.eq_ignore_ascii_case(&b'T') {
            continue;
        }
        let amount = amount.take()?;
        match byte.to_ascii_uppercase() {
            b'W' => span.days = span.days.checked_add(amount.checked_mul(7)?)?,
            b'D' => span.days = span.days.checked_add(amount)?,
            b'H' => span.seconds = span.seconds.checked_add(amount.checked_mul(3600)?)?,
            b'M' => span.seconds = span.seconds.checked_add(amount.checked_mul(60)?)?,
            b'S' => span.seconds = span.seconds.checked_add(amount)?,
            _ => return None,
        }
        units += 1;
    }
    let is_sane = units > 0 && span.days <= MAX_DAYS && span.seconds <= MAX_DAYS * 86_400;
    (is_sane && amount.is_none()).then_some(Span {
        days: sign * span.days,
        seconds: sign * span.seconds,
    })
}

/// Reads a UTC offset, `+0100` or `-023015`, in seconds.
pub fn utc_offset(value: &[u8]) -> Option<i32> {
    let value = value.trim_ascii();
    let (sign, digits) = match value.split_first()? {
        (b'-', rest) => (-1, rest),
        (b'+', rest) => (1, rest),
        _ => return None,
    };
    let minutes = number(digits.get(..2)?)? * 60 + number(digits.get(2..4)?)?;
    let seconds = match digits.get(4..6) {
        Some(seconds) => number(seconds)?,
        None => 0,
    };
    let offset = i32::try_from(minutes * 60 + seconds).ok()?;
    (offset < 86_400).then_some(sign * offset)
}

/// Unescapes a TEXT of at most `limit` characters; what is longer ends in `…`. Control characters
/// go, as the text may reach a terminal.
pub fn text(value: &[u8], limit: usize) -> String {
    let value = String::from_utf8_lossy(value);
    let mut plain = String::with_capacity(value.len().min(limit * 4));
    let mut count = 0;
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        let char = match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => '\n',
                Some(escaped) => escaped,
                None => break,
            },
            char => char,
        };
        if char.is_control() && !matches!(char, '\n' | '\t') {
            continue;
        }
        if count == limit {
            plain.push('…');
            break;
        }
        plain.push(char);
        count += 1;
    }
    plain.trim().to_owned()
}

/// A SUMMARY as it is shown: in one line.
pub fn title(value: &[u8]) -> String {
    text(value, MAX_TITLE).replace('\n', " ")
}

/// A LOCATION as it is shown: in one line.
pub fn location(value: &[u8]) -> String {
    text(value, MAX_TITLE).replace('\n', ", ")
}

/// The two instants' distance as an exact [`Span`], never negative.
pub fn exact(from: NaiveDateTime, to: NaiveDateTime) -> Span {
    let seconds = (to - from).max(TimeDelta::zero()).num_seconds();
    Span { days: 0, seconds }
}

fn date(digits: &[u8]) -> Option<NaiveDate> {
    let year = i32::try_from(number(&digits[..4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&digits[4..6])?, number(&digits[6..8])?)
}

fn time(digits: &[u8]) -> Option<NaiveTime> {
    // Seconds are left out by some writers; a leap second is the second before it (section 3.3.12).
    let seconds = match digits.len() {
        4 => 0,
        6 => number(&digits[4..])?.min(59 + u32::from(&digits[4..] != b"60")),
        _ => return None,
    };
    NaiveTime::from_hms_opt(number(&digits[..2])?, number(&digits[2..4])?, seconds)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum: u32, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps() {
        #[track_caller]
        fn check(value: &str, expected: Option<&str>) {
            let found = stamp(value.as_bytes()).map(|stamp| match stamp {
                Written::Date(date) => date.to_string(),
                Written::Local(time) => time.to_string(),
                Written::Utc(time) => format!("{time}Z"),
            });
            assert_eq!(found.as_deref(), expected, "{value}");
        }
        check("20260228", Some("2026-02-28"));
        check(" 20260228T093015 ", Some("2026-02-28 09:30:15"));
        check("20260228T093015Z", Some("2026-02-28 09:30:15Z"));
        check("20260228T0930", Some("2026-02-28 09:30:00"));
        check("20161231T235960Z", Some("2016-12-31 23:59:59Z"));
        for wrong in [
            "",
            "2026",
            "20260229",
            "20260228T",
            "20260228T25",
            "20260228T240000",
        ] {
            check(wrong, None);
        }
        for wrong in [
            "20260228T093061",
            "20260228X093000",
            "2026022\u{f1}",
            "+2026022T",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn durations() {
        #[track_caller]
        fn check(value: &str, expected: Option<(i64, i64)>) {
            let found = duration(value.as_bytes()).map(|span| (span.days, span.seconds));
            assert_eq!(found, expected, "{value}");
        }
        check("PT1H30M", Some((0, 5400)));
        check("P2W", Some((14, 0)));
        check("P1DT12H", Some((1, 43_200)));
        check("-PT15M", Some((0, -900)));
        check("+P1D", Some((1, 0)));
        for wrong in [
            "",
            "P",
            "PT",
            "1H",
            "P1",
            "PT1X",
            "P99999999999999999999D",
            "P40000D",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn offsets() {
        assert_eq!(utc_offset(b"+0100"), Some(3600));
        assert_eq!(utc_offset(b"-023015"), Some(-9015));
        assert_eq!(utc_offset(b"0100"), None);
        assert_eq!(utc_offset(b"+99"), None);
        assert_eq!(utc_offset(b"+9900"), None);
    }

    #[test]
    fn texts() {
        #[track_caller]
        fn check(value: &str, expected: &str) {
            assert_eq!(text(value.as_bytes(), 10), expected);
        }
        check(r"a\, b\; \\c", r"a, b; \c");
        check(r"one\ntwo\Nx", "one\ntwo\nx");
        check("\u{1b}[31mred\u{7}", "[31mred");
        check("0123456789", "0123456789");
        check("0123456789a", "0123456789…");
        check(" trimmed\\", "trimmed");
        assert_eq!(text(b"ni\xf1o", 10), "ni\u{fffd}o");
    }
}
