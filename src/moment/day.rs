//! The days that words name: "pasado mañana", "the 3rd", "la semana que viene", "from Monday to Wednesday".

use chrono::{Datelike, NaiveDate, Weekday};

use super::calendar::{
    days_of_month, first_of_month, later, nth_of_month, on_or_after, on_or_after_date,
    on_or_after_number,
};
use super::date::date;
use super::names::{day_of_month, month, ordinal, weekday};
use super::time::Part;
use super::week::{named, several};

/// Some days, and by what they were named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) first: NaiveDate,
    pub(super) count: u32,
    pub(super) shape: Shape,
}

/// By what a day was named, for what else the sentence says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    Week,
    Month,
    Weekday(Weekday),
    /// From one to another.
    Weekdays(Weekday, Weekday),
    /// The day of a month.
    Number(u32),
    /// Month and day of a year.
    Date(u32, u32),
    Nth(i8, Weekday),
    LastOfMonth,
}

impl Day {
    pub(super) fn one(first: NaiveDate, shape: Shape) -> Day {
        Day {
            first,
            count: 1,
            shape,
        }
    }

    /// What two namings of days say together: "next week on Friday", "the 15th of next month".
    pub(super) fn with(self, other: Day) -> Option<Day> {
        let within = |span: Day, day: Day| {
            let first = match (span.shape, day.shape) {
                (Shape::Week, Shape::Weekday(weekday)) => on_or_after(span.first, weekday)?,
                (Shape::Month, Shape::Number(number)) => span.first.with_day(number)?,
                (Shape::Month, Shape::Nth(nth, weekday)) => nth_of_month(span.first, nth, weekday)?,
                (Shape::Month, Shape::LastOfMonth) => {
                    later(span.first, i64::from(days_of_month(span.first)?) - 1)?
                }
                _ => return None,
            };
            Some(Day::one(first, Shape::Plain))
        };
        let same = || {
            let named = |day: Day| matches!(day.shape, Shape::Weekday(_));
            match (named(self), named(other)) {
                (true, false) if self.weekday() == other.weekday() => Some(other),
                (false, true) if self.weekday() == other.weekday() => Some(self),
                _ => None,
            }
        };
        within(self, other)
            .or_else(|| within(other, self))
            .or_else(same)
    }

    fn weekday(self) -> Option<Weekday> {
        (self.count == 1).then(|| self.first.weekday())
    }
}

type Found = (Day, Option<Part>, usize);

/// The days that the words begin with, the part of the day, and how many words they are.
pub(super) fn day(words: &[&str], before: &str, today: NaiveDate) -> Option<Found> {
    near(words, before, today)
        .or_else(|| span(words, today).map(|(day, taken)| (day, None, taken)))
        .or_else(|| date(words, before, today).map(|(day, taken)| (day, None, taken)))
        .or_else(|| of_month(words, today).map(|(day, taken)| (day, None, taken)))
        .or_else(|| several(words, today).map(|(day, taken)| (day, None, taken)))
        .or_else(|| named(words, before, today).map(|(day, taken)| (day, None, taken)))
}

/// Today and its neighbours.
fn near(words: &[&str], before: &str, today: NaiveDate) -> Option<Found> {
    let (days, part, taken) = match words {
        ["day", "after", "tomorrow", ..] => (2, None, 3),
        ["the", "day", "after", "tomorrow", ..] => (2, None, 4),
        ["day", "before", "yesterday", ..] => (-2, None, 3),
        ["the", "day", "before", "yesterday", ..] => (-2, None, 4),
        ["pasado", "manana", ..] => (2, None, 2),
        ["antes", "de", "ayer", ..] => (-2, None, 3),
        ["anteayer" | "antier" | "antesdeayer", ..] => (-2, None, 1),
        ["tomorrow", ..] => (1, None, 1),
        // "Por la mañana" is in the morning.
        ["manana", ..] if !matches!(before, "la" | "esta" | "cada" | "las" | "media") => {
            (1, None, 1)
        }
        ["today" | "hoy", ..] => (0, None, 1),
        ["tonight", ..] => (0, Some(Part::Night), 1),
        ["yesterday" | "ayer", ..] => (-1, None, 1),
        ["anoche", ..] => (-1, Some(Part::Night), 1),
        ["last", "night", ..] => (-1, Some(Part::Night), 2),
        ["this", name, ..] if super::time::english(name).is_some() => {
            (0, super::time::english(name), 2)
        }
        ["esta", name, ..] if super::time::spanish(name).is_some() => {
            (0, super::time::spanish(name), 2)
        }
        _ => return None,
    };
    Some((Day::one(later(today, days)?, Shape::Plain), part, taken))
}

