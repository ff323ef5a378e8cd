//! Recurrence rules worked out (RFC 5545, section 3.3.10), on wall-clock time without a zone.
//!
//! A rule without COUNT starts at the window and not at DTSTART, so its age costs nothing. What a rule may
//! cost is bounded by [`Fuel`], as COUNT does need the whole past and a rule may match nothing. (The crate `rrule` cannot
//! be bounded so: a rule that matches nothing keeps it busy to the year 10,000.)

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::pattern::Pattern;
use super::rule::{Ends, Frequency, Rule};

/// Most occurrences of one rule in one window.
pub const MAX_OCCURRENCES: usize = 2_000;

/// From (inclusive) and to (exclusive), in the rule's own wall-clock time.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The first moment within.
    pub from: NaiveDateTime,
    /// The first moment after.
    pub to: NaiveDateTime,
}

/// What is left to spend: about one unit a day or time looked at.
#[derive(Debug)]
pub struct Fuel(pub u32);

/// Why a rule was not worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// It would take too long.
    #[error("its recurrence takes too long to work out")]
    Work,
    /// It occurs too often to be an event in anybody's life.
    #[error("it occurs more than {MAX_OCCURRENCES} times in a few days")]
    Occurrences,
}

/// What `rule` gives within `window`, sorted, from `start` on. `start` itself is included only where it matches, yet
/// COUNT always counts it.
pub fn occurrences(
    rule: &Rule,
    start: NaiveDateTime,
    window: Window,
    fuel: &mut Fuel,
) -> Result<Vec<NaiveDateTime>, TooMuch> {
    let mut found = Found {
        start,
        window,
        left: None,
        list: Vec::new(),
    };
    if let Ends::After(count) = rule.ends {
        let after_start = count.saturating_sub(1);
        match last_of_plain_step(rule, start, after_start) {
            Some(last) => found.window.to = window.to.min(last + TimeDelta::seconds(1)),
            None => found.left = Some(after_start),
        }
    }
    let pattern = Pattern::new(rule, start);
    let done = match rule.frequency {
        Frequency::Secondly | Frequency::Minutely | Frequency::Hourly => {
            by_clock(rule, &pattern, &mut found, fuel)
        }
        _ => by_days(rule, &pattern, &mut found, fuel),
    };
    match done {
        Err(Stop::TooMuch(too_much)) => Err(too_much),
        Ok(()) | Err(Stop::Done) => Ok(found.list),
    }
}

impl Fuel {
    fn spend(&mut self, amount: usize) -> Result<(), Stop> {
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        let left = self.0.checked_sub(amount);
        self.0 = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Stop::TooMuch(TooMuch::Work))
    }
}

/// Why an expansion stopped before its window did.
enum Stop {
    Done,
    TooMuch(TooMuch),
}

struct Found {
    start: NaiveDateTime,
    window: Window,
    /// Occurrences after `start` that COUNT still allows.
    left: Option<u32>,
    list: Vec<NaiveDateTime>,
}

impl Found {
    fn offer(&mut self, time: NaiveDateTime) -> Result<(), Stop> {
        if time < self.start {
            return Ok(());
        }
        if time >= self.window.to {
            return Err(Stop::Done);
        }
        if time > self.start
            && let Some(left) = &mut self.left
        {
            *left = left.checked_sub(1).ok_or(Stop::Done)?;
        }
        if time >= self.window.from {
            if self.list.len() == MAX_OCCURRENCES {
                return Err(Stop::TooMuch(TooMuch::Occurrences));
            }
            self.list.push(time);
        }
        Ok(())
    }

    /// The first period worth looking at: all of them when they must be counted.
    fn first_period(&self, distance: i64, step: i64) -> i64 {
        if self.left.is_some() {
            0
        } else {
            distance.div_euclid(step).max(0)
        }
    }
}

/// With COUNT and no BY part the last occurrence is a multiplication away.
fn last_of_plain_step(rule: &Rule, start: NaiveDateTime, steps: u32) -> Option<NaiveDateTime> {
    if !rule.is_plain_step() {
        return None;
    }
    let seconds = i64::from(steps).checked_mul(step_seconds(rule))?;
    let last = start.checked_add_signed(TimeDelta::try_seconds(seconds)?)?;
    (last.year() < 10_000).then_some(last)
}

fn step_seconds(rule: &Rule) -> i64 {
    let unit = match rule.frequency {
        Frequency::Secondly => 1,
        Frequency::Minutely => 60,
        Frequency::Hourly => 3_600,
        Frequency::Weekly => 604_800,
        _ => 86_400,
    };
    unit * i64::from(rule.interval)
}

/// YEARLY to DAILY: sets of days, each with the same times.
fn by_days(rule: &Rule, pattern: &Pattern, found: &mut Found, fuel: &mut Fuel) -> Result<(), Stop> {
    let times = pattern.times();
    let mut period = found.first_period(distance(rule, found), i64::from(rule.interval));
    loop {
        let Some((first, end)) = days_of_period(rule, found.start.date(), period) else {
            return Ok(());
        };
        if first > found.window.to.date() {
            return Ok(());
        }
        let mut days = Vec::new();
        let mut day = first;
        let mut looked_at = 1;
        while day < end {
            looked_at += 1;
            if !pattern.has_month(day.month()) {
                day = first_of_next_month(day);
                continue;
            }
            if pattern.has_day(day) {
                days.push(day);
            }
            day += TimeDelta::days(1);
        }
        fuel.spend(looked_at)?;
        let count = days.len() * times.len();
        let time = |index: usize| days[index / times.len()].and_time(times[index % times.len()]);
        if rule.by_position.is_empty() {
            if found.left.is_some() {
                fuel.spend(count)?;
            }
            for index in 0..count {
                found.offer(time(index))?;
            }
        } else {
            for index in positions(&rule.by_position, count) {
                found.offer(time(index))?;
            }
        }
        period += 1;
    }
}

