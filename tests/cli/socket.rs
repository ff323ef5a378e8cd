//! Verbs through the socket of a daemon: what they print, what they may, and what becomes of those who go away.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use reveille::cli::socket::{Lent, Place, answer, serve};
use reveille::clock::{Clock, SystemClock};
use reveille::config::Config;
use reveille::config::folder::Folder as Jobs;
use reveille::engine::{self, Engine, Loaded, Patience};
use reveille::job::{Outcome as End, RunState};
use reveille::store::lock::ProcessLock;
use reveille::store::{Filter, Mode, Store};
use reveille::zone::Tz;
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::crash::{under_way, waiting};
use crate::support::{Folder, NOW, Outcome, untimed};

/// What a daemon is for its clients, on `state` in a folder.
struct Daemon {
    runtime: Runtime,
    store: Store,
    shutdown: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    _daemon: engine::Daemon,
    _lock: ProcessLock,
}

impl Daemon {
    fn start(folder: &Folder) -> Self {
        Daemon::with(folder, None)
    }

    fn with(folder: &Folder, runtime_directory: Option<&Path>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let now = NOW.parse().expect("a time");
        let state = folder.path("state");
        let clock = Arc::new(SystemClock::fixed(now));
        let opened = Store::open(&state, clock.clone(), Mode::Threaded).expect("a store");
        let jobs = Jobs::Disk(folder.path(""));
        let config = Config::resolve(jobs.read().expect("a folder"), Tz::UTC);
        let lock = ProcessLock::acquire(&state, clock.id()).expect("a lock");
        let engine = Engine {
            clock: clock.clone(),
            loaded: Arc::new(Loaded::new(jobs, config).0),
            store: opened.store.clone(),
            state: state.clone(),
            lock: lock.name().to_owned(),
            alerts: None,
            servers: Arc::default(),
            commands: Arc::default(),
            patience: Patience::Endless,
        };
        let daemon = runtime.block_on(engine::Daemon::start(engine.clone()));
        let daemon = daemon.expect("it starts");
        let lent = Lent::new(&engine, daemon.intake.clone());
        let (shutdown, told) = oneshot::channel::<()>();
        let place = {
            let _inside = runtime.enter();
            Place::take(&state, runtime_directory).expect("a socket")
        };
        let verb = move |request, output| answer(&lent, request, &output);
        let serving = runtime.spawn(serve(place, clock, verb, async {
            let _ = told.await;
        }));
        Daemon {
            runtime,
            store: opened.store,
            shutdown: Some(shutdown),
            serving: Some(serving),
            _daemon: daemon,
            _lock: lock,
        }
    }

