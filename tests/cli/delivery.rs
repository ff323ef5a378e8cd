//! Deliveries to files, and what `--no-deliver` leaves alone.

use crate::support::Folder;

#[test]
fn a_file_is_replaced() {
    let folder =
        Folder::with("[[deliver]]\nfile = \"out/today.md\"\ntext = \"{{ event.args.n }}\"\n");
    folder.run(["run", "x", "--set", "n=1"]).is(0, "", "");
    folder.run(["run", "x", "--set", "n=2"]).is(0, "", "");
    assert_eq!(folder.read("state/workspace/out/today.md"), "2\n");
}

#[test]
fn a_file_grows() {
    let folder = Folder::with(
        "[[deliver]]\nfile = \"log.md\"\nappend = true\ntext = \"{{ event.args.n }}\"\n",
    );
    folder.run(["run", "x", "--set", "n=1"]).is(0, "", "");
    folder.run(["run", "x", "--set", "n=2"]).is(0, "", "");
    assert_eq!(folder.read("state/workspace/log.md"), "1\n2\n");
}

#[test]
fn an_absolute_path_is_the_owners_word() {
    let folder = Folder::new();
    let out = folder.path("elsewhere/out.md");
    let folder = folder.file("elsewhere/.keep", "").job(
        "x",
        &format!("[[deliver]]\nfile = \"{}\"\ntext = \"a\"\n", out.display()),
    );
    folder.run(["run", "x"]).is(0, "", "");
    assert_eq!(folder.read("elsewhere/out.md"), "a\n");
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let folder = Folder::with("[[deliver]]\nfile = \"/dev/full/out.md\"\ntext = \"a\"\n");
    folder
        .run(["run", "x"])
        .says(1, &["error: not delivered: file: ", "/dev/full/out.md"]);
    folder.run(["show"]).prints(&["to file  failed: "]);
    folder.run(["history"]).prints(&["ok", "1 not delivered\n"]);
    folder
        .run(["jobs"])
        .prints(&["ok Fri 20 Nov 2026 06:59:00, 1 not delivered\n"]);
    let rows = folder.run(["history", "--json"]).json();
    let counts = ["sent", "failed", "pending"].map(|count| rows[0][count].clone());
    assert_eq!(counts, [0, 1, 0]);
}

#[test]
fn the_path_of_a_file_that_a_run_fills_in_stays_inside() {
    let folder = Folder::with("[[deliver]]\nfile = \"{{ event.args.p }}\"\ntext = \"a\"\n");
    folder
        .run(["run", "x", "--set", "p=../out"])
        .says(1, &["not delivered: file: "]);
    folder
        .run(["run", "x", "--set", "p=/tmp/reveille-out"])
        .says(1, &["file: "]);
    assert!(!folder.path("state/out").exists());
    assert!(!std::path::Path::new("/tmp/reveille-out").exists());
}

#[test]
fn nothing_goes_out_and_nothing_moves_with_no_deliver() {
    let folder = Folder::new();
    let log = folder.path("a.log");
    let job = format!(
        "[[step]]\nid = \"log\"\nlog = \"{}\"\n\n[[deliver]]\nfile = \"out.md\"\ntext = \"{{% for line in log.lines %}}{{{{ line.text }}}};{{% endfor %}}\"\n",
        log.display()
    );
    let folder = folder.file("a.log", "one\n").job("x", &job);
    for _ in 0..2 {
        folder.run(["run", "x", "--no-deliver"]).is(0, "one;\n", "");
    }
    assert!(!folder.path("state/workspace/out.md").exists());
    folder.run(["run", "x"]).is(0, "", "");
    assert_eq!(folder.read("state/workspace/out.md"), "one;\n");
    folder
        .run(["run", "x"])
        .is(0, "", "run #4: nothing to say\n");
}

#[test]
fn positions_do_not_move_when_the_run_fails() {
    let folder = Folder::new();
    let log = folder.path("a.log");
    let job = |last: &str| {
        format!(
            "[[step]]\nid = \"log\"\nlog = \"{}\"\n\n[[step]]\nid = \"b\"\nexec = [\"{last}\"]\n\n[[deliver]]\nconsole = true\ntext = \"{{% for line in log.lines %}}{{{{ line.text }}}};{{% endfor %}}\"\n",
            log.display()
        )
    };
    let folder = folder.file("a.log", "one\n").job("x", &job("false"));
    folder.run(["run", "x"]).says(1, &["step `b`"]);
    folder.write("jobs/x.toml", job("true"));
    folder.run(["run", "x"]).is(0, "one;\n", "");
}
