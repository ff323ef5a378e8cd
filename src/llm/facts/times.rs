//! Times of day, as clocks show them and as people say them.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::claim::Reading;
use super::scan::{Read, Rule};
use super::words::{number, numbers};
use super::{Kind, Locale};

const AM_PM: &str = r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?)?";
const PART: &str = r"(?:,?\s+(?:(?:de|del|por|en|esta|in|this|at|the|la|el)\s+)+(?P<part>manana|madrugada|mediodia|tarde|noche|morning|afternoon|evening|night)\b|\s+(?P<tonight>tonight)\b)?";

/// Times with minutes, `h` or am/pm.
pub(super) fn clock() -> Vec<Rule> {
    let am_pm = AM_PM.trim_end_matches('?');
    let last = r"(?P<h2>\d{1,2})(?:[:.](?P<m2>[0-5]\d))?";
    let range = format!(
        r"\b(?P<h>\d{{1,2}})(?:[:.](?P<m>[0-5]\d))?\s*(?:-|to|until|till|and|a|y|hasta)\s*{last}{am_pm}"
    );
    let to_clock =
        r"\b(?P<h>\d{1,2})\s*(?:-|to|until|till|a|hasta)\s*(?P<h2>\d{1,2}):(?P<m2>[0-5]\d)\b";
    vec![
        Rule::new(&range, range_of_half),
        Rule::new(to_clock, range_to_clock),
        Rule::new(
            &format!(
                r"\b(?P<h>\d{{1,2}}):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d)(?:[.,]\d+)?)?(?:\s?h(?:rs?|oras?|s)?\b)?{AM_PM}{PART}"
            ),
            digital,
        ),
        Rule::new(
            &format!(r"\b(?P<h>\d{{1,2}})\.(?P<m>[0-5]\d)(?:\s?h(?:rs?|oras|s)?\b|{am_pm}){PART}"),
            digital,
        ),
        Rule::new(&format!(r"\b(?P<h>\d{{1,2}}){am_pm}{PART}"), digital),
        // 9h30 may be a time and may be how long something takes; so may 9 h.
        Rule::new(r"\b(?P<h>\d{1,2})\s?h\s?(?P<m>[0-5]\d)\b", time_or_duration),
        Rule::new(r"\b(?P<h>\d{1,2})\s?hs?\b", time_or_duration),
    ]
}

/// Times in words.
pub(super) fn spoken() -> Vec<Rule> {
    let en = format!(r"(?:\d{{1,2}}|{})", numbers(Locale::En, 1..=12));
    let es = format!(r"(?:\d{{1,2}}|{})", numbers(Locale::Es, 1..=12));
    let es_minutes = format!(r"(?:\d{{1,2}}|{})", numbers(Locale::Es, 2..=59));
    let en_minutes = numbers(Locale::En, 5..=59);
    let minutes = format!(
        r"(?:\s+(?P<sign>y|menos)\s+(?P<min>media|cuarto|{es_minutes})\b|\s+(?P<bare>quince|treinta|cuarenta(?: y cinco)?)\b)?"
    );
    // One is an article, too: `at one point`.
    let several = format!(r"(?:\d{{1,2}}|{})", numbers(Locale::En, 2..=12));
    let from = "at|by|until|till|from|before|after|around|since|between";
    vec![
        Rule::new(
            &format!(r"\b(?P<h>{en})\s+o\s?'?\s?clock{PART}"),
            spoken_exact,
        ),
        Rule::new(
            &format!(
                r"\b(?P<min>half|quarter|{en_minutes})(?:\s+minutes)?\s+(?P<sign>past)\s+(?P<h>{en})\b{PART}"
            ),
            spoken_exact,
        ),
        Rule::new(
            &format!(r"\b(?P<min>quarter)\s+(?P<sign>to)\s+(?P<h>{en})\b{PART}"),
            spoken_exact,
        ),
        Rule::new(
            &format!(r"\bat\s+(?P<h>{en})[\s-](?P<bare>fifteen|thirty|forty[- ]five)\b{PART}"),
            spoken_exact,
        ),
        Rule::new(
            &format!(r"\ba\s+las?\s+(?P<h>{es})\b{minutes}(?:\s+en punto)?{AM_PM}{PART}"),
            spoken_exact,
        ),
        Rule::new(
            &format!(r"\blas?\s+(?P<h>{es})\b{minutes}(?:\s+en punto)?{AM_PM}{PART}"),
            spoken_loose,
        ),
        Rule::new(&format!(r"\bat\s+(?P<h>{several})\b{PART}"), spoken_exact),
        Rule::new(
            &format!(
                r"\b(?:{from}|de|desde|entre)\s+(?P<h>{en})\s*(?:-|to|and|until|till|a|y|hasta)\s*(?P<h2>{en})\b{PART}"
            ),
            spoken_range,
        ),
        Rule::new(
            &format!(r"\b(?:{from}|desde|hasta)\s+(?P<h>\d{{1,2}})\b{PART}"),
            spoken_loose,
        ),
        Rule::new(r"\b(?:12\s?)?(?P<noon>noon|midday|mediodia)\b", named_time),
        Rule::new(r"\b(?:12\s?)?(?:midnight|medianoche)\b", named_time),
    ]
}

