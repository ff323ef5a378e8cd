//! `console`: the terminal, or the daemon's log.

use schemars::JsonSchema;
use serde::Deserialize;

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
