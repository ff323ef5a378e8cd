//! Weeks, months, years and weekdays by their names: this one, the next and the last.

use chrono::{Datelike, NaiveDate, Weekday};

use super::calendar::{first_of_month, later, later_months, monday, on_or_after, on_or_after_date};
use super::date::year;
use super::day::{Day, Shape};
use super::names::{Unit, month, number, unit, weekday};

/// Which of the days of one name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Bare,
    This,
    Next,
    Last,
}

#[derive(Clone, Copy)]
enum Noun {
    Week,
    Weekend,
    Month,
    Year,
    Weekday(Weekday),
    Named(u32),
}

/// "The next 3 days", "los últimos 7 días".
pub(super) fn several(words: &[&str], today: NaiveDate) -> Option<(Day, usize)> {
    let (back, skipped) = match words {
        ["the", "next" | "coming", ..]
        | ["los" | "las", "proximos" | "proximas" | "siguientes", ..] => (false, 2),
        ["next", ..] | ["proximos" | "proximas", ..] => (false, 1),
        ["the", "last" | "past", ..] | ["los" | "las", "ultimos" | "ultimas" | "pasados", ..] => {
            (true, 2)
        }
        ["last" | "past", ..] | ["ultimos" | "ultimas", ..] => (true, 1),
        _ => return None,
    };
    let (number, taken) = number(&words[skipped..])?;
    let at = skipped + taken;
    let far = i32::try_from(number).ok().filter(|number| *number <= 366)?;
    let end = |sign: i32| match unit(words.get(at)?)? {
        Unit::Day => later(today, i64::from(sign * far)),
        Unit::Week => later(today, i64::from(sign * far * 7)),
        Unit::Month => later_months(today, sign * far),
        _ => None,
    };
    let (first, end) = if back {
        (end(-1)?, today)
    } else {
        (today, end(1)?)
    };
    let count = u32::try_from((end - first).num_days())
        .ok()
        .filter(|days| *days > 0)?;
    Some((
        Day {
            first,
            count,
            shape: Shape::Plain,
        },
        at + 1,
    ))
}

/// A week, a weekend, a month, a year or a weekday, and which.
pub(super) fn named(words: &[&str], before: &str, today: NaiveDate) -> Option<(Day, usize)> {
    if matches!(before, "in" | "en")
        && words[0].starts_with("20")
        && let Some((number, taken)) = year(words)
    {
        let first = NaiveDate::from_ymd_opt(number, 1, 1)?;
        let (day, _) = resolved(Which::This, Noun::Year, &[], first)?;
        return Some((day, taken));
    }
    let (which, noun, taken) = which(words)?;
    let shown = match noun {
        // Names that are other words too.
        Noun::Week | Noun::Month | Noun::Year => {
            which != Which::Bare
                || matches!(
                    (before, words),
                    ("de", ["la", "semana", ..]) | ("for", ["the", "week", ..])
                )
        }
        Noun::Named(_) => {
            which != Which::Bare
                || matches!(
                    before,
                    "in" | "en" | "during" | "durante" | "for" | "of" | "de"
                )
        }
        Noun::Weekend | Noun::Weekday(_) => true,
    };
    shown.then_some(())?;
    let (day, more) = resolved(which, noun, &words[taken..], today)?;
    Some((day, taken + more))
}

