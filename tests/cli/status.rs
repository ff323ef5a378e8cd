//! `status`, `mute`, `unmute`, and what a daemon tells its owner and its service manager.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Folder, Outcome};

const JOB: &str = "[[trigger]]\ncron = \"0 7 * * *\"\n\n[[step]]\nexec = [\"true\"]\n";

#[test]
fn without_a_daemon_the_state_is_told_all_the_same() {
    let folder = Folder::with(JOB).job("y", "[[stepp]]\n");
    let status = folder.run(["status"]);
    let lines = [
        "daemon    none runs: jobs start by hand only (`reveille install`)\n",
        "jobs      1 loaded; not as it is written: `y` (`reveille check`)\n",
        "runs      0 under way, 0 queued\n",
        "outbox    empty\n",
        "alerts    none open\n",
        "next      Fri 20 Nov 2026 07:00 CET  x\n",
        " MiB free, ",
    ];
    for line in lines {
        assert!(status.stdout.contains(line), "{line} in {}", status.stdout);
    }
    assert_eq!((status.code, status.stderr.as_str()), (0, ""));
    let json = folder.run(["status", "--json"]).json();
    assert_eq!(json["daemon"], json!(null));
    assert_eq!(
        json["jobs"],
        json!({ "loaded": 1, "not_as_written": ["y"] })
    );
    assert_eq!(json["next"][0]["job"], "x");
    assert!(!folder.path("state").exists(), "looking makes nothing");
}

#[test]
fn a_mute_has_an_end() {
    let folder = Folder::with(JOB);
    folder.run(["mute", "x"]).is(
        2,
        "",
        "error: how long is `x` to be muted?\nhint: say it with --for 7d or --until \"2026-11-27\"\n",
    );
    folder
        .run(["mute", "x", "--for", "a week"])
        .says(2, &["`a week` is not a duration"]);
    folder
        .run(["mute", "", "--for", "7d"])
        .says(2, &["there is nothing to mute"]);
}

#[test]
fn mutes_are_listed_until_they_are_over_or_taken_back() {
    let folder = Folder::with(JOB);
    folder
        .run(["mute", "--list"])
        .is(0, "", "nothing is muted\n");
    let until = "until Fri 27 Nov 2026 06:59 CET";
    folder.run(["mute", "x", "--for", "7d"]).is(
        0,
        &format!("`x` is muted {until}: what fails meanwhile is counted, and told with the first failure after it\n"),
        "",
    );
    folder
        .run(["mute", "*disk*", "--until", "tomorrow 7:00"])
        .prints(&["failures like `*disk*` are muted until Sat 21 Nov 2026 07:00 CET"]);
    let listed = format!("*disk*  until Sat 21 Nov 2026 07:00 CET\nx       {until}\n");
    folder.run(["mute", "--list"]).is(0, &listed, "");
    assert!(
        folder
            .run(["status"])
            .stdout
            .contains(&format!("muted     `x` {until}\n"))
    );
    folder
        .run(["unmute", "x"])
        .is(0, "`x` is heard of again\n", "");
    folder.run(["unmute", "x"]).is(
        2,
        "",
        "error: `x` was not muted\nhint: `reveille mute --list` shows what is\n",
    );
}

/// Waits for a word to the service manager that holds these lines.
fn told(manager: &UnixDatagram, parts: &[&str]) -> String {
    let mut word = [0; 1024];
    loop {
        let length = manager.recv(&mut word).expect("it says something");
        let word = String::from_utf8_lossy(&word[..length]).into_owned();
        if parts.iter().all(|part| word.contains(part)) {
            return word;
        }
    }
}

#[test]
fn a_service_manager_hears_of_each_change_and_that_everything_moves() {
    let folder = Folder::with(JOB);
    let manager = UnixDatagram::bind(folder.path("notify")).expect("a socket");
    let long = Some(Duration::from_secs(60));
    manager.set_read_timeout(long).expect("a limit");
    let mut command = folder.unclocked(&["daemon"]);
    let command = command.env("NOTIFY_SOCKET", folder.path("notify"));
    let daemon = command.env("WATCHDOG_USEC", "400000").spawn();
    let daemon = daemon.expect("it starts");
    told(&manager, &["READY=1"]);
    told(&manager, &["WATCHDOG=1", "STATUS=1 jobs"]);
    told(&manager, &["WATCHDOG=1", ", the next start is "]);
    let process = Pid::from_child(&daemon);
    kill_process(process, Signal::HUP).expect("a signal");
    told(&manager, &["RELOADING=1\n", "MONOTONIC_USEC="]);
    told(&manager, &["READY=1"]);
    let status = folder.unclocked(&["status"]).spawn().expect("it starts");
    Outcome::of(&["status"], status).prints(&["daemon    up since ", "version ", "1 loaded"]);
    kill_process(process, Signal::TERM).expect("a signal");
    told(&manager, &["STOPPING=1\n", "EXTEND_TIMEOUT_USEC="]);
    assert_eq!(Outcome::of(&["daemon"], daemon).code, 0);
}
