//! What comes again, as it is said: "every other Monday", "los martes y jueves", "el 15 de cada mes".

use chrono::{NaiveDate, Weekday};

use super::date::date;
use super::day::{Day, Shape};
use super::names::{
    Unit, day_of_month, is_plural, number, ordinal, unit, weekday, weekday_in_list,
};
use super::repeats::{OnDay, Rule};
use super::time::{Part, english, spanish};

/// A rule as far as its own words say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Every {
    pub(super) rule: Rule,
    pub(super) part: Option<Part>,
}

impl Every {
    fn of(rule: Rule) -> Every {
        Every { rule, part: None }
    }

    /// With what other words say of the days; whether they said it.
    pub(super) fn joined(&mut self, day: Day) -> bool {
        match (&mut self.rule, day.shape) {
            (Rule::Weeks(_, days), Shape::Weekday(weekday)) if days.is_empty() => {
                days.push(weekday)
            }
            (Rule::Days(1), Shape::Weekdays(from, to)) => {
                self.rule = Rule::Weeks(1, weekdays(from, to))
            }
            (Rule::Weeks(_, days), Shape::Weekdays(from, to)) if days.is_empty() => {
                *days = weekdays(from, to)
            }
            (Rule::Months(_, on @ None), Shape::Number(number)) => {
                *on = Some(OnDay::Number(number))
            }
            (Rule::Months(_, on @ None), Shape::Nth(nth, weekday)) => {
                *on = Some(OnDay::Nth(nth, weekday))
            }
            (Rule::Months(_, on @ None), Shape::LastOfMonth) => *on = Some(OnDay::Last),
            (Rule::Years(_, on @ None), Shape::Date(month, day)) => *on = Some((month, day)),
            _ => return false,
        }
        true
    }

    /// With a second rule that says the days of the first.
    pub(super) fn with(&mut self, other: &Every) -> bool {
        match (&mut self.rule, &other.rule) {
            (Rule::Weeks(_, days), Rule::Weeks(1, more)) if days.is_empty() => {
                days.clone_from(more)
            }
            (Rule::Weeks(1, days), Rule::Weeks(step, more)) if more.is_empty() => {
                self.rule = Rule::Weeks(*step, std::mem::take(days));
            }
            (Rule::Days(1), Rule::Weeks(1, more)) if !more.is_empty() => {
                self.rule = other.rule.clone()
            }
            (Rule::Weeks(1, days), Rule::Days(1)) if !days.is_empty() => {}
            _ => return false,
        }
        self.part = self.part.or(other.part);
        true
    }
}

/// From one weekday to another, both of them too.
pub(super) fn weekdays(from: Weekday, to: Weekday) -> Vec<Weekday> {
    let mut days = vec![from];
    let mut day = from;
    while day != to {
        day = day.succ();
        days.push(day);
    }
    days
}

fn workdays() -> Every {
    Every::of(Rule::Weeks(1, weekdays(Weekday::Mon, Weekday::Fri)))
}

fn weekend() -> Every {
    Every::of(Rule::Weeks(1, vec![Weekday::Sat, Weekday::Sun]))
}

