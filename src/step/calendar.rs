//! `calendar`: what the configured calendars hold, whether a time is free, and changes of what they hold.

mod change;
mod connect;
mod day;
mod days;
mod desk;
mod free;
mod look;
mod moments;
mod server;

use std::time::Duration;

use chrono::{Days as Days64, NaiveDate};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::calendar::{Item, Moment, Range};
use crate::config::resolve::Scope;
use crate::config::value::{At, OneOrMany};
use crate::words::{stems, words};

pub use connect::Accounts;
pub use days::Days;
pub use desk::{Desk, Held};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `list`, `search`, `free`; `create`, `update`, `delete`, and `undo` of those three.
    calendar: At<Verb>,
    /// `today`, `tomorrow`, `week` (seven days from today) or a number of days from today, as `3d`.
    range: Option<At<Days>>,
    /// Only these calendars.
    from: Option<At<OneOrMany<String>>>,
    /// Words of a title or a place that are looked for.
    words: Option<At<String>>,
    /// When it begins: a day, a time, or words for it. Of a list, the first day.
    start: Option<At<String>>,
    /// When it ends; an hour, or a day, after its start when left out. Of a list, the last day.
    end: Option<At<String>>,
    /// What it is called.
    title: Option<At<String>>,
    /// Where it is.
    location: Option<At<String>>,
    /// More about it.
    description: Option<At<String>>,
    /// The calendar that it is written to; the first that can be written when left out.
    into: Option<At<String>>,
    /// What is meant: the `entry` of an item that a list or a search gave. Of `free`, the one that is to be there.
    entry: Option<At<String>>,
    /// What is undone: the `undo` that a change gave.
    undo: Option<At<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    List,
    Search,
    Free,
    Create,
    Update,
    Delete,
    Undo,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Verb::List => "list",
            Verb::Search => "search",
            Verb::Free => "free",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
            Verb::Undo => "undo",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Verb::List => &["range", "from", "start", "end"],
            Verb::Search => &["range", "from", "words", "start", "end"],
            Verb::Free => &["from", "start", "end", "entry"],
            Verb::Create => &["title", "start", "end", "location", "description", "into"],
            Verb::Update => &["entry", "title", "start", "end", "location"],
            Verb::Delete => &["entry"],
            Verb::Undo => &["undo"],
        }
    }

    /// Without which it means nothing.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Verb::List | Verb::Search => &[],
            Verb::Free => &["start"],
            Verb::Create => &["title", "start"],
            Verb::Update | Verb::Delete => &["entry"],
            Verb::Undo => &["undo"],
        }
    }
}

/// A look at calendars, or a change of one.
#[derive(Debug, Clone)]
pub struct Calendar {
    verb: Verb,
    /// Which days.
    days: Days,
    /// Only these calendars; empty means all.
    from: Vec<String>,
    words: Option<String>,
    start: Option<String>,
    end: Option<String>,
    title: Option<String>,
    location: Option<String>,
    description: Option<String>,
    into: Option<String>,
    entry: Option<String>,
    undo: Option<String>,
}

/// So many days a search covers that names none.
const SEARCHED: u32 = 60;

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Calendar> {
        let verb = self.calendar.value;
        if scope.settings.calendars.is_empty() {
            let right = "add a [calendars.NAME] with `ics = ...` to config/reveille.toml";
            scope.error(
                self.calendar.span.clone(),
                "no calendar is configured",
                right,
            );
        }
        let range = self.range.as_ref().map(|range| range.span.clone());
        let from = self.from.as_ref().map(|from| from.span.clone());
        let texts = [
            ("words", &self.words),
            ("start", &self.start),
            ("end", &self.end),
            ("title", &self.title),
            ("location", &self.location),
            ("description", &self.description),
            ("into", &self.into),
            ("entry", &self.entry),
            ("undo", &self.undo),
        ];
        let texts = texts.map(|(key, typed)| (key, typed.as_ref().map(|typed| typed.span.clone())));
        let typed = texts.into_iter().chain([("range", range), ("from", from)]);
        let typed: Vec<_> = typed.filter_map(|(key, span)| Some((key, span?))).collect();
        for (key, span) in &typed {
            if !verb.keys().contains(key) {
                let what = format!("`{}` takes no `{key}`", verb.word());
                let right = format!("keys of it: {}", verb.keys().join(", "));
                scope.error(span.clone(), what, &right);
            }
        }
        for key in verb.needs() {
            if !typed.iter().any(|(known, _)| known == key) {
                let what = format!("`{}` needs `{key}`", verb.word());
                let right = format!("add {key} = \"...\"");
                scope.error(self.calendar.span.clone(), what, &right);
            }
        }
        let first = Days {
            first: 0,
            count: if verb == Verb::Search { SEARCHED } else { 1 },
        };
        let mut template = |typed: Option<At<String>>| typed.map(|typed| scope.template(typed));
        let (words, start, end) = (
            template(self.words),
            template(self.start),
            template(self.end),
        );
        let (title, location) = (template(self.title), template(self.location));
        let (description, entry) = (template(self.description), template(self.entry));
        let undo = template(self.undo);
        Some(Calendar {
            verb,
            days: self.range.map_or(first, |range| range.value),
            from: scope.calendars(self.from),
            into: self.into.and_then(|into| written(scope, into)),
            words,
            start,
            end,
            title,
            location,
            description,
            entry,
            undo,
        })
    }
}

/// The name of a calendar that can be written.
fn written(scope: &mut Scope<'_>, into: At<String>) -> Option<String> {
    let span = into.span.clone();
    let list = At {
        value: OneOrMany(vec![into.value]),
        span: span.clone(),
    };
    let name = scope.calendars(Some(list)).pop()?;
    let known = scope.settings.calendars.iter();
    let mut known = known.filter(|source| source.name == name);
    if !known.any(|source| source.place.is_written()) {
        let what = format!("the calendar `{name}` is only read");
        let right = "name one with `google` or `caldav`";
        scope.error(span, what, right);
    }
    Some(name)
}

