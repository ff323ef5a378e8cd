//! `file`: a file of the workspace, or, by an absolute path, wherever the owner says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Making, Sending, Sent};
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::template::TemplateError;
use crate::workspace::{Put, Workspace, WorkspaceError};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// The file: relative to the workspace, or absolute.
    file: At<String>,
    /// Adds to the file, where it is replaced otherwise.
    append: Option<bool>,
}

/// A file.
#[derive(Debug, Clone)]
pub struct File {
    /// The path, a template.
    pub path: String,
    /// Whether the text is added at its end.
    pub append: bool,
}

/// What sending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The path.
    pub path: String,
    /// Whether the text is added at its end.
    #[serde(default)]
    pub append: bool,
    /// Whether the owner's own word leaves the workspace; a run has then filled in no part of it.
    #[serde(default)]
    pub anywhere: bool,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<File> {
        let path = &self.file.value;
        let outside = path.starts_with('/') && path.contains("{{");
        if outside {
            let right = "write a fixed path, or one relative to the workspace";
            let what = "an absolute path cannot be filled in by a run";
            scope.error(self.file.span.clone(), what, right);
        }
        if !path.starts_with('/') && !crate::step::stays_inside(path) {
            let what = format!("`{path}` leaves the workspace");
            let right = "write a path below the workspace, or an absolute one";
            scope.error(self.file.span.clone(), what, right);
        }
        Some(File {
            path: scope.path(self.file),
            append: self.append.unwrap_or(false),
        })
    }
}

impl File {
    pub(super) fn target(&self, making: &Making<'_>) -> Result<Target, TemplateError> {
        Ok(Target {
            path: making.render("file", &self.path)?,
            append: self.append,
            anywhere: self.path.starts_with('/'),
        })
    }
}

impl Target {
    pub(super) async fn send(self, body: &str, sending: Sending<'_>) -> Sent {
        if self.path.starts_with('/') && !self.anywhere {
            let path = &self.path;
            return Sent::Refused(format!(
                "{path} was filled in by the run, and leaves the workspace"
            ));
        }
        let workspace = Workspace::new(sending.channels.state.join("workspace"));
        let text = format!("{body}\n");
        let put = if self.append {
            Put::Append
        } else {
            Put::Replace
        };
        let work = move || workspace.deliver(&self.path, text.as_bytes(), put);
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => Sent::Delivered(None),
            Ok(Err(error)) if passes(&error) => Sent::later(error),
            Ok(Err(error)) => Sent::Refused(error.to_string()),
            Err(bug) => Sent::Refused(format!("a bug: {bug}")),
        }
    }
}

/// Whether it may be otherwise after a while: a disk that is full now.
fn passes(error: &WorkspaceError) -> bool {
    use std::io::ErrorKind;
    matches!(error, WorkspaceError::Io { source, .. }
        if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::Interrupted))
}
