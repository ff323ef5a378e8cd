//! What becomes of a real daemon in a bad place.

mod arrivals;
mod chats;
pub mod life;
mod sinks;

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

use crate::support::Folder;
use life::Life;

/// A FIFO of the folder.
fn fifo(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path(name);
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).expect("a FIFO");
    path
}

/// What somebody writes into it, as soon as somebody does.
fn heard(fifo: &Path) -> String {
    let mut text = String::new();
    let file = File::open(fifo).expect("it opens");
    { file }.read_to_string(&mut text).expect("it is text");
    text
}

/// A job that says each second, into a FIFO, that it runs.
fn ticking(folder: Folder) -> (Folder, PathBuf) {
    let path = fifo(&folder, "tick");
    let job = format!(
        "[[trigger]]\ncron = \"* * * * * *\"\n\n[[step]]\nexec = [\"sh\", \"-c\", \"echo ran > {}\"]\n",
        path.display()
    );
    (folder.job("tick", &job), path)
}

#[test]
fn a_second_daemon_is_refused() {
    let folder = Folder::new();
    let life = Life::start(&folder);
    let second = folder.unclocked(&["daemon"]).output().expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr);
    let refused = format!(
        "a daemon runs on this state already (process {})",
        life.pid()
    );
    assert!(said.contains(&refused), "{said}");
    life.end();
}

/// A process whose end can be waited for.
fn watched(pid: i32) -> OwnedFd {
    let pid = Pid::from_raw(pid).expect("a number");
    pidfd_open(pid, PidfdFlags::empty()).expect("it lives")
}

#[test]
fn it_ends_in_bounded_time_and_nothing_that_it_started_lives_on() {
    let folder = Folder::new();
    let path = fifo(&folder, "pids");
    let deaf = format!(
        "[[trigger]]\nstartup = true\n\n[[step]]\ntimeout = \"1h\"\nexec = [\"sh\", \"-c\", \"trap '' TERM; (trap '' TERM; sleep 1000) & echo $$ $! > {}; wait\"]\n",
        path.display()
    );
    let folder = folder.job("deaf", &deaf);
    let life = Life::start(&folder);
    let pids = heard(&path);
    let pids = pids
        .split_whitespace()
        .map(|pid| pid.parse().expect("a number"));
    let started: Vec<_> = pids.map(watched).collect();
    let began = Instant::now();
    life.end();
    assert!(
        began.elapsed() < Duration::from_secs(50),
        "{:?}",
        began.elapsed()
    );
    for process in &started {
        let mut ended = [PollFd::new(process, PollFlags::IN)];
        let limit = Timespec::try_from(Duration::from_secs(10)).expect("it is short");
        assert_eq!(poll(&mut ended, Some(&limit)), Ok(1), "it lives on");
    }
    let text = folder.read("jobs/deaf.toml");
    folder.write(
        "jobs/deaf.toml",
        text.replace("startup", "enabled = false\nstartup"),
    );
    Life::start(&folder).end();
    folder.run(["history", "deaf"]).prints(&["interrupted"]);
}

#[test]
fn a_job_that_is_cut_short_goes_on_as_it_was_and_is_told_once() {
    let (folder, tick) = ticking(Folder::new());
    let mut life = Life::start(&folder);
    assert_eq!(heard(&tick), "ran\n");
    let text = folder.read("jobs/tick.toml");
    folder.write("jobs/tick.toml", &text[..text.len() - 20]);
    for _ in 0..2 {
        life.signal(Signal::HUP);
        life.tells("READY=1");
    }
    assert_eq!(heard(&tick), "ran\n", "as it was");
    for command in [["next", "tick"], ["pause", "tick"], ["resume", "tick"]] {
        let asked = folder.unclocked(&command).output().expect("it runs");
        assert_eq!(asked.status.code(), Some(0), "{command:?}: {asked:?}");
    }
    folder.write("jobs/tick.toml", &text);
    life.signal(Signal::HUP);
    life.tells("READY=1");
    assert_eq!(heard(&tick), "ran\n");
    let said = life.end();
    for once in [
        "jobs/tick.toml does not load; it goes on as it was",
        "jobs/tick.toml loads again",
    ] {
        assert_eq!(said.matches(once).count(), 1, "{once}: {said}");
    }
}

