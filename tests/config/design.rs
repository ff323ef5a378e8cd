//! The job files of the design, letter for letter, and the examples in the repository: they load.

use crate::support::{Folder, sections};

/// The job files of `design.md`, section "What a job looks like".
const DESIGN: &str = include_str!("../data/design-jobs.txt");

/// What they name.
const SETTINGS: &str = r#"
[calendars.personal]
ics = "config/calendar.ics"

[models.small]
provider = "ollama"
model    = "qwen2.5:1.5b"

[routes.quick]
models = ["small"]

[routes.smart]
models = ["small"]
"#;

const PROMPTS: &[&str] = &[
    "daily-briefing.md",
    "daily-briefing.plain.md",
    "heartbeat.md",
    "heartbeat.plain.md",
    "ask.md",
];

#[test]
fn the_jobs_of_the_design_load() {
    let folder = Folder::empty().file("config/reveille.toml", SETTINGS);
    let mut jobs = 0;
    for (path, text) in sections(DESIGN) {
        folder.write(path, text);
        jobs += 1;
    }
    for prompt in PROMPTS {
        folder.write(&format!("prompts/{prompt}"), "Say it.\n");
    }
    assert_eq!(jobs, 3);
    let check = folder.run(["check"]);
    check.says(
        0,
        &["cannot use `page` as a tool yet", "3 jobs: no mistakes"],
    );
}

#[test]
fn the_examples_of_the_repository_load() {
    let folder = Folder::empty();
    folder.run(["init", "."]).prints(&["A working example"]);
    folder.run(["check"]).is(0, "", "21 jobs: no mistakes\n");
}

#[test]
fn the_examples_in_the_binary_load() {
    Folder::empty()
        .run(["check"])
        .is(0, "", "21 jobs: no mistakes\n");
}
