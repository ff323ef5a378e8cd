//! The forms that timestamps take in logs.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
const DAYS: &[u8] = b"MonTueWedThuFriSatSun";

/// What a timestamp says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Says {
    /// It tells its zone, or needs none.
    Instant(DateTime<Utc>),
    /// In the zone of the machine.
    Local(NaiveDateTime),
    /// RFC 3164, section 4.1.2: month, day and time without a year.
    Yearless(u32, u32, NaiveTime),
    /// The kernel's `[12345.678901]`; what it is relative to is not in the line.
    SinceBoot,
}

/// Reads forward through a line.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// The line.
    pub text: &'a [u8],
    /// The next byte.
    pub at: usize,
}

impl Scan<'_> {
    /// The first form that reads here.
    pub fn any(&mut self) -> Option<Says> {
        let start = *self;
        let forms = [Scan::iso, Scan::syslog, Scan::epoch, Scan::kernel];
        for form in forms {
            if let Some(says) = form(self) {
                return Some(says);
            }
            *self = start;
        }
        None
    }

    /// RFC 3339 and its relatives: `2026-11-20T20:04:01.5Z`, `2026-11-20 20:04:01,123`, `2026/11/20 20:04:01`.
    pub fn iso(&mut self) -> Option<Says> {
        let year = self.number(4, 4)?;
        let dashed = self.eat(b'-');
        if !dashed && !self.eat(b'/') {
            return None;
        }
        let month = self.number(2, 2)?;
        if !self.eat(if dashed { b'-' } else { b'/' }) {
            return None;
        }
        let day = self.number(2, 2)?;
        if !self.eat(b'T') && !self.eat(b' ') {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        let local = date.and_time(self.time()?);
        self.with_zone(local)
    }

    /// `Nov 20 20:04:01` (RFC 3164) and, after a weekday, ctime's and Apache's `Fri Nov 20 20:04:01.5 2026`.
    fn syslog(&mut self) -> Option<Says> {
        let weekday = self.word_of(DAYS).is_some();
        if weekday && !self.eat(b' ') {
            return None;
        }
        let month = self.word_of(MONTHS)?;
        self.eat(b' ').then_some(())?;
        self.skip_blanks();
        let day = self.number(1, 2)?;
        self.eat(b' ').then_some(())?;
        let time = self.time()?;
        if weekday && self.eat(b' ') {
            let year = i32::try_from(self.number(4, 4)?).ok()?;
            let date = NaiveDate::from_ymd_opt(year, month, day)?;
            return Some(Says::Local(date.and_time(time)));
        }
        Some(Says::Yearless(month, day, time))
    }

    /// Seconds since 1970 (ten digits, so 2001 to 2286), with an optional fraction.
    fn epoch(&mut self) -> Option<Says> {
        let seconds = self.number(10, 10)?;
        let nanos = self.fraction();
        let ends = self
            .text
            .get(self.at)
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let at = DateTime::from_timestamp(i64::from(seconds), nanos)?;
        ends.then_some(Says::Instant(at))
    }

    fn kernel(&mut self) -> Option<Says> {
        self.at.checked_sub(1)?;
        self.number(1, 9)?;
        self.eat(b'.').then_some(())?;
        self.number(6, 6)?;
        Some(Says::SinceBoot)
    }

    /// The Common Log Format's `20/Nov/2026:20:04:01 +0000`.
    pub fn common_log(&mut self) -> Option<Says> {
        let day = self.number(2, 2)?;
        self.eat(b'/').then_some(())?;
        let month = self.word_of(MONTHS)?;
        self.eat(b'/').then_some(())?;
        let year = i32::try_from(self.number(4, 4)?).ok()?;
        self.eat(b':').then_some(())?;
        let local = NaiveDate::from_ymd_opt(year, month, day)?.and_time(self.time()?);
        self.with_zone(local)
    }

    fn time(&mut self) -> Option<NaiveTime> {
        let hour = self.number(2, 2)?;
        self.eat(b':').then_some(())?;
        let minute = self.number(2, 2)?;
        self.eat(b':').then_some(())?;
        // A leap second reads as the second before it.
        let second = self.number(2, 2)?.min(59);
        let nanos = self.fraction();
        NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
    }

    /// `.5` or `,123` in nanoseconds; nothing is 0.
    fn fraction(&mut self) -> u32 {
        let before = *self;
        if !self.eat(b'.') && !self.eat(b',') {
            return 0;
        }
        let start = self.at;
        let mut nanos = 0;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            if self.at - start < 9 {
                nanos = nanos * 10 + u32::from(digit - b'0');
            }
            self.at += 1;
        }
        let digits = self.at - start;
        if digits == 0 {
            *self = before;
            return 0;
        }
        nanos * 10u32.pow(u32::try_from(9 - digits.min(9)).unwrap_or(0))
    }

    fn with_zone(&mut self, local: NaiveDateTime) -> Option<Says> {
        let before = *self;
        self.eat(b' ');
        let east = match self.text.get(self.at) {
            Some(b'Z') => {
                self.at += 1;
                return Some(Says::Instant(local.and_utc()));
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => 0,
        };
        self.at += 1;
        let offset = self.zone_offset().filter(|_| east != 0);
        let Some(seconds) = offset else {
            *self = before;
            return Some(Says::Local(local));
        };
        let zone = FixedOffset::east_opt(east * seconds)?;
        let at = zone.from_local_datetime(&local).single()?;
        Some(Says::Instant(at.to_utc()))
    }

    /// `0100` or `01:00` in seconds.
    fn zone_offset(&mut self) -> Option<i32> {
        let hours_and_minutes = match self.number(4, 4) {
            Some(number) => number,
            None => {
                let hours = self.number(2, 2)?;
                self.eat(b':').then_some(())?;
                hours * 100 + self.number(2, 2)?
            }
        };
        let minutes = hours_and_minutes / 100 * 60 + hours_and_minutes % 100;
        i32::try_from(minutes * 60).ok()
    }

    /// Between `least` and `most` digits, and no digit after them.
    pub fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let rest = self.text.get(self.at..)?;
        let digits = rest
            .iter()
            .take(most + 1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits < least || digits > most {
            return None;
        }
        self.at += digits;
        rest[..digits].iter().try_fold(0u32, |value, byte| {
            value.checked_mul(10)?.checked_add(u32::from(byte - b'0'))
        })
    }

    /// One of the three-letter `names`, counted from 1.
    fn word_of(&mut self, names: &[u8]) -> Option<u32> {
        let word = self.text.get(self.at..self.at + 3)?;
        let index = names.chunks_exact(3).position(|name| name == word)?;
        self.at += 3;
        u32::try_from(index + 1).ok()
    }

    /// Steps over `byte` if it is next.
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over spaces.
    pub fn skip_blanks(&mut self) {
        while self.eat(b' ') {}
    }
}
