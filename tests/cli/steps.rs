//! Steps: gates, failures, retries, timeouts, programs, files.

use crate::support::Folder;

#[test]
fn a_step_that_fails_fails_the_run() {
    let folder = Folder::with(
        "[[step]]\nid = \"a\"\nexec = [\"ls\", \"/nowhere-at-all\"]\n\n[[deliver]]\nconsole = true\ntext = \"b\"\n",
    );
    folder.run(["run", "x"]).is(
        1,
        "",
        "error: run #1 failed: step `a`: exit code 2: ls: cannot access '/nowhere-at-all': No such file or directory\nhint: `reveille show 1` tells the whole story\n",
    );
    folder
        .run(["history"])
        .prints(&["#1", "x", "failed", "step `a`: exit code 2"]);
}

#[test]
fn a_run_goes_on_after_a_failure_that_may_be() {
    let job = "[[step]]\nid = \"a\"\nexec = [\"false\"]\non_error = \"continue\"\n\n[[deliver]]\nconsole = true\ntext = \"a is {{ a is none }}\"\n";
    let folder = Folder::with(job);
    folder.run(["run", "x"]).is(0, "a is True\n", "");
    folder
        .run(["show"])
        .prints(&["a (exec)  failed", "error: exit code 1"]);
}

#[test]
fn a_step_whose_when_is_false_gives_none() {
    let job = "[[step]]\nid = \"a\"\nwhen = \"event.kind == 'cron'\"\nexec = [\"false\"]\n\n[[deliver]]\nconsole = true\ntext = \"a is {{ a is none }}\"\n";
    let folder = Folder::with(job);
    folder.run(["run", "x"]).is(0, "a is True\n", "");
    folder.run(["show"]).prints(&["a (exec)  skipped"]);
}

#[test]
fn stop_if_goes_before_when() {
    let job = "[[step]]\nid = \"a\"\nstop_if = \"true\"\nwhen = \"false\"\nset.n = \"1\"\n";
    Folder::with(job)
        .run(["run", "x"])
        .is(0, "", "run #1: nothing to say\n");
}

#[test]
fn an_expression_that_fails_fails_its_step() {
    let job = "[[step]]\nid = \"a\"\nwhen = \"event.args.n\"\nset.n = \"1\"\n";
    Folder::with(job)
        .run(["run", "x"])
        .says(1, &["step `a`: when: ", "`event.args.n` is not defined"]);
}

#[test]
fn a_step_is_tried_again() {
    let script = "[ -e tried ] || { touch tried; echo not yet >&2; exit 3; }; echo now";
    let job = format!(
        "[[step]]\nid = \"a\"\nexec = [\"sh\", \"-c\", \"{script}\"]\nretry.attempts = 3\nretry.backoff = \"1ms\"\n\n[[deliver]]\nconsole = true\ntext = \"{{{{ a.stdout }}}}\"\n"
    );
    let folder = Folder::with(&job);
    folder.run(["run", "x"]).is(0, "now\n", "");
    let story = folder.run(["show", "--json"]).json();
    let tries: Vec<(u64, &str)> = story["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| {
            (
                step["attempt"].as_u64().expect("a number"),
                step["end"].as_str().expect("a word"),
            )
        })
        .collect();
    assert_eq!(tries, [(1, "failed"), (2, "done")]);
}

#[test]
fn tries_come_to_an_end() {
    let job =
        "[[step]]\nid = \"a\"\nexec = [\"false\"]\nretry.attempts = 3\nretry.backoff = \"1ms\"\n";
    let folder = Folder::with(job);
    folder.run(["run", "x"]).says(1, &["step `a`: exit code 1"]);
    folder
        .run(["show"])
        .prints(&["a (exec)", "attempt 2", "attempt 3"]);
}

#[test]
fn a_program_that_takes_too_long_is_ended_with_all_it_started() {
    let folder = Folder::empty();
    let fifo = folder.path("fifo");
    make_fifo(&fifo);
    // Two processes that wait for ever; the second ignores being asked to end.
    let script = format!("(trap '' TERM; cat {0}) & cat {0}", fifo.display());
    let job = format!(
        "[[step]]\nid = \"a\"\ntimeout = \"50ms\"\nexec = [\"sh\", \"-c\", \"{script}\"]\n"
    );
    let folder = folder.job("x", &job);
    folder
        .run(["run", "x"])
        .says(1, &["step `a`: it was ended after its timeout of 0.05 s"]);
    // Nobody reads the FIFO any more.
    let write = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
    let opened = rustix::fs::open(&fifo, write, rustix::fs::Mode::empty());
    assert_eq!(opened.map(|_| ()), Err(rustix::io::Errno::NXIO));
}

#[test]
fn a_run_that_takes_too_long_is_ended() {
    let folder = Folder::empty();
    let fifo = folder.path("fifo");
    make_fifo(&fifo);
    let job = format!(
        "timeout = \"50ms\"\n[[step]]\nid = \"a\"\nexec = [\"cat\", \"{}\"]\n",
        fifo.display()
    );
    let folder = folder.job("x", &job);
    folder.run(["run", "x"]).says(
        1,
        &["run #1 failed: the run did not end within its timeout"],
    );
}

#[test]
fn a_program_that_is_not_there() {
    let job = "[[step]]\nid = \"a\"\nexec = [\"ehco\"]\n";
    Folder::with(job)
        .run(["run", "x"])
        .says(1, &["step `a`: ", "`ehco`", "echo"]);
}