/// "From Monday to Wednesday", "del 3 al 7 de agosto".
fn span(words: &[&str], today: NaiveDate) -> Option<(Day, usize)> {
    let opener = match words {
        [
            "from" | "de" | "desde" | "between" | "entre",
            "el" | "the",
            ..,
        ] => 2,
        ["from" | "del" | "de" | "desde" | "between" | "entre", ..] => 1,
        _ => 0,
    };
    let rest = &words[opener..];
    let (first, taken) = bare_number(rest, words, opener, today)
        .or_else(|| date(rest, "from", today))
        .or_else(|| one_weekday(rest, today))
        .or_else(|| near(rest, "", today).map(|(day, _, taken)| (day, taken)))?;
    let at = opener + taken;
    let joined = match &words[at..] {
        ["to" | "until" | "till" | "through" | "and", "the", ..] if opener > 0 => 2,
        ["a" | "hasta" | "y", "el", ..] if opener > 0 => 2,
        [
            "to" | "a" | "al" | "-" | "until" | "till" | "through" | "hasta",
            ..,
        ] => 1,
        ["and" | "y", ..] if matches!(words[0], "between" | "entre") => 1,
        _ => return None,
    };
    let at = at + joined;
    let rest = &words[at..];
    let (last, taken) = match first.shape {
        Shape::Date(month, _) if english_month(&words[opener..]) && is_bare(rest) => {
            let number = day_of_month(rest[0])?;
            (
                Day::one(
                    on_or_after_date(first.first, month, number)?,
                    Shape::Date(month, number),
                ),
                1,
            )
        }
        _ => date(rest, "to", first.first)
            .or_else(|| one_weekday(rest, first.first))
            .or_else(|| near(rest, "", today).map(|(day, _, taken)| (day, taken)))
            .or_else(|| closing_number(rest, first))?,
    };
    let days = (last.first - first.first).num_days() + 1;
    let count = u32::try_from(days)
        .ok()
        .filter(|days| (2..=3660).contains(days))?;
    let shape = match (first.shape, last.shape) {
        // "Del lunes al viernes" are those of one week.
        (Shape::Weekday(from), Shape::Weekday(to))
            if from == Weekday::Mon && opener < 2 && words[0] != "del" =>
        {
            Shape::Weekdays(from, to)
        }
        _ => Shape::Plain,
    };
    Some((
        Day {
            first: first.first,
            count,
            shape,
        },
        at + taken,
    ))
}

/// "August 3": the month comes first.
fn english_month(words: &[&str]) -> bool {
    words.first().is_some_and(|first| month(first).is_some())
}

fn is_bare(rest: &[&str]) -> bool {
    rest.first()
        .is_some_and(|word| day_of_month(word).is_some())
        && !matches!(rest.get(1), Some(&("am" | "pm" | "h" | "de" | "of")))
}

