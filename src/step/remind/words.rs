//! What people say of reminders: of what and when, which one, until when it rests.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use regex::Regex;

use super::reminder::Reminder;
use crate::config::value::Span;
use crate::moment::{Repeats, Said, said};
use crate::template::{DateStyle, Locale};
use crate::words::{fold, words};
use crate::zone::Tz;

/// The longest text of a reminder, in characters.
const LONGEST: usize = 1000;

/// When a day is said and no time.
const MORNING: u32 = 9;

/// How long a snooze lasts that does not say.
const SNOOZE: TimeDelta = TimeDelta::minutes(10);

/// What only asks to be reminded.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    let polite = r"(?:(?:please|por favor|hey|oye|ok)[\s,.:!]+)*";
    let asks = "(?:(?:can|could|will|would) you )?(?:please )?remind me\
        |(?:(?:set|add|make|create) (?:me )?)?(?:a )?reminder\
        |(?:me )?(?:puedes |podr[ií]as )?(?:recu[eé]rda(?:me)?|recordarme|recordar|recuerdas|av[ií]sa(?:me)?|avisarme|acu[eé]rdame)\
        |(?:ponme |pon |crea |cr[eé]ame |haz |a[nñ]ade )?(?:un )?recordatorio";
    let joins = r"(?:(?:[\s,:]+)(?:to|that|about|of|for|de que|de|que|para que|para|a)\b)?";
    Regex::new(&format!(
        r"(?i)^\s*¿?{polite}(?:{asks})\b{joins}[\s,.:;!?-]*"
    ))
    .expect("a pattern")
});

/// What is said after it, out of politeness.
static POLITE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s,]+)(?:please|por favor|gracias|thanks|thank you)[\s.!?]*$")
        .expect("a pattern")
});

/// What is to be told, and when.
pub(super) struct Wish {
    pub text: String,
    pub due: Option<DateTime<Utc>>,
    pub repeats: Option<Repeats>,
    pub until: Option<DateTime<Utc>>,
    pub spanish: bool,
    /// `when`, `past`, `what`: why it cannot be told.
    pub problem: Option<&'static str>,
}

/// Understands of what and when somebody wants to be reminded.
pub(super) fn wish(typed: &str, now: DateTime<Tz>) -> Wish {
    let said = said(typed, now);
    let nine = NaiveTime::from_hms_opt(MORNING, 0, 0).unwrap_or_default();
    let until = until(&said);
    let due = moment(&said, now);
    let repeats = said.repeats.map(|repeats| repeats.at(nine));
    let due = match &repeats {
        Some(repeats) => {
            // Steps are counted from what was said: the first that comes is theirs.
            let next = repeats.next(now);
            next.filter(|next| until.is_none_or(|until| *next < until))
        }
        None => due,
    };
    let due = due.map(|due| due.to_utc());
    let text = wanted(&said.rest);
    let problem = match due {
        None if repeats.is_some() => Some("past"),
        None => Some("when"),
        Some(due) if due <= now => Some("past"),
        Some(_) if text.is_empty() => Some("what"),
        Some(_) => None,
    };
    Wish {
        until: until.filter(|_| repeats.is_some()),
        text,
        due,
        repeats,
        spanish: said.spanish,
        problem,
    }
}

/// Without the words that ask.
fn wanted(rest: &str) -> String {
    let text = ASKS.replace(rest.trim(), "");
    let text = POLITE.replace(&text, "");
    let text: String = text.trim().chars().take(LONGEST).collect();
    text.trim_end().to_owned()
}

/// The moment that is meant; a day is its morning.
fn moment(said: &Said, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    match (said.start, said.whole_days) {
        (Some(day), true) => morning(day, now),
        (start, _) => start,
    }
}

/// Where what repeats ends. "From 9 to 10" is how long each of its times lasts.
fn until(said: &Said) -> Option<DateTime<Utc>> {
    let (repeats, start, end) = (said.repeats.as_ref()?, said.start?, said.end?);
    let midnight = end.time() == NaiveTime::MIN;
    let lasts = !midnight
        && end - start <= TimeDelta::days(1)
        && repeats.next(start).is_none_or(|second| second > end);
    // A time is the last that counts; a day ends where the next one begins.
    let end = match midnight {
        true => end,
        false => end + TimeDelta::seconds(1),
    };
    (!lasts).then(|| end.to_utc())
}