#[test]
fn what_a_program_prints_as_json() {
    let job = "[[step]]\nid = \"a\"\nexec = [\"echo\", '{\"n\": [1, 2]}']\njson = true\n\n[[deliver]]\nconsole = true\ntext = \"{{ a.json.n | sum }}\"\n";
    Folder::with(job).run(["run", "x"]).is(0, "3\n", "");
    let job = "[[step]]\nid = \"a\"\nexec = [\"echo\", \"no\"]\njson = true\n";
    Folder::with(job)
        .run(["run", "x"])
        .says(1, &["stdout is not JSON"]);
}

#[test]
fn a_program_sees_a_clear_environment_and_the_workspace() {
    let job = "[[step]]\nid = \"a\"\nexec = [\"sh\", \"-c\", \"pwd; env | cut -d= -f1 | sort\"]\n\n[[deliver]]\nconsole = true\ntext = \"{{ a.stdout }}\"\n";
    let folder = Folder::with(job);
    let ran = folder.run_with(&["run", "x"], "", &[("MY_TOKEN", "hunter2hunter2")]);
    ran.prints(&["/state/workspace\n"]);
    assert!(!ran.stdout.contains("MY_TOKEN"), "{ran}");
}

#[test]
fn files_of_the_workspace() {
    let job = "[[step]]\nid = \"a\"\nfile = \"write\"\npath = \"notes/a.md\"\ntext = \"one\\n\"\n\n[[step]]\nid = \"b\"\nfile = \"append\"\npath = \"notes/a.md\"\ntext = \"two\\n\"\n\n[[step]]\nid = \"c\"\nfile = \"read\"\npath = \"notes/a.md\"\n\n[[step]]\nid = \"d\"\nfile = \"read\"\npath = \"nowhere.md\"\n\n[[deliver]]\nconsole = true\ntext = \"{{ c.text }}{{ d.missing }}\"\n";
    let folder = Folder::with(job);
    folder.run(["run", "x"]).is(0, "one\ntwo\nTrue\n", "");
    assert_eq!(folder.read("state/workspace/notes/a.md"), "one\ntwo\n");
}

#[test]
fn a_path_from_a_run_does_not_leave_the_workspace() {
    let job =
        "[[step]]\nid = \"a\"\nfile = \"write\"\npath = \"{{ event.args.p }}\"\ntext = \"x\"\n";
    let folder = Folder::with(job);
    for path in ["../out", "/tmp/out", "a/../../out", ""] {
        let set = format!("p={path}");
        folder
            .run(["run", "x", "--set", &set])
            .says(1, &["step `a`: "]);
    }
    assert!(!folder.path("state/out").exists());
}

#[test]
fn what_this_version_does_not_run_says_so() {
    let check = |step: &str, kind: &str| {
        let folder = Folder::with(&format!("[[step]]\nid = \"a\"\n{step}\n"));
        let expected = format!("this version checks `{kind}` steps but cannot run them yet");
        folder.run(["run", "x"]).says(1, &[&expected]);
    };
    check("fetch = \"https://example.org/\"", "fetch");
    check("feed = \"https://example.org/\"", "feed");
}

#[test]
fn plan_executes_nothing_with_effects() {
    let job = "[[step]]\nid = \"a\"\nexec = [\"touch\", \"touched\"]\n\n[[step]]\nid = \"b\"\nfile = \"write\"\npath = \"written\"\ntext = \"x\"\n\n[[deliver]]\nfile = \"sent\"\ntext = \"a\"\n";
    let folder = Folder::with(job);
    folder.run(["plan", "x"]).prints(&[
        "A run of x would do this:",
        "touch",
        "touched",
        "deliver to file",
    ]);
    for name in ["touched", "written", "sent"] {
        assert!(
            !folder.path("state/workspace").join(name).exists(),
            "{name}"
        );
    }
    folder.run(["history"]).is(0, "", "no runs yet\n");
    folder.run(["plan", "x", "--json"]).json();
}

fn make_fifo(path: &std::path::Path) {
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        kind,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .expect("a FIFO");
}

#[test]
fn a_step_for_each_item_keeps_their_order_and_what_fails_costs_the_others_nothing() {
    let job = "[[step]]\nid = \"each\"\nfor_each = \"[3, 1, 2]\"\nparallel = 3\nON\nexec = [\"sh\", \"-c\", \"sleep 0.0$1; test $1 != 1 && echo got $1\", \"sh\", \"{{ item }}\"]\n\n[[deliver]]\nconsole = true\ntext = \"{% for one in each %}{{ one.stdout | default('nothing') if one else 'nothing' }};{% endfor %}\"\n";
    let folder = Folder::new().job("go", &job.replace("ON", "on_error = \"continue\""));
    folder
        .run(["run", "go"])
        .prints(&["got 3", ";nothing;got 2"]);
    folder.run(["show", "1"]).prints(&["errors:", "#2: "]);
    let folder = Folder::new().job("go", &job.replace("ON\n", ""));
    folder
        .run(["run", "go"])
        .says(1, &["1 of 3 items failed: #2: "]);
    let nothing = job
        .replace("[3, 1, 2]", "event.args.list | default([])")
        .replace("ON\n", "");
    let folder = Folder::new().job("go", &nothing);
    folder.run(["run", "go"]).says(0, &["nothing to say"]);
    folder.run(["run", "go", "--set", "list=text"]).says(
        1,
        &["`event.args.list | default([])` is a text, and no list"],
    );
}
