//! What is remembered, forgotten, given out and made away with.

use std::fs;
use std::path::Path;

use crate::support::Folder;

const NOTE: &str = "[[trigger]]\ntelegram = \"any\"\n\n[[step]]\nid = \"kept\"\nremember = \"{{ event.text }}\"\n\n[[step]]\nfile = \"write\"\npath = \"outputs/note.txt\"\ntext = \"{{ event.text }}\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"kept {{ kept.id }}: {{ kept.text }}\"\n";

const FIND: &str = "[[trigger]]\ntelegram = \"/find\"\n\n[[step]]\nid = \"found\"\nrecall = \"{{ event.args }}\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{% for one in found.items %}{{ one.text }}{% endfor %}\"\n";

/// Files below a folder that hold a text.
fn holds(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holds(&path, text));
        } else {
            let bytes = fs::read(&path).expect("a file");
            if bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn what_is_remembered_is_found_listed_and_forgotten() {
    let folder = Folder::new().job("note", NOTE).job("find", FIND);
    folder
        .run(["ask", "Ana takes her coffee without sugar"])
        .prints(&["kept 1"]);
    folder
        .run(["ask", "The bins go out on Tuesday"])
        .prints(&["kept 2"]);
    folder
        .run(["ask", "/find coffee"])
        .is(0, "Ana takes her coffee without sugar\n", "");
    folder
        .run(["memory", "search", "bin"])
        .prints(&["2", "The bins go out"]);
    let list = folder.run(["memory", "list", "--json"]).json();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    folder.run(["forget", "1"]).prints(&["1 is forgotten"]);
    folder
        .run(["forget", "1"])
        .says(2, &["nothing is remembered as 1"]);
    folder
        .run(["memory", "search", "coffee"])
        .prints(&["nothing is remembered with these words"]);
    folder.run(["forget", "all"]).prints(&["1 is forgotten"]);
    folder
        .run(["forget"])
        .prints(&["the conversation is forgotten"]);
}

#[test]
fn what_is_wiped_is_in_no_file_and_could_be_kept_before() {
    let folder = Folder::new().job("note", NOTE);
    let planted = "xyzzy-4711 by the river";
    folder.run(["ask", planted]).prints(&["kept 1"]);
    folder.run(["backup", "state/copy.db"]).prints(&["copy.db"]);
    let state = folder.path("state");
    assert!(holds(&state, "xyzzy-4711").len() >= 3);
    folder.run(["export-me", "mine"]).prints(&["mine"]);
    let mine = holds(&folder.path("mine"), "xyzzy-4711");
    for part in [
        "memories.jsonl",
        "events.jsonl",
        "deliveries.jsonl",
        "workspace/outputs/note.txt",
    ] {
        assert!(
            mine.iter().any(|path| path.ends_with(part)),
            "{part}: {mine:?}"
        );
    }
    folder
        .run(["wipe", "--all"])
        .says(2, &["would go", "--yes"]);
    assert!(!holds(&state, "xyzzy-4711").is_empty());
    folder.run(["wipe", "--all", "--yes"]).prints(&["is gone"]);
    assert_eq!(holds(&state, "xyzzy-4711"), Vec::<String>::new());
    // And it goes on from nothing.
    folder.run(["ask", "hello"]).prints(&["kept 1: hello"]);
}

#[test]
fn a_folder_that_is_more_than_a_state_is_not_wiped() {
    let folder = Folder::new().job("note", NOTE);
    folder.run(["ask", "hello"]).prints(&["kept 1"]);
    fs::create_dir(folder.path("state/letters")).expect("made");
    folder
        .run(["wipe", "--all", "--yes"])
        .says(2, &["is more than a state: it holds letters"]);
    folder.run(["memory", "list"]).prints(&["hello"]);
}
