//! Every kind of mistake and the whole of what `check` says of it: one file of `tests/golden/config` a case, its
//! files below lines `-- NAME --`, the expected output below `-- expected --`.
//!
//! `UPDATE_GOLDEN=1 cargo test golden` writes what is said now into the files: read the difference before it is
//! committed.

use std::fs;
use std::path::PathBuf;

use crate::support::{Folder, sections};

const EXPECTED: &str = "-- expected --\n";

/// The cases: path, text.
pub fn cases() -> Vec<(PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/config");
    let entries = fs::read_dir(folder).expect("the cases are there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a case is text");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The files of a case, above what is expected of them.
pub fn files(text: &str) -> Vec<(&str, &str)> {
    let mut files = sections(text);
    files.retain(|(name, _)| *name != "expected");
    files
}

/// A case's folder, with the usual prompts.
pub fn folder(text: &str) -> Folder {
    let folder = Folder::new()
        .file("prompts/ok.md", "Say it.\n---\n{{ now }}\n")
        .file("prompts/ok.plain.md", "It is {{ now }}.\n");
    for (name, text) in files(text) {
        folder.write(name, text);
    }
    folder
}

#[test]
fn every_mistake_is_explained() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for (path, text) in cases {
        let checked = folder(&text).run(["check"]);
        let found = format!(
            "exit code {}\n{}{}",
            checked.code, checked.stdout, checked.stderr
        );
        assert!(!found.contains("hunter2"), "a secret is shown:\n{found}");
        let (input, expected) = text.split_once(EXPECTED).unwrap_or((&text, ""));
        if found == expected {
            continue;
        }
        if update {
            fs::write(&path, format!("{input}{EXPECTED}{found}")).expect("the case is written");
        } else {
            wrong.push(format!(
                "{}\n--- found\n{found}--- expected\n{expected}",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
