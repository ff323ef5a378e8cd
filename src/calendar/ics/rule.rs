//! Recurrence rules as written (RFC 5545, section 3.3.10).

use chrono::Weekday;

use super::value::{self, Written};

/// Largest INTERVAL that is believed.
const MAX_INTERVAL: u32 = 1_000_000;

/// What a rule counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// By seconds.
    Secondly,
    /// By minutes.
    Minutely,
    /// By hours.
    Hourly,
    /// By days.
    Daily,
    /// By weeks that begin on WKST.
    Weekly,
    /// By months.
    Monthly,
    /// By years.
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// Never.
    Never,
    /// After so many occurrences, DTSTART being the first.
    After(u32),
    /// With the last occurrence that is not later.
    Until(Written),
}

/// One element of BYDAY: a weekday, and which of them; 0 is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NthDay {
    /// From the period's beginning, or its end when negative.
    pub nth: i32,
    /// The weekday.
    pub weekday: Weekday,
}

/// A parsed RRULE or EXRULE; lists are empty where the rule does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// FREQ.
    pub frequency: Frequency,
    /// INTERVAL, from 1.
    pub interval: u32,
    /// COUNT or UNTIL.
    pub ends: Ends,
    /// WKST.
    pub week_start: Weekday,
    /// BYMONTH, 1 to 12.
    pub by_month: Vec<i32>,
    /// BYWEEKNO, -53 to 53.
    pub by_week: Vec<i32>,
    /// BYYEARDAY, -366 to 366.
    pub by_year_day: Vec<i32>,
    /// BYMONTHDAY, -31 to 31.
    pub by_month_day: Vec<i32>,
    /// BYDAY.
    pub by_day: Vec<NthDay>,
    /// BYHOUR, 0 to 23.
    pub by_hour: Vec<i32>,
    /// BYMINUTE, 0 to 59.
    pub by_minute: Vec<i32>,
    /// BYSECOND, 0 to 59 (60 is taken for 59, as section 3.3.10 asks where leap seconds are unknown).
    pub by_second: Vec<i32>,
    /// BYSETPOS, -366 to 366.
    pub by_position: Vec<i32>,
}

/// Why a rule could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// FREQ is not there.
    #[error("FREQ is missing")]
    NoFrequency,
    /// A part's value is not what the RFC allows.
    #[error("`{0}` is not understood")]
    Part(String),
}

impl Rule {
    /// Reads a rule; part names and values in any case, unknown parts ignored.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        let mut rule = Rule {
            frequency: Frequency::Daily,
            interval: 1,
            ends: Ends::Never,
            week_start: Weekday::Mon,
            by_month: Vec::new(),
            by_week: Vec::new(),
            by_year_day: Vec::new(),
            by_month_day: Vec::new(),
            by_day: Vec::new(),
            by_hour: Vec::new(),
            by_minute: Vec::new(),
            by_second: Vec::new(),
            by_position: Vec::new(),
        };
        let mut has_frequency = false;
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let wrong = || RuleError::Part(part.chars().take(60).collect());
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            rule.set(name, value).ok_or_else(wrong)?;
            has_frequency |= name.eq_ignore_ascii_case("FREQ");
        }
        if has_frequency {
            Ok(rule)
        } else {
            Err(RuleError::NoFrequency)
        }
    }

    /// Whether the rule is nothing but a fixed step in time.
    pub fn is_plain_step(&self) -> bool {
        let lists = [
            &self.by_month,
            &self.by_week,
            &self.by_year_day,
            &self.by_month_day,
            &self.by_hour,
            &self.by_minute,
            &self.by_second,
            &self.by_position,
        ];
        self.frequency <= Frequency::Weekly
            && self.by_day.is_empty()
            && lists.iter().all(|list| list.is_empty())
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name.to_ascii_uppercase().as_str() {
            "FREQ" => self.frequency = frequency(value)?,
            "INTERVAL" => {
                let interval = value.trim().parse().ok()?;
                self.interval = (1..=MAX_INTERVAL).contains(&interval).then_some(interval)?;
            }
            "COUNT" => self.ends = Ends::After(value.trim().parse().ok()?),
            "UNTIL" => self.ends = Ends::Until(value::stamp(value.as_bytes())?),
            "WKST" => self.week_start = weekday(value.trim())?,
            "BYMONTH" => self.by_month = numbers(value, 1, 12)?,
            "BYWEEKNO" => self.by_week = nonzero(value, 53)?,
            "BYYEARDAY" => self.by_year_day = nonzero(value, 366)?,
            "BYMONTHDAY" => self.by_month_day = nonzero(value, 31)?,
            "BYDAY" => {
                let days = value.split(',').map(|day| nth_day(day.trim()));
                self.by_day = days.collect::<Option<_>>()?;
            }
            "BYHOUR" => self.by_hour = numbers(value, 0, 23)?,
            "BYMINUTE" => self.by_minute = numbers(value, 0, 59)?,
            "BYSECOND" => {
                let seconds = numbers(value, 0, 60)?
                    .into_iter()
                    .map(|second| second.min(59));
                self.by_second = seconds.collect();
                self.by_second.dedup();
            }
            "BYSETPOS" => self.by_position = nonzero(value, 366)?,
            // Other calendar systems (RFC 7529) would give other days.
            "RSCALE" => return value.eq_ignore_ascii_case("GREGORIAN").then_some(()),
            _ => {}
        }
        Some(())
    }
}

