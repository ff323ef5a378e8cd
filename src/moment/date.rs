//! Dates in words and digits: "21 de noviembre", "November 21st", "21/11", "el día 3", "2026-11-21".

use chrono::NaiveDate;

use super::calendar::{on_or_after, on_or_after_date, on_or_after_number};
use super::day::{Day, Shape};
use super::names::{day_of_month, month, number, ordinal, weekday};

type Found = (Day, usize);

/// The date that the words begin with, and how many words it is.
pub(super) fn date(words: &[&str], before: &str, today: NaiveDate) -> Option<Found> {
    let first = *words.first()?;
    if weekday(first).is_some() {
        return after_weekday(words, today);
    }
    in_words(words, today)
        .or_else(|| in_digits(words, today))
        .or_else(|| by_number(words, before, today))
}

/// "Friday, 27 November", "viernes 27".
fn after_weekday(words: &[&str], today: NaiveDate) -> Option<Found> {
    let named = weekday(words[0])?;
    let skipped = match words {
        [_, "the" | "el" | "dia", ..] => 2,
        _ => 1,
    };
    let rest = &words[skipped..];
    if let Some((day, taken)) = in_words(rest, today).or_else(|| in_digits(rest, today)) {
        return Some((day, skipped + taken));
    }
    let number = day_of_month(rest.first()?)?;
    let ordinal = usize::from(matches!(rest.get(1), Some(&("st" | "nd" | "rd" | "th"))));
    let after = &rest[1 + ordinal..];
    if is_other(after) || (ordinal == 0 && is_hour(after)) || (ordinal == 0 && is_span(&rest[1..]))
    {
        return None;
    }
    // The next month in which that day is such a weekday.
    let mut day = on_or_after_number(today, number)?;
    for _ in 0..24 {
        if on_or_after(day, named)? == day {
            return Some((Day::one(day, Shape::Plain), skipped + 1 + ordinal));
        }
        day = on_or_after_number(super::calendar::later(day, 1)?, number)?;
    }
    None
}

/// What shows that a number before it is an hour.
fn is_hour(rest: &[&str]) -> bool {
    matches!(
        rest,
        ["y", "media" | "cuarto", ..]
            | [
                "de" | "por",
                "la",
                "manana" | "tarde" | "noche" | "madrugada",
                ..
            ]
            | ["in", "the", ..]
    )
}

/// What shows that a number before it is no day of a month.
fn is_other(rest: &[&str]) -> bool {
    matches!(rest, ["por", "ciento", ..])
        || matches!(
            rest.first(),
            Some(
                &("am"
                    | "pm"
                    | "h"
                    | "hs"
                    | "hrs"
                    | "horas"
                    | "hours"
                    | "oclock"
                    | "menos"
                    | "min"
                    | "mins"
                    | "minutes"
                    | "minutos"
                    | "people"
                    | "personas"
                    | "floor"
                    | "time"
                    | "attempt"
                    | "version"
                    | "edition"
                    | "place"
                    | "street"
                    | "st")
            )
        )
}

fn is_span(rest: &[&str]) -> bool {
    matches!(rest, ["-" | "to" | "a", next, ..] if next.starts_with(|c: char| c.is_ascii_digit()))
}

/// The year that the words begin with, after "de" or "of".
pub(super) fn year(words: &[&str]) -> Option<(i32, usize)> {
    let (word, taken) = match words {
        ["de" | "del" | "of", word, ..] => (word, 2),
        [word, ..] => (word, 1),
        [] => return None,
    };
    let year = word.parse().ok().filter(|_| word.len() == 4)?;
    (1900..=2999).contains(&year).then_some((year, taken))
}

/// A day of a named month.
fn in_words(words: &[&str], today: NaiveDate) -> Option<Found> {
    let skipped = usize::from(matches!(words, ["the" | "el", ..]))
        + usize::from(matches!(words, ["el", "dia", ..]));
    let skipped = if matches!(words, ["dia", ..]) {
        1
    } else {
        skipped
    };
    let rest = &words[skipped..];
    let (name, number, taken) = match rest {
        [name, day, ..] if month(name).is_some() && starts(&rest[1..]).is_some() => {
            let (number, taken) = starts(&rest[1..])?;
            if is_other(&rest[1 + taken..]) || day.contains(':') {
                return None;
            }
            (month(name)?, number, 1 + taken)
        }
        _ => {
            let (number, taken) = starts(rest)?;
            let joined = usize::from(matches!(rest.get(taken), Some(&("de" | "of"))));
            let name = month(rest.get(taken + joined)?)?;
            (name, number, taken + joined + 1)
        }
    };
    let (day, more) = match year(&rest[taken..]) {
        Some((year, more)) => (
            Day::one(NaiveDate::from_ymd_opt(year, name, number)?, Shape::Plain),
            more,
        ),
        None => (
            Day::one(
                on_or_after_date(today, name, number)?,
                Shape::Date(name, number),
            ),
            0,
        ),
    };
    Some((day, skipped + taken + more))
}

