//! The moments of a cron entry on a clock that never changes: bit masks of 64 bytes in place of croner's 5.6 KiB.
//!
//! croner parses, and says which days of each shape of month fit; what is kept is its answers.

use chrono::{DateTime, Datelike, NaiveDate};
use croner::{Cron, Weekday};

const DAY: i64 = 86_400;

/// No date fits within this many months, so none ever does: 29 February on a given weekday comes every 40 years at worst.
const FAR: usize = 12 * 41;

/// How the moments of an entry meet a change of the clocks (cronie's rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Fixed times of the day, as `30 2 * * *`: each comes once.
    Fixed,
    /// With a `*` among its seconds, minutes or hours, as `*/15 * * * *`: it follows real time.
    RealTime,
}

/// A field of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Which second.
    Second,
    /// Which minute.
    Minute,
    /// Which hour.
    Hour,
    /// The day, by its number or its weekday.
    Day,
    /// Which month.
    Month,
}

/// What an entry says, as masks. Times here are local: seconds from 1970 as a clock on the wall counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    seconds: u64,
    minutes: u64,
    hours: u32,
    months: u16,
    days: Days,
    pace: Pace,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    Every,
    /// By length of the month from 28, then by the weekday of its first day from Sunday: a mask of days.
    ByShape(Box<[[u32; 7]; 4]>),
}

impl Fields {
    /// Asks croner for all that is kept; `None` where no moment fits all fields.
    pub(super) fn read(cron: &Cron, pace: Pace) -> Option<Self> {
        let pattern = &cron.pattern;
        let mask = |values: Vec<u16>| values.iter().fold(0_u64, |mask, value| mask | 1 << value);
        let every = pattern.is_dom_wildcard() && pattern.is_dow_wildcard();
        let fields = Fields {
            seconds: mask(pattern.seconds.values()),
            minutes: mask(pattern.minutes.values()),
            hours: mask(pattern.hours.values()) as u32,
            months: mask(pattern.months.values()) as u16,
            days: if every {
                Days::Every
            } else {
                Days::ByShape(shapes(cron))
            },
            pace,
        };
        fields.first_from(0).is_some().then_some(fields)
    }