/// The rule that the words begin with, and how many words it is.
pub(super) fn every(words: &[&str], before: &str, today: NaiveDate) -> Option<(Every, usize)> {
    match words {
        ["every" | "each", "single", rest @ ..] => {
            after(rest, today).map(|(every, taken)| (every, taken + 2))
        }
        ["every" | "each" | "cada", rest @ ..] => {
            after(rest, today).map(|(every, taken)| (every, taken + 1))
        }
        ["todos" | "todas", "los" | "las", rest @ ..] => {
            after(rest, today).map(|(every, taken)| (every, taken + 2))
        }
        ["los", "dias", number, "de", "cada", "mes", ..] => {
            Some((monthly(OnDay::Number(day_of_month(number)?)), 6))
        }
        ["los" | "las", rest @ ..] => plural(rest).map(|(every, taken)| (every, taken + 1)),
        ["entre", "semana", ..] => Some((workdays(), 2)),
        ["on", rest @ ..] => plural(rest).map(|(every, taken)| (every, taken + 1)),
        ["weekdays" | "weekends", ..] => plural(words),
        [first, ..] if is_plural(first) => plural(words),
        ["once", "a" | "an", name, ..] => Some((Every::of(of_unit(1, unit(name)?)?), 3)),
        ["una", "vez", "al" | "por", name, ..] => Some((Every::of(of_unit(1, unit(name)?)?), 4)),
        ["una", "vez", "a", "la", name, ..] => Some((Every::of(of_unit(1, unit(name)?)?), 5)),
        _ => adverb(words, before)
            .or_else(|| of_each_month(words))
            .or_else(|| bare_list(words, before)),
    }
}

/// "Lunes, miércoles y viernes", "Monday and Wednesday at 7": without an article, each of them again and again.
fn bare_list(words: &[&str], before: &str) -> Option<(Every, usize)> {
    if matches!(
        before,
        "el" | "on" | "this" | "este" | "next" | "last" | "the" | "proximo"
    ) {
        return None;
    }
    let (days, taken) = list(words)?;
    let article = words[..taken]
        .iter()
        .any(|word| matches!(*word, "el" | "on"));
    let timed = words
        .get(taken)
        .is_some_and(|next| matches!(*next, "a" | "at") || next.contains(':'));
    let many = !article && (days.len() > 2 || (days.len() == 2 && timed));
    many.then(|| of_days(days, words, taken))
}

/// "Daily" and the like, where it is said of the doing and not of a thing.
fn adverb(words: &[&str], before: &str) -> Option<(Every, usize)> {
    let (rule, taken) = match words {
        ["a", "diario", ..] => (Rule::Days(1), 2),
        ["daily" | "diariamente", ..] => (Rule::Days(1), 1),
        ["weekly" | "semanalmente", ..] => (Rule::Weeks(1, Vec::new()), 1),
        ["fortnightly" | "quincenalmente", ..] => (Rule::Weeks(2, Vec::new()), 1),
        ["monthly" | "mensualmente", ..] => (Rule::Months(1, None), 1),
        ["yearly" | "annually" | "anualmente", ..] => (Rule::Years(1, None), 1),
        ["hourly", ..] => (Rule::Hours(1), 1),
        _ => return None,
    };
    let free = matches!(
        words.get(taken),
        None | Some(
            &("at"
                | "on"
                | "to"
                | "from"
                | "until"
                | "in"
                | "for"
                | "a"
                | "el"
                | "los"
                | "por"
                | "de"
                | "desde"
                | "que"
                | "las")
        )
    );
    let of_a_thing = matches!(before, "a" | "an" | "the" | "my" | "our");
    (free && !of_a_thing).then(|| (Every::of(rule), taken))
}

fn of_unit(step: u32, unit: Unit) -> Option<Rule> {
    let most = if unit == Unit::Minute { 1440 } else { 99 };
    if !(1..=most).contains(&step) {
        return None;
    }
    Some(match unit {
        Unit::Second => return None,
        Unit::Minute if step.is_multiple_of(60) => Rule::Hours(step / 60),
        Unit::Minute => Rule::Minutes(step),
        Unit::Hour if step == 24 => Rule::Days(1),
        Unit::Hour => Rule::Hours(step),
        Unit::Day => Rule::Days(step),
        Unit::Week => Rule::Weeks(step, Vec::new()),
        Unit::Fortnight => Rule::Weeks(2 * step, Vec::new()),
        Unit::Month => Rule::Months(step, None),
        Unit::Quarter => Rule::Months(3 * step, None),
        Unit::Year => Rule::Years(step, None),
    })
}

fn monthly(on: OnDay) -> Every {
    Every::of(Rule::Months(1, Some(on)))
}

