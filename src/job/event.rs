//! What happened: the reason that a run exists.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What kind of trigger an event came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// A cron entry's moment.
    Cron,
    /// A file changed.
    Watch,
    /// A Telegram message.
    Telegram,
    /// An HTTP request.
    Webhook,
    /// Another job ended.
    After,
    /// The daemon started.
    Startup,
    /// A calendar event comes up.
    Calendar,
    /// What somebody asked to be reminded of is due.
    Reminder,
    /// A person typed `reveille run`.
    Hand,
}

impl TriggerKind {
    /// The word of the job file (`hand` for a run by hand).
    pub fn word(self) -> &'static str {
        match self {
            TriggerKind::Cron => "cron",
            TriggerKind::Watch => "watch",
            TriggerKind::Telegram => "telegram",
            TriggerKind::Webhook => "webhook",
            TriggerKind::After => "after",
            TriggerKind::Startup => "startup",
            TriggerKind::Calendar => "calendar",
            TriggerKind::Reminder => "reminder",
            TriggerKind::Hand => "hand",
        }
    }
}

/// One thing that happened to one job.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// UUIDv7, unique across machines.
    pub id: Uuid,
    /// The job it starts.
    pub job: String,
    /// What kind of trigger it came through.
    pub kind: TriggerKind,
    /// Two events with one key are one event; `None` for what cannot repeat.
    pub dedupe_key: Option<String>,
    /// What templates see as `event`.
    pub payload: Value,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Event {
    /// What templates see as `event`, its kind included.
    pub fn seen(&self) -> Value {
        let mut seen = self.payload.clone();
        if let Value::Object(fields) = &mut seen {
            let kind = || self.kind.word().into();
            fields.entry("kind").or_insert_with(kind);
        }
        seen
    }

    /// The same again because a person asked, by `kind`: the job sees it as it was.
    #[must_use]
    pub fn again(mut self, id: Uuid, kind: TriggerKind) -> Self {
        self.payload = self.seen();
        Event {
            id,
            kind,
            dedupe_key: None,
            ..self
        }
    }
}