impl Calendar {
    /// Whether it looks at the calendar of this name.
    pub fn reads(&self, name: &str) -> bool {
        self.from.is_empty() || self.from.iter().any(|from| from == name)
    }

    /// Whether to do it again changes nothing more: an event is made under an id that is chosen before, and what is gone is gone.
    pub fn is_idempotent(&self) -> bool {
        matches!(self.verb, Verb::Create | Verb::Delete)
    }

    pub(super) fn declaration(&self) -> Declaration {
        let item = item_example();
        Declaration {
            effects: matches!(
                self.verb,
                Verb::Create | Verb::Update | Verb::Delete | Verb::Undo
            ),
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(120),
            example: match self.verb {
                Verb::List | Verb::Search => day::example(),
                Verb::Free => json!({
                    "free": true, "items": [item], "count": 1, "all_day": ["text"], "gaps": [{ "start": "2026-11-20T09:00:00+01:00", "end": "2026-11-20T11:00:00+01:00", "start_time": "09:00", "end_time": "11:00" }],
                    "start": "2026-11-20T09:00:00+01:00", "end": "2026-11-20T10:00:00+01:00", "shown": "text",
                    "whole_days": false, "writable": true, "warnings": ["text"]
                }),
                Verb::Create | Verb::Update | Verb::Delete => json!({
                    "title": "text", "shown": "text", "calendar": "text", "start": "2026-11-20T09:00:00+01:00",
                    "end": "2026-11-20T10:00:00+01:00", "was": "text", "undo": "text"
                }),
                Verb::Undo => {
                    json!({ "title": "text", "shown": "text", "calendar": "text", "undone": "create" })
                }
            },
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        match self.verb {
            Verb::List => self.list(context).await,
            Verb::Search => self.search(context).await,
            Verb::Free => self.free(context).await,
            Verb::Create => self.create(context).await,
            Verb::Update => self.update(context).await,
            Verb::Delete => self.delete(context).await,
            Verb::Undo => self.undone(context).await,
        }
    }

    async fn list(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let range = self.range(context)?;
        let held = context.desk().items(&self.from, range).await;
        Ok(self.listed(context, held.map_err(StepError::new)?, range))
    }

    async fn search(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let sought = self.rendered(context, &self.words)?;
        let sought: Vec<[String; 2]> = words(&sought).iter().map(|word| stems(word)).collect();
        let range = self.range(context)?;
        let held = context.desk().items(&self.from, range).await;
        let mut held = held.map_err(StepError::new)?;
        held.items.retain(|item| has(item, &sought));
        Ok(self.listed(context, held, range))
    }

    fn listed(&self, context: &Context<'_>, held: Held, range: Range) -> Done {
        let settings = context.settings;
        let now = context.clock.now().with_timezone(&settings.timezone);
        day::listed(held, range, (now, settings.language))
    }

    /// The days that are meant.
    fn range(&self, context: &Context<'_>) -> Result<Range, StepError> {
        let start = self.moment(context, &self.start)?.map(day);
        let end = self.moment(context, &self.end)?.map(day);
        if let Some(start) = start {
            let days = end.map_or(0, |end| (end - start).num_days());
            return Ok(Range {
                start,
                days: u32::try_from(days).unwrap_or(0).min(365) + 1,
            });
        }
        let zone = context.settings.timezone;
        let today = context.clock.now().with_timezone(&zone).date_naive();
        Ok(Range {
            start: today + Days64::new(u64::from(self.days.first)),
            days: self.days.count,
        })
    }

    fn moment(
        &self,
        context: &Context<'_>,
        typed: &Option<String>,
    ) -> Result<Option<Moment>, StepError> {
        let text = self.rendered(context, typed)?;
        let now = context
            .clock
            .now()
            .with_timezone(&context.settings.timezone);
        moments::read(&text, now).map_err(StepError::new)
    }

    fn rendered(&self, context: &Context<'_>, typed: &Option<String>) -> Result<String, StepError> {
        let text = typed
            .as_ref()
            .map_or(Ok(String::new()), |text| context.render(text))?;
        Ok(text.trim().to_owned())
    }
}

fn day(moment: Moment) -> NaiveDate {
    match moment {
        Moment::At(time) => time.date_naive(),
        Moment::Day(day) => day,
    }
}

/// Whether an item has each of these words in its title, its place or its calendar's name.
fn has(item: &Item, sought: &[[String; 2]]) -> bool {
    let text = format!("{} {} {}", item.title, item.location, item.calendar);
    let known: Vec<[String; 2]> = words(&text).iter().map(|word| stems(word)).collect();
    if sought.len() == 1 && sought[0][0] == item.entry {
        return true;
    }
    let is = |one: &[String; 2]| {
        known
            .iter()
            .any(|other| one[0] == other[0] || one[1] == other[1])
    };
    sought.iter().all(is)
}

/// One entry as templates see it.
pub fn item_example() -> Value {
    json!({
        "date": "2026-11-20", "weekday": 5, "start_time": "09:00", "end_time": "09:30",
        "all_day": false, "title": "text", "location": "text", "description": "text",
        "calendar": "text", "start": "2026-11-20T09:00:00+01:00",
        "end": "2026-11-20T09:30:00+01:00", "day": 1, "days": 1, "starts_before": false,
        "ends_after": false, "overlaps": ["text"], "status": "confirmed", "uid": "text",
        "entry": "text", "original": "2026-11-20T09:00:00+01:00", "timestamp": 1_795_161_600
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
}