/// The seconds of the day that an hour may mean, by what stands around it.
fn hours(found: &Captures<'_>, text: &str, h: u32, spoken: Spoken) -> Option<Vec<u32>> {
    if h > 24 {
        return None;
    }
    let named = |name: &str| found.name(name).map(|group| group.as_str());
    let part = named("part").or_else(|| named("tonight").map(|_| "night"));
    let hours = match (named("half"), part) {
        (Some("a"), _) => vec![h % 12],
        (Some(_), _) => vec![h % 12 + 12],
        (None, Some("manana" | "madrugada" | "morning")) => vec![h, if h == 12 { 0 } else { h }],
        (None, Some("noche" | "night")) if h == 12 => vec![0],
        (None, Some("noche" | "night")) if h < 6 => vec![h, h + 12],
        (None, Some(_)) if h < 12 => vec![h + 12],
        (None, None) if h < 12 && (spoken == Spoken::Yes || evening_before(found, text)) => {
            vec![h, h + 12]
        }
        _ => vec![h],
    };
    // 24:00 is the next day's 0:00.
    Some(hours.into_iter().map(|hour| hour % 24 * 3600).collect())
}

/// Spoken hours go up to twelve and mean either half of the day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Yes,
    No,
}

/// `this afternoon at 5:30`: the half of the day may stand before the time.
fn evening_before(found: &Captures<'_>, text: &str) -> bool {
    let start = found.get(0).map_or(0, |whole| whole.start());
    let clause = &text[start.saturating_sub(48)..start];
    let clause = clause.rsplit(['\n', '.', ';']).next().unwrap_or_default();
    let words = ["afternoon", "evening", "tonight", "night", "tarde", "noche"];
    words.iter().any(|word| clause.contains(word))
}