/// The 3 of "3 to 7 August", or of "del 3 al 7".
fn bare_number(
    rest: &[&str],
    words: &[&str],
    opener: usize,
    today: NaiveDate,
) -> Option<(Day, usize)> {
    let number = day_of_month(rest.first()?)?;
    let ordinal = usize::from(matches!(rest.get(1), Some(&("st" | "nd" | "rd" | "th"))));
    let joined = 1 + ordinal;
    if !matches!(
        rest.get(joined),
        Some(&("to" | "a" | "al" | "-" | "until" | "through" | "hasta" | "and" | "y"))
    ) {
        return None;
    }
    let skipped = usize::from(matches!(rest.get(joined + 1), Some(&("the" | "el"))));
    let (last, _) = match date(rest.get(joined + 1 + skipped..)?, "", today) {
        Some(last) => last,
        None if words[0] == "del" || (opener == 2 && words[1] == "el") => {
            let first = on_or_after_number(today, number)?;
            return Some((Day::one(first, Shape::Number(number)), joined));
        }
        None => return None,
    };
    let Shape::Date(_, day) = last.shape else {
        return None;
    };
    (number < day).then_some(())?;
    let first = last.first.with_day(number)?;
    Some((Day::one(first, Shape::Number(number)), joined))
}

fn closing_number(rest: &[&str], first: Day) -> Option<(Day, usize)> {
    let number = day_of_month(rest.first()?).filter(|_| is_bare(rest))?;
    matches!(first.shape, Shape::Number(_)).then_some(())?;
    let last = on_or_after_number(first.first, number)?;
    Some((Day::one(last, Shape::Number(number)), 1))
}

/// A weekday by itself, the first after a day.
fn one_weekday(words: &[&str], after: NaiveDate) -> Option<(Day, usize)> {
    let weekday = weekday(words.first()?)?;
    let first = on_or_after(later(after, 1)?, weekday)?;
    Some((Day::one(first, Shape::Weekday(weekday)), 1))
}

/// "The first Monday", "a fin de mes", "the last day of the month".
fn of_month(words: &[&str], today: NaiveDate) -> Option<(Day, usize)> {
    let last = |first: NaiveDate| later(first, i64::from(days_of_month(first)?) - 1);
    let taken = match words {
        ["a" | "al", "fin" | "final" | "finales", "de", "mes", ..] => 4,
        ["fin" | "final" | "finales", "de" | "del", "mes", ..] => 3,
        ["the", "end", "of", "the", "month", ..] => 5,
        ["end", "of", "the", "month", ..] => 4,
        ["end", "of", "month", ..] => 3,
        ["the", "last", "day", "of", "the", "month", ..] => 6,
        ["last", "day", "of", "the", "month", ..] => 5,
        ["ultimo", "dia", "del", "mes", ..] => 4,
        ["ultimo", "dia", "de", "mes", ..] => 4,
        ["ultimo", "dia", ..] | ["last", "day", ..] => 2,
        _ => 0,
    };
    if taken > 0 {
        return Some((
            Day::one(last(first_of_month(today, 0)?)?, Shape::LastOfMonth),
            taken,
        ));
    }
    let (nth, taken) = ordinal(words).filter(|(nth, _)| (-1..=5).contains(nth))?;
    let weekday = weekday(words.get(taken)?)?;
    let (in_month, more) = match &words[taken + 1..] {
        ["of", "the", "month", ..] | ["in", "the", "month", ..] => (None, 3),
        ["del" | "de", "mes", rest @ ..] if rest.first() != Some(&"que") => (None, 2),
        ["of" | "in" | "de" | "en", name, ..] if month(name).is_some() => (month(name), 2),
        // "Last Friday" is past; "the last Friday of next month" says more.
        ["of" | "de" | "del", ..] => (None, 0),
        _ if words[0] == "last" || nth < 0 => return None,
        _ => (None, 0),
    };
    let first = match in_month {
        Some(name) => on_or_after_date(first_of_month(today, 0)?, name, 1)?,
        None => first_of_month(today, 0)?,
    };
    let step = if in_month.is_some() { 12 } else { 1 };
    let mut months =
        (0..14).filter_map(|n| nth_of_month(first_of_month(first, n * step)?, nth, weekday));
    let found = months.find(|day| *day >= today)?;
    Some((Day::one(found, Shape::Nth(nth, weekday)), taken + 1 + more))
}
