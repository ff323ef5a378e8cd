//! A real daemon, watched by its words and by what it tells its service manager.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Folder;

/// A daemon on the state of a folder.
pub struct Life {
    child: Child,
    words: BufReader<ChildStderr>,
    manager: UnixDatagram,
    /// Everything that it said so far.
    pub said: String,
}

impl Life {
    /// Starts it, and waits until it is ready.
    pub fn start(folder: &Folder) -> Self {
        let socket = folder.path("notify");
        let _ = std::fs::remove_file(&socket);
        let manager = UnixDatagram::bind(&socket).expect("a socket");
        let mut command = folder.unclocked(&["daemon"]);
        command.env("NOTIFY_SOCKET", &socket);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let words = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut life = Life {
            child,
            words,
            manager,
            said: String::new(),
        };
        life.tells("READY=1");
        life
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it tells this to its manager.
    pub fn tells(&mut self, what: &str) {
        let mut bytes = [0; 4096];
        loop {
            let length = self.manager.recv(&mut bytes).expect("it tells something");
            let told = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if told.lines().any(|line| line == what) {
                return;
            }
        }
    }

    /// Waits until it says this.
    pub fn says(&mut self, what: &str) {
        let before = self.said.len();
        loop {
            let read = self.words.read_line(&mut self.said).expect("it is text");
            assert!(read > 0, "it ended without {what:?}: {}", self.said);
            if self.said[before..].contains(what) {
                return;
            }
        }
    }

    /// Waits until it has said this, by now or later.
    pub fn says_of(&mut self, what: &str) {
        if !self.said.contains(what) {
            self.says(what);
        }
    }

    /// Dies at once.
    pub fn killed(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("it ends");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it lives");
    }

    /// Tells it to end, and gives all that it said.
    pub fn end(mut self) -> String {
        self.signal(Signal::TERM);
        while self.words.read_line(&mut self.said).expect("it is text") > 0 {}
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{}", self.said);
        self.said
    }
}
