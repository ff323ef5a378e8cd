//! What comes again: its cron entry where one says the same, its words, and its next moment.

use std::fmt::Write;

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday,
};
use serde::{Deserialize, Serialize};

use super::calendar::{days_of_month, later, moment, moment_after_gap, monday, nth_of_month};
use super::names::{ENGLISH_DAYS, ENGLISH_MONTHS, SPANISH_DAYS, SPANISH_MONTHS};
use crate::zone::Tz;

/// What comes again and again, counted from the day on which it was said to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    rule: Rule,
    /// In their order; none is the day as a whole.
    at: Vec<NaiveTime>,
    /// As the clocks show it.
    first: NaiveDateTime,
}

/// How often; a step of one is each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    Minutes(u32),
    Hours(u32),
    Days(u32),
    /// No weekdays are that of the beginning.
    Weeks(u32, Vec<Weekday>),
    Months(u32, Option<OnDay>),
    Years(u32, Option<(u32, u32)>),
}

/// A day of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OnDay {
    Number(u32),
    Last,
    Nth(i8, Weekday),
}

/// The farthest day that is looked at, in days.
const FARTHEST: i64 = 366 * 40;

impl Repeats {
    pub(super) fn new(rule: Rule, at: Vec<NaiveTime>, first: NaiveDateTime) -> Repeats {
        Repeats { rule, at, first }
    }

    /// Whether it names days and no times.
    pub fn whole_days(&self) -> bool {
        self.at.is_empty() && !matches!(self.rule, Rule::Minutes(_) | Rule::Hours(_))
    }

    /// At this time of its days where it names none.
    #[must_use]
    pub fn at(mut self, time: NaiveTime) -> Repeats {
        if self.whole_days() {
            self.at = vec![time];
        }
        self
    }

    /// The first moment after another, in its zone. A time that the clocks skip is the first moment after the gap, one that
    /// they show twice is the first of the two; hours and minutes in steps are those that the clocks show.
    pub fn next(&self, after: DateTime<Tz>) -> Option<DateTime<Tz>> {
        match self.rule {
            Rule::Minutes(step) => self.step(after, i64::from(step.max(1))),
            Rule::Hours(step) => self.step(after, i64::from(step.max(1)) * 60),
            _ => self.day(after),
        }
    }

    fn day(&self, after: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let midnight = [NaiveTime::MIN];
        let times = if self.at.is_empty() {
            &midnight[..]
        } else {
            &self.at
        };
        let from = later(after.date_naive(), -1)?.max(self.first.date());
        let mut days = (0..FARTHEST).map_while(|days| later(from, days));
        days.find_map(|day| {
            if !self.is_on(day) {
                return None;
            }
            let mut moments = times
                .iter()
                .filter_map(|time| moment_after_gap(after.timezone(), day.and_time(*time)));
            moments.find(|at| *at > after)
        })
    }

    fn is_on(&self, day: NaiveDate) -> bool {
        let first = self.first.date();
        let every = |passed: i64, step: u32| passed >= 0 && passed % i64::from(step.max(1)) == 0;
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
        match &self.rule {
            Rule::Minutes(_) | Rule::Hours(_) => false,
            Rule::Days(step) => every((day - first).num_days(), *step),
            Rule::Weeks(step, days) => {
                let named = if days.is_empty() {
                    day.weekday() == first.weekday()
                } else {
                    days.contains(&day.weekday())
                };
                let weeks = monday(day)
                    .zip(monday(first))
                    .map(|(day, first)| (day - first).num_days() / 7);
                named && weeks.is_some_and(|weeks| every(weeks, *step))
            }
            Rule::Months(step, on) => {
                let named = match on.unwrap_or(OnDay::Number(first.day())) {
                    OnDay::Number(number) => day.day() == number,
                    OnDay::Last => days_of_month(day) == Some(day.day()),
                    OnDay::Nth(nth, weekday) => {
                        day.weekday() == weekday && nth_of_month(day, nth, weekday) == Some(day)
                    }
                };
                named && every(months(day) - months(first), *step)
            }
            Rule::Years(step, on) => {
                let on = on.unwrap_or((first.month(), first.day()));
                (day.month(), day.day()) == on && every(i64::from(day.year() - first.year()), *step)
            }
        }
    }

