//! How a call to a model fails, in words that help.

use std::time::Duration;

use super::{Model, Provider};
use crate::net::NetError;

/// Why a model gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// Other questions kept the lane to its server busy for all the time there was.
    #[error("other questions kept its server busy for {0:?}")]
    Lane(Duration),
    /// It failed lately.
    #[error("it rests for {} s more after a failure: {why}", left.as_secs() + 1)]
    Rests {
        /// For how long.
        left: Duration,
        /// The failure.
        why: String,
    },
    /// Nobody is asked, and nothing more was said.
    #[error("the recording has no more answers of models")]
    NotRecorded,
    /// A cap would be passed.
    #[error("{name} is used up: {why}")]
    Budget {
        /// Whose it is.
        name: String,
        /// What the call may take, and what is left.
        why: String,
    },
    /// What is not written down is not called.
    #[error("the call could not be written down: {0}")]
    Ledger(String),
    /// No server.
    #[error("no server answers at {url}: {why}")]
    Unreachable {
        /// Scheme, host and port of the model's `url`.
        url: String,
        /// What the connection said.
        why: String,
    },
    /// A part of the call took longer than its limit.
    #[error("{phase} took longer than {limit:?}")]
    Timeout {
        /// Which part.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// The prompt does not fit and is never cut.
    #[error(
        "the prompt has about {prompt} tokens and the answer may have {output}, more than the {context} of the model"
    )]
    TooLong {
        /// Estimated tokens of the prompt.
        prompt: u32,
        /// Tokens kept free for the answer.
        output: u32,
        /// The model's context.
        context: u32,
    },
    /// The server says that the prompt does not fit.
    #[error("the prompt does not fit: {0}")]
    Overflow(String),
    /// The server does not have the model.
    #[error("the server has no model `{0}`")]
    NoModel(String),
    /// The model does not fit into memory.
    #[error("the model does not fit into memory: {0}")]
    Memory(String),
    /// 401 or 403.
    #[error("the server refuses the key (status {0})")]
    Denied(u16),
    /// 429, 503 or 529.
    #[error("the server is busy (status {status})")]
    Busy {
        /// The HTTP status code.
        status: u16,
        /// What the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// Another error that the server reported.
    #[error("the server failed (status {status}): {message}")]
    Server {
        /// The HTTP status code; 200 when the error came inside the stream.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// Something else than the protocol came: a web page, a proxy's error.
    #[error("what answers at {url} does not speak the protocol: {why}")]
    Garbled {
        /// Scheme, host and port of the model's `url`.
        url: String,
        /// What came.
        why: String,
    },
    /// The connection ended before the answer did.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    /// Nothing but white space or thinking.
    #[error("the answer is empty")]
    Empty,
    /// Broken UTF-8 or control characters.
    #[error("the answer is not readable text")]
    Unreadable,
    /// The answer did not end within its tokens.
    #[error("the answer did not end within {0} tokens")]
    Endless(u32),
    /// The model says the same again and again.
    #[error("the answer repeats itself")]
    Repeating,
    /// The request could not be made: a wrong URL, a refused address.
    #[error(transparent)]
    Net(NetError),
}

/// The parts of a call, each with its own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the prompt.
    FirstToken,
    /// Loading the model.
    Load,
    /// A pause between two tokens.
    Stall,
    /// The whole call.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::FirstToken => "the first token",
            Phase::Load => "loading the model",
            Phase::Stall => "a pause in the answer",
            Phase::Total => "the whole call",
        })
    }
}

/// What is worth trying after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// The model works: another question may have an answer.
    AnotherAnswer,
    /// Any other model: this one does not work.
    AnotherModel,
    /// Only a model at another server: this one is down or refuses us.
    AnotherServer,
}

impl LlmError {
    /// What is worth trying next.
    pub fn worth(&self) -> Worth {
        match self {
            LlmError::Unreachable { .. } => Worth::AnotherServer,
            // Another model there may have another key.
            LlmError::Denied(_)
            | LlmError::Net(_)
            | LlmError::Timeout { .. }
            | LlmError::NoModel(_)
            | LlmError::Memory(_)
            | LlmError::Busy { .. }
            | LlmError::Server { .. }
            | LlmError::Garbled { .. }
            | LlmError::BrokenOff(_) => Worth::AnotherModel,
            LlmError::Lane(_)
            | LlmError::Rests { .. }
            | LlmError::NotRecorded
            | LlmError::Budget { .. }
            | LlmError::Ledger(_)
            | LlmError::TooLong { .. }
            | LlmError::Overflow(_)
            | LlmError::Empty
            | LlmError::Unreadable
            | LlmError::Endless(_)
            | LlmError::Repeating => Worth::AnotherAnswer,
        }
    }

    /// How long the server wants to be left alone; zero where it does not say.
    pub fn retry_after(&self) -> Duration {
        match self {
            LlmError::Busy { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }

    /// What the owner can do about it.
    pub fn hint(&self, model: &Model) -> Option<String> {
        let ollama = model.provider == Provider::Ollama;
        Some(match self {
            LlmError::Unreachable { .. } if ollama => "start it with `ollama serve`".into(),
            LlmError::Unreachable { .. } if model.local => "start its server".into(),
            LlmError::Unreachable { .. } => "look at the network, and at `url`".into(),
            LlmError::NoModel(name) if ollama => format!("pull it: `ollama pull {name}`"),
            LlmError::NoModel(_) => "look at `model`, and at `url`".into(),
            LlmError::Memory(_) => "use a smaller model, or a smaller `context`".into(),
            LlmError::TooLong { .. } | LlmError::Overflow(_) => {
                "shorten what the prompt holds, or raise `context`".into()
            }
            LlmError::Timeout { phase, .. } => match phase {
                Phase::Load => {
                    "raise `timeout.load`, or keep the model loaded with `keep_alive`".into()
                }
                Phase::FirstToken => "raise `timeout.first_token`, or shorten the prompt".into(),
                Phase::Stall => "raise `timeout.stall`, or use a smaller model".into(),
                Phase::Total => "raise `timeout.total`, or lower `max_tokens`".into(),
            },
            LlmError::Denied(_) => "check `api_key`".into(),
            LlmError::Garbled { .. } => "check `url` and `provider`".into(),
            LlmError::Endless(most) if *most >= model.max_output => {
                "raise `max_output` of the model, or ask for a shorter answer".into()
            }
            LlmError::Endless(_) => "raise `max_tokens`, or ask for a shorter answer".into(),
            LlmError::Budget { .. } => {
                "`reveille cost` shows it; raise the cap, or lower `max_tokens`".into()
            }
            _ => return None,
        })
    }
}
