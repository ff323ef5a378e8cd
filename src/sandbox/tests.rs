use std::fs;
use std::os::unix::fs::PermissionsExt;

use chrono::DateTime;
use tempfile::TempDir;

use super::*;
use crate::clock::{SystemClock, TestClock};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn shell(script: &str, folder: &TempDir) -> Program {
    let argv = ["sh", "-c", script].map(str::to_owned);
    Program::new(argv.to_vec(), folder.path())
}

async fn run(program: Program) -> Finished {
    program
        .run(&SystemClock::default())
        .await
        .expect("it starts")
}

async fn outcome(script: &str) -> (Ended, String, String) {
    let folder = folder();
    let finished = run(shell(script, &folder)).await;
    (
        finished.ended,
        finished.stdout.text(),
        finished.stderr.text(),
    )
}

fn test_clock() -> TestClock {
    TestClock::at(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"))
}

/// Makes a pipe that a script can tell us something through.
fn pipe(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("told");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).expect("a pipe");
    path
}

/// Waits for a process to be gone: its pidfd becomes readable when it ends (pidfd_open(2)).
async fn gone(pid: Pid) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{PidfdFlags, pidfd_open};
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return;
    };
    let ended = tokio::task::spawn_blocking(move || {
        let limit = Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)).expect("a poll")
    });
    assert_eq!(
        ended.await.expect("no panic"),
        1,
        "process {pid:?} lives on"
    );
}

/// The processes that a script told us of, by their ids in one line.
async fn told(pipe: &Path) -> Vec<Pid> {
    let text = tokio::fs::read_to_string(pipe).await.expect("a line");
    text.split_whitespace()
        .map(|pid| Pid::from_raw(pid.parse().expect("a number")).expect("not zero"))
        .collect()
}

#[tokio::test]
async fn programs_end_in_their_own_ways() {
    let check = async |script: &str, ended: Ended, out: &str, err: &str| {
        assert_eq!(
            outcome(script).await,
            (ended, out.into(), err.into()),
            "{script}"
        );
    };
    check("true", Ended::Code(0), "", "").await;
    check("exit 7", Ended::Code(7), "", "").await;
    check("echo a; echo b >&2", Ended::Code(0), "a\n", "b\n").await;
    check("kill -9 $$", Ended::Signal(9), "", "").await;
    check("kill -15 $$", Ended::Signal(15), "", "").await;
    check("printf '\\377'", Ended::Code(0), "\u{FFFD}", "").await;
    // Rust programs ignore SIGPIPE; what they start must not.
    check("yes | head -n 1", Ended::Code(0), "y\n", "").await;
    check("pwd -P | grep -c /", Ended::Code(0), "1\n", "").await;
}

#[tokio::test]
async fn the_environment_holds_only_what_is_listed() {
    let folder = folder();
    let mut program = shell("env", &folder);
    program.zone = Some("Europe/Madrid".into());
    let text = run(program).await.stdout.text();
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    names.sort_unstable();
    // The shell itself sets PWD (and _, OLDPWD, SHLVL in some).
    names.retain(|name| !matches!(*name, "PWD" | "_" | "OLDPWD" | "SHLVL"));
    assert_eq!(names, ["HOME", "LANG", "PATH", "REVEILLE_EXEC", "TZ"]);
    assert!(text.contains(&format!("HOME={}\n", folder.path().display())));
}

#[tokio::test]
async fn input_reaches_the_program_and_need_not_be_read() {
    let folder = folder();
    let mut program = shell("wc -c", &folder);
    program.stdin = Some(vec![b'x'; 1 << 20]);
    assert_eq!(run(program).await.stdout.text().trim(), "1048576");
    let mut program = shell("echo done", &folder);
    program.stdin = Some(vec![b'x'; 1 << 20]);
    let finished = run(program).await;
    assert_eq!(
        (finished.ended, finished.stdout.text()),
        (Ended::Code(0), "done\n".into())
    );
    assert_eq!(run(shell("cat", &folder)).await.stdout.bytes, b"");
}

#[tokio::test]
async fn a_flood_is_counted_and_not_kept() {
    let folder = folder();
    let finished = run(shell("yes | head -c 1073741824; echo bad >&2", &folder)).await;
    assert_eq!(finished.stdout.bytes.len(), 64 * 1024);
    assert_eq!(finished.stdout.omitted, (1 << 30) - 64 * 1024);
    assert_eq!(finished.stderr.text(), "bad\n");
    assert!(finished.stdout.bytes.capacity() <= 256 * 1024);
}

