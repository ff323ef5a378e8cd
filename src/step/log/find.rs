//! Which files a glob names at this moment.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::{Cancel, LogError};
use crate::glob::Glob;

/// Suffixes of what rotation compressed: its lines were read before, or cannot be read.
const COMPRESSED: [&str; 6] = ["gz", "xz", "zst", "bz2", "lz4", "Z"];

/// One path or pattern of a `log` step.
#[derive(Debug, Clone)]
pub struct LogGlob(Glob);

/// What a path turned out to be.
#[derive(Debug)]
pub struct Found {
    /// The path as the glob names it.
    pub path: PathBuf,
    /// What stands there.
    pub is: io::Result<Metadata>,
}

impl LogGlob {
    /// A path, or a pattern with `*`, `?`, `[...]`, `{a,b}` or `**`.
    ///
    /// # Errors
    /// The pattern is not valid.
    pub fn new(text: &str) -> Result<Self, globset::Error> {
        Glob::new(text).map(LogGlob)
    }

    /// The glob as it was written.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// Whether it is a path without wildcards, which is told as missing when it is.
    pub fn is_literal(&self) -> bool {
        self.0.is_literal()
    }

    /// Whether it names `path`.
    pub fn names(&self, path: &Path) -> bool {
        self.0.names(path)
    }

    /// Adds the files it names now, and folders within it that cannot be read.
    ///
    /// # Errors
    /// Only when cancelled.
    pub fn find(&self, cancel: Cancel<'_>, found: &mut Vec<Found>) -> Result<(), LogError> {
        let glob = &self.0;
        if glob.is_literal() {
            let path = PathBuf::from(glob.text());
            let is = fs::metadata(&path);
            found.push(Found { path, is });
            return Ok(());
        }
        walk(glob, glob.base(), glob.depth(), cancel, found)
    }
}

/// Whether rotation has compressed the file at `path`.
pub fn is_compressed(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| COMPRESSED.iter().any(|known| extension == *known))
}

fn walk(
    glob: &Glob,
    folder: &Path,
    depth: usize,
    cancel: Cancel<'_>,
    found: &mut Vec<Found>,
) -> Result<(), LogError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let path = folder.to_owned();
            found.push(Found {
                path,
                is: Err(error),
            });
            return Ok(());
        }
    };
    for entry in entries.flatten() {
        cancel.check()?;
        let path = entry.path();
        // The entry's own type: a symbolic link to a folder is not entered, so that no walk is endless.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 1 {
                walk(glob, &path, depth - 1, cancel, found)?;
            }
        } else if glob.names(&path) && !is_compressed(&path) {
            let is = fs::metadata(&path);
            if is.as_ref().is_ok_and(|metadata| !metadata.is_file()) {
                continue;
            }
            found.push(Found { path, is });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn globs_name_files_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).expect("made");
        for name in [
            "x.log",
            "y.log",
            "x.log.1",
            "x.log.2.gz",
            "a/z.log",
            "a/b/deep.log",
        ] {
            fs::write(root.join(name), "").expect("written");
        }
        std::os::unix::fs::symlink(root, root.join("a/loop")).expect("linked");
        std::os::unix::fs::symlink(root.join("gone"), root.join("dangling.log")).expect("linked");
        let check = |glob: &str, expected: &[&str]| {
            let glob = LogGlob::new(&format!("{}/{glob}", root.display())).expect("valid");
            let mut found = Vec::new();
            let never = AtomicBool::new(false);
            glob.find(Cancel(&never), &mut found)
                .expect("not cancelled");
            let mut names: Vec<_> = found
                .iter()
                .filter(|found| found.is.is_ok())
                .map(|found| found.path.strip_prefix(root).expect("inside"))
                .map(|path| path.display().to_string())
                .collect();
            names.sort();
            assert_eq!(names, expected);
        };
        check("*.log", &["x.log", "y.log"]);
        check("x*", &["x.log", "x.log.1"]);
        check("x.log", &["x.log"]);
        check("**/*.log", &["a/b/deep.log", "a/z.log", "x.log", "y.log"]);
        check("*/*.log", &["a/z.log"]);
        check("{x,a/z}.log", &["a/z.log", "x.log"]);
        check("none/*.log", &[]);
        check("none.log", &[]);
    }

    #[test]
    fn a_cancelled_walk_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("x.log"), "").expect("written");
        let glob = LogGlob::new(&format!("{}/*", folder.path().display())).expect("valid");
        let stop = AtomicBool::new(true);
        let end = glob.find(Cancel(&stop), &mut Vec::new());
        assert!(matches!(end, Err(LogError::Cancelled)));
    }
}