/// Whole periods (before INTERVAL) from the start to the window.
fn distance(rule: &Rule, found: &Found) -> i64 {
    let (start, from) = (found.start.date(), found.window.from.date());
    match rule.frequency {
        Frequency::Yearly => i64::from(from.year() - start.year()),
        Frequency::Monthly => month_number(from) - month_number(start),
        Frequency::Weekly => (from - week_of(rule, start)).num_days().div_euclid(7),
        _ => (from - start).num_days(),
    }
}

/// First day and the day after the last of a period; `None` past the year 9999.
fn days_of_period(rule: &Rule, start: NaiveDate, period: i64) -> Option<(NaiveDate, NaiveDate)> {
    let steps = period.checked_mul(i64::from(rule.interval))?;
    let first = match rule.frequency {
        Frequency::Yearly => {
            let year = i32::try_from(i64::from(start.year()).checked_add(steps)?).ok()?;
            NaiveDate::from_ymd_opt(year, 1, 1)?
        }
        Frequency::Monthly => {
            let month = month_number(start).checked_add(steps)?;
            let year = i32::try_from(month.div_euclid(12)).ok()?;
            NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?
        }
        Frequency::Weekly => later(week_of(rule, start), steps.checked_mul(7)?)?,
        _ => later(start, steps)?,
    };
    let end = match rule.frequency {
        Frequency::Yearly => NaiveDate::from_ymd_opt(first.year() + 1, 1, 1)?,
        Frequency::Monthly => first_of_next_month(first),
        Frequency::Weekly => later(first, 7)?,
        _ => later(first, 1)?,
    };
    (first.year() < 10_000).then_some((first, end))
}

fn later(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    date.checked_add_signed(TimeDelta::try_days(days)?)
}

fn month_number(date: NaiveDate) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month0())
}

fn week_of(rule: &Rule, date: NaiveDate) -> NaiveDate {
    date.week(rule.week_start).first_day()
}

fn first_of_next_month(date: NaiveDate) -> NaiveDate {
    let (year, month) = match date.month() {
        12 => (date.year() + 1, 1),
        month => (date.year(), month + 1),
    };
    NaiveDate::from_ymd_opt(year, month, 1).expect("years end long before chrono's last")
}

/// BYSETPOS: indexes into a set of `count`, sorted and each once.
fn positions(by_position: &[i32], count: usize) -> Vec<usize> {
    let mut indexes: Vec<_> = by_position
        .iter()
        .filter_map(|position| {
            let distance = usize::try_from(position.unsigned_abs()).ok()?;
            let from_start = *position > 0;
            if from_start {
                distance.checked_sub(1)
            } else {
                count.checked_sub(distance)
            }
        })
        .filter(|index| *index < count)
        .collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes
}

/// HOURLY, MINUTELY, SECONDLY: steps in time; a day, hour or minute that cannot match is passed over whole.
fn by_clock(
    rule: &Rule,
    pattern: &Pattern,
    found: &mut Found,
    fuel: &mut Fuel,
) -> Result<(), Stop> {
    let step = step_seconds(rule);
    let start = found.start;
    let mut period = found.first_period((found.window.from - start).num_seconds(), step);
    loop {
        fuel.spend(1)?;
        let Some(time) = period.checked_mul(step).and_then(TimeDelta::try_seconds) else {
            return Ok(());
        };
        let Some(time) = start
            .checked_add_signed(time)
            .filter(|time| time.year() < 10_000)
        else {
            return Ok(());
        };
        let time_of_day = i64::from(time.num_seconds_from_midnight());
        // How far the next moment is that may match, when this one does not.
        let skip = if !(pattern.has_month(time.month()) && pattern.has_day(time.date())) {
            86_400 - time_of_day
        } else if !pattern.has_hour(time.hour()) {
            3_600 - time_of_day % 3_600
        } else if rule.frequency <= Frequency::Minutely && !pattern.has_minute(time.minute()) {
            60 - time_of_day % 60
        } else if rule.frequency == Frequency::Secondly && !pattern.has_second(time.second()) {
            1
        } else {
            0
        };
        let begin = match rule.frequency {
            Frequency::Hourly => time - TimeDelta::seconds(time_of_day % 3_600),
            Frequency::Minutely => time - TimeDelta::seconds(time_of_day % 60),
            _ => time,
        };
        if begin >= found.window.to {
            return Ok(());
        }
        if skip > 0 {
            period += (skip + step - 1) / step;
            continue;
        }
        let times = pattern.times_within(rule.frequency, time.time());
        fuel.spend(times.len())?;
        let offer = |time_of_day: NaiveTime| time.date().and_time(time_of_day);
        if rule.by_position.is_empty() {
            for time in times {
                found.offer(offer(time))?;
            }
        } else {
            for index in positions(&rule.by_position, times.len()) {
                found.offer(offer(times[index]))?;
            }
        }
        period += 1;
    }
}
