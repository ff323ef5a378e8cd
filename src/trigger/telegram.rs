//! `telegram`: a message from somebody who may write.

use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::{At, OneOrMany, Pattern, Span};
use crate::telegram::intent::{Claim, Claims};
use crate::telegram::own::is_own;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// A `/command`, or `text`, `document` or `any`.
    telegram: At<String>,
    /// Words that claim a message; case, accents and simple inflection do not matter.
    words: Option<OneOrMany<String>>,
    /// Phrases that claim a message.
    phrases: Option<OneOrMany<String>>,
    /// A pattern that claims a message; named groups become `event.args`.
    regex: Option<Pattern>,
    /// Older messages are passed over.
    max_age: Option<Span>,
}

/// Messages that a job claims.
#[derive(Debug, Clone)]
pub struct Telegram {
    /// `/command`, `text`, `document` or `any`.
    pub what: String,
    /// Words that claim a message.
    pub words: Vec<String>,
    /// Phrases that claim a message.
    pub phrases: Vec<String>,
    /// A pattern that claims a message.
    pub regex: Option<String>,
    /// Older messages are passed over.
    pub max_age: Option<Duration>,
    /// Where the file says so.
    pub span: Range<usize>,
}

impl Telegram {
    /// What it claims, for a job's trigger.
    pub fn claim(&self, job: &str, trigger: &str) -> Claim {
        Claim {
            job: job.to_owned(),
            trigger: trigger.to_owned(),
            kind: match self.what.as_str() {
                "text" => Claims::Text,
                "document" => Claims::Document,
                "any" => Claims::Any,
                command => Claims::Command(command.trim_start_matches('/').to_owned()),
            },
            words: self.words.clone(),
            phrases: self.phrases.clone(),
            regex: self.regex.clone(),
        }
    }
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Telegram> {
        let (what, span) = (self.telegram.value, self.telegram.span.clone());
        if !is_command(&what) && !matches!(what.as_str(), "text" | "document" | "any") {
            scope.error(
                self.telegram.span,
                format!("`{what}` is not a message to wait for"),
                "write a \"/command\" (a-z, 0-9, _; 32 at most), \"text\", \"document\" or \"any\"",
            );
            return None;
        }
        if let Some(name) = what.strip_prefix('/').filter(|name| is_own(name)) {
            let said = format!("`/{name}` is a command of the bot itself");
            let right = "from now on it starts this job; choose another name to keep both";
            scope.warning(self.telegram.span, said, right);
        }
        Some(Telegram {
            what,
            words: self.words.map_or_else(Vec::new, |words| words.0),
            phrases: self.phrases.map_or_else(Vec::new, |phrases| phrases.0),
            regex: self.regex.map(|regex| regex.0),
            max_age: self.max_age.map(|age| age.0),
            span,
        })
    }
}

/// Bot API, `BotCommand`: 1-32 characters, lower-case English letters, digits and underscores.
fn is_command(text: &str) -> bool {
    let Some(name) = text.strip_prefix('/') else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (1..=32).contains(&name.len()) && name.chars().all(allowed)
}

pub(super) fn event_example() -> Value {
    json!({
        "kind": "telegram",
        "text": "text",
        "args": crate::template::OPAQUE,
        "when": "2026-11-21T17:00:00+01:00",
        "until": "2026-11-21T18:00:00+01:00",
        "days": { "first": "2026-11-21", "last": "2026-11-21", "count": 1 },
        "repeats": "text",
        "rest": "text",
        "user": { "id": 1, "name": "Ana" },
        "chat": { "id": 1, "title": "text" },
        "message": 1,
        "forwarded": false,
        "reply_to": "text",
        "conversation": [{ "who": "person", "text": "text" }],
        "file": { "path": "inbox/photo.jpg", "name": "photo.jpg", "size": 1 }
    })
}
