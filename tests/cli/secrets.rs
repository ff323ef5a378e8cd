//! Secrets: read from where they are kept, and never shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::Folder;

const SECRET: &str = "hunter2hunter2";

fn with_env(job: &str, mode: u32) -> Folder {
    let folder = Folder::with(job)
        .file(
            "config/reveille.toml",
            "[calendars.unread]\nics.env = \"KEY\"\n",
        )
        .file(".env", format!("KEY={SECRET}\n"));
    fs::set_permissions(folder.path(".env"), fs::Permissions::from_mode(mode)).expect("a mode");
    folder
}

#[test]
fn a_secret_is_starred_out_wherever_a_run_shows_it() {
    let job = format!(
        "[[step]]\nid = \"a\"\nexec = [\"echo\", \"it is {SECRET}\"]\n\n[[deliver]]\nconsole = true\ntext = \"{{{{ a.stdout }}}}\"\n\n[[deliver]]\nfile = \"out.md\"\ntext = \"{{{{ a.stdout }}}}\"\n\n[[step]]\nid = \"b\"\nexec = [\"sh\", \"-c\", \"echo no {SECRET} >&2; exit 1\"]\non_error = \"continue\"\n"
    );
    let folder = with_env(&job, 0o600);
    folder.run(["run", "x"]).is(0, "it is ***\n", "");
    assert_eq!(folder.read("state/workspace/out.md"), "it is ***\n");
    for words in [
        ["show"].as_slice(),
        &["show", "--json"],
        &["history"],
        &["history", "--json"],
    ] {
        let shown = folder.run_with(words, "", &[]);
        assert!(!shown.stdout.contains(SECRET), "{shown}");
    }
    for entry in fs::read_dir(folder.path("state")).expect("the state") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).unwrap_or_default();
        let found = bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn a_secret_in_a_failure_is_starred_out() {
    let job = format!(
        "[[step]]\nid = \"a\"\nexec = [\"sh\", \"-c\", \"echo no {SECRET} >&2; exit 1\"]\n"
    );
    let folder = with_env(&job, 0o600);
    folder.run(["run", "x"]).is(
        1,
        "",
        "error: run #1 failed: step `a`: exit code 1: no ***\nhint: `reveille show 1` tells the whole story\n",
    );
    let result = folder.run(["run", "x", "--json"]);
    assert!(!result.stdout.contains(SECRET), "{result}");
}

#[test]
fn a_secret_is_starred_out_when_nothing_is_delivered() {
    let job = format!(
        "[[step]]\nid = \"a\"\nexec = [\"echo\", \"{SECRET}\"]\n\n[[deliver]]\ntelegram = \"owner\"\ntext = \"{{{{ a.stdout }}}}\"\n"
    );
    let folder = with_env(&job, 0o600);
    folder.run(["run", "x", "--no-deliver"]).is(0, "***\n", "");
    let job = "[[deliver]]\nconsole = true\ntext = \"{{ event.args.k }}\"\n";
    let folder = with_env(job, 0o600);
    let planned = folder.run(["plan", "x", "--set", &format!("k={SECRET}")]);
    assert_eq!(planned.code, 0);
    assert!(!planned.stdout.contains(SECRET), "{planned}");
}

#[test]
fn an_env_file_that_others_may_read_is_warned_of() {
    let job = "[[deliver]]\nconsole = true\ntext = \"a\"\n";
    let warning = "warning: others may read .env: `chmod 600 .env`\n";
    with_env(job, 0o644).run(["run", "x"]).is(0, "a\n", warning);
    with_env(job, 0o640)
        .run(["check"])
        .is(0, "", &format!("{warning}\n1 job: no mistakes\n"));
    with_env(job, 0o600).run(["run", "x"]).is(0, "a\n", "");
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let settings = "[calendars.work]\nics.env = \"WORK_CALENDAR\"\n";
    let job = "[[step]]\nid = \"events\"\ncalendar = \"list\"\n";
    let folder = Folder::with(job).file("config/reveille.toml", settings);
    folder
        .run(["run", "x"])
        .says(1, &["step `events`: work: ", "WORK_CALENDAR"]);
}

#[test]
fn a_secret_address_is_not_shown_when_it_fails() {
    let settings = "[calendars.work]\nics.env = \"WORK_CALENDAR\"\n";
    let job = "[[step]]\nid = \"events\"\ncalendar = \"list\"\n";
    let folder = Folder::with(job).file("config/reveille.toml", settings);
    let address = format!("http://127.0.0.1:9/{SECRET}/basic.ics");
    let ran = folder.run_with(&["run", "x"], "", &[("WORK_CALENDAR", &address)]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(!ran.stderr.contains(SECRET), "{ran}");
}
