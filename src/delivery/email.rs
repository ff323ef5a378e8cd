//! `email`: a letter.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::resolve::Scope;
use crate::config::value::{At, OneOrMany};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Addresses.
    email: At<OneOrMany<String>>,
    /// The subject line, a template.
    subject: Option<At<String>>,
}

/// A letter.
#[derive(Debug, Clone)]
pub struct Email {
    /// Addresses.
    pub to: Vec<String>,
    /// The subject line, a template.
    pub subject: Option<String>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Email> {
        for address in &self.email.value.0 {
            let parts = address.split_once('@');
            if !parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
                let what = format!("`{address}` is not an email address");
                scope.error(self.email.span.clone(), what, "write name@host");
                return None;
            }
        }
        Some(Email {
            to: self.email.value.0,
            subject: self.subject.map(|subject| scope.template(subject)),
        })
    }
}
