//! What a job does, a step at a time. One file a kind: its keys, checked, and its action.

mod agent;
mod approve;
mod calendar;
mod context;
mod declaration;
mod exec;
mod feed;
mod fetch;
mod file;
mod journal;
mod ledger;
pub mod log;
mod prompt;
mod recall;
mod remember;
pub mod remind;
mod render;
mod schema;
mod set;
mod system;

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::value::{At, Name, Span};

pub use agent::{Agent, Resumed};
pub use approve::Approve;
use approve::hides;
pub use calendar::{Accounts, Calendar, Desk, item_example as calendar_item_example};
pub use context::{Context, Done, Planned, StepError};
pub use declaration::Declaration;
pub use exec::Exec;
pub use feed::Feed;
pub use fetch::Fetch;
pub use file::File;
pub(crate) use file::stays_inside;
pub use journal::Journal;
pub use ledger::Ledger;
pub use log::Log;
pub use prompt::{Plan as PromptPlan, Prompt};
pub use recall::Recall;
pub use remember::Remember;
use remind::Remind;
pub use render::Render;
pub use set::Set;
pub use system::System;

/// Keys that every step shares.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Common {
    /// The name under which later steps see the result.
    pub id: Option<At<Name>>,
    /// An expression; the step is skipped unless it is true.
    pub when: Option<At<String>>,
    /// An expression; when it is true the run ends here as `nothing to say`.
    pub stop_if: Option<At<String>>,
    /// The step fails when it takes longer.
    pub timeout: Option<Span>,
    /// How often and after what time it is tried again.
    pub retry: Option<AuthoredRetry>,
    /// What a failure means for the run.
    pub on_error: Option<OnError>,
    /// An expression that gives a list: the step runs once for each `item`.
    pub for_each: Option<At<String>>,
    /// How many items at a time.
    pub parallel: Option<NonZeroU32>,
    /// What it finds reaches no model that is not at home.
    pub local_only: Option<bool>,
}

/// The names of the keys of [`Common`].
pub const COMMON: &[&str] = &[
    "id",
    "when",
    "stop_if",
    "timeout",
    "retry",
    "on_error",
    "for_each",
    "parallel",
    "local_only",
];

/// `retry`, as typed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredRetry {
    /// How often in all, the first time included; 3 when left out.
    pub attempts: Option<NonZeroU32>,
    /// The wait before the second attempt, doubled each time; 1s when left out.
    pub backoff: Option<Span>,
    /// The longest wait; 5m when left out.
    pub max: Option<Span>,
}

/// What a failed step means for its run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The step's result is `none` and the run goes on.
    Continue,
}

/// How often and after what time a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// In all, the first time included.
    pub attempts: u32,
    /// The wait before the second attempt; doubled each time.
    pub backoff: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Retry {
    /// Never again.
    pub const NONE: Retry = Retry {
        attempts: 1,
        backoff: Duration::ZERO,
        max: Duration::ZERO,
    };

    /// The wait after attempt `attempt` (from 1); `None` when it was the last.
    pub fn after(&self, attempt: u32) -> Option<Duration> {
        let doublings = attempt.saturating_sub(1).min(30);
        (attempt < self.attempts).then(|| {
            let wait = self.backoff.saturating_mul(1 << doublings);
            wait.min(self.max)
        })
    }
}

impl From<AuthoredRetry> for Retry {
    fn from(authored: AuthoredRetry) -> Self {
        Retry {
            attempts: authored.attempts.map_or(3, NonZeroU32::get),
            backoff: authored
                .backoff
                .map_or(Duration::from_secs(1), |wait| wait.0),
            max: authored.max.map_or(Duration::from_secs(300), |wait| wait.0),
        }
    }
}

/// One unit of a run.
#[derive(Debug, Clone)]
pub struct Step {
    /// The name under which later steps see the result.
    pub id: String,
    /// Skip unless this expression is true.
    pub when: Option<String>,
    /// End the run as nothing to say if this expression is true.
    pub stop_if: Option<String>,
    /// The longest it may take.
    pub timeout: Duration,
    /// When it fails.
    pub retry: Retry,
    /// When it has failed for good.
    pub on_error: OnError,
    /// Once for each item of this list.
    pub for_each: Option<String>,
    /// How many items at a time.
    pub parallel: u32,
    /// What it finds reaches no model that is not at home.
    pub local_only: bool,
    /// Its kind declares effects.
    pub effects: bool,
    /// What it is.
    pub kind: Kind,
}