fn frequency(value: &str) -> Option<Frequency> {
    Some(match value.trim().to_ascii_uppercase().as_str() {
        "SECONDLY" => Frequency::Secondly,
        "MINUTELY" => Frequency::Minutely,
        "HOURLY" => Frequency::Hourly,
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return None,
    })
}

/// Sorted and without doubles, so that a list costs no more than its range.
fn numbers(value: &str, least: i32, most: i32) -> Option<Vec<i32>> {
    let mut list = Vec::new();
    for number in value.split(',') {
        let number = number.trim().parse().ok()?;
        if !(least..=most).contains(&number) {
            return None;
        }
        if let Err(place) = list.binary_search(&number) {
            list.insert(place, number);
        }
    }
    Some(list)
}

fn nonzero(value: &str, most: i32) -> Option<Vec<i32>> {
    numbers(value, -most, most).filter(|list| !list.contains(&0))
}

fn nth_day(value: &str) -> Option<NthDay> {
    let split = value.len().checked_sub(2)?;
    let (nth, day) = (value.get(..split)?, value.get(split..)?);
    let nth = if nth.is_empty() {
        0
    } else {
        nth.parse().ok().filter(|nth| *nth != 0)?
    };
    (-53..=53).contains(&nth).then_some(())?;
    Some(NthDay {
        nth,
        weekday: weekday(day)?,
    })
}

fn weekday(value: &str) -> Option<Weekday> {
    Some(match value.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_in_any_case_and_order() {
        let rule =
            Rule::parse("byday=-1fr,MO;Interval=2;FREQ=monthly;X-NEW=1;COUNT=3;BYHOUR=9,8,9;")
                .expect("valid");
        assert_eq!(rule.frequency, Frequency::Monthly);
        assert_eq!((rule.interval, rule.ends), (2, Ends::After(3)));
        assert_eq!(rule.by_hour, [8, 9]);
        let days: Vec<_> = rule
            .by_day
            .iter()
            .map(|day| (day.nth, day.weekday))
            .collect();
        assert_eq!(days, [(-1, Weekday::Fri), (0, Weekday::Mon)]);
    }

    #[test]
    fn what_the_rfc_forbids_is_said() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let error = Rule::parse(text).expect_err("must not be read");
            assert_eq!(error.to_string(), expected);
        }
        check("COUNT=3", "FREQ is missing");
        check("", "FREQ is missing");
        check("FREQ=FORTNIGHTLY", "`FREQ=FORTNIGHTLY` is not understood");
        check("FREQ=DAILY;INTERVAL=0", "`INTERVAL=0` is not understood");
        check("FREQ=DAILY;COUNT=-1", "`COUNT=-1` is not understood");
        check("FREQ=DAILY;BYMONTH=13", "`BYMONTH=13` is not understood");
        check(
            "FREQ=DAILY;BYMONTHDAY=0",
            "`BYMONTHDAY=0` is not understood",
        );
        check("FREQ=DAILY;BYDAY=0MO", "`BYDAY=0MO` is not understood");
        check(
            "FREQ=DAILY;BYDAY=\u{20ac}",
            "`BYDAY=\u{20ac}` is not understood",
        );
        check(
            "FREQ=DAILY;UNTIL=tomorrow",
            "`UNTIL=tomorrow` is not understood",
        );
        check("FREQ=DAILY;UNTIL", "`UNTIL` is not understood");
        check(
            "RSCALE=HEBREW;FREQ=YEARLY",
            "`RSCALE=HEBREW` is not understood",
        );
    }
}
