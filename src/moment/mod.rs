//! What a sentence says of time, in English and Spanish, by code: "mañana a las 9", "next Friday from 3 to 4pm", "el primer
//! lunes de cada mes".
//!
//! A day without a time is its first moment. A weekday's name is the next such day after today. Hours from 1 to 7 that say
//! neither morning nor evening are those after noon. Prices and quantities are no times.

mod calendar;
mod date;
mod day;
mod every;
mod hours;
mod length;
mod lex;
mod names;
mod parse;
mod reading;
mod repeats;
mod rest;
mod time;
mod week;

#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate};

use crate::zone::Tz;
pub use repeats::Repeats;

/// What a sentence says of time, and what else it says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// The first moment that it names. What the clocks skip is as much later as they skip; what they show twice is the first.
    pub start: Option<DateTime<Tz>>,
    /// Whether it names days and no time.
    pub whole_days: bool,
    /// Where what it names ends: after whole days, the first moment of the day that follows. Nothing where it says none.
    pub end: Option<DateTime<Tz>>,
    /// What comes again; `start` is its first time then.
    pub repeats: Option<Repeats>,
    /// The days that it asks about: the first and how many.
    pub range: Option<(NaiveDate, u32)>,
    /// The sentence without its words of time, as it was written.
    pub rest: String,
    /// Whether its words of time are Spanish ones.
    pub spanish: bool,
}

/// Understands a sentence, seen from `now`. What cannot be understood stays in [`Said::rest`].
pub fn said(text: &str, now: DateTime<Tz>) -> Said {
    let tokens = lex::tokens(text);
    if names_no_day(&tokens) {
        // "31 February": who meant what is not for us to say.
        return Said {
            rest: text.to_owned(),
            ..Said::default()
        };
    }
    let pieces = parse::pieces(&tokens, now.date_naive());
    let (mut said, used) = reading::read(&pieces, now);
    let words = || used.iter().flat_map(|range| &tokens[range.clone()]);
    said.spanish = words().next().is_some() && !words().any(|token| names::is_english(&token.word));
    said.rest = rest::rest(text, &tokens, &used);
    said
}

/// Whether a day of a month is named that no year has.
fn names_no_day(tokens: &[lex::Token]) -> bool {
    let number = |token: &lex::Token| token.word.parse::<u32>().ok().filter(|day| *day < 32);
    let is_wrong = |day: u32, month: u32| NaiveDate::from_ymd_opt(2028, month, day).is_none();
    let wrong = |day: &lex::Token, month: &lex::Token| {
        let found = number(day).zip(names::month(&month.word));
        found.is_some_and(|(day, month)| is_wrong(day, month))
    };
    let of =
        |token: &lex::Token| matches!(token.word.as_str(), "de" | "of" | "th" | "st" | "nd" | "rd");
    let near = tokens
        .windows(2)
        .any(|two| wrong(&two[0], &two[1]) || wrong(&two[1], &two[0]));
    near || tokens
        .windows(3)
        .any(|three| of(&three[1]) && wrong(&three[0], &three[2]))
}

/// The first moment that a text names, seen from `now`; `None` where it names none that is.
pub fn when(text: &str, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    said(text, now).start
}
