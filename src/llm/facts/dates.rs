//! Dates, weekdays and relative days.

use regex::Captures;

use super::claim::Reading;
use super::scan::{Read, Rule};
use super::words::{CLEAR_MONTHS, MONTHS, SHORT_WEEKDAYS, WEEKDAYS, day, days, month, weekday};
use super::{Kind, Locale};

/// Dates with a month: they come before everything else.
pub(super) fn full() -> Vec<Rule> {
    let days = days();
    let nth = r"(?:st|nd|rd|th|\^|\.[o^])?";
    let year = r"(?:,?\s+(?:de\s+|del\s+|of\s+)?(?P<year>\d{4})\b)?";
    let before = format!(r"(?:\b(?P<weekday>{SHORT_WEEKDAYS})\.?,?\s+(?:the\s+|el\s+|dia\s+)?)?");
    let range = format!(
        r"\b(?P<day>{days}){nth}(?:\s*-\s*|\s+(?:to|and|al?|y|e)\s+)(?:el\s+|the\s+)?(?P<last>{days}){nth}\s+(?:de\s+|of\s+)?(?P<month>{MONTHS})\b\.?{year}"
    );
    let day_first = format!(
        r"{before}\b(?P<day>{days}){nth}\s*-?(?:de\s+|of\s+)?(?P<month>{MONTHS})\b\.?{year}"
    );
    let month_first =
        format!(r"{before}\b(?P<month>{MONTHS})\.?\s+(?:the\s+)?(?P<day>{days}){nth}\b{year}");
    vec![
        Rule::new(
            r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[t ](?P<h>\d\d):(?P<m>\d\d)(?::(?P<s>\d\d)(?:[.,]\d+)?)?(?:\s?(?:z\b|utc\b|[+-]\d\d:?\d\d))?",
            stamp,
        ),
        Rule::new(
            r"\b(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\b",
            iso,
        ),
        Rule::new(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d\d)\b", numeric),
        Rule::new(r"\b(\d{1,2})/(\d{1,2})\b", numeric),
        Rule::new(&range, named_range),
        Rule::new(&day_first, named),
        Rule::new(&month_first, named),
    ]
}

