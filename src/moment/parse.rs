//! The pieces of a sentence that speak of time, in their order.

use std::ops::Range;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};

use super::day::{Day, day};
use super::every::{Every, every};
use super::hours::{bare_span, clock, given, span};
use super::length::{Length, length};
use super::lex::Token;
use super::time::{Clock, Part, bare, part};

/// What a few words say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// A moment with its offset.
    Exact(DateTime<FixedOffset>),
    /// What the clocks show.
    Local(NaiveDateTime),
    /// So long from now.
    After(Length),
    Length(Length),
    Day(Day, Option<Part>),
    Time(Clock),
    Times(Clock, Clock),
    Part(Part),
    AllDay,
    Until(Option<Day>, Option<Clock>),
    Every(Every),
}

/// A piece: what it says and its words, by their numbers.
pub(super) struct Piece {
    pub(super) what: What,
    pub(super) words: Range<usize>,
}

/// The pieces of a sentence; linear in its words.
pub(super) fn pieces(tokens: &[Token], today: NaiveDate) -> Vec<Piece> {
    let words: Vec<&str> = tokens.iter().map(|token| token.word.as_str()).collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    let mut free = 0;
    while at < words.len() {
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let last = pieces
            .last()
            .filter(|piece| piece.words.end == at)
            .map(|piece| &piece.what);
        let found = after(last, &words[at..], &tokens[at..], today);
        let Some((what, taken)) =
            found.or_else(|| piece(&words[at..], &tokens[at..], before, today))
        else {
            at += 1;
            continue;
        };
        let first =
            begins(&what, &words[free..at], &words[at..]).map_or(at, |swallowed| at - swallowed);
        at += taken.max(1);
        free = at;
        pieces.push(Piece {
            what,
            words: first..at,
        });
    }
    pieces
}

/// What can only be said directly after another piece: "Monday 9-10", "el lunes a las 9 al martes a las 18:00".
fn after(
    last: Option<&What>,
    words: &[&str],
    tokens: &[Token],
    today: NaiveDate,
) -> Option<(What, usize)> {
    match (last?, words) {
        (What::Day(..), [first, ..]) if first.starts_with(|c: char| c.is_ascii_digit()) => {
            let ((from, to), taken) = bare_span(words, tokens)?;
            Some((What::Times(from, to), taken))
        }
        (What::Time(_), ["to" | "al" | "a", ..]) => {
            day(&words[1..], "to", today)?;
            until_day(words, tokens, today)
        }
        _ => None,
    }
}

fn piece(
    words: &[&str],
    tokens: &[Token],
    before: &str,
    today: NaiveDate,
) -> Option<(What, usize)> {
    if let Some(exact) = exact(words[0]) {
        return Some((exact, 1));
    }
    if let Some((length, taken)) = from_now(words) {
        return Some((What::After(length), taken));
    }
    if let Some((every, taken)) = every(words, before, today) {
        return Some((What::Every(every), taken));
    }
    if let Some(until) = until(words, tokens, today) {
        return Some(until);
    }
    if let Some((day, part, taken)) = day(words, before, today) {
        let next = words
            .get(taken)
            .and_then(|word| bare(word))
            .filter(|_| part.is_none() && day.count == 1);
        let taken = taken + usize::from(next.is_some());
        return Some((What::Day(day, part.or(next)), taken));
    }
    if let Some(((from, to), taken)) = span(words, tokens) {
        return Some((What::Times(from, to), taken));
    }
    if let Some((clock, taken)) = clock(words, tokens) {
        return Some((What::Time(clock), taken));
    }
    if let Some((part, taken)) = part(words) {
        return Some((What::Part(part), taken));
    }
    match words {
        ["all", "day", ..] => return Some((What::AllDay, 2)),
        ["todo", "el", "dia", ..] => return Some((What::AllDay, 3)),
        _ => {}
    }
    let (length, taken) = length(words)?;
    // "A week from Monday"; "for a week from Monday" is a length.
    if let ["from" | "on", rest @ ..] = &words[taken..]
        && length.is_days()
        && before != "for"
        && let Some((mut day, part, more)) =
            day(rest, "from", today).filter(|(day, ..)| day.count == 1)
    {
        day.first = length.day_after(day.first)?;
        day.shape = super::day::Shape::Plain;
        return Some((What::Day(day, part), taken + 1 + more));
    }
    match &words[taken..] {
        ["ago", ..] => Some((What::After(length.back()), taken + 1)),
        ["from", "now", ..] => Some((What::After(length), taken + 2)),
        // "Ten minutes before", "a two year old".
        [
            "before" | "antes" | "after" | "despues" | "early" | "late" | "old" | "later" | "tarde",
            ..,
        ] => None,
        _ => Some((What::Length(length), taken)),
    }
}