kinds! {
    /// The kinds of step.
    Kind, Authored {
        "calendar" => Calendar(calendar),
        "log" => Log(log),
        "journal" => Journal(journal),
        "system" => System(system),
        "fetch" => Fetch(fetch),
        "feed" => Feed(feed),
        "exec" => Exec(exec),
        "set" => Set(set),
        "file" => File(file),
        "render" => Render(render),
        "prompt" => Prompt(prompt),
        "agent" => Agent(agent),
        "ledger" => Ledger(ledger),
        "remember" => Remember(remember),
        "recall" => Recall(recall),
        "approve" => Approve(approve),
        "remind" => Remind(remind),
    }
}

impl Kind {
    /// What the kind declares of itself.
    pub fn declaration(&self) -> Declaration {
        match self {
            Kind::Calendar(calendar) => calendar.declaration(),
            Kind::Log(log) => log.declaration(),
            Kind::Journal(journal) => journal.declaration(),
            Kind::System(system) => system.declaration(),
            Kind::Fetch(fetch) => fetch.declaration(),
            Kind::Feed(feed) => feed.declaration(),
            Kind::Exec(exec) => exec.declaration(),
            Kind::Set(set) => set.declaration(),
            Kind::File(file) => file.declaration(),
            Kind::Render(render) => render.declaration(),
            Kind::Prompt(prompt) => prompt.declaration(),
            Kind::Agent(agent) => agent.declaration(),
            Kind::Ledger(ledger) => ledger.declaration(),
            Kind::Remember(remember) => remember.declaration(),
            Kind::Recall(recall) => recall.declaration(),
            Kind::Approve(approve) => approve.declaration(),
            Kind::Remind(remind) => remind.declaration(),
        }
    }

    /// Without what only the check of templates needed.
    #[must_use]
    pub(crate) fn without_example(self) -> Self {
        match self {
            Kind::Set(set) => Kind::Set(set.without_example()),
            other => other,
        }
    }

    /// The route of a step that asks a model.
    pub fn route(&self) -> Option<&str> {
        match self {
            Kind::Prompt(prompt) => Some(prompt.route()),
            Kind::Agent(agent) => Some(&agent.profile.route),
            _ => None,
        }
    }

    /// The route whose model is to be in memory when a timed run begins, and the tokens of the talk.
    pub fn warms(&self) -> Option<(&str, u32)> {
        match self {
            Kind::Prompt(prompt) => prompt.warms(),
            _ => None,
        }
    }

    /// Does the work. A kind that this version only reads says so.
    pub async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        match self {
            Kind::Calendar(calendar) => calendar.run(context).await,
            Kind::Log(log) => log.run(context).await,
            Kind::Journal(journal) => journal.run(context).await,
            Kind::System(system) => system.run(context).await,
            Kind::Exec(exec) => exec.run(context).await,
            Kind::Set(set) => set.run(context),
            Kind::File(file) => file.run(context).await,
            Kind::Render(render) => render.run(context),
            Kind::Prompt(prompt) => prompt.run(context).await,
            Kind::Approve(approve) => approve.run(context),
            Kind::Remind(remind) => remind.run(context).await,
            Kind::Agent(agent) => agent.run(context).await,
            Kind::Ledger(ledger) => ledger.run(context).await,
            Kind::Remember(remember) => remember.run(context).await,
            Kind::Recall(recall) => recall.run(context).await,
            Kind::Fetch(_) | Kind::Feed(_) => Err(StepError::not_yet(self.word())),
        }
    }

    /// Whether this version can run it; else it is only checked.
    pub fn runs(&self) -> bool {
        !matches!(self, Kind::Fetch(_) | Kind::Feed(_))
    }

    /// Whether it may be done again after a crash in the middle of it, though it has effects.
    pub fn is_idempotent(&self) -> bool {
        match self {
            Kind::Exec(exec) => exec.idempotent,
            Kind::Calendar(calendar) => calendar.is_idempotent(),
            _ => false,
        }
    }

    /// Whether it ends by itself within the step's timeout, in a better way than by being dropped.
    pub fn ends_itself(&self) -> bool {
        matches!(self, Kind::Exec(_) | Kind::Prompt(_) | Kind::Agent(_))
    }
}
