//! The fact guard: every time, date, weekday and number that a model says must occur in the facts.
//!
//! It reads an answer as a person would (9:00 is 9am and nine o'clock, 20/11 is the twentieth of November), in English
//! and Spanish, and compares what is said with what the facts hold. It cannot see a right time beside a wrong title.

mod claim;
mod dates;
mod fold;
mod gather;
mod numbers;
mod scan;
mod times;
mod words;

use std::fmt;
use std::sync::LazyLock;

use chrono::DateTime;
use regex::Regex;
use serde_json::Value;

use crate::template::Locale;
use crate::zone::Tz;
use claim::Known;
use fold::Folded;

/// Something that the answer says and the facts do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invention {
    /// As it stands in the answer.
    pub text: String,
    /// What it claims.
    pub kind: Kind,
    /// Where it stands, in bytes.
    pub position: usize,
}

/// What can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A time of day.
    Time,
    /// A date, a month, or a day by its distance from today.
    Date,
    /// A day of the week.
    Weekday,
    /// A count, a measure, a duration.
    Number,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Time => "time",
            Kind::Date => "date",
            Kind::Weekday => "weekday",
            Kind::Number => "number",
        })
    }
}

impl fmt::Display for Invention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} `{}`", self.kind, self.text)
    }
}

/// Checks `answer` against `facts` and against `text`, the facts as the prompt already worded them.
///
/// `now` is the reader's: today is a fact, and moments in UTC are told in its zone. Derived facts are the weekdays of
/// dates, the lengths of lists, how many items have each yes-or-no field, and how long an item with `start` and `end` takes.
///
/// # Errors
/// Every invention, in the order of the answer.
pub fn check(
    answer: &str,
    facts: &Value,
    text: &str,
    language: Locale,
    now: &DateTime<Tz>,
) -> Result<(), Vec<Invention>> {
    let known = gather::gather(facts, text, now);
    let mut folded = Folded::new(answer);
    mask_list_numbers(&mut folded);
    mask_quoted(&mut folded, &known);
    let claims = scan::scan(&mut folded, &[language]);
    let invented = claims
        .into_iter()
        .filter(|claim| !claim.readings.iter().any(|reading| known.holds(*reading)));
    let mut inventions: Vec<_> = invented
        .map(|claim| Invention {
            text: answer[claim.place.clone()].trim().to_owned(),
            kind: claim.kind,
            position: claim.place.start,
        })
        .collect();
    inventions.sort_by_key(|invention| invention.position);
    inventions.dedup();
    if inventions.is_empty() {
        Ok(())
    } else {
        Err(inventions)
    }
}

/// `1.`, `2.`, `3.` at the beginnings of lines count the lines and claim nothing.
fn mask_list_numbers(folded: &mut Folded) {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m-u)^[ \t]*(\d{1,2})[.)][ \t]").expect("a constant pattern")
    });
    let mut next = 1;
    let mut places = Vec::new();
    for found in NUMBER.captures_iter(folded.as_str()) {
        if found[1].parse() == Ok(next) {
            places.extend(found.get(1).map(|number| number.range()));
            next += 1;
        }
    }
    places.into_iter().for_each(|place| folded.mask(place));
}

/// Names such as `sda1`, addresses and telephone numbers, where they stand in the facts.
fn mask_quoted(folded: &mut Folded, known: &Known) {
    let codes = gather::codes(folded.as_str()).filter(|(_, code)| known.codes.contains(*code));
    let codes = codes.map(|(place, code)| place..place + code.len());
    let phones =
        gather::phones(folded.as_str()).filter(|(_, digits)| known.phones.contains(digits));
    let places: Vec<_> = codes.chain(phones.map(|(place, _)| place)).collect();
    places.into_iter().for_each(|place| folded.mask(place));
}

#[cfg(test)]
mod tests;
