//! A temporary folder with jobs, and the real binary run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The settings of folders that do not bring their own.
pub const SETTINGS: &str = r#"
[defaults]
timezone = "Europe/Madrid"
route    = "quick"

[calendars.home]
ics = "config/calendar.ics"

[models.small]
provider = "ollama"
url      = "http://127.0.0.1:9"
model    = "small"

[routes.quick]
models = ["small"]
"#;

/// When everything happens: Friday 20 November 2026, 06:59 in Madrid.
pub const NOW: &str = "2026-11-20T06:59:00+01:00";

/// A folder, gone with the value.
pub struct Folder {
    root: TempDir,
}

impl Folder {
    /// Nothing in it.
    pub fn empty() -> Self {
        let root = TempDir::new().expect("a temporary folder");
        Folder { root }
    }

    /// With [`SETTINGS`] and an empty `jobs/`.
    pub fn new() -> Self {
        Folder::empty()
            .file("config/reveille.toml", SETTINGS)
            .file("jobs/.keep", "")
    }

    /// With one job, `x`.
    pub fn with(job: &str) -> Self {
        Folder::new().job("x", job)
    }

    /// Adds a job.
    pub fn job(self, name: &str, text: &str) -> Self {
        self.file(&format!("jobs/{name}.toml"), text)
    }

    /// Adds a file.
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(path, bytes);
        self
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder is made");
        fs::write(path, bytes).expect("a file is written");
    }

    /// A file of the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs the binary with these words, nothing on its stdin.
    pub fn run<const N: usize>(&self, words: [&str; N]) -> Outcome {
        self.run_with(&words, "", &[])
    }

    /// Runs the binary with these words, this stdin and these environment variables.
    pub fn run_with(&self, words: &[&str], stdin: &str, env: &[(&str, &str)]) -> Outcome {
        let mut command = self.command(words);
        command.envs(env.iter().copied());
        let mut child = command.spawn().expect("the binary starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        // The program may end without reading it.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        Outcome::of(words, child)
    }

    /// The binary, with a clear environment and a fixed clock, its streams piped.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = bare(self.root.path());
        command.args(["--state", "state", "--now", NOW]).args(words);
        command
    }

    /// The binary with these words and this stdin: the state in `state`, the real clock.
    pub fn piped(&self, words: &[&str], stdin: &str) -> Outcome {
        let mut child = self.unclocked(words).spawn().expect("the binary starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        // The program may end without reading it.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        Outcome::of(words, child)
    }

    /// The binary, with a clear environment and the real clock, its streams piped.
    pub fn unclocked(&self, words: &[&str]) -> Command {
        let mut command = bare(self.root.path());
        command.args(["--state", "state"]).args(words);
        command
    }

    /// The binary with these words only: the default state, the real clock.
    pub fn run_bare(&self, words: &[&str], env: &[(&str, &str)]) -> Outcome {
        let mut command = bare(self.root.path());
        command.args(words).envs(env.iter().copied());
        Outcome::of(words, command.spawn().expect("the binary starts"))
    }
}

fn bare(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command
        .current_dir(root)
        .env_clear()
        .env("HOME", root.join("home"))
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What the program left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The words it was given, for messages.
    words: String,
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Waits for the end of a program.
    pub fn of(words: &[&str], child: Child) -> Self {
        let output = child.wait_with_output().expect("the binary ends");
        Outcome {
            words: words.join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// Asserts all of it.
    #[track_caller]
    pub fn is(&self, code: i32, stdout: &str, stderr: &str) -> &Self {
        let found = (self.code, self.stdout.as_str(), self.stderr.as_str());
        assert!(
            found == (code, stdout, stderr),
            "{}\nexit code {}, expected {code}\n{}{}",
            self.words,
            self.code,
            difference("stdout", &self.stdout, stdout),
            difference("stderr", &self.stderr, stderr),
        );
        self
    }

    /// Asserts the exit code, and that stderr holds these parts in this order.
    #[track_caller]
    pub fn says(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self}");
        holds(&self.stderr, parts);
        self
    }

    /// Asserts success, and that stdout holds these parts in this order.
    #[track_caller]
    pub fn prints(&self, parts: &[&str]) -> &Self {
        assert_eq!(self.code, 0, "{self}");
        holds(&self.stdout, parts);
        self
    }

    /// Stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome {
            words,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{words}\nexit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}"
        )
    }
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some(at) = rest.find(part) else {
            panic!("not found (in this order): {part:?}\nin:\n{text}");
        };
        rest = &rest[at + part.len()..];
    }
}

fn difference(name: &str, found: &str, expected: &str) -> String {
    if found == expected {
        return String::new();
    }
    format!("--- {name}\n{found}\n--- expected {name}\n{expected}\n")
}
