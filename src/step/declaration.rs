//! What a kind of step says of itself; recovery, tools, the taint check and the template check rely on it.

use std::time::Duration;

use serde_json::Value;

/// What a step does, besides giving a result.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// It changes something outside the program: it is not silently run again.
    pub effects: bool,
    /// Its result may hold text that somebody else wrote.
    pub outside_text: bool,
    /// Its result may hold what the owner would not tell a stranger.
    pub private: bool,
    /// The time it gets when the file does not say.
    pub timeout: Duration,
    /// A result as it could be, with every field.
    pub example: Value,
}
