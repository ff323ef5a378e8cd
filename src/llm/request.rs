//! What is asked of a model, and what it answers.

use std::time::Duration;

use serde_json::Value;

use crate::job::Call;

/// One question. Put what is the same from day to day first: servers cache a prompt by its prefix.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// Who the model is and how it answers.
    pub system: Option<String>,
    /// The talk so far; the last one is the user's, or what a tool gave.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// It may not call them any more.
    pub closed: bool,
    /// 0 is the least surprising; `None` is the model's default.
    pub temperature: Option<f32>,
    /// At most this many tokens of answer; the model's `max_output` is a ceiling to it.
    pub max_tokens: Option<u32>,
    /// A JSON Schema that the answer has to follow.
    pub format: Option<Value>,
    /// Tokens that the whole talk may come to, so that a second question does not change the context: a server loads
    /// its model anew for that. 0 when none will follow.
    pub talk: u32,
    /// The time for all models that are asked, one after another; `None` leaves each its own.
    pub within: Option<Duration>,
}

impl Request {
    /// Nothing is asked.
    pub(super) const NOTHING: Request = Request {
        system: None,
        messages: Vec::new(),
        tools: Vec::new(),
        closed: false,
        temperature: None,
        max_tokens: None,
        format: None,
        talk: 0,
        within: None,
    };

    /// A request of one user message.
    pub fn user(text: impl Into<String>) -> Self {
        Request {
            messages: vec![Message::user(text)],
            ..Request::default()
        }
    }

    /// Everything that the model will read, for estimates and checks.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let messages = self.messages.iter().map(Message::text);
        self.system.as_deref().into_iter().chain(messages)
    }

    /// More tokens than any vocabulary makes of it: one for each byte, and what a chat template adds to each message.
    pub(super) fn most_tokens(&self) -> u64 {
        const MESSAGE: usize = 32;
        // Providers count a picture by its size: none of those that may be sent is more.
        const PICTURE: usize = 8192;
        let texts = self.texts().map(|text| text.len() + MESSAGE);
        let tools = self.told().map(|tool| tool.len() + MESSAGE);
        let pictures = self.messages.iter().map(|message| match message {
            Message::User(_, pictures) => pictures.len() * PICTURE,
            _ => 0,
        });
        texts.chain(tools).chain(pictures).sum::<usize>() as u64
    }

    /// The tools as they are told, for estimates.
    pub(super) fn told(&self) -> impl Iterator<Item = String> {
        let tools = self.tools.iter();
        tools.map(|tool| format!("{} {} {}", tool.name, tool.description, tool.parameters))
    }
}

/// One turn of a talk.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// What we say, with pictures.
    User(String, Vec<Picture>),
    /// What the model said, and the tools that it called.
    Assistant(String, Vec<ToolCall>),
    /// What a tool gave.
    Tool {
        /// The call.
        call: ToolCall,
        /// Its result.
        text: String,
    },
}

impl Message {
    /// What we say.
    pub fn user(text: impl Into<String>) -> Self {
        Message::User(text.into(), Vec::new())
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Message::Assistant(text.into(), Vec::new())
    }

    /// Its words.
    pub fn text(&self) -> &str {
        match self {
            Message::User(text, _) | Message::Assistant(text, _) | Message::Tool { text, .. } => {
                text
            }
        }
    }
}

/// A picture for models that see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `image/jpeg`.
    pub media_type: String,
    /// Its bytes in base64.
    pub base64: String,
}

/// What a model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Letters, digits, `_` and `-`, 64 at most: what all providers take.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub parameters: Value,
}

/// A call of a tool, as the model wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The provider's name of the call; empty where it gives none.
    pub id: String,
    /// The tool, which may be none that there is.
    pub name: String,
    /// Its arguments; a text where they are no JSON.
    pub arguments: Value,
}

impl ToolCall {
    /// Its arguments as the object that they have to be; empty where the model wrote something else.
    pub(super) fn object(&self) -> Value {
        match &self.arguments {
            Value::Object(arguments) => Value::Object(arguments.clone()),
            _ => Value::Object(serde_json::Map::new()),
        }
    }
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Trimmed, without thinking; may be empty beside calls.
    pub text: String,
    /// The tools that it calls.
    pub calls: Vec<ToolCall>,
}

/// A usable answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What it says.
    pub said: Said,
    /// What it took.
    pub usage: Call,
}