/// What follows "every", "cada" or "todos los".
fn after(words: &[&str], today: NaiveDate) -> Option<(Every, usize)> {
    match words {
        ["half", "hour", ..] | ["media", "hora", ..] => {
            return Some((Every::of(Rule::Minutes(30)), 2));
        }
        ["half", "an", "hour", ..] => return Some((Every::of(Rule::Minutes(30)), 3)),
        ["hora", "y", "media", ..] => return Some((Every::of(Rule::Minutes(90)), 3)),
        [
            "dia" | "dias",
            "laborable" | "laborables" | "habil" | "habiles",
            ..,
        ] => return Some((workdays(), 2)),
        ["dia" | "dias", "de", "trabajo" | "diario", ..] => return Some((workdays(), 3)),
        ["dia" | "dias", "de", "entre", "semana", ..] => return Some((workdays(), 4)),
        ["working", "day", ..] | ["work", "day", ..] | ["business", "day", ..] => {
            return Some((workdays(), 2));
        }
        ["weekday" | "weekdays" | "workday" | "workdays", ..] => return Some((workdays(), 1)),
        ["weekend" | "weekends" | "finde" | "findes", ..] => return Some((weekend(), 1)),
        ["fin" | "fines", "de", "semana", ..] => return Some((weekend(), 3)),
        ["dia" | "dias", number, rest @ ..] if day_of_month(number).is_some() => {
            let more = match rest {
                ["de" | "del", "mes", ..] => 2,
                ["de", "cada", "mes", ..] => 3,
                _ => 0,
            };
            return Some((monthly(OnDay::Number(day_of_month(number)?)), 2 + more));
        }
        ["other" | "second" | "alternate", rest @ ..] => {
            if let Some((days, taken)) = list(rest) {
                return Some((Every::of(Rule::Weeks(2, days)), 1 + taken));
            }
            return Some((Every::of(of_unit(2, unit(rest.first()?)?)?), 2));
        }
        _ => {}
    }
    if let Some((days, taken)) = list(words) {
        return Some(of_days(days, words, taken));
    }
    let first = *words.first()?;
    if let Some(part) = english(first).or_else(|| spanish(first)) {
        let every = Every {
            rule: Rule::Days(1),
            part: Some(part),
        };
        return Some((every, 1));
    }
    if let Some((
        Day {
            shape: Shape::Date(month, day),
            ..
        },
        taken,
    )) = date(words, "every", today)
    {
        return Some((Every::of(Rule::Years(1, Some((month, day)))), taken));
    }
    let (step, taken) = number(words).unwrap_or((1, 0));
    if let Some(unit) = words.get(taken).and_then(|word| unit(word)) {
        return Some((Every::of(of_unit(step, unit)?), taken + 1));
    }
    let (on, taken) = nth(words)?;
    let more = of_month(&words[taken..]).unwrap_or(0);
    Some((monthly(on), taken + more))
}

/// Weekdays and the part of them: "every Monday morning".
fn of_days(days: Vec<Weekday>, words: &[&str], taken: usize) -> (Every, usize) {
    let part = words.get(taken).and_then(|word| super::time::bare(word));
    let every = Every {
        rule: Rule::Weeks(1, days),
        part,
    };
    (every, taken + usize::from(part.is_some()))
}

/// "Martes y jueves", "Mondays", "fines de semana", after "los" or "on".
fn plural(words: &[&str]) -> Option<(Every, usize)> {
    match words {
        ["fines", "de", "semana", ..] => return Some((weekend(), 3)),
        ["findes" | "weekends", ..] => return Some((weekend(), 1)),
        ["weekdays" | "workdays", ..] => return Some((workdays(), 1)),
        ["dias", "laborables" | "habiles", ..] => return Some((workdays(), 2)),
        ["dias", "de", "diario", ..] => return Some((workdays(), 3)),
        [
            "primeros" | "segundos" | "terceros" | "ultimos",
            name,
            rest @ ..,
        ] => {
            let (nth, _) = ordinal(words)?;
            let taken = 2 + of_month(rest)?;
            return Some((monthly(OnDay::Nth(nth, weekday(name)?)), taken));
        }
        _ => {}
    }
    let (days, taken) = list(words)?;
    // "On Monday" is one; "los lunes" and "on Mondays" are all of them.
    let first = words[0];
    let many = is_plural(first)
        || matches!(
            first,
            "lunes" | "martes" | "miercoles" | "jueves" | "viernes"
        );
    many.then(|| of_days(days, words, taken))
}

