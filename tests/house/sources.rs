//! The sources as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One file below `src/`.
pub struct File {
    /// From the root of the repository.
    pub path: String,
    pub text: String,
}

impl File {
    /// Lines with their numbers, without comments and without what is compiled for tests only.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.is_test();
        let lines = self.text.lines().enumerate();
        // By the house style, the tests of a file are its end.
        lines
            .take_while(move |(_, line)| !tests && *line != "mod tests {")
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Whether the whole file is compiled for tests only.
    pub fn is_test(&self) -> bool {
        let path = Path::new(&self.path);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        self.path.contains("/tests/")
            || stem.is_some_and(|stem| stem == "tests" || stem.ends_with("_tests"))
    }

    /// The module at the root that it belongs to.
    pub fn module(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        let end = path.find(['/', '.']).unwrap_or(path.len());
        &path[..end]
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `src/`.
pub fn sources() -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root()).expect("it is below the root");
            files.push(File {
                path: name.display().to_string(),
                text: fs::read_to_string(&path).expect("sources are text"),
            });
        }
    }
    assert!(files.len() > 100, "only {} files", files.len());
    files
}

/// The modules at the root, without `lib` and `main`.
pub fn modules() -> BTreeSet<String> {
    let files = sources();
    let modules = files.iter().map(|file| file.module().to_owned());
    modules
        .filter(|module| module != "lib" && module != "main")
        .collect()
}
