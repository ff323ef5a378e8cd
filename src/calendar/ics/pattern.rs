//! Which days and times match a rule, DTSTART filling in what the rule leaves open.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};

use super::rule::{Frequency, NthDay, Rule};

/// A rule's BY parts with DTSTART's own day and time where the rule does not say.
#[derive(Debug)]
pub struct Pattern {
    months: u16,
    weeks: Vec<i32>,
    year_days: Vec<i32>,
    month_days: Vec<i32>,
    days: Vec<NthDay>,
    nth_within: NthWithin,
    week_start: Weekday,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    seconds: Vec<u32>,
}

/// What the number before a weekday counts in.
#[derive(Debug, Clone, Copy)]
enum NthWithin {
    Month,
    Year,
    /// The RFC gives it no meaning here: the weekday alone counts.
    Nothing,
}

impl Pattern {
    /// The pattern of `rule` for an event that begins at `start`.
    pub fn new(rule: &Rule, start: NaiveDateTime) -> Self {
        let mut pattern = Pattern {
            months: rule
                .by_month
                .iter()
                .fold(0, |months, month| months | 1 << month),
            weeks: rule.by_week.clone(),
            year_days: rule.by_year_day.clone(),
            month_days: rule.by_month_day.clone(),
            days: rule.by_day.clone(),
            nth_within: match rule.frequency {
                Frequency::Monthly => NthWithin::Month,
                Frequency::Yearly if !rule.by_week.is_empty() => NthWithin::Nothing,
                Frequency::Yearly if rule.by_month.is_empty() => NthWithin::Year,
                Frequency::Yearly => NthWithin::Month,
                _ => NthWithin::Nothing,
            },
            week_start: rule.week_start,
            hours: unsigned(&rule.by_hour),
            minutes: unsigned(&rule.by_minute),
            seconds: unsigned(&rule.by_second),
        };
        pattern.fill_days(rule.frequency, start.date());
        pattern.fill_times(rule.frequency, start.time());
        pattern
    }

    fn fill_days(&mut self, frequency: Frequency, start: NaiveDate) {
        let says_day =
            !self.year_days.is_empty() || !self.month_days.is_empty() || !self.days.is_empty();
        if says_day {
            return;
        }
        let own_weekday = NthDay {
            nth: 0,
            weekday: start.weekday(),
        };
        match frequency {
            Frequency::Yearly if !self.weeks.is_empty() => self.days.push(own_weekday),
            Frequency::Yearly => {
                if self.months == 0 {
                    self.months = 1 << start.month();
                }
                self.month_days.extend(i32::try_from(start.day()));
            }
            Frequency::Monthly => self.month_days.extend(i32::try_from(start.day())),
            Frequency::Weekly => self.days.push(own_weekday),
            _ => {}
        }
    }

    fn fill_times(&mut self, frequency: Frequency, start: NaiveTime) {
        if self.hours.is_empty() && frequency > Frequency::Hourly {
            self.hours.push(start.hour());
        }
        if self.minutes.is_empty() && frequency > Frequency::Minutely {
            self.minutes.push(start.minute());
        }
        if self.seconds.is_empty() && frequency > Frequency::Secondly {
            self.seconds.push(start.second());
        }
    }

    /// Whether the month, 1 to 12, may hold a match.
    pub fn has_month(&self, month: u32) -> bool {
        self.months == 0 || self.months & (1 << month) != 0
    }

    /// Whether the day of a month that [`Pattern::has_month`] matches.
    pub fn has_day(&self, date: NaiveDate) -> bool {
        self.has_month_day(date)
            && self.has_weekday(date)
            && self.has_year_day(date)
            && self.has_week(date)
    }

    /// Whether the hour matches.
    pub fn has_hour(&self, hour: u32) -> bool {
        self.hours.is_empty() || self.hours.contains(&hour)
    }

    /// Whether the minute matches.
    pub fn has_minute(&self, minute: u32) -> bool {
        self.minutes.is_empty() || self.minutes.contains(&minute)
    }

