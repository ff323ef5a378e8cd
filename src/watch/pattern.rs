//! Which files a trigger means. Pure.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::glob::Glob;

/// Whether a folder that is named stands for what lies below its folders too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// Only the files right in it.
    Files,
    /// All files below it.
    All,
}

/// The paths and globs of one trigger.
#[derive(Debug, Clone)]
pub struct Patterns {
    globs: Vec<Glob>,
    below: Below,
}

impl Patterns {
    /// Reads absolute paths and globs.
    ///
    /// # Errors
    /// A glob is not valid.
    pub fn new(paths: &[String], below: Below) -> Result<Self, globset::Error> {
        // `inbox/` is the folder `inbox`.
        let trimmed = |path: &String| match path.trim_end_matches('/') {
            "" => "/".to_owned(),
            path => path.to_owned(),
        };
        let globs = paths.iter().map(|path| Glob::new(&trimmed(path)));
        Ok(Patterns {
            globs: globs.collect::<Result<_, _>>()?,
            below,
        })
    }

    /// Paths without wildcards: each is a file, or a folder, or not there yet.
    pub fn literals(&self) -> impl Iterator<Item = &Path> {
        self.globs
            .iter()
            .filter(|glob| glob.is_literal())
            .map(Glob::base)
    }

    /// Where to begin looking: each path, and for each glob the folder that all it names lies below.
    pub fn bases(&self) -> impl Iterator<Item = &Path> {
        self.globs.iter().map(Glob::base)
    }

    /// Whether a file at `path` is meant.
    pub fn names(&self, path: &Path) -> bool {
        self.globs.iter().any(|glob| {
            if !glob.is_literal() {
                return glob.names(path);
            }
            let below = match self.below {
                Below::Files => path.parent() == Some(glob.base()),
                Below::All => path.starts_with(glob.base()),
            };
            glob.names(path) || (below && !path.file_name().is_some_and(is_passing))
        })
    }

    /// Whether files that are meant may lie right in `folder`, or in folders below it.
    pub fn enters(&self, folder: &Path) -> bool {
        self.globs.iter().any(|glob| {
            let Ok(rest) = folder.strip_prefix(glob.base()) else {
                return false;
            };
            match (glob.is_literal(), self.below) {
                (true, Below::All) => true,
                (true, Below::Files) => rest == Path::new(""),
                (false, _) => rest.components().count() < glob.depth(),
            }
        })
    }

    /// Whether `folder` lies on the way to something that is meant.
    pub fn leads_through(&self, folder: &Path) -> bool {
        self.bases().any(|base| base.starts_with(folder))
    }

    /// What tells whether two triggers mean the same files.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self
            .globs
            .iter()
            .map(|glob| match (glob.is_literal(), self.below) {
                (true, Below::All) => format!("{}/**", glob.text()),
                _ => glob.text().to_owned(),
            })
            .collect();
        texts.sort();
        texts
    }
}

/// Whether editors and downloads write files of this name for a moment only.
fn is_passing(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    [&b"~"[..], b".swp", b".tmp"]
        .iter()
        .any(|end| name.ends_with(end))
        || name.starts_with(b".#")
}

/// `path` and the folders above it, from the top.
pub fn way(path: &Path) -> Vec<PathBuf> {
    let mut way: Vec<PathBuf> = path.ancestors().map(Path::to_owned).collect();
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, below: Below, yes: &[&str], no: &[&str]) {
        let patterns = Patterns::new(&[pattern.to_owned()], below).unwrap();
        for path in yes {
            assert!(patterns.names(Path::new(path)), "{pattern} means {path}");
            let folder = Path::new(path).parent().unwrap();
            let literal = patterns
                .literals()
                .any(|literal| literal == Path::new(path));
            assert!(
                literal || patterns.enters(folder),
                "{pattern} enters {folder:?}"
            );
        }
        for path in no {
            assert!(!patterns.names(Path::new(path)), "{pattern}: {path}");
        }
    }

    #[test]
    fn paths_folders_and_globs_mean_what_people_expect() {
        check(
            "/a/f",
            Below::Files,
            &["/a/f", "/a/f/x"],
            &["/a/x", "/a/f/x/y", "/a/ff"],
        );
        check("/a/f/", Below::All, &["/a/f/x", "/a/f/x/y"], &["/a/ff/x"]);
        check(
            "/a/*.log",
            Below::Files,
            &["/a/x.log", "/a/.x.log"],
            &["/a/b/x.log", "/a/x.log/y"],
        );
        check(
            "/a/**/*.csv",
            Below::Files,
            &["/a/x.csv", "/a/b/c/x.csv"],
            &["/a/x.txt"],
        );
        check("/a/*/x", Below::Files, &["/a/b/x"], &["/a/x", "/a/b/c/x"]);
    }

    #[test]
    fn a_folder_leaves_out_what_editors_write_and_a_glob_does_not() {
        let passing = ["/a/x~", "/a/.x.swp", "/a/x.tmp", "/a/.#x"];
        check("/a", Below::Files, &["/a/x", "/a/.x"], &passing);
        check("/a/*", Below::Files, &passing, &[]);
        check("/a/x.tmp", Below::Files, &["/a/x.tmp"], &[]);
    }
}
