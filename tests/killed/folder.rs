//! A folder whose daemon is killed again and again.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Stdio};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::Folder;

/// Twice a line of what ran, then what it leads to.
const WORK: &str = "[[step]]\nid = \"first\"\nexec = [\"sh\", \"-c\", \"echo $0 first >> ROOT/effects\", \"{{ run.id }}\"]\n\n[[step]]\nid = \"second\"\nexec = [\"sh\", \"-c\", \"echo $0 second >> ROOT/effects\", \"{{ run.id }}\"]\n\n[[deliver]]\nfile = \"ROOT/said\"\nappend = true\ntext = \"{{ run.id }}\"\n";

/// What is killed.
pub struct Victim {
    pub folder: Folder,
    /// Lines of the log.
    pub lines: u64,
    /// How runs ended.
    ends: BTreeMap<i64, String>,
}

impl Victim {
    pub fn new() -> Self {
        let folder = Folder::empty().file("config/reveille.toml", "[limits]\nruns = 3\n");
        let root = folder.path("").display().to_string();
        let root = root.trim_end_matches('/');
        let job = |triggers: &str| format!("{triggers}\n{}", WORK.replace("ROOT", root));
        let log = format!(
            "[[trigger]]\nstartup = true\n\n[[step]]\nid = \"log\"\nlog = \"{root}/app.log\"\n\n[[deliver]]\nfile = \"{root}/lines\"\nappend = true\ntext = \"{{{{ log.total }}}}\"\n"
        );
        let folder = folder
            .job(
                "tick",
                &job("[[trigger]]\ncron = \"* * * * * *\"\ntimezone = \"UTC\"\n"),
            )
            .job("start", &job("[[trigger]]\nstartup = true\n"))
            .job(
                "chain",
                &job("[[trigger]]\nafter = \"tick\"\non = \"any\"\n"),
            )
            .job("log", &log)
            .file("effects", "")
            .file("said", "")
            .file("app.log", "");
        Victim {
            folder,
            lines: 0,
            ends: BTreeMap::new(),
        }
    }

    /// One life, up to this commit.
    pub fn dies(&mut self, commit: u64, before: bool) {
        self.grow();
        let name = match before {
            true => "REVEILLE_DIE_BEFORE_COMMIT",
            false => "REVEILLE_DIE_AFTER_COMMIT",
        };
        let mut child = self.spawn(&[(name, &commit.to_string())]);
        let status = child.wait().expect("it ends");
        let said = self.folder.read("stderr");
        assert_eq!(status.code(), None, "it was killed: {said}");
    }

    /// The last lives: nothing new comes, and what is open comes to its end.
    pub fn ends(&mut self) {
        let tick = self.folder.read("jobs/tick.toml");
        self.folder.write(
            "jobs/tick.toml",
            tick.replace("cron =", "enabled = false\ncron ="),
        );
        let fifo = self.folder.path("end");
        let mode = rustix::fs::Mode::from(0o600);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).expect("a FIFO");
        self.folder
            .write("config/reveille.toml", "[limits]\nruns = 1\n");
        let end = format!(
            "priority = \"low\"\n[[trigger]]\nstartup = true\n\n[[step]]\nexec = [\"sh\", \"-c\", \"echo end > {}\"]\n",
            fifo.display()
        );
        self.folder.write("jobs/zz_end.toml", end);
        self.grow();
        for _ in 0..5 {
            let child = self.spawn(&[]);
            // With one place for all runs, it comes when the others have their ends.
            let mut said = String::new();
            let opened = fs::File::open(&fifo);
            opened
                .and_then(|mut fifo| fifo.read_to_string(&mut said))
                .expect("it is said");
            self.terminate(child);
            if self.open() == 0 {
                return;
            }
        }
        panic!("{} are still open", self.open());
    }

    fn terminate(&self, mut child: Child) {
        kill_process(Pid::from_child(&child), Signal::TERM).expect("it lives");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
    }

    fn spawn(&self, env: &[(&str, &str)]) -> Child {
        let mut command = self.folder.unclocked(&["daemon"]);
        command.envs(env.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.path("stderr")).expect("a file"));
        command.spawn().expect("it starts")
    }

    fn grow(&mut self) {
        let log = OpenOptions::new()
            .append(true)
            .open(self.folder.path("app.log"));
        log.and_then(|mut log| log.write_all(b"error: one\nerror: two\n"))
            .expect("it is written");
        self.lines += 2;
    }

    /// The database, looked at from outside.
    pub fn database(&self) -> Connection {
        Connection::open(self.folder.path("state/reveille.db")).expect("it opens")
    }

    /// Runs and messages without an end.
    fn open(&self) -> i64 {
        let sql = "SELECT (SELECT count(*) FROM runs WHERE state <> 'finished')
                        + (SELECT count(*) FROM deliveries WHERE state IN ('pending', 'sending'))";
        self.database()
            .query_row(sql, [], |row| row.get(0))
            .expect("a count")
    }

    /// What has an end keeps it.
    pub fn nothing_changed_that_had_an_end(&mut self) {
        if !self.folder.path("state/reveille.db").exists() {
            return;
        }
        let database = self.database();
        let sql = "SELECT id, outcome || coalesce(reason, '') FROM runs WHERE outcome IS NOT NULL";
        let mut rows = database.prepare(sql).expect("it is a database");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let now: BTreeMap<i64, String> =
            rows.expect("rows").map(|row| row.expect("a row")).collect();
        for (run, end) in &self.ends {
            assert_eq!(now.get(run), Some(end), "run {run} had an end");
        }
        self.ends = now;
    }
}
