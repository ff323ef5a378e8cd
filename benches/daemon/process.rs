//! The program as a daemon, and what the system says of it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};

/// A user's folder, a state folder, and the program.
pub struct Place {
    binary: PathBuf,
    /// For whatever else is measured on the same disk.
    pub folder: PathBuf,
}

impl Place {
    pub fn new(binary: PathBuf, folder: PathBuf) -> Self {
        for name in ["config", "jobs"] {
            fs::create_dir(folder.join(name)).expect("a folder");
        }
        Place { binary, folder }
    }

    /// Writes a job file.
    pub fn job(&self, name: &str, text: &str) {
        let path = self.folder.join(format!("jobs/{name}.toml"));
        fs::write(path, text).expect("a job file");
    }

    /// Writes a prompt file.
    pub fn prompt(&self, name: &str, text: &str) {
        let path = self.folder.join(format!("prompts/{name}.md"));
        fs::create_dir_all(self.folder.join("prompts")).expect("a folder");
        fs::write(path, text).expect("a prompt file");
    }

    /// Writes the configuration; the zone is UTC.
    pub fn settings(&self, text: &str) {
        let text = format!("[defaults]\ntimezone = \"UTC\"\n{text}");
        fs::write(self.folder.join("config/reveille.toml"), text).expect("the configuration");
    }

    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The program with its folders.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        self.folders(&mut command, words);
        command
    }

    fn folders(&self, command: &mut Command, words: &[&str]) {
        command.arg("--dir").arg(&self.folder);
        command.arg("--state").arg(self.state()).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let authority = self.folder.join(super::tls::AUTHORITY);
        if authority.exists() {
            command.env("SSL_CERT_FILE", authority);
        }
    }

    /// Starts the daemon and waits until it is ready.
    pub fn daemon(&self) -> Daemon {
        Daemon::start(self.command(&["daemon"]), &self.folder)
    }

    /// The same, where each fsync takes two milliseconds longer.
    pub fn daemon_on_slow_disk(&self) -> Daemon {
        let mut command = self.command(&["daemon"]);
        command.env("LD_PRELOAD", slow_disk(&self.folder).expect("it was made"));
        Daemon::start(command, &self.folder)
    }

    /// The daemon's database, to look into.
    pub fn database(&self) -> Connection {
        let path = self.state().join(reveille::store::FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).expect("there is a database");
        let patience = connection.busy_timeout(Duration::from_secs(10));
        patience.expect("it can wait");
        connection
    }
}

/// What makes each sync of a program take two milliseconds longer, where it is loaded before the C library; `None` where there
/// is no C compiler. (strace can do the same, but stops all threads at all system calls for it.)
pub fn slow_disk(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("slow.c"), folder.join("slow.so"));
    fs::write(&source, include_str!("slow.c")).expect("written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library);
    let made = compiler.arg(&source).status();
    made.is_ok_and(|status| status.success()).then_some(library)
}

/// A daemon that is ready; dropped, it is told to end, and does.
pub struct Daemon {
    child: Child,
    /// From the program's start to its readiness.
    pub ready: Duration,
}

impl Daemon {
    fn start(mut command: Command, folder: &Path) -> Self {
        let path = folder.join("notify");
        let _ = fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let patience = Some(Duration::from_secs(120));
        socket.set_read_timeout(patience).expect("a time limit");
        let log = fs::File::create(folder.join("log")).expect("a log");
        command.env("NOTIFY_SOCKET", &path).stderr(log);
        let begun = Instant::now();
        let mut daemon = Daemon {
            child: command.spawn().expect("the program starts"),
            ready: Duration::ZERO,
        };
        let mut said = [0; 4096];
        loop {
            let bytes = socket.recv(&mut said).unwrap_or_else(|error| {
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                panic!("the daemon does not become ready: {error}\n{log}")
            });
            if String::from_utf8_lossy(&said[..bytes]).contains("READY=1") {
                daemon.ready = begun.elapsed();
                return daemon;
            }
        }
    }

    /// The memory that is its own, in bytes: shared pages count in part.
    pub fn pss(&self) -> u64 {
        self.kib("smaps_rollup", "Pss:") << 10
    }

    /// What of it is in memory, shared or not, in bytes; the most is counted anew from now on.
    pub fn rss(&self) -> u64 {
        // proc_pid_clear_refs(5).
        let cleared = fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
        cleared.expect("it is our child");
        self.kib("status", "VmRSS:") << 10
    }

    /// The most that was in memory since.
    pub fn most_rss(&self) -> u64 {
        self.kib("status", "VmHWM:") << 10
    }

    /// What of it is no file's, in bytes: pages of the program itself come and go with the system's cache.
    pub fn own(&self) -> u64 {
        self.kib("status", "RssAnon:") << 10
    }

    /// The most of that while `work` goes on, looked at each 20 ms.
    pub fn most_own(&self, work: impl FnOnce()) -> u64 {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let most = scope.spawn(|| {
                let mut most = 0;
                while !ended.load(Ordering::Relaxed) {
                    most = self.own().max(most);
                    std::thread::sleep(Duration::from_millis(20));
                }
                most
            });
            work();
            ended.store(true, Ordering::Relaxed);
            most.join().expect("it only looks")
        })
    }

    fn kib(&self, file: &str, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.child.id()));
        let text = text.expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("a number of KiB")
    }

    /// The processor time that it took so far, threads that ended included, to a hundredth of a second.
    pub fn cpu(&self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        // The name may hold anything; what follows it are numbers (proc_pid_stat(5)).
        let (_, numbers) = text.rsplit_once(')').expect("a name in brackets");
        let ticks = numbers.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A port that nobody has at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has an address").port()
}
