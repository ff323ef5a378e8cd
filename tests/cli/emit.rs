//! Events without HTTP.

use std::io::Read;

use rustix::process::{Pid, Signal, kill_process};

use super::socket::ready;
use crate::support::{Folder, Outcome};

const FRONT: &str = r#"
[[trigger]]
webhook   = "door"
max_bytes = "1KiB"
token.env = "NOT_ASKED_FOR"

[[step]]
id   = "tell"
exec = ["sh", "-c", "cat > FIFO"]
stdin = "{{ event.body.who }} {{ event.name }}"
"#;

/// A folder whose job `front` writes what it was sent into a FIFO.
fn folder() -> Folder {
    let folder = Folder::new();
    let fifo = folder.path("fifo");
    let kind = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).expect("a FIFO");
    let job = FRONT.replace("FIFO", &fifo.display().to_string());
    folder.job("front", &job)
}

/// What the job wrote, once it did.
fn told(folder: &Folder) -> String {
    let mut text = String::new();
    let mut fifo = std::fs::File::open(folder.path("fifo")).expect("the FIFO opens");
    fifo.read_to_string(&mut text).expect("it can be read");
    text
}

#[test]
fn a_daemon_runs_what_is_sent() {
    let folder = folder().file("mine/body.json", r#"{"who": "a file"}"#);
    let daemon = ready(&folder);
    folder
        .piped(
            &["emit", "door", "--data", r#"{"who": "I"}"#, "--id", "one"],
            "",
        )
        .is(0, "#1 front\n", "");
    assert_eq!(told(&folder), "I door");
    folder
        .piped(
            &["emit", "door", "--data", r#"{"who": "I"}"#, "--id", "one"],
            "",
        )
        .is(0, "#1 front (it was sent before)\n", "");
    folder
        .piped(&["emit", "door", "--data", "-"], r#"{"who": "you"}"#)
        .is(0, "#2 front\n", "");
    assert_eq!(told(&folder), "you door");
    let mut command = folder.unclocked(&["emit", "door", "--data", "@body.json"]);
    command
        .current_dir(folder.path("mine"))
        .args(["--state", "../state"]);
    Outcome::of(&["emit"], command.spawn().expect("it starts")).is(0, "#3 front\n", "");
    assert_eq!(told(&folder), "a file door");
    folder
        .piped(&["emit", "door", "--data", "@nothing"], "")
        .says(2, &["cannot read nothing: "]);
    folder.piped(&["emit", "dor"], "").is(
        2,
        "",
        "error: no job has a webhook `dor`\nhint: did you mean `door`?\n",
    );
    let large = "x".repeat(1025);
    folder
        .piped(&["emit", "door", "--data", &large], "")
        .says(2, &["1025 bytes are more", "max_bytes"]);
    kill_process(Pid::from_child(&daemon), Signal::TERM).expect("a signal");
    assert_eq!(Outcome::of(&["daemon"], daemon).code, 0);
}

#[test]
fn what_is_sent_without_a_daemon_is_run_by_the_next_one() {
    let folder = folder();
    let sent = folder.piped(&["emit", "door", "--data", r#"{"who": "early"}"#], "");
    sent.is(
        0,
        "#1 front\n",
        "no daemon runs: what waits begins with its next start\n",
    );
    folder
        .piped(&["history"], "")
        .prints(&["#1", "front", "queued"]);
    let daemon = ready(&folder);
    assert_eq!(told(&folder), "early door");
    kill_process(Pid::from_child(&daemon), Signal::TERM).expect("a signal");
    assert_eq!(Outcome::of(&["daemon"], daemon).code, 0);
}

#[test]
fn what_begins_as_json_and_is_none_is_no_text() {
    let folder = Folder::new().file("body.json", "[\n  1,\n]\n").job(
        "front",
        "[[trigger]]\nwebhook = \"door\"\ntoken.env = \"NOT_ASKED_FOR\"\n\n[[step]]\nset.a = \"event.body\"\n",
    );
    let broken = r#" {"who": I}"#;
    let file = folder.path("body.json").display().to_string();
    let check = |data: &str, piped: &str, from: &str, wrong: &str| {
        let expected = format!(
            "error: {from} begins as JSON does and is none: {wrong}\n\
             hint: correct it there; --text sends it as text\n"
        );
        let arguments = ["emit", "door", "--data", data];
        folder.piped(&arguments, piped).is(2, "", &expected);
    };
    let value = "expected value at line 1 column 10";
    check(broken, "", "--data", value);
    check("-", broken, "what is piped in", value);
    let comma = "trailing comma at line 3 column 1";
    check(&format!("@{file}"), "", &file, comma);
    let sends = |arguments: &[&str], line: &str, body: &str| {
        let whole = [&["emit", "door", "--data"], arguments].concat();
        let early = "no daemon runs: what waits begins with its next start\n";
        folder.piped(&whole, "").is(0, line, early);
        let run = line.split(' ').next().expect("a number");
        let shown = folder.piped(&["show", run, "--json"], "").json();
        assert_eq!(shown["event"]["payload"]["body"], body, "{shown}");
    };
    sends(&[broken, "--text"], "#1 front\n", broken);
    sends(&["{}", "--text"], "#2 front\n", "{}");
    sends(&["I say {}"], "#3 front\n", "I say {}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = Folder::new().job(
        "x",
        "[[trigger]]\nwebhook = \"in\"\n\n[[step]]\nset.n = \"1\"\n",
    );
    let refused = |words: &[&str], why: &str| {
        let ran = folder.unclocked(words).output().expect("it runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(why), "{words:?}: {said}");
    };
    refused(&["emit", "in", "--id", " "], "--id is empty");
    refused(
        &["emit", "in", "--now", "2020-01-01"],
        "an event happens now",
    );
    refused(&["history", "-n", "0"], "0 is not in 1..");
    folder.run(["run", "x"]).is(0, "", "");
    refused(&["cancel", "1"], "has finished already");
    std::os::unix::fs::symlink("/nowhere", folder.path("jobs/y.toml")).expect("a link");
    refused(&["check"], "a link to a file that is not there");
}