    /// Every so many minutes: those that the clocks show where a day is a multiple of them, else counted from the beginning.
    fn step(&self, after: DateTime<Tz>, minutes: i64) -> Option<DateTime<Tz>> {
        let zone = after.timezone();
        let first = moment(zone, self.first)?;
        if !self.is_of_the_clock() {
            let passed = (after - first).num_seconds();
            let steps = passed.div_euclid(minutes * 60) + 1;
            return first.checked_add_signed(TimeDelta::try_seconds(steps.max(0) * minutes * 60)?);
        }
        let from = after.max(first - TimeDelta::minutes(1));
        let begun = from
            - TimeDelta::seconds((from.second()).into())
            - TimeDelta::nanoseconds(from.nanosecond().into());
        // Two days, for the clocks may skip one of the times.
        let mut shown =
            (1..=2880).filter_map(|minute| begun.checked_add_signed(TimeDelta::minutes(minute)));
        shown.find(|at| i64::from(at.hour() * 60 + at.minute()) % minutes == 0)
    }

    fn is_of_the_clock(&self) -> bool {
        match self.rule {
            Rule::Minutes(step) => step > 0 && 60 % step == 0,
            Rule::Hours(step) => step > 0 && 24 % step == 0,
            _ => false,
        }
    }

    /// The five fields of a cron entry, where one comes at the same moments.
    pub fn cron(&self) -> Option<String> {
        let first = self.first.date();
        if let Rule::Minutes(step) | Rule::Hours(step) = self.rule {
            let stepped = if step == 1 {
                "*".to_owned()
            } else {
                format!("*/{step}")
            };
            let minutes = matches!(self.rule, Rule::Minutes(_));
            let entry = if minutes {
                format!("{stepped} * * * *")
            } else {
                format!("0 {stepped} * * *")
            };
            return self.is_of_the_clock().then_some(entry);
        }
        let minute = self.at.first().map_or(0, NaiveTime::minute);
        if self.at.iter().any(|at| at.minute() != minute) {
            return None;
        }
        let hours: Vec<String> = self.at.iter().map(|at| at.hour().to_string()).collect();
        let hours = if hours.is_empty() {
            "0".to_owned()
        } else {
            hours.join(",")
        };
        let days = match &self.rule {
            Rule::Days(1) => "* * *".to_owned(),
            Rule::Weeks(1, days) if days.is_empty() => {
                format!("* * {}", first.weekday().num_days_from_sunday())
            }
            Rule::Weeks(1, days) => format!("* * {}", weekday_field(days)),
            Rule::Months(step, on) => {
                let number = match on {
                    None => first.day(),
                    Some(OnDay::Number(number)) => *number,
                    Some(_) => return None,
                };
                format!("{number} {} *", month_field(*step, first.month())?)
            }
            Rule::Years(1, on) => {
                let (month, day) = on.unwrap_or((first.month(), first.day()));
                format!("{day} {month} *")
            }
            _ => return None,
        };
        Some(format!("{minute} {hours} {days}"))
    }

    /// As a person says it: "every Monday at 08:00", "cada lunes a las 08:00".
    pub fn words(&self, spanish: bool) -> String {
        let mut words = if spanish {
            self.spanish()
        } else {
            self.english()
        };
        for (place, at) in self.at.iter().enumerate() {
            let before = match (spanish, place) {
                (false, 0) => " at",
                (false, _) => " and",
                (true, 0) if at.hour() == 1 => " a la",
                (true, 0) => " a las",
                (true, _) if at.hour() == 1 => " y la",
                (true, _) => " y las",
            };
            // A string takes everything.
            let _ = write!(words, "{before} {}", at.format("%H:%M"));
        }
        words
    }

