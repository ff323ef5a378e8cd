//! Zones that a calendar defines itself (RFC 5545, section 3.6.5).

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::line::ContentLine;
use super::recur::{self, Fuel, Window};
use super::rule::{Ends, Rule};
use super::value::{self, Written};

/// The years for which an endless definition is worked out.
const YEARS: (i32, i32) = (1970, 2100);
/// Most onsets listed by hand in one definition.
const MAX_ONSETS: usize = 2_000;

/// One VTIMEZONE as written.
#[derive(Debug, Default)]
pub struct Definition {
    observances: Vec<Observance>,
}

/// One STANDARD or DAYLIGHT.
#[derive(Debug, Default)]
pub struct Observance {
    start: Option<NaiveDateTime>,
    from: Option<i32>,
    to: Option<i32>,
    rules: Vec<Rule>,
    dates: Vec<NaiveDateTime>,
}

impl Definition {
    /// Adds a finished STANDARD or DAYLIGHT.
    pub fn add(&mut self, observance: Observance) {
        if self.observances.len() < MAX_ONSETS {
            self.observances.push(observance);
        }
    }

    /// Works the definition out; `None` when no observance is whole.
    pub fn transitions(&self) -> Option<Transitions> {
        let mut list: Vec<_> = self
            .observances
            .iter()
            .flat_map(Observance::onsets)
            .collect();
        list.sort_by_key(|transition| transition.at);
        (!list.is_empty()).then_some(Transitions(list))
    }
}

impl Observance {
    /// Takes in one property; what is broken is left out.
    pub fn take(&mut self, line: &ContentLine<'_>) {
        if line.is("DTSTART") {
            self.start = naive(line.value);
        } else if line.is("TZOFFSETFROM") {
            self.from = value::utc_offset(line.value);
        } else if line.is("TZOFFSETTO") {
            self.to = value::utc_offset(line.value);
        } else if line.is("RDATE") && self.dates.len() < MAX_ONSETS {
            self.dates
                .extend(line.value.split(|byte| *byte == b',').filter_map(naive));
        } else if line.is("RRULE") && self.rules.len() < 10 {
            self.rules
                .extend(Rule::parse(&String::from_utf8_lossy(line.value)));
        }
    }

    fn onsets(&self) -> Vec<Transition> {
        let (Some(start), Some(from), Some(to)) = (self.start, self.from, self.to) else {
            return Vec::new();
        };
        let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("a year of four digits");
        let window = Window {
            from: year(YEARS.0).into(),
            to: year(YEARS.1).into(),
        };
        let mut locals = vec![start];
        locals.extend(self.dates.iter().take(MAX_ONSETS));
        for rule in &self.rules {
            let mut fuel = Fuel(100_000);
            let onsets = recur::occurrences(rule, start, window, &mut fuel).unwrap_or_default();
            locals.extend(onsets.into_iter().filter(|local| match rule.ends {
                Ends::Until(Written::Utc(until)) => {
                    *local - TimeDelta::seconds(from.into()) <= until
                }
                Ends::Until(Written::Local(until)) => *local <= until,
                Ends::Until(Written::Date(until)) => local.date() <= until,
                Ends::Never | Ends::After(_) => true,
            }));
        }
        let transition = |local: NaiveDateTime| Transition {
            at: local - TimeDelta::seconds(from.into()),
            before: TimeDelta::seconds(from.into()),
            after: TimeDelta::seconds(to.into()),
        };
        locals.into_iter().map(transition).collect()
    }
}

/// When a zone's offset changes, in order; never empty.
#[derive(Debug)]
pub struct Transitions(Vec<Transition>);

#[derive(Debug)]
struct Transition {
    /// In UTC.
    at: NaiveDateTime,
    before: TimeDelta,
    after: TimeDelta,
}

impl Transitions {
    /// Wall-clock time to UTC, gaps and doubles as RFC 5545, section 3.3.5 has it: both take the offset before.
    pub fn to_utc(&self, local: NaiveDateTime) -> NaiveDateTime {
        let passed = |transition: &Transition| {
            transition.at + transition.before.max(transition.after) <= local
        };
        local - self.offset(self.0.partition_point(passed))
    }

    /// UTC to wall-clock time.
    pub fn to_local(&self, utc: NaiveDateTime) -> NaiveDateTime {
        utc + self.offset(self.0.partition_point(|transition| transition.at <= utc))
    }

    fn offset(&self, passed: usize) -> TimeDelta {
        match passed.checked_sub(1) {
            Some(last) => self.0[last].after,
            None => self.0[0].before,
        }
    }
}

fn naive(value: &[u8]) -> Option<NaiveDateTime> {
    match value::stamp(value)? {
        Written::Date(date) => Some(date.into()),
        Written::Local(local) | Written::Utc(local) => Some(local),
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Lines;
    use super::*;

    fn observance(text: &str) -> Observance {
        let mut observance = Observance::default();
        for raw in Lines::new(text.as_bytes()) {
            observance.take(&ContentLine::parse(&raw.unfold()).expect("a line"));
        }
        observance
    }

    #[test]
    fn a_zone_is_worked_out_from_rules_and_dates() {
        let mut definition = Definition::default();
        definition.add(observance(
            "DTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        ));
        definition.add(observance(
            "DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        ));
        definition.add(observance("DTSTART:20300101T000000\nTZOFFSETTO:+0900"));
        let zone = definition.transitions().expect("two whole observances");
        let check = |local: &str, utc: &str| {
            let (local, utc) = (local.parse().expect("a time"), utc.parse().expect("a time"));
            assert_eq!(zone.to_utc(local), utc, "{local}");
        };
        check("2026-01-01T12:00:00", "2026-01-01T11:00:00");
        check("2026-07-01T12:00:00", "2026-07-01T10:00:00");
        check("2026-03-29T02:30:00", "2026-03-29T01:30:00");
        check("2026-10-25T02:30:00", "2026-10-25T00:30:00");
        check("2026-10-25T03:00:00", "2026-10-25T02:00:00");
        let summer = zone.to_local("2026-07-01T10:00:00".parse().expect("a time"));
        assert_eq!(summer, "2026-07-01T12:00:00".parse().expect("a time"));
    }

    #[test]
    fn a_definition_without_a_whole_observance_is_none() {
        let mut definition = Definition::default();
        definition.add(observance("DTSTART:20300101T000000\nTZOFFSETTO:+0900"));
        assert!(definition.transitions().is_none());
    }
}
