//! `approve`: wait for somebody's word. Read and checked; a later version runs it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Declaration;
use crate::config::resolve::Scope;
use crate::config::value::{At, Span};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// What exactly will be done.
    approve: At<String>,
    /// Later than this the answer is no.
    expires: Option<Span>,
}

/// Somebody's word.
#[derive(Debug, Clone)]
pub struct Approve {
    /// What will be done, a template.
    pub text: String,
    /// Later than this the answer is no.
    pub expires: Duration,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Approve> {
        Some(Approve {
            text: scope.template(self.approve),
            expires: self
                .expires
                .map_or(Duration::from_secs(3600), |span| span.0),
        })
    }
}

impl Approve {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: false,
            private: false,
            timeout: self.expires,
            example: json!({ "approved": true, "by": "text" }),
        }
    }
}
