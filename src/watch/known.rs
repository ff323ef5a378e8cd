//! The versions that were handled, by folder: a name of a file costs its bytes and not those of its whole path.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::version::Version;

/// Files by their paths.
#[derive(Debug, Default)]
pub struct Known {
    folders: BTreeMap<PathBuf, BTreeMap<OsString, Version>>,
}

impl Known {
    /// The version at `path`.
    pub fn get(&self, path: &Path) -> Option<Version> {
        let (folder, name) = split(path);
        self.folders.get(folder)?.get(name).copied()
    }

    /// Puts a version there; `None` takes the file out.
    pub fn set(&mut self, path: &Path, version: Option<Version>) {
        let (folder, name) = split(path);
        match (version, self.folders.get_mut(folder)) {
            (Some(version), Some(files)) => {
                files.insert(name.to_owned(), version);
            }
            (Some(version), None) => {
                let files = BTreeMap::from([(name.to_owned(), version)]);
                self.folders.insert(folder.to_owned(), files);
            }
            (None, Some(files)) => {
                files.remove(name);
                if files.is_empty() {
                    self.folders.remove(folder);
                }
            }
            (None, None) => {}
        }
    }

    /// The files right in `folder`.
    pub fn within(&self, folder: &Path) -> Vec<PathBuf> {
        let files = self.folders.get(folder).into_iter().flatten();
        files.map(|(name, _)| folder.join(name)).collect()
    }

    /// The folders with files, at `top` and below it.
    pub fn folders_below(&self, top: &Path) -> Vec<PathBuf> {
        // Paths sort by their parts, so what lies below one follows it.
        let from = (Bound::Included(top), Bound::Unbounded);
        self.folders
            .range::<Path, _>(from)
            .map(|(folder, _)| folder)
            .take_while(|folder| folder.starts_with(top))
            .cloned()
            .collect()
    }

    /// How many files.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.folders.values().map(BTreeMap::len).sum()
    }
}

fn split(path: &Path) -> (&Path, &OsStr) {
    let folder = path.parent().unwrap_or(Path::new(""));
    (folder, path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_below_are_found_and_neighbours_are_not() {
        let mut known = Known::default();
        for path in ["/a/b/x", "/a/b/c/x", "/a/b-c/x", "/a/bc/x", "/a/x"] {
            known.set(Path::new(path), Some(Version::numbered(1)));
        }
        let below = known.folders_below(Path::new("/a/b"));
        assert_eq!(below, [Path::new("/a/b"), Path::new("/a/b/c")]);
        assert_eq!(known.within(Path::new("/a")), [Path::new("/a/x")]);
        known.set(Path::new("/a/b/x"), None);
        assert_eq!(known.get(Path::new("/a/b/x")), None);
        assert_eq!(known.len(), 4);
    }
}
