//! `calendar`: what the configured calendars hold.

mod look;

use std::time::Duration;

use chrono::Days as Days64;
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::calendar::{Range, mark_overlaps, merge};
use crate::config::resolve::Scope;
use crate::config::value::{At, OneOrMany};
use look::Look;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `list`: the entries of a range.
    calendar: At<Verb>,
    /// `today`, `tomorrow`, `week` (seven days from today) or a number of days from today, as `3d`.
    range: Option<Days>,
    /// Only these calendars.
    from: Option<At<OneOrMany<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    List,
}

/// Days from today: the first, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// 0 is today.
    pub first: u32,
    /// At least 1.
    pub count: u32,
}

crate::config::value::from_text!(
    Days,
    days,
    "Days",
    Some("^(today|tomorrow|week|[0-9]+d)$"),
    "today, tomorrow, week or a number of days, as \"3d\""
);

fn days(text: &str) -> Result<Days, (String, String)> {
    let (first, count) = match text {
        "today" => (0, 1),
        "tomorrow" => (1, 1),
        "week" => (0, 7),
        other => {
            let count = other
                .strip_suffix('d')
                .and_then(|number| number.parse().ok());
            (
                0,
                count.filter(|count| (1..=366).contains(count)).unwrap_or(0),
            )
        }
    };
    if count == 0 {
        let right = "write today, tomorrow, week or a number of days up to 366, as \"3d\"";
        return Err((format!("`{text}` is not a range of days"), right.to_owned()));
    }
    Ok(Days { first, count })
}

/// What calendars hold.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Which days.
    pub days: Days,
    /// Only these calendars; empty means all.
    pub from: Vec<String>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Calendar> {
        if scope.settings.calendars.is_empty() {
            let right = "add a [calendars.NAME] with `ics = ...` to config/reveille.toml";
            scope.error(self.calendar.span, "no calendar is configured", right);
        }
        Some(Calendar {
            days: self.range.unwrap_or(Days { first: 0, count: 1 }),
            from: scope.calendars(self.from),
        })
    }
}

impl Calendar {
    /// Whether it looks at the calendar of this name.
    pub fn reads(&self, name: &str) -> bool {
        self.from.is_empty() || self.from.iter().any(|from| from == name)
    }

    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(45),
            example: json!({
                "items": [item_example()], "count": 1, "from": "2026-11-20", "days": 1,
                "warnings": ["text"]
            }),
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let zone = context.settings.timezone;
        let today = context.clock.now().with_timezone(&zone).date_naive();
        let range = Range {
            start: today + Days64::new(u64::from(self.days.first)),
            days: self.days.count,
        };
        let sources = context.settings.calendars.iter();
        let sources = sources.filter(|source| self.reads(&source.name));
        // At once, so that a server which does not answer costs its own time only.
        let looks = sources.map(|source| {
            let look = Look {
                context,
                source,
                range,
                zone,
            };
            async move { (source, look.look().await) }
        });
        let mut lists = Vec::new();
        let mut warnings = Vec::new();
        let mut failures = Vec::new();
        let mut cursors = Vec::new();
        for (source, seen) in join_all(looks).await {
            match seen {
                Ok(mut seen) => {
                    for item in &mut seen.items {
                        item.calendar.clone_from(&source.label);
                    }
                    lists.push(seen.items);
                    warnings.append(&mut seen.warnings);
                    cursors.append(&mut seen.cursors);
                }
                Err(why) => failures.push(format!("{}: {why}", source.label)),
            }
        }
        if lists.is_empty() && !failures.is_empty() {
            return Err(StepError::new(failures.join("; ")));
        }
        warnings.extend(failures);
        let mut items = merge(lists);
        mark_overlaps(&mut items);
        let count = items.len();
        let result = json!({
            "items": items, "count": count, "from": range.start, "days": range.days,
            "warnings": warnings,
        });
        Ok(Done {
            cursors,
            ..Done::result(result)
        })
    }
}

/// One entry as templates see it.
pub fn item_example() -> Value {
    json!({
        "date": "2026-11-20", "weekday": 5, "start_time": "09:00", "end_time": "09:30",
        "all_day": false, "title": "text", "location": "text", "description": "text",
        "calendar": "text", "start": "2026-11-20T09:00:00+01:00",
        "end": "2026-11-20T09:30:00+01:00", "day": 1, "days": 1, "starts_before": false,
        "ends_after": false, "overlaps": ["text"], "status": "confirmed", "uid": "text",
        "timestamp": 1_795_161_600
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::look::bytes_of;

    #[test]
    fn the_example_has_the_fields_of_an_entry() {
        let ics = include_str!("../../config/calendar.ics");
        let monday = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date");
        let looked =
            bytes_of(ics.as_bytes(), Range::day(monday), crate::zone::Tz::UTC).expect("a calendar");
        let item = serde_json::to_value(&looked.items[0]).expect("serialisable");
        let fields = |value: &Value| -> Vec<String> {
            let fields = value.as_object().expect("an object");
            fields.keys().cloned().collect()
        };
        assert_eq!(fields(&item_example()), fields(&item));
    }

    #[test]
    fn ranges_of_days() {
        let check = |text: &str, expected: Option<(u32, u32)>| {
            let read = days(text).ok().map(|days| (days.first, days.count));
            assert_eq!(read, expected, "{text}");
        };
        check("today", Some((0, 1)));
        check("tomorrow", Some((1, 1)));
        check("week", Some((0, 7)));
        check("3d", Some((0, 3)));
        check("0d", None);
        check("367d", None);
        check("-1d", None);
        check("tody", None);
    }
}