    fn stop(&mut self) {
        drop(self.shutdown.take());
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving).expect("it ends well");
        }
    }

    /// How the newest run ended.
    fn last(&self) -> Option<RunState> {
        let filter = Filter {
            job: None,
            limit: 1,
            before: None,
        };
        let rows = self.store.read_now(|reader| reader.history(&filter));
        rows.expect("readable").pop().map(|row| row.state)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

const JOB: &str = r#"description = "A job"

[[step]]
id    = "a"
set.a = "event.stdin"

[[deliver]]
console = true
text    = "{{ a.a }} {{ event.args.n }}"
"#;

fn folder() -> Folder {
    Folder::with(JOB)
        .job("broken", "[[trigger]]\ncorn = \"0 7 * * *\"\n")
        .job("fails", "[[step]]\nexec = [\"false\"]\n")
}

#[test]
fn every_verb_prints_the_same_through_the_socket() {
    let (here, there) = (folder(), folder());
    let _daemon = Daemon::start(&there);
    for (words, stdin) in [
        (&["run", "x", "--set", "n=1"][..], "from stdin"),
        (&["run", "x", "--set", "n"], ""),
        (&["run", "x", "--no-deliver", "--set", "n=3"], "a"),
        (&["run", "x"], ""),
        (&["run", "fails"], ""),
        (&["run", "broken"], ""),
        (&["run", "nobody"], ""),
        (&["plan", "x", "--set", "n=4"], "b"),
        (&["check"], ""),
        (&["check", "jobs/x.toml"], ""),
        (&["check", "jobs/nothing"], ""),
        (&["check", "--json"], ""),
        (&["jobs"], ""),
        (&["history"], ""),
        (&["history", "x", "-n", "1"], ""),
        (&["show", "#1"], ""),
        (&["show", "99"], ""),
        (&["run", "x", "--json", "--set", "n=2"], ""),
    ] {
        let root = |folder: &Folder| folder.path("").display().to_string();
        let dir = root(&here);
        let local = [&["--dir", &dir][..], words].concat();
        let local = here.run_with(&local, stdin, &[]);
        let through = there.piped(words, stdin);
        let told = |folder: &Folder, outcome: &Outcome| {
            let text = |text: &str| untimed(text).replace(&root(folder), "ROOT/");
            (outcome.code, text(&outcome.stdout), text(&outcome.stderr))
        };
        assert_eq!(told(&there, &through), told(&here, &local), "{words:?}");
    }
}

#[test]
fn a_daemon_that_has_gone_is_not_missed() {
    let folder = folder();
    let mut daemon = Daemon::start(&folder);
    folder.piped(&["history"], "").is(0, "", "no runs yet\n");
    daemon.stop();
    assert!(!folder.path("state/socket").exists());
    folder.piped(&["history"], "").is(0, "", "no runs yet\n");
}

#[test]
fn what_a_dead_daemon_left_is_replaced() {
    let folder = folder();
    std::fs::create_dir(folder.path("state")).expect("a folder");
    drop(UnixListener::bind(folder.path("state/socket")).expect("a socket"));
    folder.piped(&["history"], "").is(0, "", "no runs yet\n");
    let daemon = Daemon::start(&folder);
    folder
        .piped(&["run", "x", "--set", "n=1"], "a")
        .is(0, "a 1\n", "");
    assert!(matches!(daemon.last(), Some(RunState::Finished(End::Ok))));
}

#[test]
fn a_person_who_stops_waiting_cancels_the_run() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (folder, fifo) = waiting();
        let _daemon = Daemon::start(&folder);
        let child = folder.unclocked(&["run", "x"]).spawn().expect("it starts");
        let mut writer = under_way(&fifo);
        kill_process(Pid::from_child(&child), signal).expect("a signal");
        Outcome::of(&["run", "x"], child).says(1, &["run #1 was cancelled"]);
        let written = writer.write(b"nobody reads").map_err(|error| error.kind());
        assert_eq!(written, Err(ErrorKind::BrokenPipe), "the program lives on");
    }
}

#[test]
fn a_client_that_vanishes_takes_its_run_with_it_and_nothing_else() {
    let (folder, fifo) = waiting();
    let mut daemon = Daemon::start(&folder);
    let mut child = folder.unclocked(&["run", "x"]).spawn().expect("it starts");
    let _writer = under_way(&fifo);
    child.kill().expect("SIGKILL");
    child.wait().expect("it is dead");
    folder.piped(&["run", "y"], "").is(0, "y\n", "");
    daemon.stop();
    folder
        .piped(&["history", "x"], "")
        .prints(&["#1", "cancelled"]);
}

#[test]
fn a_message_that_the_clients_stdout_does_not_take_is_told() {
    let folder = folder();
    let _daemon = Daemon::start(&folder);
    let full = File::options().write(true).open("/dev/full");
    let mut command = folder.unclocked(&["run", "x", "--set", "n=1"]);
    command
        .stdout(full.expect("Linux has it"))
        .stdin(Stdio::null());
    let child = command.spawn().expect("it starts");
    let said = "error: not delivered: stdout: No space left on device";
    Outcome::of(&["run", "x"], child).says(1, &[said]);
}

