//! `calendar`: some time before an entry of a calendar.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::{At, OneOrMany, Pattern, Span};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `before`: ahead of each entry.
    calendar: At<When>,
    /// How long ahead.
    by: Span,
    /// Only entries whose title it matches.
    #[serde(rename = "match")]
    matches: Option<Pattern>,
    /// Only these calendars.
    from: Option<At<OneOrMany<String>>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum When {
    Before,
}

/// Some time before each entry.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// How long ahead.
    pub by: Duration,
    /// Only entries whose title it matches.
    pub matches: Option<String>,
    /// Only these calendars; empty means all.
    pub from: Vec<String>,
}

impl Calendar {
    /// Whether it looks at the calendar of this name.
    pub fn reads(&self, name: &str) -> bool {
        self.from.is_empty() || self.from.iter().any(|from| from == name)
    }
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Calendar> {
        let When::Before = self.calendar.value;
        if scope.settings.calendars.is_empty() {
            let right = "add a [calendars.NAME] with `ics = ...` to config/reveille.toml";
            scope.error(self.calendar.span, "no calendar is configured", right);
        }
        Some(Calendar {
            by: self.by.0,
            matches: self.matches.map(|pattern| pattern.0),
            from: scope.calendars(self.from),
        })
    }
}

pub(super) fn event_example() -> Value {
    json!({
        "kind": "calendar", "item": crate::step::calendar_item_example(),
        "due_at": "2026-11-20T08:45:00+01:00", "catch_up": false
    })
}
