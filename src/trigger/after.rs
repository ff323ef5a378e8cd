//! `after`: another job ended.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::At;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// The other job.
    after: At<String>,
    /// Which ends count.
    on: Option<On>,
}

/// Which ends of the other job count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// It did its work.
    #[default]
    Success,
    /// It failed or was interrupted.
    Failure,
    /// Either.
    Any,
}

/// The end of another job.
#[derive(Debug, Clone)]
pub struct After {
    /// The other job.
    pub job: String,
    /// Which ends count.
    pub on: On,
    /// Where the job file names the other.
    pub span: Range<usize>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<After> {
        let span = self.after.span.clone();
        let job = scope.job(self.after)?;
        let on = self.on.unwrap_or_default();
        Some(After { job, on, span })
    }
}

pub(super) fn event_example() -> Value {
    json!({ "kind": "after", "job": "backup", "run": 1, "outcome": "ok" })
}
