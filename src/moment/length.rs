//! Lengths of time: "an hour and a half", "15 días", "1h30".

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};

use super::calendar::{later_months, moment};
use super::names::{Unit, count, number, unit};
use crate::zone::Tz;

/// Months and days of the calendar, and seconds that pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Length {
    months: i32,
    days: i64,
    seconds: i64,
}

impl Length {
    fn of(count: u32, unit: Unit) -> Length {
        let (months, days, seconds) = match unit {
            Unit::Second => (0, 0, 1),
            Unit::Minute => (0, 0, 60),
            Unit::Hour => (0, 0, 3600),
            Unit::Day => (0, 1, 0),
            Unit::Week => (0, 7, 0),
            Unit::Fortnight => (0, 14, 0),
            Unit::Month => (1, 0, 0),
            Unit::Quarter => (3, 0, 0),
            Unit::Year => (12, 0, 0),
        };
        let whole = i64::from(count);
        Length {
            months: months * i32::try_from(count).unwrap_or(i32::MAX / 12),
            days: days * whole,
            seconds: seconds * whole,
        }
    }

    fn minutes(minutes: i64) -> Length {
        Length {
            seconds: minutes * 60,
            ..Length::default()
        }
    }

    fn and(self, other: Length) -> Length {
        Length {
            months: self.months.saturating_add(other.months),
            days: self.days + other.days,
            seconds: self.seconds + other.seconds,
        }
    }

    /// As much before.
    pub(super) fn back(self) -> Length {
        Length {
            months: -self.months,
            days: -self.days,
            seconds: -self.seconds,
        }
    }

    /// Whether it is days and more, which the calendar counts.
    pub(super) fn is_days(self) -> bool {
        self.seconds == 0
    }

    /// The day that is so much after a day.
    pub(super) fn day_after(self, day: NaiveDate) -> Option<NaiveDate> {
        later_months(day, self.months)?.checked_add_signed(TimeDelta::try_days(self.days)?)
    }

    /// The moment that is so much after a moment: days by the calendar, hours as they pass.
    pub(super) fn after(self, start: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut at = start;
        if self.months != 0 || self.days != 0 {
            let local = start.naive_local();
            let day = self
                .day_after(local.date())
                .filter(|day| (1..=9998).contains(&day.year()))?;
            at = moment(start.timezone(), day.and_time(local.time()))?;
        }
        at.checked_add_signed(TimeDelta::try_seconds(self.seconds)?)
            .filter(|at| (1..=9998).contains(&at.year()))
    }
}

/// The length that the words begin with, and how many words it is.
pub(super) fn length(words: &[&str]) -> Option<(Length, usize)> {
    if let Some(fixed) = fixed(words) {
        return Some(fixed);
    }
    let (mut whole, mut taken) = one(words)?;
    let smaller = |length: Length, than: Length| {
        length.seconds > 0 && (than.seconds >= 3600 || than.seconds == 0)
    };
    let more = match &words[taken..] {
        ["and" | "y", rest @ ..] => one(rest).map(|(length, taken)| (length, taken + 1)),
        rest => one(rest),
    };
    if let Some((length, more)) = more.filter(|(length, _)| smaller(*length, whole)) {
        whole = whole.and(length);
        taken += more;
    }
    Some((whole, taken))
}

fn fixed(words: &[&str]) -> Option<(Length, usize)> {
    let (minutes, taken) = match words {
        ["half", "an", "hour", ..] | ["half", "a", "hour", ..] => (30, 3),
        ["a", "half", "hour", ..] => (30, 3),
        ["half", "hour", ..] | ["media", "hora", ..] => (30, 2),
        ["an", "hour", "and", "a", "half", ..] => (90, 5),
        ["hour", "and", "a", "half", ..] => (90, 4),
        ["hora", "y", "media", ..] => (90, 3),
        ["hora", "y", "cuarto", ..] => (75, 3),
        ["three", "quarters", "of", "an", "hour", ..] => (45, 5),
        ["tres", "cuartos", "de", "hora", ..] => (45, 4),
        ["a", "quarter", "of", "an", "hour", ..] => (15, 5),
        ["un", "cuarto", "de", "hora", ..] => (15, 4),
        ["1/2", "hora" | "hour", ..] => (30, 2),
        _ => return None,
    };
    Some((Length::minutes(minutes), taken))
}

/// One number and its unit, and halves of it.
fn one(words: &[&str]) -> Option<(Length, usize)> {
    if let [first, second, ..] = words
        && let Some(tenths) = tenths(first)
        && unit(second) == Some(Unit::Hour)
    {
        return Some((Length::minutes(tenths * 6), 2));
    }
    let (number, taken) = count(words)?;
    let half = |unit| match unit {
        Unit::Hour => Some(Length::minutes(30)),
        Unit::Day => Some(Length::minutes(12 * 60)),
        Unit::Year => Some(Length::of(6, Unit::Month)),
        _ => None,
    };
    match &words[taken..] {
        ["and", "a", "half", name, ..] => {
            let unit = unit(name)?;
            Some((Length::of(number, unit).and(half(unit)?), taken + 4))
        }
        ["h", minutes, ..]
            if minutes.len() == 2 && matches!(self::number(&[*minutes]), Some((0..60, 1))) =>
        {
            let minutes: i64 = minutes.parse().ok()?;
            Some((
                Length::of(number, Unit::Hour).and(Length::minutes(minutes)),
                taken + 2,
            ))
        }
        [name, rest @ ..] => {
            let unit = unit(name)?;
            let whole = Length::of(number, unit);
            Some(match rest {
                ["and", "a", "half", ..] => (whole.and(half(unit)?), taken + 4),
                ["y", "media" | "medio", ..] => (whole.and(half(unit)?), taken + 3),
                ["y", "cuarto", ..] if unit == Unit::Hour => {
                    (whole.and(Length::minutes(15)), taken + 3)
                }
                [minutes, "m", ..]
                    if unit == Unit::Hour
                        && self::number(&[*minutes]).is_some_and(|(number, _)| number < 60) =>
                {
                    let (minutes, _) = self::number(&[*minutes])?;
                    (whole.and(Length::minutes(minutes.into())), taken + 3)
                }
                _ => (whole, taken + 1),
            })
        }
        [] => None,
    }
}

/// "1.5" and "2,5" in tenths.
fn tenths(word: &str) -> Option<i64> {
    let (whole, part) = word.split_once(['.', ','])?;
    if part.len() != 1 || whole.len() > 3 {
        return None;
    }
    let (whole, part): (i64, i64) = (whole.parse().ok()?, part.parse().ok()?);
    Some(whole * 10 + part)
}
