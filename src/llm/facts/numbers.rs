//! Durations and all other numbers.

use regex::Captures;

use super::claim::Reading;
use super::scan::{Read, Rule};
use super::words::{number, numbers};
use super::{Kind, Locale};

const HOURS: &str = r"(?:hours?|hrs?|horas?|h)";
const MINUTES: &str = r"(?:minutes?|mins?|minutos?|m)";

/// How long something takes, in more than one word. Before the times: `2h 30min` holds no time.
pub(super) fn long_durations() -> Vec<Rule> {
    let (en, es) = (numbers(Locale::En, 1..=99), numbers(Locale::Es, 1..=99));
    let count = format!(r"(?:\d+(?:[.,]\d+)?|{en}|{es}|an?)");
    vec![
        Rule::new(
            &format!(
                r"\b(?P<h>{count})[\s-]?{HOURS},?\s*(?:and\s+|y\s+)?(?P<m>{count})[\s-]?{MINUTES}\b"
            ),
            long,
        ),
        Rule::new(
            &format!(
                r"\b(?P<h>{count})[\s-]?{HOURS}\s+(?:and a (?P<half>half)|y (?P<media>media))\b"
            ),
            long,
        ),
        Rule::new(r"\b(?P<h>hora)\s+y\s+(?P<media>media)\b", long),
        Rule::new(
            r"\b(?:half an hour|half-hour|half hour|media hora)\b",
            |_, _, _| minutes(30),
        ),
        Rule::new(
            r"\b(?:three quarters of an hour|tres cuartos de hora)\b",
            |_, _, _| minutes(45),
        ),
        Rule::new(
            r"\b(?:quarter of an hour|quarter hour|cuarto de hora)\b",
            |_, _, _| minutes(15),
        ),
    ]
}

/// How long something takes, in one unit. After the times: `a las 9 horas` is one.
pub(super) fn durations() -> Vec<Rule> {
    let (en, es) = (numbers(Locale::En, 1..=99), numbers(Locale::Es, 1..=99));
    vec![
        Rule::new(
            &format!(r"\b(?P<h>\d+(?:[.,]\d+)?|{en}|{es})[\s-]?(?:hours?|hrs?|horas?)\b"),
            long,
        ),
        Rule::new(
            &format!(r"\b(?P<m>\d+(?:[.,]\d+)?|{en}|{es})[\s-]?(?:minutes?|mins?|minutos?)\b"),
            long,
        ),
    ]
}

/// Whatever digits and number words are left.
pub(super) fn plain() -> Vec<Rule> {
    vec![
        Rule::new(
            r"(?P<value>\d+(?:[.,]\d+)?)\s+(?:(?P<thousand>mil|thousand)|millones|millon|million)\b",
            large,
        ),
        Rule::new(r"\d[\d.,']*\d|\d", digits),
        // One is an article, too.
        Rule::new(
            &format!(r"\b{}\b", numbers(Locale::En, 2..=1000)),
            |found, _, languages| word(found, languages, Locale::En),
        ),
        Rule::new(
            &format!(r"\b{}\b", numbers(Locale::Es, 2..=1000)),
            |found, _, languages| word(found, languages, Locale::Es),
        ),
        Rule::new(r"\b(?:zero|cero)\b", |_, _, _| Some(vec![whole(0)])),
    ]
}

fn minutes(minutes: u32) -> Read {
    Some(vec![(Kind::Number, vec![Reading::Duration(minutes)])])
}

fn whole(value: u32) -> (Kind, Vec<Reading>) {
    (Kind::Number, vec![Reading::Number(value.into(), 0)])
}

fn amount(found: &Captures<'_>, name: &str) -> Option<f64> {
    match found.name(name)?.as_str() {
        "a" | "an" | "hora" => Some(1.0),
        text => {
            let word = number(text).map(f64::from);
            word.or_else(|| text.replace(',', ".").parse().ok())
        }
    }
}

/// Hours, minutes or both; one alone may also be a number of the facts.
fn long(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let (h, m) = (amount(found, "h"), amount(found, "m"));
    let half = found
        .name("half")
        .or(found.name("media"))
        .map_or(0.0, |_| 30.0);
    let total = h.unwrap_or(0.0) * 60.0 + m.unwrap_or(0.0) + half;
    // An hour is how one speaks, not a figure.
    if h == Some(1.0)
        && m.is_none()
        && half == 0.0
        && number(&found["h"]) == Some(1)
        && !found["h"].starts_with('1')
    {
        return Some(Vec::new());
    }
    let mut readings = Vec::new();
    if (0.0..1e6).contains(&total) && total.fract() == 0.0 {
        // In range and whole, as just seen.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        readings.push(Reading::Duration(total as u32));
    }
    if let (Some(value), None, true) | (None, Some(value), true) = (h, m, half == 0.0) {
        readings.push(Reading::Figure(value));
    }
    Some(vec![(Kind::Number, readings)])
}

fn large(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let value = amount(found, "value")?;
    let unit = found.name("thousand").map_or(1e6, |_| 1e3);
    Some(vec![(Kind::Number, vec![Reading::Number(value * unit, 0)])])
}

fn digits(found: &Captures<'_>, _: &str, languages: &[Locale]) -> Read {
    let text = &found[0];
    let mut readings: Vec<_> = languages
        .iter()
        .filter_map(|language| value(text, *language))
        .collect();
    if readings.is_empty() {
        // 1.2.3 is no number of any language: its parts are.
        let parts = text
            .split(['.', ',', '\''])
            .filter_map(|part| value(part, Locale::En));
        return Some(parts.map(|part| (Kind::Number, vec![part])).collect());
    }
    // 9.30 may be half past nine.
    if let Some((h, m)) = text
        .split_once('.')
        .filter(|(h, m)| h.len() <= 2 && m.len() == 2)
    {
        let (h, m): (u32, u32) = (h.parse().ok()?, m.parse().ok()?);
        if h < 24 && m < 60 {
            readings.push(Reading::Time(h * 3600 + m * 60));
        }
    }
    Some(vec![(Kind::Number, readings)])
}

/// The number that `text` is in `language`: `1,234.5` in English, `1.234,5` in Spanish.
fn value(text: &str, language: Locale) -> Option<Reading> {
    let (group, point) = match language {
        Locale::En => (',', '.'),
        Locale::Es => ('.', ','),
    };
    let (whole, decimals) = match text.split_once(point) {
        Some((whole, decimals)) => (whole, decimals),
        None => (text, ""),
    };
    let mut groups = whole.split([group, '\'']);
    let first = groups.next()?;
    let grouped = groups.all(|digits| digits.len() == 3);
    let single = whole.len() == first.len();
    if !grouped || (!single && first.len() > 3) || decimals.contains([group, point, '\'']) {
        // A point is also a decimal point in Spanish text about machines.
        let plain = text.parse().ok().filter(|_| single_point(text))?;
        let shown = text
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        return Some(Reading::Number(plain, u32::try_from(shown).ok()?));
    }
    let joined: String = whole.chars().filter(char::is_ascii_digit).collect();
    let parsed = format!("{joined}.{decimals}0").parse().ok()?;
    Some(Reading::Number(parsed, u32::try_from(decimals.len()).ok()?))
}

fn single_point(text: &str) -> bool {
    text.matches('.').count() == 1
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn word(found: &Captures<'_>, languages: &[Locale], language: Locale) -> Read {
    if !languages.contains(&language) {
        return None;
    }
    Some(vec![whole(number(&found[0])?)])
}
