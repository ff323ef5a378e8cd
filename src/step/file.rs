//! `file`: read, write or append in the workspace, never outside it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{At, Size};
use crate::workspace::WorkspaceError;

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
        if !stays_inside(&self.path.value) {
            let what = format!("`{}` leaves the workspace", self.path.value);
            let right = "write a path relative to the workspace, without `..`";
            scope.error(self.path.span.clone(), what, right);
        }
        Some(File {
            verb,
            path: scope.path(self.path),
            text: self
                .text
                .map_or_else(String::new, |text| scope.template(text)),
            max_bytes: self.max_bytes.map_or(64 << 10, |size| size.0),
        })
    }
}

/// Whether a path, as far as it is typed, names a file below the workspace.
pub(crate) fn stays_inside(path: &str) -> bool {
    !path.starts_with('/') && !path.is_empty() && path.split('/').all(|part| part != "..")
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

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let workspace = context.workspace();
        let path = context.render(&self.path)?;
        let text = context.render(&self.text)?;
        let (verb, max) = (self.verb, self.max_bytes);
        let work = tokio::task::spawn_blocking(move || match verb {
            Verb::Read => match workspace.read(&path, max) {
                Ok(bytes) => Ok(told(&path, &String::from_utf8_lossy(&bytes), false)),
                Err(WorkspaceError::NotFound(_)) => Ok(told(&path, "", true)),
                Err(error) => Err(error),
            },
            Verb::Write => workspace
                .write(&path, text.as_bytes())
                .map(|()| told(&path, &text, false)),
            Verb::Append => workspace
                .append(&path, text.as_bytes())
                .map(|()| told(&path, &text, false)),
        });
        let result = work
            .await
            .map_err(|error| StepError::new(format!("a bug: {error}")))?;
        result
            .map(Done::result)
            .map_err(|error| StepError::new(error.to_string()))
    }
}

fn told(path: &str, text: &str, missing: bool) -> Value {
    json!({ "path": path, "text": text, "bytes": text.len(), "missing": missing })
}
