//! `reveille init`, and the folder it makes.

use crate::support::Folder;

#[test]
fn a_new_folder_checks_and_runs() {
    let folder = Folder::empty();
    folder.run(["init", "mine"]).is(
        0,
        "A working example is in mine:
  config/reveille.toml   models, calendars, Telegram
  jobs/                  what runs, and when
  prompts/               how it is worded
Next: reveille --dir mine run daily-briefing
",
        "",
    );
    folder
        .run(["--dir", "mine", "check"])
        .is(0, "", "21 jobs: no mistakes\n");
    folder
        .run(["--dir", "mine", "run", "daily-briefing"])
        .prints(&["**Friday 20 November**", "_Plain text: "]);
    assert!(folder.read("mine/.gitignore").contains("/.env\n"));
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::empty().file("mine/prompts/ask.md", "my own words");
    folder.run(["init", "mine"]).is(
        2,
        "",
        "error: mine/prompts/ask.md is there already\nhint: name a new folder; nothing was written\n",
    );
    assert_eq!(folder.read("mine/prompts/ask.md"), "my own words");
    assert!(!folder.path("mine/jobs").exists());
}

#[test]
fn a_folder_with_other_files_in_it_will_do() {
    let folder = Folder::empty().file("mine/notes.txt", "mine");
    folder.run(["init", "mine"]).prints(&["A working example"]);
    assert_eq!(folder.read("mine/notes.txt"), "mine");
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = Folder::empty().file("file", "");
    folder
        .run(["init", "file/mine"])
        .says(2, &["error: cannot write file/mine/config/reveille.toml: "]);
}
