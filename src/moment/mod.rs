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
    let pieces = parse::pieces(&tokens, now.date_naive());
    let (mut said, used) = reading::read(&pieces, now);
    let words = || used.iter().flat_map(|range| &tokens[range.clone()]);
    said.spanish = words().next().is_some() && !words().any(|token| names::is_english(&token.word));
    said.rest = rest::rest(text, &tokens, &used);
    said
}

/// The first moment that a text names, seen from `now`; `None` where it names none that is.
pub fn when(text: &str, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    said(text, now).start
}
