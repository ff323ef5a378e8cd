//! Paths and patterns that name files: `*` and `?` stay within a folder, `**` does not.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// What makes a text a pattern.
const WILD: [char; 4] = ['*', '?', '[', '{'];

/// One path, or a pattern with `*`, `?`, `[...]`, `{a,b}` or `**`.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    matcher: Option<GlobMatcher>,
    base: PathBuf,
    depth: usize,
}

impl Glob {
    /// Reads a path or a pattern.
    ///
    /// # Errors
    /// The pattern is not valid.
    pub fn new(text: &str) -> Result<Self, globset::Error> {
        let mut glob = Glob {
            text: text.to_owned(),
            matcher: None,
            base: PathBuf::from(text),
            depth: 0,
        };
        if !text.contains(WILD) {
            return Ok(glob);
        }
        let matcher = GlobBuilder::new(text).literal_separator(true).build()?;
        glob.matcher = Some(matcher.compile_matcher());
        let fixed =
            |part: &std::path::Component| !part.as_os_str().to_string_lossy().contains(WILD);
        glob.base = Path::new(text).components().take_while(fixed).collect();
        glob.depth = match text.contains("**") {
            true => usize::MAX,
            false => Path::new(text).components().count() - glob.base.components().count(),
        };
        Ok(glob)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a path without wildcards.
    pub fn is_literal(&self) -> bool {
        self.matcher.is_none()
    }

    /// The part before the first wildcard: the path itself, or the folder that all it names lies below.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// How many folders below [`Glob::base`] a file that it names may lie: 0 for a path, 1 for files in the base itself.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether it names `path`.
    pub fn names(&self, path: &Path) -> bool {
        match &self.matcher {
            None => self.base == path,
            Some(matcher) => matcher.is_match(path),
        }
    }
}
