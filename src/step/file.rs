//! `file`: read, write or append in the workspace, never outside it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{At, Size};
use crate::workspace::Workspace;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `read`, `write` or `append`.
    file: At<Verb>,
    /// The file, relative to the workspace.
    path: At<String>,
    /// What is written, for `write` and `append`.
    text: Option<At<String>>,
    /// The most that is read, for `read`.
    max_bytes: Option<Size>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Read,
    Write,
    Append,
}

/// A file of the workspace.
#[derive(Debug, Clone)]
pub struct File {
    verb: Verb,
    path: String,
    text: String,
    max_bytes: u64,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<File> {
        let verb = self.file.value;
        let wanted = verb != Verb::Read;
        if wanted != self.text.is_some() {
            let (what, right) = if wanted {
                ("there is nothing to write", "add `text = \"...\"` below")
            } else {
                (
                    "`read` takes no `text`",
                    "take `text` out, or write `file = \"write\"`",
                )
            };
            scope.error(self.file.span, what, right);
        }
        Some(File {
            verb,
            path: scope.template(self.path),
            text: self
                .text
                .map_or_else(String::new, |text| scope.template(text)),
            max_bytes: self.max_bytes.map_or(64 << 10, |size| size.0),
        })
    }
}

impl File {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: self.verb != Verb::Read,
            outside_text: self.verb == Verb::Read,
            private: true,
            timeout: Duration::from_secs(10),
            example: json!({ "path": "notes/today.md", "text": "text", "bytes": 4, "missing": false }),
        }
    }

    pub(super) fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let workspace = Workspace::new(context.state.join("workspace"));
        let path = context.render(&self.path)?;
        let failed = |error: &dyn std::fmt::Display| StepError::new(error.to_string());
        let (text, missing) = match self.verb {
            Verb::Read => match workspace.read(&path, self.max_bytes) {
                Ok(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), false),
                Err(error) if error.is_missing() => (String::new(), true),
                Err(error) => return Err(failed(&error)),
            },
            Verb::Write | Verb::Append => {
                let text = context.render(&self.text)?;
                let written = if self.verb == Verb::Write {
                    workspace.write(&path, text.as_bytes())
                } else {
                    workspace.append(&path, text.as_bytes())
                };
                written.map_err(|error| failed(&error))?;
                (text, false)
            }
        };
        let bytes = text.len();
        let result: Value =
            json!({ "path": path, "text": text, "bytes": bytes, "missing": missing });
        Ok(Done::result(result))
    }
}