    /// Whether the second matches.
    pub fn has_second(&self, second: u32) -> bool {
        self.seconds.is_empty() || self.seconds.contains(&second)
    }

    /// The times of each day, sorted, for DAILY and longer.
    pub fn times(&self) -> Vec<NaiveTime> {
        let hours = self.hours.iter();
        hours
            .flat_map(|hour| self.times_of_hour(*hour, &self.minutes))
            .collect()
    }

    /// The times within the hour, minute or second of `time`, sorted.
    pub fn times_within(&self, frequency: Frequency, time: NaiveTime) -> Vec<NaiveTime> {
        match frequency {
            Frequency::Hourly => self.times_of_hour(time.hour(), &self.minutes),
            Frequency::Minutely => self.times_of_hour(time.hour(), &[time.minute()]),
            _ => vec![time],
        }
    }

    fn times_of_hour(&self, hour: u32, minutes: &[u32]) -> Vec<NaiveTime> {
        let of_minute = |minute: &u32| {
            let minute = *minute;
            let seconds = self.seconds.iter();
            seconds.filter_map(move |second| NaiveTime::from_hms_opt(hour, minute, *second))
        };
        minutes.iter().flat_map(of_minute).collect()
    }

    fn has_month_day(&self, date: NaiveDate) -> bool {
        has_either_end(
            &self.month_days,
            date.day(),
            u32::from(date.num_days_in_month()),
        )
    }

    fn has_year_day(&self, date: NaiveDate) -> bool {
        has_either_end(&self.year_days, date.ordinal(), year_length(date))
    }

    fn has_weekday(&self, date: NaiveDate) -> bool {
        if self.days.is_empty() {
            return true;
        }
        let weekday = date.weekday();
        let (place, length) = match self.nth_within {
            NthWithin::Month => (date.day(), u32::from(date.num_days_in_month())),
            NthWithin::Year => (date.ordinal(), year_length(date)),
            NthWithin::Nothing => return self.days.iter().any(|day| day.weekday == weekday),
        };
        let from_start = i32::try_from((place - 1) / 7 + 1);
        let from_end = i32::try_from((length - place) / 7 + 1).map(|nth| -nth);
        self.days.iter().any(|day| {
            let is_nth = day.nth == 0 || from_start == Ok(day.nth) || from_end == Ok(day.nth);
            day.weekday == weekday && is_nth
        })
    }

    /// Weeks as in ISO 8601 but beginning on WKST: week 1 is the first with four days in the year.
    fn has_week(&self, date: NaiveDate) -> bool {
        if self.weeks.is_empty() {
            return true;
        }
        let first_of = |year: i32| {
            let fourth = NaiveDate::from_ymd_opt(year, 1, 4)?;
            Some(fourth.week(self.week_start).first_day())
        };
        let number = || {
            let year = (date.year() - 1..=date.year() + 1)
                .rev()
                .find(|year| first_of(*year).is_some_and(|first| first <= date))?;
            let (first, next) = (first_of(year)?, first_of(year + 1)?);
            let weeks = |days: TimeDelta| u32::try_from(days.num_days() / 7).ok();
            Some((weeks(date - first)? + 1, weeks(next - first)?))
        };
        number().is_some_and(|(number, weeks)| has_either_end(&self.weeks, number, weeks))
    }
}

/// Whether a list that may count from either end has the place (from 1) of a period of `length`; an empty one has all.
fn has_either_end(list: &[i32], place: u32, length: u32) -> bool {
    let from_start = i32::try_from(place);
    let from_end = i32::try_from(length - place + 1).map(|place| -place);
    list.is_empty()
        || list
            .iter()
            .any(|wanted| from_start == Ok(*wanted) || from_end == Ok(*wanted))
}

fn year_length(date: NaiveDate) -> u32 {
    if date.leap_year() { 366 } else { 365 }
}

fn unsigned(list: &[i32]) -> Vec<u32> {
    list.iter().map(|number| number.unsigned_abs()).collect()
}