fn digits(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

fn times(hours: &[u32], seconds: u32) -> Vec<Reading> {
    let seconds = hours.iter().map(|hour| Reading::Time(hour + seconds));
    seconds.collect()
}

fn digital(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    let hours = hours(found, text, digits(found, "h")?, Spoken::No)?;
    let seconds = digits(found, "m").unwrap_or(0) * 60 + digits(found, "s").unwrap_or(0);
    Some(vec![(Kind::Time, times(&hours, seconds))])
}

/// `9-10am`, `9.30 to 11 pm`: the first may lie in either half.
fn range_of_half(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    let (h, h2) = (digits(found, "h")?, digits(found, "h2")?);
    if h > 12 || h2 > 12 || belongs_to_time(found, text) {
        return None;
    }
    let second = hours(found, text, h2, Spoken::No)?;
    let m = digits(found, "m").unwrap_or(0) * 60;
    let m2 = digits(found, "m2").unwrap_or(0) * 60;
    let first = [h % 12 * 3600, (h % 12 + 12) * 3600];
    Some(vec![
        (Kind::Time, times(&first, m)),
        (Kind::Time, times(&second, m2)),
    ])
}

fn range_to_clock(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    if belongs_to_time(found, text) {
        return None;
    }
    let first = hours(found, text, digits(found, "h")?, Spoken::No)?;
    let second = hours(found, text, digits(found, "h2")?, Spoken::No)?;
    let m2 = digits(found, "m2")? * 60;
    Some(vec![
        (Kind::Time, times(&first, 0)),
        (Kind::Time, times(&second, m2)),
    ])
}

/// The minutes of `09:00-09:30` begin no range.
fn belongs_to_time(found: &Captures<'_>, text: &str) -> bool {
    let start = found.get(0).map_or(0, |whole| whole.start());
    text[..start].ends_with([':', '.'])
}

fn time_or_duration(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    let h = digits(found, "h")?;
    let m = digits(found, "m");
    let mut readings = vec![Reading::Duration(h * 60 + m.unwrap_or(0))];
    if let Some(hours) = hours(found, text, h, Spoken::No) {
        readings.extend(times(&hours, m.unwrap_or(0) * 60));
    }
    if m.is_none() {
        readings.push(Reading::Figure(h.into()));
    }
    Some(vec![(Kind::Time, readings)])
}

fn spoken_times(found: &Captures<'_>, text: &str) -> Option<Vec<Reading>> {
    if measures(&text[found.get(0)?.end()..]) {
        return None;
    }
    let group = |name: &str| found.name(name).map(|group| group.as_str());
    let hours = hours(found, text, number(group("h")?)?, Spoken::Yes)?;
    let minutes = match group("min").or_else(|| group("bare")) {
        None => 0,
        Some("half" | "media") => 30,
        Some("quarter" | "cuarto") => 15,
        Some(word) => number(word).filter(|minutes| *minutes < 60)?,
    };
    let day = 24 * 60 * 60;
    let shifted = hours.into_iter().map(|hour| match group("sign") {
        Some("menos" | "to") => (hour + day - minutes * 60) % day,
        _ => hour + minutes * 60,
    });
    Some(shifted.map(Reading::Time).collect())
}

fn spoken_exact(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    Some(vec![(Kind::Time, spoken_times(found, text)?)])
}

/// `las 3` may be three o'clock and may be the three of something.
fn spoken_loose(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    let mut readings = spoken_times(found, text)?;
    let word = &found["h"];
    let one = word == "una" && found.get(0)?.as_str() == "la una";
    let plain = ["min", "bare", "half", "part"]
        .iter()
        .all(|name| found.name(name).is_none());
    if plain && !one {
        readings.push(Reading::Number(number(word)?.into(), 0));
    }
    Some(vec![(Kind::Time, readings)])
}

fn spoken_range(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    if measures(&text[found.get(0)?.end()..]) {
        return None;
    }
    let claim = |name: &str| {
        let value = number(found.name(name)?.as_str())?;
        let mut readings = times(&hours(found, text, value, Spoken::Yes)?, 0);
        readings.push(Reading::Number(value.into(), 0));
        Some((Kind::Time, readings))
    };
    Some(vec![claim("h")?, claim("h2")?])
}

/// Whether what follows makes a measure of the number before it: `at 12 %`, `after 2 hours`, `at 9.5`.
fn measures(rest: &str) -> bool {
    static UNIT: LazyLock<Regex> = LazyLock::new(|| {
        let units = r"^(?-u)(?:[.,:]\d|\s?(?:%|\*|[kmgt]i?b\b|percent|por ciento|degrees|grados|hours?\b|minut|mins?\b|seconds?\b|days?\b|dias?\b))";
        Regex::new(units).expect("a constant pattern")
    });
    UNIT.is_match(rest)
}

fn named_time(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let hour = if found.name("noon").is_some() { 12 } else { 0 };
    Some(vec![(Kind::Time, vec![Reading::Time(hour * 3600)])])
}