fn resolved(which: Which, noun: Noun, rest: &[&str], today: NaiveDate) -> Option<(Day, usize)> {
    let step = match which {
        Which::Bare | Which::This => 0,
        Which::Next => 1,
        Which::Last => -1,
    };
    let mut more = 0;
    let (first, end, shape) = match noun {
        Noun::Week => {
            let first = later(monday(today)?, 7 * i64::from(step))?;
            (first, later(first, 7)?, Shape::Week)
        }
        Noun::Weekend => {
            let this = later(monday(today)?, 5)?;
            let days = match which {
                Which::Last => -7,
                Which::Next if today >= this => 7,
                _ => 0,
            };
            let first = later(this, days)?;
            (first, later(first, 2)?, Shape::Plain)
        }
        Noun::Month => {
            let first = first_of_month(today, step)?;
            (first, first_of_month(first, 1)?, Shape::Month)
        }
        Noun::Year => {
            let first = NaiveDate::from_ymd_opt(today.year() + step, 1, 1)?;
            (first, first_of_month(first, 12)?, Shape::Plain)
        }
        Noun::Weekday(weekday) => {
            let first = match which {
                Which::This => on_or_after(today, weekday)?,
                Which::Last => on_or_after(later(today, -7)?, weekday)?,
                _ => on_or_after(later(today, 1)?, weekday)?,
            };
            (first, later(first, 1)?, Shape::Weekday(weekday))
        }
        Noun::Named(month) => {
            let (number, taken) = year(rest).unwrap_or((0, 0));
            more = taken;
            let this = first_of_month(today, 0)?;
            let first = match which {
                _ if taken > 0 => NaiveDate::from_ymd_opt(number, month, 1)?,
                Which::Last => {
                    let last = on_or_after_date(first_of_month(this, -12)?, month, 1)?;
                    if last < this {
                        last
                    } else {
                        first_of_month(last, -12)?
                    }
                }
                Which::Next => on_or_after_date(first_of_month(this, 1)?, month, 1)?,
                _ => on_or_after_date(this, month, 1)?,
            };
            (first, first_of_month(first, 1)?, Shape::Month)
        }
    };
    let count = u32::try_from((end - first).num_days()).ok()?;
    Some((
        Day {
            first,
            count,
            shape,
        },
        more,
    ))
}

fn which(words: &[&str]) -> Option<(Which, Noun, usize)> {
    let (which, skipped) = match words {
        [
            "the" | "el" | "la" | "los" | "las",
            "next" | "coming" | "following" | "proximo" | "proxima" | "siguiente",
            ..,
        ] => (Which::Next, 2),
        ["this", "coming", ..] => (Which::Next, 2),
        ["next" | "coming" | "proximo" | "proxima", ..] => (Which::Next, 1),
        ["this" | "este" | "esta", ..] => (Which::This, 1),
        [
            "the" | "el" | "la",
            "last" | "past" | "previous" | "pasado" | "pasada",
            ..,
        ] => (Which::Last, 2),
        ["last" | "past" | "previous", ..] => (Which::Last, 1),
        ["the" | "el" | "la", ..] => (Which::Bare, 1),
        _ => (Which::Bare, 0),
    };
    let (noun, taken) = noun(&words[skipped..])?;
    let at = skipped + taken;
    let (after, more) = match &words[at..] {
        ["que", "viene", ..] => (Which::Next, 2),
        ["proximo" | "proxima" | "siguiente" | "entrante", ..] => (Which::Next, 1),
        // "El lunes pasado mañana" is nobody's.
        ["pasado" | "pasada", rest @ ..] if rest.first() != Some(&"manana") => (Which::Last, 1),
        _ => (which, 0),
    };
    Some((after, noun, at + more))
}

fn noun(words: &[&str]) -> Option<(Noun, usize)> {
    Some(match words {
        ["week" | "semana", ..] => (Noun::Week, 1),
        ["weekend" | "finde", ..] => (Noun::Weekend, 1),
        ["fin", "de", "semana", ..] => (Noun::Weekend, 3),
        ["month" | "mes", ..] => (Noun::Month, 1),
        ["year" | "ano", ..] => (Noun::Year, 1),
        [first, ..] => match (weekday(first), month(first)) {
            (Some(weekday), _) => (Noun::Weekday(weekday), 1),
            (None, Some(month)) if first.len() > 3 || *first == "may" => (Noun::Named(month), 1),
            _ => return None,
        },
        [] => return None,
    })
}
