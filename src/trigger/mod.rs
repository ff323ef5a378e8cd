//! What can start a job. One file a kind: its keys, checked; later its way from the outside to an event.

mod after;
mod calendar;
mod cron;
mod reminder;
mod startup;
mod telegram;
mod watch;
mod webhook;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::resolve::Scope;
use crate::config::value::Name;

pub use after::{After, On};
pub use calendar::Calendar;
pub use cron::{Cron, Missed};
pub use reminder::Reminder;
pub use startup::Startup;
pub use telegram::Telegram;
pub use watch::Watch;
pub use webhook::Webhook;

/// Keys that every trigger shares.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Common {
    /// Names the trigger for `why` and `pause`; else it is derived from what fixes its moments.
    pub id: Option<Name>,
    /// `false` switches it off.
    pub enabled: Option<bool>,
}

/// The names of the keys of [`Common`].
pub const COMMON: &[&str] = &["id", "enabled"];

/// One way that a job starts.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Stable over edits elsewhere in the file.
    pub id: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What it is.
    pub kind: Kind,
}

kinds! {
    /// The kinds of trigger.
    Kind, Authored {
        "cron" => Cron(cron),
        "watch" => Watch(watch),
        "telegram" => Telegram(telegram),
        "webhook" => Webhook(webhook),
        "after" => After(after),
        "startup" => Startup(startup),
        "calendar" => Calendar(calendar),
        "reminder" => Reminder(reminder),
    }
}

impl Kind {
    /// The id of a trigger that has none: its kind and what fixes its moments, never its position.
    pub fn derived_id(&self) -> String {
        match self {
            Kind::Cron(cron) => {
                let typed = cron.entry.to_string();
                let fields: Vec<&str> = typed.split_whitespace().collect();
                format!("cron:{} {}", fields.join(" "), cron.timezone)
            }
            Kind::Watch(watch) => format!("watch:{}", watch.paths.join(" ")),
            Kind::Telegram(telegram) => format!("telegram:{}", telegram.what),
            Kind::Webhook(webhook) => format!("webhook:{}", webhook.name),
            Kind::After(after) => format!("after:{}", after.job),
            Kind::Startup(_) => "startup".to_owned(),
            Kind::Calendar(calendar) => format!("calendar:before {}s", calendar.by.as_secs()),
            Kind::Reminder(_) => "reminder".to_owned(),
        }
    }

    /// Whether its events hold what somebody else may have written.
    pub fn lets_others_in(&self) -> bool {
        match self {
            Kind::Cron(_) | Kind::Startup(_) | Kind::After(_) => false,
            Kind::Watch(_)
            | Kind::Telegram(_)
            | Kind::Webhook(_)
            | Kind::Calendar(_)
            | Kind::Reminder(_) => true,
        }
    }

    /// An example of what `event` holds for it.
    pub fn event_example(&self) -> Value {
        match self {
            Kind::Cron(_) => cron::event_example(),
            Kind::Watch(watch) => watch.event_example(),
            Kind::Telegram(_) => telegram::event_example(),
            Kind::Webhook(_) => webhook::event_example(),
            Kind::After(_) => after::event_example(),
            Kind::Startup(_) => startup::event_example(),
            Kind::Calendar(_) => calendar::event_example(),
            Kind::Reminder(_) => reminder::event_example(),
        }
    }
}

/// What `event` may hold for a job with these triggers, a run by hand included: the union of their fields.
pub fn event_example(triggers: &[Trigger]) -> Map<String, Value> {
    let hand = json!({ "kind": "hand", "args": crate::template::OPAQUE, "stdin": "text" });
    let mut all = Map::new();
    let kinds = triggers.iter().map(|trigger| trigger.kind.event_example());
    for example in kinds.chain([hand]) {
        if let Value::Object(fields) = example {
            all.extend(fields);
        }
    }
    all
}

/// Reads the kind's part of a `[[trigger]]` table.
pub(crate) fn resolve(authored: Authored, scope: &mut Scope<'_>) -> Option<Kind> {
    authored.resolve(scope)
}
