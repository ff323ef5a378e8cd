//! `console`: the terminal, or the daemon's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Making, Said, Say, Sent};
use crate::config::resolve::Scope;
use crate::config::value::At;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `true`.
    console: At<bool>,
}

/// The terminal.
#[derive(Debug, Clone)]
pub struct Console;

/// What sending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Whose words they are.
    pub job: String,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Console> {
        if self.console.value {
            return Some(Console);
        }
        let right = "write `console = true`, or take the table out";
        scope.error(self.console.span, "this delivery would never send", right);
        None
    }
}

impl Console {
    pub(super) fn target(&self, making: &Making<'_>) -> Target {
        Target {
            job: making.job.name.clone(),
        }
    }
}

impl Target {
    pub(super) fn send(&self, body: &str, say: &mut Say<'_>) -> Sent {
        say(Said::Console {
            job: &self.job,
            text: body,
        });
        Sent::Delivered(None)
    }
}
