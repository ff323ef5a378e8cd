//! This test binary again, as a process of its own that can be killed.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::*;

const ROLE: &str = "REVEILLE_STORE_TEST_ROLE";
const FOLDER: &str = "REVEILLE_STORE_TEST_FOLDER";

/// A process that does what `child_process` says for its role.
pub(super) struct Process {
    child: Child,
    /// Its end is what a child that holds something waits for.
    pub(super) stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(super) fn start(role: &str, folder: &Path) -> Self {
        let program = std::env::current_exe().unwrap();
        Process::spawn(Command::new(program), role, folder).unwrap()
    }

    /// The same under `strace`, which makes system calls fail; `None`, and said, where it may not.
    pub(super) fn start_failing(inject: &str, role: &str, folder: &Path) -> Option<Self> {
        let mut strace = Command::new("strace");
        let quiet = ["-f", "-qq", "-o", "/dev/null", "-e", inject];
        let permitted = strace.args(quiet).arg("true").output();
        if !permitted.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: this test needs `strace`, and the right to use it");
            return None;
        }
        let mut strace = Command::new("strace");
        strace.args(quiet).arg(std::env::current_exe().unwrap());
        Some(Process::spawn(strace, role, folder).unwrap())
    }

    fn spawn(mut command: Command, role: &str, folder: &Path) -> std::io::Result<Self> {
        let mut child = command
            .args([
                "--exact",
                "store::tests::child::child_process",
                "--nocapture",
            ])
            .envs([(ROLE, role.as_ref()), (FOLDER, folder.as_os_str())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Ok(Process {
            stdin: child.stdin.take(),
            child,
            lines,
        })
    }

    /// The next thing that it says, without what the test harness says; `None` at its end.
    pub(super) fn says(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some((_, said)) = line.split_once('@') {
                return Some(said.to_owned());
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL; everything that it said before is still to be heard.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(super) fn end(mut self) {
        drop(self.stdin.take());
        while self.says().is_some() {}
        assert!(self.child.wait().unwrap().success());
    }
}

/// Not a test when it runs among the others.
#[test]
fn child_process() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else {
        return;
    };
    let folder = Path::new(&folder);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match role.as_str() {
        "hold" => super::locks::hold(folder),
        "write" => runtime.block_on(super::crash::write(folder)),
        "insist" => runtime.block_on(super::disk::insist(folder)),
        "count" => runtime.block_on(super::crash::count(folder)),
        role => panic!("no role {role}"),
    }
}

pub(super) fn real_store(folder: &Path) -> Store {
    let clock = Arc::new(SystemClock::default());
    Store::open(folder, clock, Mode::Threaded).unwrap().store
}