/// A day's morning; today, where that is over, an hour from now.
fn morning(day: DateTime<Tz>, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    let time = NaiveTime::from_hms_opt(MORNING, 0, 0)?;
    let at = day.date_naive().and_time(time);
    let at = day.timezone().from_local_datetime(&at).earliest()?;
    let over = day.date_naive() == now.date_naive() && at <= now;
    Some(if over { now + TimeDelta::hours(1) } else { at })
}

/// Which reminder is meant, by its name or by words of it, and what else is said.
///
/// # Errors
/// In words: none is meant, or several are.
pub(super) fn find(
    all: Vec<(String, Reminder)>,
    typed: &str,
    now: DateTime<Tz>,
) -> Result<(String, Reminder, String), String> {
    let (first, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let name = first.to_lowercase();
    if let Some((name, reminder)) = all.iter().find(|(known, _)| *known == name) {
        return Ok((name.clone(), reminder.clone(), rest.trim().to_owned()));
    }
    let time = said(typed, now);
    let (text, rest) = match typed.rsplit_once(char::is_whitespace) {
        Some((text, span)) if Span::parse(span).is_ok() => (text, span.to_owned()),
        _ if Span::parse(typed).is_ok() => ("", typed.to_owned()),
        _ if time.start.is_some() => (time.rest.as_str(), typed.to_owned()),
        _ => (typed, String::new()),
    };
    let asked = words(text);
    let fits = |reminder: &Reminder| match asked.is_empty() {
        // What was just told is meant.
        true => reminder.told.is_some(),
        false => {
            let known = words(&reminder.text);
            asked.iter().all(|word| known.contains(word))
        }
    };
    let mut found: Vec<_> = all.into_iter().filter(|(_, one)| fits(one)).collect();
    match found.len() {
        1 => {
            let (name, reminder) = found.remove(0);
            Ok((name, reminder, rest))
        }
        0 if asked.is_empty() => Err("which reminder? Say its name, or words of it".to_owned()),
        0 => Err(format!("there is no reminder `{text}` (any more)")),
        _ => {
            let names = found.iter().take(10);
            let names: Vec<_> = names
                .map(|(name, one)| format!("{name} ({})", short(&one.text)))
                .collect();
            Err(format!(
                "several reminders fit, say one's name: {}",
                names.join(", ")
            ))
        }
    }
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(40).collect()
}

/// Until when something rests: a length of time, or words for a moment.
///
/// # Errors
/// In words: it is no time that comes.
pub(super) fn rests(typed: &str, now: DateTime<Tz>) -> Result<DateTime<Utc>, String> {
    let until = match Span::parse(typed) {
        _ if typed.is_empty() => Some(now + SNOOZE),
        Ok(span) => TimeDelta::from_std(span.0)
            .ok()
            .and_then(|span| now.checked_add_signed(span)),
        Err(_) => {
            let folded = fold(typed);
            let until = ["until ", "till ", "hasta "];
            let mut until = until.iter().filter_map(|word| folded.strip_prefix(word));
            let plain = until.next().unwrap_or(&folded);
            // "Half an hour" is in half an hour, "hasta las 12" is a las 12.
            let meant = ["", "a ", "in "]
                .iter()
                .map(|word| format!("{word}{plain}"));
            let mut meant = meant.filter_map(|words| moment(&said(&words, now), now));
            meant.next()
        }
    };
    let until = until.filter(|until| *until > now);
    let until = until.map(|until| until.to_utc());
    until.ok_or_else(|| format!("`{typed}` is no time that comes: 10m, 2h, tomorrow at 9"))
}

/// "today 17:00", "tomorrow 09:00", "Mon 23 Nov 09:00".
pub(super) fn when(due: DateTime<Tz>, now: DateTime<Tz>, locale: Locale) -> String {
    let (day, today) = (due.date_naive(), now.date_naive());
    let near = match ((day - today).num_days(), locale) {
        (0, Locale::En) => "today".to_owned(),
        (0, Locale::Es) => "hoy".to_owned(),
        (1, Locale::En) => "tomorrow".to_owned(),
        (1, Locale::Es) => "mañana".to_owned(),
        _ => locale.date(day, DateStyle::Short, chrono::Datelike::year(&today)),
    };
    format!("{near} {:02}:{:02}", due.hour(), due.minute())
}
