//! Files that are no job files at all: each is explained, none takes long or brings the program down.

use crate::support::Folder;

const GOOD: &str = "[[step]]\nset.x = \"1\"\n";

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, parts: &[&str]) {
    let folder = Folder::new().file("jobs/x.toml", bytes).job("good", GOOD);
    let checked = folder.run(["check"]);
    checked.says(2, parts);
    assert!(
        checked.stderr.len() < 64 << 10,
        "{} bytes are said",
        checked.stderr.len()
    );
    // The others still run.
    folder.run(["run", "good"]).is(0, "", "");
}

#[test]
fn a_binary_file() {
    let bytes = [b"[[step]]\n".as_slice(), &[0xff, 0xfe, 0, 1]].concat();
    check(
        bytes,
        &[
            "this is not a text file: byte 9 is not UTF-8",
            "jobs/x.toml",
        ],
    );
}

#[test]
fn zero_bytes() {
    check([0; 100], &["jobs/x.toml:1:1"]);
}

#[test]
fn a_huge_file() {
    check(
        "#".repeat(5 << 20),
        &["this file has 5 MiB, and 4 are the most"],
    );
}

#[test]
fn a_long_line() {
    let line = format!("x = \"{}\"\n", "a".repeat(1 << 20));
    check(line, &["unknown key `x`"]);
}

#[test]
fn deep_nesting() {
    check(format!("x = {}", "[".repeat(100_000)), &["jobs/x.toml:1:"]);
    check(
        format!("x = {}", "{a=".repeat(100_000)),
        &["jobs/x.toml:1:"],
    );
    check("[[".repeat(50_000), &["jobs/x.toml:1:"]);
}

#[test]
fn deep_keys() {
    check(
        format!("a{} = 1", ".a".repeat(100_000)),
        &["jobs/x.toml:1:"],
    );
    check(
        format!("[a{}]\n", ".a".repeat(100_000)),
        &["jobs/x.toml:1:"],
    );
    check(
        format!("[[step]]\nset{} = 1", ".a".repeat(100_000)),
        &["this is nested too deeply"],
    );
}

#[test]
fn many_mistakes_in_little_time() {
    let text: String = (0..100_000).map(|n| format!("key{n} = 1\n")).collect();
    let checked = Folder::with(&text).run(["check", "--json"]);
    let found = checked.json();
    // As many as anybody reads, that there may be more, and that the job does nothing.
    assert_eq!(found["errors"], 502);
}

#[test]
fn deep_templates() {
    let job = |text: &str| format!("{GOOD}\n[[deliver]]\nconsole = true\ntext = '''{text}'''\n");
    check(
        job(&format!("{{{{ {} }}}}", "(".repeat(100_000))),
        &["jobs/x.toml:6:"],
    );
    check(job(&"{% if 1 %}".repeat(20_000)), &["jobs/x.toml:6:"]);
    check(
        job(&format!("{{{{ 1{} }}}}", "+1".repeat(100_000))),
        &["jobs/x.toml:6:"],
    );
}

#[test]
fn a_pattern_that_would_not_fit_into_memory() {
    check(
        "[[step]]\nlog = \"/a\"\nmatch = \"(((a{1000}){1000}){1000})\"\n",
        &["jobs/x.toml:3:"],
    );
}

#[test]
fn a_folder_and_a_broken_link_in_place_of_a_job() {
    let folder = Folder::new()
        .job("good", GOOD)
        .file("jobs/x.toml/inside", "");
    std::os::unix::fs::symlink("/nowhere", folder.path("jobs/y.toml")).expect("a link");
    folder
        .run(["check"])
        .says(2, &["cannot read this file", "jobs/x.toml"]);
    folder.run(["run", "good"]).is(0, "", "");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let job = "\u{feff}[[step]]\r\nid = \"text\"\r\nprompt = \"p.md\"\r\n\r\n[[deliver]]\r\nconsole = true\r\ntext = \"\"\"\r\na\r\n{{ nope }}\"\"\"\r\n";
    let prompt =
        "\u{feff}+++\r\nsystem = \"Be {{ brief }}\"\r\n+++\r\nSay it.\r\n---\r\n{{ facts }}\r\n";
    let folder = Folder::with(job).file("prompts/p.md", prompt);
    folder.run(["check"]).says(
        2,
        &[
            "jobs/x.toml:9:4\n",
            "9 | {{ nope }}\"\"\"\n",
            "prompts/p.md:2:17\n",
            "prompts/p.md:6:4\n",
        ],
    );
}

#[test]
fn a_folder_without_a_configuration_works() {
    let folder = Folder::empty().job("x", GOOD);
    folder.run(["check"]).is(0, "", "1 job: no mistakes\n");
    folder.run(["run", "x"]).is(0, "", "");
}

#[test]
fn a_folder_without_jobs() {
    let folder = Folder::empty().file("jobs/.keep", "");
    folder.run(["check"]).is(0, "", "0 jobs: no mistakes\n");
    folder.run(["jobs"]).is(0, "", "no jobs in jobs\n");
    folder.run(["--dir", "nowhere", "check"]).is(
        2,
        "",
        "error: nowhere has no folder `jobs`\nhint: `reveille init nowhere` writes a working example there\n",
    );
}

#[test]
fn check_shows_what_is_below_a_path() {
    let folder = Folder::new().job("x", "a = 1\n").job("y", "b = 1\n");
    let checked = folder.run(["check", "jobs/x.toml"]);
    checked.says(2, &["unknown key `a`"]);
    assert!(!checked.stderr.contains("unknown key `b`"), "{checked}");
    folder
        .run(["check", "jobs"])
        .says(2, &["unknown key `a`", "unknown key `b`"]);
    folder
        .run(["check", "nowhere"])
        .says(2, &["there is no nowhere"]);
}
