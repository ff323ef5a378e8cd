//! Cron entries: parsed by croner, kept as bit masks.

mod fields;

use std::fmt;

use croner::parser::{CronParser, Seconds, Year};

use super::from_text;

pub use fields::{Field, Fields, Pace};

type Wrong = (String, String);

/// A cron entry of 5 fields, or 6 with seconds first, or `@daily` and friends.
///
/// Where either the day or the weekday holds a `*`, both must fit; else one of them is enough (crontab(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronEntry {
    text: Box<str>,
    fields: Fields,
}

impl CronEntry {
    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        entry(text)
    }

    /// What it says.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl fmt::Display for CronEntry {
    /// As typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

from_text!(
    CronEntry,
    entry,
    "CronEntry",
    Some(r"^\s*(@[a-z]+|\S+(\s+\S+){4,5})\s*$"),
    "a cron entry, as \"0 7 * * *\" (minute hour day month weekday)"
);

fn entry(text: &str) -> Result<CronEntry, Wrong> {
    let star = |field: Option<&str>| field.is_some_and(|field| field.contains('*'));
    let mut fields = text.split_whitespace().rev();
    let weekday = star(fields.next());
    let day = star(fields.nth(1));
    let hourly = text.trim().eq_ignore_ascii_case("@hourly");
    let pace = match hourly || fields.any(|field| field.contains('*')) {
        true => Pace::RealTime,
        false => Pace::Fixed,
    };
    if let Some(fields) = Fields::plain(text, pace) {
        return Ok(CronEntry {
            text: text.into(),
            fields,
        });
    }
    let parser = parser(day || weekday);
    let read = parser.parse(text).ok();
    match read.and_then(|cron| Fields::read(&cron, pace)) {
        Some(fields) => Ok(CronEntry {
            text: text.into(),
            fields,
        }),
        None => Err((
            format!("`{text}` is not a cron entry"),
            right(text, &parser),
        )),
    }
}

fn parser(both_days: bool) -> CronParser {
    CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .dom_and_dow(both_days)
        .build()
}

/// The fields of an entry, each with what may stand in it; an entry of five has no seconds.
const FIELDS: &[(&str, &str)] = &[
    ("second", "0-59"),
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day", "1-31"),
    ("month", "1-12 or JAN-DEC"),
    ("weekday", "0-7 or SUN-SAT"),
];

fn right(text: &str, parser: &CronParser) -> String {
    let fields = text.split_whitespace().count();
    if text.starts_with('@') {
        return "use @yearly, @monthly, @weekly, @daily or @hourly".to_owned();
    }
    if !(5..=6).contains(&fields) {
        return format!("write 5 fields (minute hour day month weekday) or 6, not {fields}");
    }
    if let Some(field) = text
        .split_whitespace()
        .find(|field| starts_with_step(field))
    {
        let (from, step) = field.split_once('/').unwrap_or((field, "5"));
        return format!("write `{from}-59/{step}` for every {step} from {from} on");
    }
    let wrong = text
        .split_whitespace()
        .zip(&FIELDS[FIELDS.len() - fields..])
        .find(|(field, (name, _))| {
            let alone = FIELDS
                .iter()
                .map(|(other, _)| if other == name { *field } else { "*" });
            parser.parse(&alone.collect::<Vec<_>>().join(" ")).is_err()
        });
    match wrong {
        Some((field, (name, range))) => {
            format!(
                "`{field}` is no {name}: write {range}, `*`, lists `a,b`, ranges `a-b`, steps `*/n`"
            )
        }
        None => "no moment fits all of its fields".to_owned(),
    }
}

/// `5/5`, which other crons read as `5-59/5`.
fn starts_with_step(field: &str) -> bool {
    let Some((from, step)) = field.split_once('/') else {
        return false;
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(from) && digits(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_checked_as_they_are_read() {
        let check = |text: &str, expected: Result<(), &str>| {
            let read = entry(text).map(|_| ()).map_err(|(_, right)| right);
            assert_eq!(read, expected.map_err(str::to_owned), "{text}");
        };
        check("0 7 * * *", Ok(()));
        check("*/30 * * * *", Ok(()));
        check("15 0 7 * * MON-FRI", Ok(()));
        check("0 9 L * *", Ok(()));
        check("0 9 * * 5#2", Ok(()));
        check("@daily", Ok(()));
        check(
            "@dayly",
            Err("use @yearly, @monthly, @weekly, @daily or @hourly"),
        );
        check(
            "0 7",
            Err("write 5 fields (minute hour day month weekday) or 6, not 2"),
        );
        check("5/5 * * * *", Err("write `5-59/5` for every 5 from 5 on"));
        check(
            "61 * * * *",
            Err("`61` is no minute: write 0-59, `*`, lists `a,b`, ranges `a-b`, steps `*/n`"),
        );
        check(
            "0 0 7 * 13 *",
            Err(
                "`13` is no month: write 1-12 or JAN-DEC, `*`, lists `a,b`, ranges `a-b`, steps `*/n`",
            ),
        );
        check("0 0 30 2 *", Err("no moment fits all of its fields"));
        check(
            "0 0 7 1 1 * 2027",
            Err("write 5 fields (minute hour day month weekday) or 6, not 7"),
        );
        assert!(entry("").is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn what_is_read_without_croner_is_what_croner_reads(
            text in r"(([0-9]{1,2}|\*)(-[0-9]{1,2})?(/[0-9]{1,2})?(,[0-9]{1,2})? ){2,3}\* \* \*"
        ) {
            let croners = parser(true).parse(&text).ok();
            let croners = croners.and_then(|cron| Fields::read(&cron, Pace::Fixed));
            if let Some(plain) = Fields::plain(&text, Pace::Fixed) {
                proptest::prop_assert_eq!(Some(plain), croners, "{}", text);
            }
        }
    }

    #[test]
    fn common_entries_need_no_croner() {
        for text in [
            "0 7 * * *",
            "*/30 * * * *",
            "5 0-59/5 8,20 * * *",
            "* * * * * *",
        ] {
            assert!(Fields::plain(text, Pace::Fixed).is_some(), "{text}");
        }
        for text in [
            "0 7 * * 1",
            "5/5 * * * *",
            "7-5 * * * *",
            "60 * * * *",
            "*/0 * * * *",
        ] {
            assert!(Fields::plain(text, Pace::Fixed).is_none(), "{text}");
        }
    }
}
