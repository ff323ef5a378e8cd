//! `reveille run`: outcomes, exit codes, arguments.

use crate::support::Folder;

/// A job that prints `text`.
fn says(text: &str) -> Folder {
    Folder::with(&format!(
        "[[deliver]]\nconsole = true\ntext = '''{text}'''\n"
    ))
}

#[test]
fn what_is_delivered_to_the_console_is_all_of_stdout() {
    says("Hello").run(["run", "x"]).is(0, "Hello\n", "");
}

#[test]
fn an_unknown_job_is_a_usage_error_with_the_one_that_was_meant() {
    let folder = says("a").job("briefing", "[[step]]\nset.a = \"1\"\n");
    folder.run(["run", "breifing"]).is(
        2,
        "",
        "error: there is no job `breifing` in jobs\nhint: did you mean `briefing`?\n",
    );
    folder.run(["run", "zzzz"]).is(
        2,
        "",
        "error: there is no job `zzzz` in jobs\nhint: jobs: briefing, x\n",
    );
}

#[test]
fn a_job_that_does_not_load_says_why_and_others_run() {
    let folder = says("a").job("y", "corn = 1\n[[step]]\nset.a = \"1\"\n");
    folder.run(["run", "y"]).says(
        2,
        &[
            "error: unknown key `corn`\n",
            "jobs/y.toml:1:1\n",
            "error: the job `y` does not load\nhint: mend the file, then `reveille check`\n",
        ],
    );
    folder.run(["run", "x"]).is(0, "a\n", "");
}

#[test]
fn a_prompt_that_is_wrong_is_shown_with_the_job_that_names_it() {
    let folder = Folder::with("[[step]]\nprompt = \"p.md\"\n").file("prompts/p.md", "{{ nope }}");
    folder.run(["run", "x"]).says(
        2,
        &[
            "`nope` is not defined",
            "prompts/p.md:1:4",
            "the job `x` does not load",
        ],
    );
}

#[test]
fn a_configuration_that_does_not_load_runs_nothing() {
    let folder = says("a").file(
        "config/reveille.toml",
        "[defaults]\ntimezone = \"Europe/Madird\"\n",
    );
    folder.run(["run", "x"]).says(
        2,
        &[
            "time zone `Europe/Madird` is not known",
            "the configuration does not load",
        ],
    );
}

#[test]
fn values_from_the_command_line_reach_the_job() {
    let folder = says("{{ event.args.who }} and {{ event.args.n }}");
    folder
        .run(["run", "x", "--set", "who=Ana=B", "--set", "n="])
        .is(0, "Ana=B and\n", "");
    folder.run(["run", "x", "--set", "who"]).is(
        2,
        "",
        "error: `--set who` has no `=`\nhint: write it as --set key=value\n",
    );
}

#[test]
fn a_value_that_was_not_given_is_a_clear_failure() {
    says("{{ event.args.who }}")
        .run(["run", "x"])
        .says(1, &["`event.args.who` is not defined"]);
}

#[test]
fn stdin_reaches_the_job() {
    let folder = says("[{{ event.stdin | trim }}]");
    folder
        .run_with(&["run", "x"], "two\nlines\n", &[])
        .is(0, "[two\nlines]\n", "");
    folder.run(["run", "x"]).is(0, "[]\n", "");
    let much = "a".repeat((1 << 20) + 1);
    folder
        .run_with(&["run", "x"], &much, &[])
        .says(2, &["stdin holds more than 1 MiB", "hint: "]);
}

#[test]
fn a_job_that_does_not_read_stdin_does_not_wait_for_it() {
    let folder = says("a");
    let mut child = folder.command(&["run", "x"]).spawn().expect("it starts");
    // The pipe stays open until after the end.
    let pipe = child.stdin.take();
    assert!(child.wait().expect("it ends").success());
    drop(pipe);
}

#[test]
fn nothing_to_say() {
    let job = "[[step]]\nid = \"a\"\nset.n = \"1\"\n\n[[step]]\nid = \"b\"\nstop_if = \"a.n == 1\"\nexec = [\"false\"]\n";
    let folder = Folder::with(job);
    folder
        .run(["run", "x"])
        .is(0, "", "run #1: nothing to say\n");
    folder
        .run(["show", "1"])
        .prints(&["outcome   nothing to say", "because   b: a.n == 1"]);
}

#[test]
fn a_delivery_that_renders_empty_is_not_sent_and_the_run_says_so() {
    let folder = says("{% if false %}a{% endif %}  ");
    folder
        .run(["run", "x"])
        .is(0, "", "run #1: nothing to say\n");
    let two =
        "[[deliver]]\nconsole = true\ntext = \"\"\n\n[[deliver]]\nconsole = true\ntext = \"b\"\n";
    let folder = Folder::with(two);
    folder.run(["run", "x"]).is(0, "b\n", "");
    folder
        .run(["show"])
        .prints(&["deliver1 (console)  skipped", "why: it rendered empty"]);
}

#[test]
fn a_delivery_whose_when_is_false_is_not_sent() {
    let job = "[[deliver]]\nconsole = true\ntext = \"a\"\nwhen = \"event.kind != 'hand'\"\n\n[[deliver]]\nconsole = true\ntext = \"b\"\nwhen = \"event.kind == 'hand'\"\n";
    Folder::with(job).run(["run", "x"]).is(0, "b\n", "");
}

#[test]
fn a_job_that_is_switched_off_runs_by_hand() {
    let folder = Folder::with("enabled = false\n[[deliver]]\nconsole = true\ntext = \"a\"\n");
    folder.run(["run", "x"]).is(0, "a\n", "");
    folder.run(["jobs"]).prints(&["x  off"]);
}

#[test]
fn what_is_for_a_channel_that_is_not_connected_is_printed() {
    let folder = Folder::with("[[deliver]]\ntelegram = \"owner\"\ntext = \"a\"\n");
    folder.run(["run", "x"]).is(0, "a\n", "");
    folder
        .run(["show"])
        .prints(&["to telegram  printed on the terminal"]);
}

#[test]
fn the_result_as_json() {
    let folder = says("a");
    let result = folder.run(["run", "x", "--json"]).json();
    assert_eq!(result["run"], 1);
    assert_eq!(result["outcome"], "ok");
}

#[test]
fn a_template_without_an_end_is_stopped() {
    let folder = says(
        "{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}",
    );
    folder.run(["run", "x"]).says(1, &["was stopped"]);
    let folder = says("{% for a in range(1000000000) %}x{% endfor %}");
    folder.run(["run", "x"]).says(1, &["delivery to console"]);
}

#[test]
fn a_closed_stdout_is_no_error() {
    let folder = says("{{ 'a long line ' * 1 }}");
    for words in [
        ["run", "x"].as_slice(),
        &["history"],
        &["jobs"],
        &["show"],
        &["schema", "--job"],
    ] {
        let mut child = folder.command(words).spawn().expect("it starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(0), "{words:?}");
        assert!(
            ended.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}
