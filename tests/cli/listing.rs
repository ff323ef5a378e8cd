//! `jobs`, `history`, `show`, `backup`.

use crate::support::{Folder, untimed};

const JOB: &str = "description = \"Says it\"\n\n[[trigger]]\ncron = \"@daily\"\n\n[[step]]\nid = \"a\"\nset.n = \"1 + 1\"\n\n[[step]]\nid = \"ran\"\nexec = [\"echo\", \"out\"]\n\n[[deliver]]\nconsole = true\ntext = \"{{ a.n }}\"\n";

#[test]
fn nothing_ran_yet() {
    let folder = Folder::with(JOB);
    folder.run(["jobs"]).is(
        0,
        "x  never ran\n   Says it\n   cron:@daily Europe/Madrid\n",
        "",
    );
    folder.run(["history"]).is(0, "", "no runs yet\n");
    folder
        .run(["history", "x"])
        .is(0, "", "no runs of `x` yet\n");
    folder.run(["show"]).is(
        2,
        "",
        "error: no runs yet\nhint: `reveille run JOB` makes one\n",
    );
    folder
        .run(["backup", "b.db"])
        .says(2, &["there is no database in ", "/state\n"]);
    assert!(!folder.path("state").exists(), "looking makes nothing");
    assert_eq!(
        folder.run(["history", "--json"]).json(),
        serde_json::json!([])
    );
}

#[test]
fn the_story_of_a_run() {
    let folder = Folder::with(JOB);
    folder
        .run(["run", "x", "--set", "who=Ana"])
        .is(0, "2\n", "");
    let shown = folder.run(["show", "#1"]);
    assert_eq!(
        untimed(&shown.stdout),
        "Run #1 of x
  outcome   ok
  started   Fri 20 Nov 2026 06:59:00, hand
  event     args:
              who: Ana

a (set)  done ?
    result:
      n: 2

ran (exec)  done ?
    result:
      stdout: out
      code: 0
      omitted_bytes: 0

to console  sent Fri 20 Nov 2026 06:59:00
    2
"
    );
}

#[test]
fn history_is_newest_first_and_limited() {
    let folder = Folder::with(JOB).job("y", "[[step]]\nid = \"a\"\nexec = [\"false\"]\n");
    for _ in 0..3 {
        folder.run(["run", "x"]).is(0, "2\n", "");
    }
    folder.run(["run", "y"]).says(1, &["run #4 failed"]);
    let lines = |words: &[&str]| {
        let listed = folder.run_with(words, "", &[]);
        assert_eq!(listed.code, 0, "{listed}");
        listed
            .stdout
            .lines()
            .map(|line| {
                line.split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&["history"]), ["#4", "#3", "#2", "#1"]);
    assert_eq!(lines(&["history", "-n", "2"]), ["#4", "#3"]);
    assert_eq!(lines(&["history", "x", "--limit", "1"]), ["#3"]);
    let rows = folder.run(["history", "y", "--json"]).json();
    assert_eq!(rows[0]["state"], "failed");
    assert_eq!(rows[0]["reason"], "step `a`: exit code 1");
    folder
        .run(["jobs"])
        .prints(&["x  ok Fri 20 Nov 2026", "y  failed Fri 20 Nov 2026"]);
}

#[test]
fn every_list_is_json_on_request() {
    let folder = Folder::with(JOB).job("broken", "a = 1\n");
    folder.run(["run", "x"]).is(0, "2\n", "");
    let jobs = folder.run(["jobs", "--json"]).json();
    assert_eq!(jobs[0]["name"], "broken");
    assert_eq!(jobs[0]["loads"], false);
    assert_eq!(jobs[1]["last_run"]["state"], "ok");
    let story = folder.run(["show", "1", "--json"]).json();
    assert_eq!(story["steps"][0]["result"]["n"], 2);
    assert_eq!(story["deliveries"][0]["state"], "sent");
    let found = folder.run(["check", "--json"]);
    assert_eq!(found.code, 2);
    assert_eq!(found.json()["findings"][0]["line"], 1);
    folder.run(["plan", "x", "--json"]).json();
}

#[test]
fn a_run_that_is_not_there() {
    let folder = Folder::with(JOB);
    folder.run(["run", "x"]).is(0, "2\n", "");
    folder.run(["show", "7"]).is(
        2,
        "",
        "error: there is no run #7\nhint: `reveille history` lists them\n",
    );
    folder
        .run(["show", "x"])
        .says(2, &["`x` is not a run's number"]);
}

#[test]
fn old_runs_go() {
    let settings = format!("{}\n[history]\nruns = 2\n", crate::support::SETTINGS);
    let folder = Folder::with(JOB).file("config/reveille.toml", settings);
    for _ in 0..4 {
        folder.run(["run", "x"]).is(0, "2\n", "");
    }
    let count = || {
        let rows = folder.run(["history", "--json"]).json();
        rows.as_array().map(Vec::len)
    };
    assert_eq!(
        count(),
        Some(4),
        "a time that is only pretended removes nothing"
    );
    let real = ["--state", "state", "run", "x"];
    folder.run_bare(&real, &[]).is(0, "2\n", "");
    assert_eq!(count(), Some(2));
    folder.run(["show", "5"]).prints(&["Run #5 of x"]);
}

#[test]
fn a_backup_opens_as_a_state() {
    let folder = Folder::with(JOB);
    folder.run(["run", "x"]).is(0, "2\n", "");
    folder.write("copy/.keep", "");
    folder
        .run(["backup", "copy/reveille.db"])
        .is(0, "copy/reveille.db\n", "");
    folder
        .run(["backup", "copy/reveille.db"])
        .says(2, &["copy/reveille.db exists already"]);
    // The last `--state` counts.
    let copied = folder.run_bare(&["--state", "copy", "history"], &[]);
    copied.prints(&["#1", "x", "ok"]);
    folder
        .run(["backup", "nowhere/b.db"])
        .says(2, &["nowhere/b.db"]);
}
