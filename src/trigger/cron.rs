//! `cron`: a moment of the calendar.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::{CronEntry, Span, Zone};
use crate::zone::Tz;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// 5 fields (minute hour day month weekday), or 6 with seconds first, or `@daily` and friends.
    cron: CronEntry,
    /// The zone of the entry; else `[defaults] timezone`, else the system's.
    timezone: Option<Zone>,
    /// What happens after downtime.
    missed: Option<Missed>,
    /// Later than this it is not worth a run.
    max_age: Option<Span>,
    /// Start early enough, by what past runs took, to deliver at the due moment.
    on_time: Option<bool>,
    /// Start up to this much later, by chance, so that many machines do not call at once.
    jitter: Option<Span>,
}

/// What happens to moments that passed while nothing ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// One run for the newest of them.
    #[default]
    Latest,
    /// A run for each.
    All,
    /// None.
    Skip,
}

/// A moment of the calendar.
#[derive(Debug, Clone)]
pub struct Cron {
    /// The entry.
    pub entry: CronEntry,
    /// The zone that it is read in.
    pub timezone: Tz,
    /// After downtime.
    pub missed: Missed,
    /// Later than this the slot ends as too old.
    pub max_age: Option<Duration>,
    /// Start early, deliver on time.
    pub on_time: bool,
    /// The most it may start later.
    pub jitter: Duration,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Cron> {
        Some(Cron {
            entry: self.cron,
            timezone: self.timezone.map_or(scope.settings.timezone, |zone| zone.0),
            missed: self.missed.unwrap_or_default(),
            max_age: self.max_age.map(|age| age.0),
            on_time: self.on_time.unwrap_or(false),
            jitter: self.jitter.map_or(Duration::ZERO, |jitter| jitter.0),
        })
    }
}

pub(super) fn event_example() -> Value {
    json!({
        "kind": "cron",
        "due_at": "2026-11-20T07:00:00+01:00",
        "missed": 0,
        "catch_up": false
    })
}
