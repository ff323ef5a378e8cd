//! The log of the service: what the program itself tells its owner. No job file names it.

use serde::{Deserialize, Serialize};

use super::{Said, Say, Sent};
use crate::journal::Level;

/// What sending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// How much it matters.
    pub level: Level,
}

impl Target {
    pub(super) fn send(&self, body: &str, say: &mut Say<'_>) -> Sent {
        say(Said::Journal {
            level: self.level,
            text: body,
        });
        Sent::Delivered(None)
    }
}
