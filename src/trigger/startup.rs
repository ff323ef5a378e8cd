//! `startup`: the daemon started.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::{At, Span};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `true`.
    startup: At<bool>,
    /// Wait this long first.
    delay: Option<Span>,
}

/// The daemon's start.
#[derive(Debug, Clone)]
pub struct Startup {
    /// Wait this long first.
    pub delay: Duration,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Startup> {
        if !self.startup.value {
            let right = "write `startup = true`, or `enabled = false` to switch it off";
            scope.error(
                self.startup.span,
                "this trigger would never start the job",
                right,
            );
            return None;
        }
        let delay = self.delay.map_or(Duration::ZERO, |delay| delay.0);
        Some(Startup { delay })
    }
}

pub(super) fn event_example() -> Value {
    json!({ "kind": "startup" })
}
