//! `reminder`: what somebody asked to be reminded of is due.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `due`: when its moment comes.
    #[serde(rename = "reminder")]
    _reminder: When,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum When {
    Due,
}

/// What somebody asked to be reminded of is due.
#[derive(Debug, Clone)]
pub struct Reminder;

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<Reminder> {
        Some(Reminder)
    }
}

pub(super) fn event_example() -> Value {
    json!({
        "kind": "reminder", "reminder": "text", "text": "text", "due_at": "2026-11-20T09:00:00+01:00", "late": false,
        "repeats": "text", "chat": { "id": 1, "title": "text" }, "user": { "id": 1, "name": "text" }
    })
}