/// "2026-11-21T17:00", with an offset or without.
fn exact(word: &str) -> Option<What> {
    if !word.contains('t') || !word.starts_with(|c: char| c.is_ascii_digit()) || word.len() > 40 {
        return None;
    }
    let word = word.to_ascii_uppercase();
    if let Ok(exact) = DateTime::parse_from_rfc3339(&word) {
        return Some(What::Exact(exact));
    }
    let shapes = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let local = shapes
        .iter()
        .find_map(|shape| NaiveDateTime::parse_from_str(&word, shape).ok());
    local.map(What::Local)
}

/// "In 20 minutes", "dentro de dos horas", "hace 3 días".
fn from_now(words: &[&str]) -> Option<(Length, usize)> {
    let (skipped, back) = match words {
        ["dentro", "de", ..] => (2, false),
        ["de", "aqui", "a", ..] => (3, false),
        ["in" | "en" | "within", ..] => (1, false),
        ["hace", ..] => (1, true),
        _ => return None,
    };
    let (length, taken) = length(&words[skipped..])?;
    Some((if back { length.back() } else { length }, skipped + taken))
}

/// "Until 6", "hasta el viernes a las 18:00".
fn until(words: &[&str], tokens: &[Token], today: NaiveDate) -> Option<(What, usize)> {
    let ("until" | "till" | "til" | "hasta" | "through") = *words.first()? else {
        return None;
    };
    if let Some(until) = until_day(words, tokens, today) {
        return Some(until);
    }
    let (clock, taken) = given(&words[1..], &tokens[1..])?;
    Some((What::Until(None, Some(clock)), 1 + taken))
}

fn until_day(words: &[&str], tokens: &[Token], today: NaiveDate) -> Option<(What, usize)> {
    let (day, _, taken) = day(&words[1..], "until", today)?;
    let at = 1 + taken;
    let clock = clock(&words[at..], &tokens[at..]);
    let more = clock.map_or(0, |(_, taken)| taken);
    Some((
        What::Until(Some(day), clock.map(|(clock, _)| clock)),
        at + more,
    ))
}

/// How many of the words before a piece only lead to it.
fn begins(what: &What, before: &[&str], words: &[&str]) -> Option<usize> {
    // "What's on this week".
    let dayless = matches!(
        words,
        ["tomorrow" | "today" | "tonight" | "yesterday", ..]
            | [
                "this" | "next",
                "week" | "weekend" | "month" | "year" | "morning" | "afternoon" | "evening",
                ..
            ]
    );
    let leads = |word: &str| match what {
        What::Length(_) => matches!(
            word,
            "for" | "de" | "durante" | "por" | "lasting" | "dura" | "lasts"
        ),
        What::Day(..) | What::Local(_) | What::Exact(_) => {
            matches!(
                word,
                "before"
                    | "after"
                    | "antes"
                    | "despues"
                    | "since"
                    | "de"
                    | "del"
                    | "para"
                    | "for"
                    | "from"
                    | "by"
                    | "the"
                    | "el"
                    | "la"
                    | "desde"
                    | "starting"
                    | "beginning"
                    | "of"
                    | "during"
                    | "durante"
            ) || (word == "on" && !dayless)
                || (matches!(word, "in" | "en" | "al" | "a") && !dayless)
        }
        What::Time(_) | What::Times(..) | What::Part(_) => {
            matches!(
                word,
                "before"
                    | "after"
                    | "antes"
                    | "despues"
                    | "since"
                    | "de"
                    | "del"
                    | "para"
                    | "from"
                    | "by"
                    | "desde"
                    | "at"
                    | "a"
                    | "al"
                    | "sobre"
                    | "around"
                    | "about"
                    | "the"
                    | "on"
            )
        }
        What::Every(_) => matches!(word, "on" | "the" | "de" | "del" | "el" | "al" | "a"),
        What::After(_) | What::AllDay | What::Until(..) => false,
    };
    let mut swallowed = before.iter().rev().take_while(|word| leads(word)).count();
    // "A partir del lunes".
    let left = &before[..before.len() - swallowed];
    if left.ends_with(&["a", "partir"]) {
        swallowed += 2;
    }
    (swallowed > 0).then_some(swallowed)
}