#[test]
fn another_folder_or_another_time_is_not_the_daemons() {
    let folder = folder()
        .job("other/jobs/x", "")
        .file("other/jobs/o.toml", "[[step]]\nset.a = \"1\"\n");
    let daemon = Daemon::start(&folder);
    folder
        .piped(&["--dir", "other", "run", "o"], "")
        .is(0, "", "");
    folder
        .piped(&["run", "o"], "")
        .says(2, &["there is no job `o`"]);
    folder
        .piped(&["--dir", ".", "run", "o"], "")
        .says(2, &["there is no job `o`"]);
    assert!(
        matches!(daemon.last(), Some(RunState::Finished(End::Ok))),
        "one state"
    );
    // The clock of the daemon stands still at another minute.
    folder
        .piped(&["--now", "2020-01-01", "run", "x", "--set", "n=1"], "")
        .is(0, " 1\n", "");
    folder
        .piped(&["history", "-n", "1"], "")
        .prints(&["Wed 01 Jan 2020"]);
}

#[test]
fn a_socket_of_another_state_is_not_spoken_with() {
    let (folder, other) = (folder(), Folder::with(JOB));
    let daemon = Daemon::start(&folder);
    std::fs::create_dir(other.path("state")).expect("a folder");
    symlink(folder.path("state/socket"), other.path("state/socket")).expect("a link");
    other
        .piped(&["run", "x", "--set", "n=1"], "")
        .is(0, " 1\n", "");
    assert!(daemon.last().is_none());
}

#[test]
fn a_backup_is_the_clients_file_and_takes_the_place_of_none() {
    let folder = folder();
    let _daemon = Daemon::start(&folder);
    folder
        .piped(&["run", "x", "--set", "n=1"], "")
        .is(0, " 1\n", "");
    std::fs::create_dir(folder.path("mine")).expect("a folder");
    let backup = |file: &str| {
        let mut command = folder.unclocked(&["backup", file]);
        command
            .current_dir(folder.path("mine"))
            .args(["--state", "../state"]);
        Outcome::of(&["backup"], command.spawn().expect("it starts"))
    };
    backup("copy.db").is(0, "copy.db\n", "");
    let left = std::fs::read_dir(folder.path("state")).expect("the state");
    let left = left.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(!left.into_iter().any(|name| name.starts_with("backup")));
    std::fs::create_dir(folder.path("again")).expect("a folder");
    std::fs::copy(
        folder.path("mine/copy.db"),
        folder.path("again/reveille.db"),
    )
    .expect("copied");
    folder
        .run_bare(&["--state", "again", "history"], &[])
        .prints(&["#1", "ok"]);
    backup("copy.db").says(2, &["copy.db exists already"]);
    let files = std::fs::read_dir(folder.path("mine")).expect("a folder");
    assert_eq!(files.count(), 1, "nothing is left beside it");
}

#[test]
fn the_socket_is_for_the_group_and_says_so() {
    let folder = folder();
    let runtime = folder.path("runtime");
    std::fs::create_dir(&runtime).expect("a folder");
    let _daemon = Daemon::with(&folder, Some(&runtime));
    let socket = runtime.join("socket");
    let mode = std::fs::metadata(&socket)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    folder
        .piped(&["run", "x", "--set", "n=1"], "")
        .is(0, " 1\n", "");
    let denied = if rustix::process::geteuid().is_root() {
        // The temporary folder is its owner's alone.
        let mut command = folder.unclocked(&["history"]);
        command
            .uid(65_534)
            .current_dir("/")
            .args(["--state", &folder.path("state").display().to_string()]);
        Outcome::of(&["history"], command.spawn().expect("it starts"))
    } else {
        std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o000)).expect("changed");
        folder.piped(&["history"], "")
    };
    denied.says(
        2,
        &["you may not speak with it", "sudo adduser $USER reveille"],
    );
}

#[test]
fn a_folder_with_a_long_name_has_a_socket() {
    let folder = folder();
    let deep = format!("{}/state", "a-long-name/".repeat(12));
    std::fs::create_dir_all(folder.path(&deep)).expect("folders");
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let _place = Place::take(&folder.path(&deep), None).expect("a socket");
    assert!(UnixStream::connect(folder.path(&deep).join("socket")).is_err());
    let socket = File::open(folder.path(&deep)).expect("a folder");
    let short = format!("/proc/self/fd/{}/socket", socket.as_raw_fd());
    UnixStream::connect(short).expect("somebody listens");
}

