//! Where a verb's words go: to this process's own streams, or through the socket to those of somebody else.
//!
//! A verb has its thread. In the daemon that thread carries the [`Output`] of the client for which the verb runs, so that a verb
//! is written once and prints the same on both ways. What runs on other threads prints nothing.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::socket::Output;

thread_local! {
    static CLIENT: RefCell<Option<Output>> = const { RefCell::new(None) };
}

/// What a person's streams are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Stdin is one: nothing is read from it.
    pub stdin: bool,
    /// Stdout is one.
    pub stdout: bool,
    /// Stderr is one.
    pub stderr: bool,
    /// No `NO_COLOR` (<https://no-color.org>).
    pub colours: bool,
}

impl Terminal {
    /// This process's own.
    pub fn detect() -> Self {
        Terminal {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// The streams that a verb's words may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What was asked for.
    Out,
    /// What else there is to say.
    Err,
}

/// `println!`, without its panic when nobody reads any more.
macro_rules! outln {
    () => {
        $crate::cli::out::outln!("")
    };
    ($($text:tt)*) => {
        $crate::cli::out::line($crate::cli::out::Stream::Out, format_args!($($text)*))
    };
}

/// `eprintln!`, likewise.
macro_rules! errln {
    ($($text:tt)*) => {
        $crate::cli::out::line($crate::cli::out::Stream::Err, format_args!($($text)*))
    };
}

pub(super) use {errln, outln};

/// The client for which this thread's verb runs; `None`: the verb runs by itself.
pub fn client() -> Option<Output> {
    CLIENT.with_borrow(Clone::clone)
}

/// Runs a verb whose words go to `output`.
pub fn with<T>(output: Output, verb: impl FnOnce() -> T) -> T {
    /// A panic takes the client off the thread too.
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            CLIENT.set(None);
        }
    }
    CLIENT.set(Some(output));
    let _off = Off;
    verb()
}

/// What the person's streams are.
pub fn terminal() -> Terminal {
    client().map_or_else(Terminal::detect, |client| client.terminal())
}

/// Writes a line. A closed pipe is the reader's word that it has enough.
pub fn line(stream: Stream, text: fmt::Arguments<'_>) {
    let _ = match (client(), stream) {
        (Some(client), stream) => {
            client.say(stream, format!("{text}\n").as_bytes());
            Ok(())
        }
        (None, Stream::Out) => writeln!(io::stdout(), "{text}"),
        (None, Stream::Err) => writeln!(io::stderr(), "{text}"),
    };
}

/// Prints a message of a run, which was not delivered if it cannot be written.
///
/// # Errors
/// Stdout cannot be written; where it is a client's, the client says so.
pub fn message(text: &str) -> io::Result<()> {
    if let Some(client) = client() {
        client.message(format!("{text}\n").as_bytes());
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// What is piped into the program, `most` bytes of it; nothing from a terminal.
///
/// # Errors
/// It cannot be read.
pub fn read_stdin(most: u64) -> io::Result<Vec<u8>> {
    if terminal().stdin {
        return Ok(Vec::new());
    }
    if let Some(client) = client() {
        return client.stdin(most);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file that the person named, `most` bytes of it; a client reads it itself, with its own rights.
///
/// # Errors
/// It cannot be read.
pub fn read_file(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    if let Some(client) = client() {
        return client.stdin(most);
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A text that somebody else may have written, without what would command a terminal; in a pipe as it is.
pub(super) fn calm(text: &str) -> Cow<'_, str> {
    let commands = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(commands) && terminal().stdout {
        return Cow::Owned(text.replace(commands, "\u{fffd}"));
    }
    Cow::Borrowed(text)
}
