//! The command line itself.

use crate::support::Folder;

#[test]
fn no_command_shows_the_help() {
    Folder::empty()
        .run_bare(&[], &[])
        .says(2, &["Usage: reveille", "run", "check", "backup"]);
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    Folder::empty().run(["rnu"]).says(2, &["'rnu'", "--help"]);
}

#[test]
fn every_command_explains_itself() {
    let folder = Folder::empty();
    for command in [
        "run", "plan", "check", "jobs", "history", "show", "init", "schema", "backup",
    ] {
        folder
            .run([command, "--help"])
            .prints(&["Usage: reveille "]);
    }
    folder.run(["--version"]).prints(&["reveille 0."]);
}

#[test]
fn a_time_that_is_none() {
    Folder::new().run_bare(&["--now", "yesterday", "jobs"], &[]).is(
        2,
        "",
        "error: `yesterday` is not a time\nhint: write it as \"2026-10-24 07:00\" or \"2026-10-24T07:00:00+02:00\"\n",
    );
}

#[test]
fn no_colours_without_a_terminal() {
    let checked = Folder::with("a = 1\n").run(["check"]);
    assert!(!checked.stderr.contains('\u{1b}'), "{checked}");
}

#[test]
fn the_state_is_where_the_environment_says() {
    let check = |env: &[(&str, &str)], place: &str| {
        let folder = Folder::with("[[step]]\nset.a = \"1\"\n");
        folder.run_bare(&["run", "x"], env).is(0, "", "");
        assert!(folder.path(place).join("reveille.db").exists(), "{place}");
    };
    check(&[("STATE_DIRECTORY", "a")], "a");
    check(&[("XDG_STATE_HOME", "b")], "b/reveille");
    check(&[], "home/.local/state/reveille");
}

#[test]
fn the_folder_is_found() {
    let job = "[[deliver]]\nconsole = true\ntext = \"mine\"\n";
    let folder = Folder::empty().file("home/.config/reveille/jobs/x.toml", job);
    folder.run(["run", "x"]).is(0, "mine\n", "");
    let folder = Folder::empty().file("xdg/reveille/jobs/x.toml", job);
    folder
        .run_with(&["run", "x"], "", &[("XDG_CONFIG_HOME", "xdg")])
        .is(0, "mine\n", "");
    let folder = Folder::empty().file("mine/jobs/x.toml", job);
    folder
        .run(["--dir", "mine", "run", "x"])
        .is(0, "mine\n", "");
}
