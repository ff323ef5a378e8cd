//! The `log` step and its sibling `journal`: what is new in log files, grouped, since the last look.
//!
//! The way of a line: `find` names the files, `follow` says where each goes on, `scan` takes complete lines out
//! of the chunks of a file, `pattern` chooses among them, `mask` and `tree` group them, `memory` tells what is news.
//! Nothing is written: a [`Reading`] carries the changes that its run commits with its outcome.

mod chunk;
mod cursor;
mod find;
mod follow;
mod form;
mod hash;
mod journal;
mod kind;
mod look;
mod mask;
mod memory;
mod pattern;
mod reader;
mod reading;
mod scan;
mod stamp;
mod tally;
#[cfg(test)]
mod tests;
mod tree;
mod window;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

pub use cursor::FileCursor;
pub use find::LogGlob;
pub use kind::{
    Authored, AuthoredOnly, AuthoredSince, Log, Told as ToldLines, done, example, memory,
};

pub use journal::{Journal, JournalError, JournalLook, read_journal};
pub use look::{Choice, Look, Only, Since, Surroundings, read};
pub use memory::{Change, Memory, PatternMemory};
pub use pattern::LinePattern;
pub use reading::{Reading, Source, SourceState, Told};

/// Why a look ended without a result; what concerns one file is in the result instead.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It was told to end.
    #[error("reading the logs was cancelled")]
    Cancelled,
    /// A file failed while it was read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A flag that ends a look between two buffers or files.
#[derive(Debug, Clone, Copy)]
pub struct Cancel<'a>(pub &'a AtomicBool);

impl Cancel<'_> {
    fn check(self) -> Result<(), LogError> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(LogError::Cancelled),
            false => Ok(()),
        }
    }
}