/// What is left once times are read: weekdays with and without a day, months, today and its neighbours.
pub(super) fn partial() -> Vec<Rule> {
    let weekday_day = format!(
        r"\b(?P<weekday>{SHORT_WEEKDAYS})\.?,?\s+(?:the\s+|el\s+|dia\s+)?(?P<day>[0-3]?\d)(?:st|nd|rd|th|\^)?\b"
    );
    vec![
        Rule::new(&weekday_day, day_of_week),
        Rule::new(&format!(r"\b(?P<weekday>{WEEKDAYS})\b"), day_of_week),
        Rule::new(
            &format!(r"\b(?P<place>(?P<weekday>{SHORT_WEEKDAYS}))\.?,?\s+~"),
            day_of_week,
        ),
        Rule::new(&format!(r"\b(?P<month>{CLEAR_MONTHS})\b"), month_alone),
        // Elsewhere they are verbs.
        Rule::new(
            r"\b(?:in|of|since|until) (?P<month>march|may)\b",
            month_alone,
        ),
        Rule::new(r"\b(?:dia|el|the)\s+(?P<day>[0-3]?\d)\b", day_alone),
        Rule::new(r"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th|\^|\.[o^])", day_alone),
        Rule::new(r"\b(?:hasta manana|see you tomorrow)\b", |_, _, _| {
            Some(Vec::new())
        }),
        Rule::new(r"\b(?P<two>pasado manana|day after tomorrow)\b", relative),
        // `mañana` is also the morning.
        Rule::new(
            r"\b(?:por|de|en|a|esta|toda|media)\s+(?:(?:la|esta|toda)\s+)*manana\b",
            |_, _, _| Some(Vec::new()),
        ),
        Rule::new(r"\bla manana (?:del?|siguiente)\b", |_, _, _| {
            Some(Vec::new())
        }),
        Rule::new(r"\b(?P<one>manana|tomorrow)\b", relative),
        Rule::new(r"\b(?P<back>ayer|anoche|yesterday)\b", relative),
    ]
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

fn year(found: &Captures<'_>) -> Option<i32> {
    found.name("year")?.as_str().parse().ok()
}

fn is_date(month: u32, day: u32) -> bool {
    // 2024 is a leap year.
    chrono::NaiveDate::from_ymd_opt(2024, month, day).is_some()
}

fn stamp(found: &Captures<'_>, text: &str, languages: &[Locale]) -> Read {
    let (h, m) = (number(found, "h")?, number(found, "m")?);
    let seconds = number(found, "s").unwrap_or(0);
    let mut claims = iso(found, text, languages)?;
    claims.push((Kind::Time, vec![Reading::Time(h * 3600 + m * 60 + seconds)]));
    Some(claims)
}

fn iso(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let (month, day) = (number(found, "month")?, number(found, "day")?);
    is_date(month, day).then(|| {
        vec![(
            Kind::Date,
            vec![Reading::Date(year(found), month, day, None)],
        )]
    })
}

/// Day first; month first too where English is read.
fn numeric(found: &Captures<'_>, _: &str, languages: &[Locale]) -> Read {
    let part = |index: usize| found.get(index)?.as_str().parse::<u32>().ok();
    let (first, second) = (part(1)?, part(2)?);
    let year = found
        .get(3)
        .and_then(|year| year.as_str().parse::<i32>().ok());
    let year = year.map(|year| if year < 100 { 2000 + year } else { year });
    let mut readings = Vec::new();
    if is_date(second, first) {
        readings.push(Reading::Date(year, second, first, None));
    }
    if languages.contains(&Locale::En) && is_date(first, second) {
        readings.push(Reading::Date(year, first, second, None));
    }
    (!readings.is_empty()).then(|| vec![(Kind::Date, readings)])
}

fn named(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    if belongs_to_time(found, text) || is_other_word(found, text) {
        return None;
    }
    let (month, day) = (month(&found["month"])?, day(&found["day"])?);
    let weekday = found
        .name("weekday")
        .and_then(|name| weekday(name.as_str()));
    is_date(month, day).then(|| {
        vec![(
            Kind::Date,
            vec![Reading::Date(year(found), month, day, weekday)],
        )]
    })
}

fn named_range(found: &Captures<'_>, text: &str, _: &[Locale]) -> Read {
    let first_is_word = !found["day"].starts_with(|c: char| c.is_ascii_digit());
    // `twenty-first` is one day.
    if belongs_to_time(found, text) || first_is_word && found[0].contains('-') {
        return None;
    }
    let month = month(&found["month"])?;
    let (first, last) = (day(&found["day"])?, day(&found["last"])?);
    let date = |day| {
        (
            Kind::Date,
            vec![Reading::Date(year(found), month, day, None)],
        )
    };
    (is_date(month, first) && is_date(month, last)).then(|| vec![date(first), date(last)])
}

/// The minutes of `09:30 November 21` are no day.
fn belongs_to_time(found: &Captures<'_>, text: &str) -> bool {
    let start = found.get(0).map_or(0, |whole| whole.start());
    text[..start].ends_with(':')
}

/// `un mar` is a sea, and `3 may fail` no date.
fn is_other_word(found: &Captures<'_>, text: &str) -> bool {
    let (month, day) = (&found["month"], &found["day"]);
    if !day.starts_with(|c: char| c.is_ascii_digit()) {
        return month.len() == 3;
    }
    let rest = text[found.get(0).map_or(0, |whole| whole.end())..].trim_start();
    let word = rest
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    month == "may" && !matches!(word, "" | "at" | "from" | "to" | "until" | "and" | "is")
}

fn day_of_week(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let weekday = weekday(&found["weekday"])?;
    Some(vec![match number(found, "day") {
        Some(day) => (Kind::Date, vec![Reading::Day(day, Some(weekday))]),
        None => (Kind::Weekday, vec![Reading::Weekday(weekday)]),
    }])
}

fn month_alone(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    Some(vec![(
        Kind::Date,
        vec![Reading::Month(month(&found["month"])?)],
    )])
}

/// `the 20` may be a day and may be twenty of something.
fn day_alone(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let day = number(found, "day")?;
    let readings = vec![Reading::Day(day, None), Reading::Number(day.into(), 0)];
    Some(vec![(Kind::Number, readings)])
}

fn relative(found: &Captures<'_>, _: &str, _: &[Locale]) -> Read {
    let names = [("one", 1), ("two", 2), ("back", -1)];
    let (_, days) = names
        .into_iter()
        .find(|(name, _)| found.name(name).is_some())?;
    Some(vec![(Kind::Date, vec![Reading::Relative(days)])])
}