#[tokio::test]
async fn limits_are_in_force() {
    let folder = folder();
    let mut program = shell("read go; ulimit -c; ulimit -n; ulimit -t", &folder);
    program.stdin = Some(b"go\n".to_vec());
    program.limits.open_files = 64;
    program.limits.cpu = Some(Duration::from_secs(7));
    assert_eq!(run(program).await.stdout.text(), "0\n64\n7\n");
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let folder = folder();
    fs::write(folder.path().join("notes.txt"), "no program").expect("written");
    fs::write(folder.path().join("junk"), "\u{0}junk").expect("written");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path().join("junk"), mode).expect("set");
    let check = async |argv: &[&str], expected: &str| {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        let program = Program::new(argv, folder.path());
        let error = program
            .run(&SystemClock::default())
            .await
            .expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&[], "the list is empty").await;
    check(&[""], "the list is empty").await;
    check(
        &["slep"],
        "program `slep` is not found, did you mean `sleep`?",
    )
    .await;
    check(&["./none"], "program `./none` is not found").await;
    check(&["./notes.txt"], "is not executable").await;
    check(&["./junk"], "cannot run `./junk`").await;
    let nowhere = Program::new(vec!["true".into()], Path::new("/nowhere"));
    let error = nowhere
        .run(&SystemClock::default())
        .await
        .expect_err("no folder");
    assert!(error.to_string().contains("in /nowhere"), "{error}");
}

/// Runs `script` past its timeout and its grace; it first tells processes through `told`.
async fn time_out(script: &str) -> (Finished, Vec<Pid>) {
    let folder = folder();
    let pipe = pipe(&folder);
    let clock = test_clock();
    let running = shell(script, &folder).run(&clock);
    let (finished, pids) = tokio::join!(running, async {
        let pids = told(&pipe).await;
        clock.sleeping(1).await;
        clock.advance(Duration::from_secs(60)); // the timeout
        clock.sleeping(1).await;
        clock.advance(Duration::from_secs(2)); // the grace
        pids
    });
    (finished.expect("it starts"), pids)
}

#[tokio::test]
async fn a_timeout_ends_every_process_that_came_of_the_program() {
    for script in [
        // It ignores the request to end, and so does its child, which holds the output open.
        "trap '' TERM; echo begun; sleep 1000 & echo $$ $! >told; wait; sleep 1000",
        // A group of its own, away from the parent.
        "echo begun; setsid sh -c 'trap \"\" TERM; echo $$ >told; sleep 1000; sleep 1000' & wait",
        // A double fork: its parent is init, its session its own.
        "trap '' TERM; echo begun; (setsid sh -c 'echo $$ >told; sleep 1000' &) ; sleep 1000",
    ] {
        let (finished, pids) = time_out(script).await;
        assert_eq!(finished.ended, Ended::TimedOut, "{script}");
        assert_eq!(finished.stdout.text(), "begun\n", "{script}");
        for pid in pids {
            gone(pid).await;
        }
    }
}

#[tokio::test]
async fn a_program_may_clean_up_when_its_time_is_over() {
    let folder = folder();
    let pipe = pipe(&folder);
    let clock = test_clock();
    let script = "trap 'echo cleaned; exit 3' TERM; sleep 1000 & echo $$ >told; wait";
    let running = shell(script, &folder).run(&clock);
    let (finished, _) = tokio::join!(running, async {
        told(&pipe).await;
        clock.sleeping(1).await;
        clock.advance(Duration::from_secs(60));
    });
    let finished = finished.expect("it starts");
    assert_eq!(
        (finished.ended, finished.stdout.text()),
        (Ended::TimedOut, "cleaned\n".into())
    );
    assert_eq!(finished.took, Duration::from_secs(60));
}

#[tokio::test]
async fn what_a_program_leaves_behind_does_not_hold_us() {
    let folder = folder();
    for script in ["sleep 1000 & echo $!", "sleep 1000 >&- 2>&- & echo $!"] {
        let finished = run(shell(script, &folder)).await;
        assert_eq!(finished.ended, Ended::Code(0));
        let pid = finished.stdout.text().trim().parse().expect("a number");
        gone(Pid::from_raw(pid).expect("not zero")).await;
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_ends_its_processes() {
    let folder = folder();
    let pipe = pipe(&folder);
    let script = "trap '' TERM; setsid sleep 1000 & echo $$ $! >told; while :; do wait; done";
    let clock = SystemClock::default();
    let pids = tokio::select! {
        _ = shell(script, &folder).run(&clock) => panic!("it does not end"),
        pids = told(&pipe) => pids,
    };
    for pid in pids {
        gone(pid).await;
    }
}
