//! The machine's files, below a root that tests put elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the machine's files are.
#[derive(Debug, Clone)]
pub(super) struct Root(PathBuf);

impl Root {
    /// A machine whose `/` is this folder.
    pub(super) fn at(folder: impl Into<PathBuf>) -> Self {
        Root(folder.into())
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// Where a path of the machine lies.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether it is there, as far as this user may see.
    pub(super) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// A file's text, trimmed; `None` where it cannot be read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let text = fs::read_to_string(self.path(path)).ok()?;
        // The device tree ends its texts with a zero byte.
        Some(
            text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
                .to_owned(),
        )
    }

    /// What is in a folder, in the order of names.
    pub(super) fn entries(&self, path: impl AsRef<Path>) -> Vec<PathBuf> {
        let path = path.as_ref();
        let entries = fs::read_dir(self.path(path)).into_iter().flatten();
        let names = entries.filter_map(|entry| Some(path.join(entry.ok()?.file_name())));
        let mut paths: Vec<PathBuf> = names.collect();
        paths.sort();
        paths
    }
}
