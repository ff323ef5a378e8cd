//! `file`: a file of the workspace, or, by an absolute path, wherever the owner says.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::resolve::Scope;
use crate::config::value::At;

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