/// One weekday or more, with "y" or "and" or nothing between them.
fn list(words: &[&str]) -> Option<(Vec<Weekday>, usize)> {
    let first = weekday(words.first()?).or_else(|| {
        let next = words.get(1).copied().unwrap_or("at");
        weekday_in_list(words[0])
            .filter(|_| matches!(next, "at" | "and" | "a" | "y") || weekday_in_list(next).is_some())
    })?;
    let (mut days, mut taken) = (vec![first], 1);
    while days.len() < 7 {
        let (next, skipped) = match &words[taken..] {
            [
                "y" | "and" | "e",
                "los" | "el" | "on" | "every" | "cada",
                next,
                ..,
            ] => (next, 2),
            ["y" | "and" | "e" | "los", next, ..] => (next, 1),
            [next, ..] => (next, 0),
            [] => break,
        };
        let Some(day) = weekday_in_list(next).filter(|day| !days.contains(day)) else {
            break;
        };
        days.push(day);
        taken += skipped + 1;
    }
    days.sort_by_key(Weekday::num_days_from_monday);
    Some((days, taken))
}

/// The day of a month: "last Friday", "último día", "15th".
fn nth(words: &[&str]) -> Option<(OnDay, usize)> {
    match words {
        ["last" | "ultimo", "day" | "dia", ..] => return Some((OnDay::Last, 2)),
        ["fin" | "final" | "finales" | "end", ..] => return Some((OnDay::Last, 1)),
        ["dia", number, ..] => return Some((OnDay::Number(day_of_month(number)?), 2)),
        _ => {}
    }
    let (number, taken) = ordinal(words).or_else(|| {
        let number = day_of_month(words.first()?)?;
        Some((i8::try_from(number).ok()?, 1))
    })?;
    match words.get(taken) {
        Some(name) if weekday(name).is_some() && number <= 5 => {
            Some((OnDay::Nth(number, weekday(name)?), taken + 1))
        }
        Some(&("day" | "dia")) if number > 0 => {
            Some((OnDay::Number(u32::try_from(number).ok()?), taken + 1))
        }
        _ if number > 0 => Some((OnDay::Number(u32::try_from(number).ok()?), taken)),
        _ => None,
    }
}

/// "Of the month", behind what already comes again.
fn of_month(words: &[&str]) -> Option<usize> {
    match words {
        ["of", "the" | "every" | "each", "month", ..] | ["de", "cada", "mes", ..] => Some(3),
        ["of", "month", ..] | ["del" | "de", "mes", ..] => Some(2),
        _ => None,
    }
}

/// "The first Monday of every month", "el 15 de cada mes", "a fin de cada mes".
fn of_each_month(words: &[&str]) -> Option<(Every, usize)> {
    let skipped = match words {
        ["on" | "at", "the", ..] => 2,
        ["the" | "el" | "a" | "al", ..] => 1,
        _ => 0,
    };
    let (on, taken) = nth(&words[skipped..])?;
    let at = skipped + taken;
    let more = match &words[at..] {
        ["of", "every" | "each", "month", ..] | ["de", "cada", "mes", ..] => 3,
        ["every" | "each", "month", ..] | ["cada", "mes", ..] => 2,
        ["de", "todos", "los", "meses", ..] => 4,
        _ => return None,
    };
    Some((monthly(on), at + more))
}