    /// Reads an entry of every day whose times are numbers, `*`, ranges, lists and steps, the most common kind, without croner,
    /// which goes through ten thousand years one by one. `None` for any other.
    pub(super) fn plain(text: &str, pace: Pace) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let (times, days) = fields.split_at_checked(fields.len().checked_sub(3)?)?;
        let (seconds, minutes, hours) = match times {
            [minutes, hours] => ("0", minutes, hours),
            [seconds, minutes, hours] => (*seconds, minutes, hours),
            _ => return None,
        };
        (days == ["*"; 3]).then_some(())?;
        Some(Fields {
            seconds: plain(seconds, 59)?,
            minutes: plain(minutes, 59)?,
            hours: plain(hours, 23)? as u32,
            months: 0b1_1111_1111_1110,
            days: Days::Every,
            pace,
        })
    }

    /// How it meets a change of the clocks.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The first field, from the largest, that a local time does not fit; `None` where it fits.
    pub fn misfit(&self, local: i64) -> Option<Field> {
        let (Some(date), time) = split(local) else {
            return Some(Field::Month);
        };
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let has = |mask: u64, value: u32| mask >> value & 1 == 1;
        if !has(self.months.into(), date.month()) {
            Some(Field::Month)
        } else if !self.on(date) {
            Some(Field::Day)
        } else if !has(self.hours.into(), hour) {
            Some(Field::Hour)
        } else if !has(self.minutes, minute) {
            Some(Field::Minute)
        } else if !has(self.seconds, second) {
            Some(Field::Second)
        } else {
            None
        }
    }

    /// The first fitting local time at `local` or after it.
    pub fn first_from(&self, local: i64) -> Option<i64> {
        let (date, time) = split(local);
        let date = date?;
        if self.on(date)
            && let Some(time) = self.time_from(time)
        {
            return Some(join(date, time));
        }
        let (mut year, mut month) = (date.year(), date.month());
        let mut days = self.days_of(year, month) & from(date.day() + 1);
        for _ in 0..FAR {
            if days != 0 {
                let date = NaiveDate::from_ymd_opt(year, month, days.trailing_zeros())?;
                return Some(join(date, self.time_from(0)?));
            }
            (year, month) = if month == 12 {
                (year + 1, 1)
            } else {
                (year, month + 1)
            };
            days = self.days_of(year, month);
        }
        None
    }

    /// The last fitting local time at `local` or before it.
    pub fn last_to(&self, local: i64) -> Option<i64> {
        let (date, time) = split(local);
        let date = date?;
        if self.on(date)
            && let Some(time) = self.time_to(time)
        {
            return Some(join(date, time));
        }
        let (mut year, mut month) = (date.year(), date.month());
        let mut days = self.days_of(year, month) & !from(date.day());
        for _ in 0..FAR {
            if days != 0 {
                let date = NaiveDate::from_ymd_opt(year, month, 31 - days.leading_zeros())?;
                return Some(join(date, self.time_to(DAY as u32 - 1)?));
            }
            (year, month) = if month == 1 {
                (year - 1, 12)
            } else {
                (year, month - 1)
            };
            days = self.days_of(year, month);
        }
        None
    }

    /// How many local times fit from `from` on and before `to`, without counting them one by one.
    pub fn count(&self, from: i64, to: i64) -> u64 {
        let ((Some(first), begin), (Some(last), end)) = (split(from), split(to)) else {
            return 0;
        };
        let of_day = |mask: u64| u64::from(mask.count_ones());
        let per_day = of_day(self.hours.into()) * of_day(self.minutes) * of_day(self.seconds);
        let until = |date, time| {
            if self.on(date) {
                self.times_before(time)
            } else {
                0
            }
        };
        (self.days(first, last) * per_day + until(last, end)).saturating_sub(until(first, begin))
    }

    /// How many days fit from `first` on and before `last`.
    fn days(&self, first: NaiveDate, last: NaiveDate) -> u64 {
        let (mut date, mut count) = (first, 0);
        while date < last {
            let mut days = self.days_of(date.year(), date.month()) & from(date.day());
            let next = next_month(date);
            if next > last {
                days &= !from(last.day());
            }
            count += u64::from(days.count_ones());
            date = next;
        }
        count
    }

    fn on(&self, date: NaiveDate) -> bool {
        self.days_of(date.year(), date.month()) >> date.day() & 1 == 1
    }

    /// The days of a month, the bit of a day being its number.
    fn days_of(&self, year: i32, month: u32) -> u32 {
        if self.months >> month & 1 == 0 {
            return 0;
        }
        let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else {
            return 0;
        };
        let length = (next_month(first) - first).num_days() as u32;
        match &self.days {
            Days::Every => from(1) & !from(length + 1),
            Days::ByShape(shapes) => {
                let weekday = first.weekday().num_days_from_sunday();
                shapes[length as usize - 28][weekday as usize]
            }
        }
    }

    /// The first time of the day at `time` or after it.
    fn time_from(&self, time: u32) -> Option<u32> {
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let (seconds, minutes, hours) = (self.seconds, self.minutes, u64::from(self.hours));
        let same_hour = hours >> hour & 1 == 1;
        if same_hour
            && minutes >> minute & 1 == 1
            && let Some(second) = at_or_after(seconds, second)
        {
            return Some(hour * 3600 + minute * 60 + second);
        }
        let second = at_or_after(seconds, 0)?;
        if same_hour && let Some(minute) = at_or_after(minutes, minute + 1) {
            return Some(hour * 3600 + minute * 60 + second);
        }
        Some(at_or_after(hours, hour + 1)? * 3600 + at_or_after(minutes, 0)? * 60 + second)
    }

    /// The last time of the day at `time` or before it.
    fn time_to(&self, time: u32) -> Option<u32> {
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let (seconds, minutes, hours) = (self.seconds, self.minutes, u64::from(self.hours));
        let same_hour = hours >> hour & 1 == 1;
        if same_hour
            && minutes >> minute & 1 == 1
            && let Some(second) = before(seconds, second + 1)
        {
            return Some(hour * 3600 + minute * 60 + second);
        }
        let second = before(seconds, 60)?;
        if same_hour && let Some(minute) = before(minutes, minute) {
            return Some(hour * 3600 + minute * 60 + second);
        }
        Some(before(hours, hour)? * 3600 + before(minutes, 60)? * 60 + second)
    }

    /// How many times of the day lie before `time`.
    fn times_before(&self, time: u32) -> u64 {
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let less = |mask: u64, value: u32| u64::from((mask & !(u64::MAX << value)).count_ones());
        let has = |mask: u64, value: u32| mask >> value & 1;
        let (seconds, minutes, hours) = (self.seconds, self.minutes, u64::from(self.hours));
        let of_minute = less(seconds, 60);
        let of_hour = less(minutes, 60) * of_minute;
        let in_minute = has(minutes, minute) * less(seconds, second);
        let in_hour = less(minutes, minute) * of_minute + in_minute;
        less(hours, hour) * of_hour + has(hours, hour) * in_hour
    }
}