#[test]
fn a_database_whose_bytes_were_flipped_is_set_aside_and_a_new_one_begun() {
    let (folder, tick) = ticking(Folder::new());
    let life = Life::start(&folder);
    assert_eq!(heard(&tick), "ran\n");
    life.end();
    let database = folder.path("state/reveille.db");
    for log in ["state/reveille.db-wal", "state/reveille.db-shm"] {
        let _ = fs::remove_file(folder.path(log));
    }
    let file = File::options()
        .write(true)
        .open(&database)
        .expect("it opens");
    file.write_all_at(&[0x5a; 4096], 0).expect("it is written");
    drop(file);
    let mut life = Life::start(&folder);
    life.says("was damaged");
    assert_eq!(heard(&tick), "ran\n");
    life.end();
    let kept = fs::read_dir(folder.path("state")).expect("a folder");
    let names = kept.map(|entry| entry.expect("an entry").file_name().into_string());
    let aside = names.filter(|name| name.as_ref().is_ok_and(|name| name.contains(".damaged-")));
    assert!(aside.count() >= 1);
}

/// A small file system at the state of a folder.
struct Mount<'a>(&'a Folder);

impl<'a> Mount<'a> {
    /// `None` where mounting is not permitted.
    fn new(folder: &'a Folder) -> Option<Self> {
        let state = folder.path("state");
        fs::create_dir_all(&state).expect("a folder");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(state);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Mount(folder))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let mut umount = Command::new("umount");
        let _ = umount.arg("-l").arg(self.0.path("state")).output();
    }
}

#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost() {
    let (folder, tick) = ticking(Folder::new());
    let Some(_mount) = Mount::new(&folder) else {
        eprintln!("SKIPPED: this test mounts a small tmpfs, and may not");
        return;
    };
    let mut life = Life::start(&folder);
    assert_eq!(heard(&tick), "ran\n");
    let mut room = 1 << 20;
    // As much as fits, in ever smaller pieces.
    for piece in 0.. {
        if room < 512 {
            break;
        }
        if fs::write(folder.path(&format!("state/filler{piece}")), vec![1; room]).is_err() {
            room /= 2;
        }
    }
    // What runs when it is full may still say so.
    let reader = std::thread::spawn({
        let tick = tick.clone();
        move || while heard(&tick) == "ran\n" {}
    });
    life.says("full");
    for piece in 0.. {
        if fs::remove_file(folder.path(&format!("state/filler{piece}"))).is_err() {
            break;
        }
    }
    life.says("again");
    life.end();
    fs::write(&tick, "end").expect("the reader hears it");
    reader.join().expect("it ends");
    let database = rusqlite::Connection::open(folder.path("state/reveille.db")).expect("it opens");
    let sql = "SELECT due_at, until FROM slots ORDER BY due_at";
    let mut slots = database.prepare(sql).expect("it is right");
    let slots = slots.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let slots: Vec<(i64, i64)> = slots
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    for pair in slots.windows(2) {
        assert_eq!(
            pair[1].0 - pair[0].1,
            1_000_000,
            "a moment is not accounted for"
        );
    }
}

#[test]
fn who_waits_for_a_run_that_did_not_begin_holds_no_end_up() {
    let folder = Folder::with("[[step]]\nexec = [\"sleep\", \"1\"]\n");
    let life = Life::start(&folder);
    let asks = || folder.unclocked(&["run", "x"]).spawn().expect("it starts");
    let both = [asks(), asks()];
    // One is under way, and the other waits for it.
    while folder
        .piped(&["history", "--json"], "")
        .json()
        .as_array()
        .map(Vec::len)
        != Some(2)
    {}
    let said = life.end();
    assert!(said.contains("the runs under way (1) have 20 s"), "{said}");
    let ended = both.map(|child| child.wait_with_output().expect("it ended"));
    let told = ended.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(
        told.iter().any(|told| told.contains("the daemon ends")),
        "{told:?}"
    );
}
