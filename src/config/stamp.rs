//! What a reading of the folder saw of its files: two that are equal saw the same.

use std::path::Path;

use crate::hash::fnv1a;

/// What a reading of the folder saw of its files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// Adds a file, with what tells its versions apart; `None` for one that is not there.
    pub(super) fn add(&mut self, path: &Path, version: Option<[i64; 4]>) {
        let mut all = fnv1a(path.as_os_str().as_encoded_bytes());
        if let Some(version) = version {
            all ^= fnv1a(&version.map(i64::to_le_bytes).concat());
        }
        self.0 = self.0.rotate_left(7) ^ all;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::config::folder::Folder;

    #[test]
    fn a_folder_has_another_stamp_once_a_file_of_it_is_edited_made_or_removed() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("jobs")).unwrap();
        fs::write(path("jobs/a.toml"), "one").unwrap();
        let folder = Folder::Disk(place.path().to_owned());
        let mut seen = vec![folder.read().unwrap().stamp];
        let mut changed = || {
            let stamp = folder.stamp().unwrap();
            assert_eq!(stamp, folder.read().unwrap().stamp);
            assert!(!seen.contains(&stamp));
            seen.push(stamp);
        };
        fs::write(path("jobs/b.toml"), "two").unwrap();
        changed();
        fs::write(path("new"), "six").unwrap();
        fs::rename(path("new"), path("jobs/b.toml")).unwrap();
        changed();
        fs::remove_file(path("jobs/a.toml")).unwrap();
        changed();
        fs::write(path(".env"), "KEY=value").unwrap();
        changed();
    }
}