/// A day's number in digits or words, ordinal or not.
fn starts(words: &[&str]) -> Option<(u32, usize)> {
    let (number, taken) = ordinal(words)
        .and_then(|(number, taken)| Some((u32::try_from(number).ok()?, taken)))
        .or_else(|| number(words))?;
    (1..=31).contains(&number).then_some((number, taken))
}

/// "21/11", "21/11/2026", "21.11.2026", "2026-11-21".
fn in_digits(words: &[&str], today: NaiveDate) -> Option<Found> {
    let first = *words.first()?;
    if !first.starts_with(|c: char| c.is_ascii_digit()) || first.len() > 10 || first == "24/7" {
        return None;
    }
    let sign = ['/', '-', '.']
        .into_iter()
        .find(|sign| first.contains(*sign))?;
    let mut parts = first.split(sign);
    let mut part = || {
        parts
            .next()
            .map(|part| (part.parse::<u32>().ok(), part.len()))
    };
    let (one, two, three, four) = (part()?, part()?, part(), part());
    if four.is_some() {
        return None;
    }
    let (Some(one), length, Some(two)) = (one.0, one.1, two.0) else {
        return None;
    };
    let ymd =
        |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    let found = match three {
        Some((Some(day), ..=2)) if length == 4 => ymd(one, two, day)?,
        Some((Some(year), 4)) => day_first(one, two, |month, day| ymd(year, month, day))?,
        Some((Some(year), 2)) if sign != '.' => {
            day_first(one, two, |month, day| ymd(2000 + year, month, day))?
        }
        None if sign == '/' && !is_fraction(&words[1..]) => {
            let date = day_first(one, two, |month, day| on_or_after_date(today, month, day))?;
            let (month, day) = if two <= 12 { (two, one) } else { (one, two) };
            return Some((Day::one(date, Shape::Date(month, day)), 1));
        }
        _ => return None,
    };
    super::calendar::later(found, 0)?;
    Some((Day::one(found, Shape::Plain), 1))
}

fn day_first(
    one: u32,
    two: u32,
    date: impl Fn(u32, u32) -> Option<NaiveDate>,
) -> Option<NaiveDate> {
    if two <= 12 {
        date(two, one)
    } else {
        date(one, two)
    }
}

fn is_fraction(rest: &[&str]) -> bool {
    matches!(
        rest.first(),
        Some(
            &("hora"
                | "hour"
                | "kg"
                | "kilo"
                | "litro"
                | "litros"
                | "l"
                | "cup"
                | "cups"
                | "taza"
                | "of"
                | "an"
                | "pound"
                | "cucharada")
        )
    )
}

/// "The 3rd", "el día 3", "el 3".
fn by_number(words: &[&str], before: &str, today: NaiveDate) -> Option<Found> {
    let (number, taken) = match words {
        ["el", "dia", rest @ ..] => (starts(rest)?.0, 2 + starts(rest)?.1),
        ["dia", number, ..] => (day_of_month(number)?, 2),
        ["el", number, ..] => (day_of_month(number)?, 2),
        ["the", rest @ ..] if matches!(rest.get(1), Some(&("st" | "nd" | "rd" | "th"))) => {
            follows(&rest[2..]).then_some(())?;
            (starts(rest)?.0, 3)
        }
        [_, "st" | "nd" | "rd" | "th", rest @ ..]
            if matches!(before, "on" | "to" | "from" | "until") =>
        {
            follows(rest).then_some(())?;
            (starts(words)?.0, 2)
        }
        _ => return None,
    };
    if is_other(&words[taken..]) {
        return None;
    }
    Some((
        Day::one(on_or_after_number(today, number)?, Shape::Number(number)),
        taken,
    ))
}

/// What may follow "the 3rd" where it is a day: no thing that is counted.
fn follows(rest: &[&str]) -> bool {
    matches!(
        rest.first(),
        None | Some(
            &("at"
                | "from"
                | "to"
                | "of"
                | "for"
                | "until"
                | "till"
                | "through"
                | "and"
                | "is"
                | "with"
                | "in"
                | "by"
                | "around"
                | "between"
                | "i"
                | "we")
        )
    )
}
