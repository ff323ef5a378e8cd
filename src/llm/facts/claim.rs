//! What a text claims, and the facts that a claim must stand in.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::Kind;

/// One place in a text that says something that can be checked.
#[derive(Debug)]
pub(super) struct Claim {
    /// Where in the text, in bytes.
    pub place: Range<usize>,
    pub kind: Kind,
    /// What it may mean: one true reading is enough.
    pub readings: Vec<Reading>,
}

/// One meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    /// Seconds of the day.
    Time(u32),
    /// Year where given, month, day, and the weekday that stood beside it.
    Date(Option<i32>, u32, u32, Option<Weekday>),
    /// A day of whichever month.
    Day(u32, Option<Weekday>),
    Month(u32),
    Weekday(Weekday),
    /// Days from now.
    Relative(i64),
    /// A value and how many decimals it shows.
    Number(f64, u32),
    /// A value that stands as a number of its own in the facts: its unit is the field's.
    Figure(f64),
    /// Minutes.
    Duration(u32),
}

/// Everything that may be said.
#[derive(Debug)]
pub(super) struct Known {
    pub now: NaiveDate,
    pub times: BTreeSet<u32>,
    pub dates: BTreeSet<NaiveDate>,
    pub days: BTreeSet<u32>,
    pub months: BTreeSet<u32>,
    /// Named without a date.
    pub weekdays: Vec<Weekday>,
    pub numbers: Vec<f64>,
    /// The numbers that are no part of a text.
    pub figures: Vec<f64>,
    pub durations: BTreeSet<u32>,
    /// Folded words that hold letters and digits, such as `sda1`.
    pub codes: BTreeSet<String>,
    /// The digits of what looks like a telephone number.
    pub phones: BTreeSet<String>,
}

impl Known {
    /// Nothing but what day it is.
    pub fn at(now: NaiveDate) -> Self {
        Known {
            now,
            times: BTreeSet::new(),
            dates: BTreeSet::from([now]),
            days: BTreeSet::new(),
            months: BTreeSet::new(),
            weekdays: Vec::new(),
            numbers: Vec::new(),
            figures: Vec::new(),
            durations: BTreeSet::new(),
            codes: BTreeSet::new(),
            phones: BTreeSet::new(),
        }
    }

    /// Whether the facts hold `reading`.
    pub fn holds(&self, reading: Reading) -> bool {
        match reading {
            Reading::Time(time) => self.times.contains(&time),
            Reading::Date(year, month, day, weekday) => self.dates.iter().any(|date| {
                (date.month(), date.day()) == (month, day)
                    && year.is_none_or(|year| year == date.year())
                    && weekday.is_none_or(|weekday| weekday == date.weekday())
            }),
            Reading::Day(day, None) => {
                self.days.contains(&day) || self.dates.iter().any(|date| date.day() == day)
            }
            Reading::Day(day, Some(weekday)) => {
                let mut dates = self.dates.iter();
                dates.any(|date| date.day() == day && date.weekday() == weekday)
                    || self.days.contains(&day) && self.weekdays.contains(&weekday)
            }
            Reading::Month(month) => {
                self.months.contains(&month) || self.dates.iter().any(|date| date.month() == month)
            }
            Reading::Weekday(weekday) => {
                self.weekdays.contains(&weekday)
                    || self.dates.iter().any(|date| date.weekday() == weekday)
            }
            Reading::Relative(days) => self
                .day_from_now(days)
                .is_some_and(|date| self.dates.contains(&date)),
            Reading::Number(value, decimals) => self.has_number(value, decimals),
            Reading::Figure(value) => {
                let mut figures = self.figures.iter();
                figures.any(|figure| (figure - value).abs() < 1e-9)
            }
            Reading::Duration(minutes) => self.durations.contains(&minutes),
        }
    }

    /// Takes in what a text of the facts says, in every reading of it.
    pub fn learn(&mut self, reading: Reading) {
        match reading {
            Reading::Time(time) => {
                self.times.insert(time);
                self.times.insert(time - time % 60);
            }
            Reading::Date(year, month, day, _) => {
                self.dates.extend(self.nearest(year, month, day));
            }
            Reading::Day(day, weekday) => {
                self.days.insert(day);
                self.weekdays.extend(weekday);
            }
            Reading::Month(month) => drop(self.months.insert(month)),
            Reading::Weekday(weekday) => self.weekdays.push(weekday),
            Reading::Relative(days) => self.dates.extend(self.day_from_now(days)),
            Reading::Number(value, _) => self.numbers.push(value),
            Reading::Figure(value) => self.figures.push(value),
            Reading::Duration(minutes) => drop(self.durations.insert(minutes)),
        }
    }

    /// A fact may be told with fewer decimals than it has.
    fn has_number(&self, value: f64, decimals: u32) -> bool {
        let scale = 10_f64.powi(decimals.min(9).cast_signed());
        let year = self
            .dates
            .iter()
            .any(|date| f64::from(date.year()) == value);
        let mut numbers = self.numbers.iter();
        year || numbers.any(|known| {
            let known = known.abs();
            (known - value).abs() < 1e-9 || ((known * scale).round() / scale - value).abs() < 1e-9
        })
    }

    fn day_from_now(&self, days: i64) -> Option<NaiveDate> {
        let distance = Days::new(days.unsigned_abs());
        if days < 0 {
            self.now.checked_sub_days(distance)
        } else {
            self.now.checked_add_days(distance)
        }
    }

    /// A date without its year is the one nearest to now.
    fn nearest(&self, year: Option<i32>, month: u32, day: u32) -> Option<NaiveDate> {
        if let Some(year) = year {
            return NaiveDate::from_ymd_opt(year, month, day);
        }
        let years = self.now.year() - 1..=self.now.year() + 1;
        let dates = years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day));
        dates.min_by_key(|date| (*date - self.now).num_days().abs())
    }
}