/// The real daemon, once it has said that it is ready.
pub(super) fn ready(folder: &Folder) -> Child {
    let notify = UnixDatagram::bind(folder.path("notify")).expect("a socket");
    let mut command = folder.unclocked(&["daemon"]);
    let daemon = command.env("NOTIFY_SOCKET", folder.path("notify")).spawn();
    let daemon = daemon.expect("it starts");
    let mut said = [0; 64];
    let length = notify.recv(&mut said).expect("it says so");
    assert!(said[..length].starts_with(b"READY=1"));
    daemon
}

#[test]
fn a_daemon_that_ends_lets_go_of_those_who_wait() {
    let (folder, fifo) = waiting();
    let daemon = ready(&folder);
    folder.piped(&["run", "y"], "").is(0, "y\n", "");
    let child = folder.unclocked(&["run", "x"]).spawn().expect("it starts");
    let writer = under_way(&fifo);
    kill_process(Pid::from_child(&daemon), Signal::TERM).expect("a signal");
    drop(writer);
    Outcome::of(&["run", "x"], child).is(0, "x\n", "");
    assert_eq!(Outcome::of(&["daemon"], daemon).code, 0);
    assert!(!folder.path("state/socket").exists());
}

#[test]
fn a_daemon_that_is_killed_is_told_to_those_who_wait() {
    let (folder, fifo) = waiting();
    let mut daemon = ready(&folder);
    let child = folder.unclocked(&["run", "x"]).spawn().expect("it starts");
    let _writer = under_way(&fifo);
    daemon.kill().expect("SIGKILL");
    daemon.wait().expect("it is dead");
    Outcome::of(&["run", "x"], child).is(
        1,
        "",
        "error: the daemon ended before this command did\nhint: `reveille history` tells what became of a run\n",
    );
    folder
        .piped(&["run", "y"], "")
        .says(0, &["run #1 of `x` was interrupted"]);
}

/// Sends bytes, and gives what comes back until the daemon ends it.
fn raw(folder: &Folder, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(folder.path("state/socket")).expect("a daemon");
    stream.write_all(bytes).expect("it takes them");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn frame(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("small").to_be_bytes();
    [&[kind][..], &length, bytes].concat()
}

#[test]
fn two_versions_say_that_they_are_two() {
    let folder = folder();
    let _daemon = Daemon::start(&folder);
    let answer = raw(&folder, &frame(b'q', br#"{"version":"0.0.1","other":1}"#));
    let said = String::from_utf8_lossy(&answer[5..]);
    assert_eq!(answer[0], b'r');
    assert!(said.contains("this command is 0.0.1"), "{said}");
    assert!(said.contains("restart the daemon"), "{said}");
}

#[test]
fn what_no_client_sends_hurts_nobody() {
    let folder = folder();
    let _daemon = Daemon::start(&folder);
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        frame(b'q', b"not json"),
        frame(b'q', br#"{"version":"#),
        frame(b'i', b"stdin"),
        frame(b'q', &vec![b' '; 300 << 10]),
        b"q\xff\xff\xff\xff".to_vec(),
    ] {
        let answer = raw(&folder, &bytes);
        assert!(matches!(answer.first(), None | Some(b'r')), "{answer:?}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let unknown = format!("{{\"version\":\"{version}\"}}");
    assert_eq!(raw(&folder, &frame(b'q', unknown.as_bytes()))[0], b'r');
    folder.piped(&["history"], "").is(0, "", "no runs yet\n");
}

#[test]
fn one_client_too_many_is_told() {
    let folder = folder();
    let _daemon = Daemon::start(&folder);
    let connect = || UnixStream::connect(folder.path("state/socket")).expect("a daemon");
    let silent: Vec<UnixStream> = std::iter::repeat_with(connect).take(32).collect();
    folder
        .piped(&["history"], "")
        .says(2, &["32 others speak with the daemon", "try it again"]);
    drop(silent);
}
