//! What is asked of a model, and what it answers.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::job::Call;

/// One question. Put what is the same from day to day first: servers cache a prompt by its prefix.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// Who the model is and how it answers.
    pub system: Option<String>,
    /// The talk so far; the last one is the user's.
    pub messages: Vec<Message>,
    /// 0 is the least surprising; `None` is the model's default.
    pub temperature: Option<f32>,
    /// At most this many tokens of answer; the model's `max_output` is a ceiling to it.
    pub max_tokens: Option<u32>,
    /// `"json"` or a JSON Schema that the answer has to follow.
    pub format: Option<Value>,
    /// Tokens that the whole talk may come to, so that a second question does not change the context: a server loads
    /// its model anew for that. 0 when none will follow.
    pub talk: u32,
    /// The time for all models that are asked, one after another; `None` leaves each its own.
    pub within: Option<Duration>,
}

impl Request {
    /// A request of one user message.
    pub fn user(text: impl Into<String>) -> Self {
        Request {
            messages: vec![Message::user(text)],
            ..Request::default()
        }
    }

    /// Everything the model will read, for estimates and checks.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let messages = self.messages.iter().map(|message| &message.content[..]);
        self.system.as_deref().into_iter().chain(messages)
    }
}

/// One turn of a talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whose.
    pub role: Role,
    /// What was said.
    pub content: String,
}

impl Message {
    /// What we say.
    pub fn user(text: impl Into<String>) -> Self {
        Message {
            role: Role::User,
            content: text.into(),
        }
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Message {
            role: Role::Assistant,
            content: text.into(),
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Us.
    User,
    /// The model.
    Assistant,
}

/// A usable answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Trimmed, without thinking.
    pub text: String,
    /// What it took.
    pub usage: Call,
}
