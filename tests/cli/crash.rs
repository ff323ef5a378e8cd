//! Processes that die, are stopped, or share a state.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Folder, Outcome};

/// A folder whose job `x` waits until somebody writes to a FIFO, and whose job `y` does not.
pub(super) fn waiting() -> (Folder, PathBuf) {
    let folder = Folder::new().job("y", "[[deliver]]\nconsole = true\ntext = \"y\"\n");
    let fifo = folder.path("fifo");
    let kind = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).expect("a FIFO");
    let job = format!(
        "[[step]]\nid = \"before\"\nset.n = \"1\"\n\n[[step]]\nid = \"wait\"\nexec = [\"cat\", \"{}\"]\n\n[[deliver]]\nconsole = true\ntext = \"x\"\n",
        fifo.display()
    );
    let folder = folder.job("x", &job);
    (folder, fifo)
}

/// Opens the FIFO for writing: returns once the program of the job has opened it too.
pub(super) fn under_way(fifo: &PathBuf) -> File {
    File::options()
        .write(true)
        .open(fifo)
        .expect("the FIFO opens")
}

#[test]
fn a_killed_run_is_told_by_the_next_command_and_never_run_again() {
    let (folder, fifo) = waiting();
    let mut child = folder.command(&["run", "x"]).spawn().expect("it starts");
    let writer = under_way(&fifo);
    child.kill().expect("SIGKILL");
    child.wait().expect("it is dead");
    drop(writer);
    folder.run(["run", "y"]).is(
        0,
        "y\n",
        "warning: run #1 of `x` was interrupted: the program stopped during step `wait`, which may have had its effect: look before you run it again\n",
    );
    folder.run(["run", "y"]).is(0, "y\n", "");
    folder
        .run(["history", "x"])
        .prints(&["#1", "interrupted", "step `wait`"]);
    folder.run(["show", "1"]).prints(&[
        "outcome   interrupted",
        "before (set)  done",
        "wait (exec)  failed",
        "error: the run ended while it was under way: it may have had its effect\n",
    ]);
}

#[test]
fn looking_tells_that_a_run_is_under_way() {
    let (folder, fifo) = waiting();
    let child = folder.command(&["run", "x"]).spawn().expect("it starts");
    let writer = under_way(&fifo);
    folder.run(["history"]).prints(&["#1", "running"]);
    folder
        .run(["show", "1"])
        .prints(&["outcome   running", "wait (exec)  started"]);
    drop(writer);
    Outcome::of(&["run", "x"], child).is(0, "x\n", "");
}

#[test]
fn two_processes_share_a_state() {
    let (folder, fifo) = waiting();
    let child = folder.command(&["run", "x"]).spawn().expect("it starts");
    let writer = under_way(&fifo);
    // It lives: nobody takes its run for dead.
    folder.run(["run", "y"]).is(0, "y\n", "");
    folder.run(["backup", "b.db"]).is(0, "b.db\n", "");
    drop(writer);
    Outcome::of(&["run", "x"], child).is(0, "x\n", "");
    folder
        .run(["history"])
        .prints(&["#2", "y", "ok", "#1", "x", "ok"]);
}

#[test]
fn many_processes_at_once_lose_nothing() {
    let folder = Folder::with(
        "[[step]]\nid = \"a\"\nexec = [\"true\"]\n\n[[deliver]]\nconsole = true\ntext = \"a\"\n",
    );
    let start = || folder.command(&["run", "x"]).spawn().expect("it starts");
    let children: Vec<_> = (0..8).map(|_| start()).collect();
    for child in children {
        Outcome::of(&["run", "x"], child).is(0, "a\n", "");
    }
    let rows = folder.run(["history", "--json"]).json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 8);
    assert!(rows.iter().all(|row| row["state"] == "ok"));
}

#[test]
fn a_run_that_is_stopped_by_hand_is_cancelled() {
    let (folder, fifo) = waiting();
    let child = folder.command(&["run", "x"]).spawn().expect("it starts");
    let writer = under_way(&fifo);
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("SIGINT");
    let said = "error: run #1 was cancelled during step `wait`, which may have had its effect\n";
    Outcome::of(&["run", "x"], child).is(1, "", said);
    drop(writer);
    folder.run(["run", "y"]).is(0, "y\n", "");
    folder.run(["history", "x"]).prints(&["cancelled"]);
}

#[test]
fn a_message_that_a_killed_process_had_not_said_whole_is_said_by_the_next() {
    let folder = Folder::with("[[deliver]]\nconsole = true\ntext = \"{{ event.stdin }}\"\n")
        .job("y", "[[deliver]]\nconsole = true\ntext = \"y\"\n");
    let mut child = folder.command(&["run", "x"]).spawn().expect("it starts");
    // More than a pipe holds: nobody reads the rest, so it is killed while it writes.
    let text = "a".repeat(300_000);
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0]).expect("it says something");
    child.kill().expect("SIGKILL");
    child.wait().expect("it is dead");
    folder.run(["run", "y", "--no-deliver"]).is(0, "y\n", "");
    let said = format!("warning: run #1 of `x` had not said:\n{text}\n");
    folder.run(["run", "y"]).is(0, "y\n", &said);
    folder.run(["run", "y"]).is(0, "y\n", "");
}