/// The days that fit in each shape of month, as croner says.
fn shapes(cron: &Cron) -> Box<[[u32; 7]; 4]> {
    // Months of 28 to 31 days; which weekday they begin with is said to croner, not looked up.
    const MONTHS: [(i32, u32); 4] = [(2026, 2), (2028, 2), (2026, 4), (2026, 1)];
    let mut shapes = Box::new([[0; 7]; 4]);
    for (length, (year, month)) in (28..).zip(MONTHS) {
        for first in 0..7 {
            for day in 1..=length {
                let weekday = Weekday::from_days_from_sunday((first + day - 1) % 7);
                if cron
                    .pattern
                    .day_match(year, month, day, weekday)
                    .unwrap_or(false)
                {
                    shapes[length as usize - 28][first as usize] |= 1 << day;
                }
            }
        }
    }
    shapes
}

/// The lowest bit of `mask` that is `from` or higher; `from` may be 64.
fn at_or_after(mask: u64, from: u32) -> Option<u32> {
    let mask = mask & u64::MAX.checked_shl(from).unwrap_or(0);
    (mask != 0).then(|| mask.trailing_zeros())
}

/// The highest bit of `mask` that is lower than `end`; `end` is less than 64.
fn before(mask: u64, end: u32) -> Option<u32> {
    let mask = mask & !(u64::MAX << end);
    mask.checked_ilog2()
}

/// The days from this one on.
fn from(day: u32) -> u32 {
    u32::MAX.checked_shl(day).unwrap_or(0)
}

fn next_month(date: NaiveDate) -> NaiveDate {
    let (year, month) = (date.year(), date.month());
    let next = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    NaiveDate::from_ymd_opt(next.0, next.1, 1).unwrap_or(NaiveDate::MAX)
}

fn split(local: i64) -> (Option<NaiveDate>, u32) {
    let date = DateTime::from_timestamp(local, 0).map(|time| time.date_naive());
    (date, local.rem_euclid(DAY) as u32)
}

fn join(date: NaiveDate, time: u32) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days() * DAY + i64::from(time)
}

/// The values of a field from 0 to `max`; `None` where it is not so simple.
fn plain(field: &str, max: u32) -> Option<u64> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= max);
    field.split(',').try_fold(0, |mask, item| {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
            None => (item, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" && !field.contains(',') => (0, max),
            None if item.contains('/') => return None,
            None => (number(range)?, number(range)?),
        };
        let values = (from..=to).step_by(step as usize);
        (from <= to).then(|| values.fold(mask, |mask, value| mask | 1_u64 << value))
    })
}
