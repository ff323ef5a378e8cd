//! What a program without a terminal says: lines on stderr, which the service manager keeps.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::{Deserialize, Serialize};

/// How much a line matters (syslog's numbers, RFC 5424, section 6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed.
    Error = 3,
    /// Something is not as it should be, and goes on.
    Warning = 4,
    /// Something that a reader of the log may look for.
    Info = 6,
}

/// Says one thing; where stderr is no terminal, each of its lines has its level in front, as sd-daemon(3) has it.
pub fn say(level: Level, text: impl Display) {
    let mut stderr = io::stderr().lock();
    let plain = stderr.is_terminal();
    for line in text.to_string().lines() {
        // A closed stderr is nobody's loss.
        let _ = match (plain, level) {
            (false, level) => writeln!(stderr, "<{}>{line}", level as u8),
            (true, Level::Error) => writeln!(stderr, "error: {line}"),
            (true, Level::Warning) => writeln!(stderr, "warning: {line}"),
            (true, Level::Info) => writeln!(stderr, "{line}"),
        };
    }
}
