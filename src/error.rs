//! What can go wrong, as a person sees it: one sentence, a hint, and the exit code it means.

use std::fmt;

/// Which exit code an error ends the program with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A job ran and failed: exit code 1.
    Job,
    /// The command line or the configuration is wrong: exit code 2.
    Usage,
    /// An invariant of the program was broken: exit code 255.
    Bug,
}

impl ErrorKind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Job => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Bug => 255,
        }
    }
}

/// An error on its way to a person.
#[derive(Debug)]
pub struct Error {
    /// What it means for the exit code.
    pub kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// The command line, the configuration or the surroundings are wrong.
    pub fn usage(message: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Usage, message)
    }

    /// A job failed.
    pub fn job(message: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Job, message)
    }

    /// The program broke its own rules.
    pub fn bug(message: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Bug, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Error {
            kind,
            message: message.to_string(),
            hint: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