    fn english(&self) -> String {
        let first = self.first.date();
        let every = |step: u32, unit: &str| match step {
            1 => format!("every {unit}"),
            _ => format!("every {step} {unit}s"),
        };
        match &self.rule {
            Rule::Minutes(step) => every(*step, "minute"),
            Rule::Hours(step) => every(*step, "hour"),
            Rule::Days(step) => every(*step, "day"),
            Rule::Weeks(step, days) => {
                let named = match days.as_slice() {
                    [] => one(&ENGLISH_DAYS, first.weekday()).to_owned(),
                    days if is_workdays(days) => "weekday".to_owned(),
                    days => listed(days.iter().map(|day| one(&ENGLISH_DAYS, *day)), "and"),
                };
                if *step == 1 {
                    format!("every {named}")
                } else {
                    format!("{} on {named}", every(*step, "week"))
                }
            }
            Rule::Months(step, on) => {
                let months = every(*step, "month");
                match on.unwrap_or(OnDay::Number(first.day())) {
                    OnDay::Number(number) => format!("{months} on the {number}{}", ending(number)),
                    OnDay::Last => format!("the last day of {months}"),
                    OnDay::Nth(nth, weekday) => {
                        let nth =
                            ["last", "", "first", "second", "third", "fourth", "fifth"][place(nth)];
                        format!("the {nth} {} of {months}", one(&ENGLISH_DAYS, weekday))
                    }
                }
            }
            Rule::Years(step, on) => {
                let (month, day) = on.unwrap_or((first.month(), first.day()));
                format!(
                    "{} on {day} {}",
                    every(*step, "year"),
                    month_name(&ENGLISH_MONTHS, month)
                )
            }
        }
    }

    fn spanish(&self) -> String {
        let first = self.first.date();
        let every = |step: u32, one: &str, many: &str| match step {
            1 => format!("cada {one}"),
            _ => format!("cada {step} {many}"),
        };
        match &self.rule {
            Rule::Minutes(step) => every(*step, "minuto", "minutos"),
            Rule::Hours(step) => every(*step, "hora", "horas"),
            Rule::Days(step) => every(*step, "día", "días"),
            Rule::Weeks(step, days) => {
                let named = match days.as_slice() {
                    [] => one(&SPANISH_DAYS, first.weekday()).to_owned(),
                    days if is_workdays(days) && *step == 1 => {
                        return "de lunes a viernes".to_owned();
                    }
                    days => listed(days.iter().map(|day| one(&SPANISH_DAYS, *day)), "y"),
                };
                match *step {
                    1 => format!("cada {named}"),
                    step => format!("cada {step} semanas el {named}"),
                }
            }
            Rule::Months(step, on) => {
                let months = every(*step, "mes", "meses");
                match on.unwrap_or(OnDay::Number(first.day())) {
                    OnDay::Number(number) => format!("{months} el día {number}"),
                    OnDay::Last => format!("el último día de {months}"),
                    OnDay::Nth(nth, weekday) => {
                        let nth = [
                            "último", "", "primer", "segundo", "tercer", "cuarto", "quinto",
                        ][place(nth)];
                        format!("el {nth} {} de {months}", one(&SPANISH_DAYS, weekday))
                    }
                }
            }
            Rule::Years(step, on) => {
                let (month, day) = on.unwrap_or((first.month(), first.day()));
                format!(
                    "{} el {day} de {}",
                    every(*step, "año", "años"),
                    month_name(&SPANISH_MONTHS, month)
                )
            }
        }
    }
}

fn is_workdays(days: &[Weekday]) -> bool {
    days == [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
    ]
}

fn one(names: &[&'static str; 7], day: Weekday) -> &'static str {
    names[day.num_days_from_monday() as usize]
}

fn month_name(names: &[&'static str; 12], month: u32) -> &'static str {
    names[(month.clamp(1, 12) - 1) as usize]
}

/// Where -1 and 1 to 5 have their name.
fn place(nth: i8) -> usize {
    usize::try_from(nth.clamp(-1, 5) + 1).unwrap_or(0)
}

fn ending(number: u32) -> &'static str {
    match number {
        11..=13 => "th",
        _ if number % 10 == 1 => "st",
        _ if number % 10 == 2 => "nd",
        _ if number % 10 == 3 => "rd",
        _ => "th",
    }
}

fn listed(names: impl Iterator<Item = &'static str>, and: &str) -> String {
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} {and} {last}", most.join(", ")),
    }
}

fn weekday_field(days: &[Weekday]) -> String {
    if is_workdays(days) {
        return "1-5".to_owned();
    }
    let mut numbers: Vec<u32> = days.iter().map(Weekday::num_days_from_sunday).collect();
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    numbers.join(",")
}

/// The months of a step that comes out even each year.
fn month_field(step: u32, first: u32) -> Option<String> {
    if step == 1 {
        return Some("*".to_owned());
    }
    if step == 0 || !12_u32.is_multiple_of(step) {
        return None;
    }
    let months = (1..=12).filter(|month| month % step == first % step);
    let months: Vec<String> = months.map(|month| month.to_string()).collect();
    Some(months.join(","))
}
