//! What a run says on stdout, and what becomes of it when that fails or when it is told to end.

use std::fs::File;
use std::io::{ErrorKind, Write};

use rustix::process::{Pid, Signal, kill_process};

use super::crash::{under_way, waiting};
use crate::support::{Folder, Outcome};

#[test]
fn a_message_that_stdout_does_not_take_is_not_passed_over() {
    let folder = Folder::with("[[deliver]]\nconsole = true\ntext = \"x\"\n");
    let full = File::options().write(true).open("/dev/full");
    let mut command = folder.command(&["run", "x"]);
    command.stdout(full.expect("Linux has it"));
    let child = command.spawn().expect("it starts");
    let said = "not delivered: stdout: No space left on device";
    Outcome::of(&["run", "x"], child).says(1, &[said]);
}

#[test]
fn json_holds_the_messages() {
    let folder = Folder::with("[[deliver]]\nconsole = true\ntext = \"two\\nlines\"\n");
    let ran = folder.run(["run", "x", "--json"]).json();
    assert_eq!(ran["outcome"], "ok");
    assert_eq!(ran["messages"][0]["to"], "console");
    assert_eq!(ran["messages"][0]["text"], "two\nlines");
}

#[test]
fn a_run_that_is_told_to_end_takes_its_program_with_it() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (folder, fifo) = waiting();
        let child = folder.command(&["run", "x"]).spawn().expect("it starts");
        let mut writer = under_way(&fifo);
        kill_process(Pid::from_child(&child), signal).expect("a signal");
        Outcome::of(&["run", "x"], child).says(1, &["run #1 was cancelled"]);
        let written = writer.write(b"nobody reads").map_err(|error| error.kind());
        assert_eq!(written, Err(ErrorKind::BrokenPipe), "the program lives on");
    }
}
