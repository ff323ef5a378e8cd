//! A language model as the configuration means it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::net::Secret;

/// Which protocol a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Ollama's own API, `/api/chat`.
    Ollama,
    /// `/v1/chat/completions` of OpenAI and those who copy it.
    OpenAi,
    /// `/v1/messages` of Anthropic.
    Anthropic,
}

impl Provider {
    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Provider::Ollama => "ollama",
            Provider::OpenAi => "openai",
            Provider::Anthropic => "anthropic",
        }
    }
}

/// One model endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name in the configuration.
    pub name: String,
    /// The protocol.
    pub provider: Provider,
    /// Where the server is, without the API's path: `http://127.0.0.1:11434`.
    pub url: String,
    /// The provider's own name of the model: `qwen2.5:1.5b`.
    pub model: String,
    /// Sent as a bearer token where there is one.
    pub api_key: Option<Secret>,
    /// The most tokens that prompt and answer may have together; `None` asks the server.
    pub context: Option<u32>,
    /// The most tokens of an answer.
    pub max_output: u32,
    /// How long each part of a call may take.
    pub timeouts: Timeouts,
    /// How many questions its server is asked at once.
    pub lane: u32,
    /// How long the server keeps the model loaded after a call; `None` is the server's default, and the
    /// longest duration means for ever.
    pub keep_alive: Option<Duration>,
    /// Whether text sent to it stays at home.
    pub local: bool,
    /// What it costs, where it costs.
    pub price: Option<Price>,
}

impl Model {
    /// The provider and its own name of the model, as `ollama/qwen2.5:1.5b`.
    pub fn backend(&self) -> String {
        format!("{}/{}", self.provider.word(), self.model)
    }

    /// How long its first token may take: a server at home may have to load it first.
    pub(super) fn first(&self) -> Duration {
        let load = if self.local {
            self.timeouts.load
        } else {
            Duration::ZERO
        };
        self.timeouts.first_token + load
    }

    /// Where its server is, as errors show it: scheme, host and port.
    pub(super) fn server(&self) -> String {
        let url = url::Url::parse(&self.url);
        url.map_or_else(
            |_| "its url".into(),
            |url| url.origin().ascii_serialization(),
        )
    }
}

/// How long each part of a call may take. All are above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the server has said anything at all.
    pub connect: Duration,
    /// Until the model is in memory. Minutes on a Pi with an SD card.
    pub load: Duration,
    /// From the prompt to the first token: the time to read the prompt.
    pub first_token: Duration,
    /// Between two tokens.
    pub stall: Duration,
    /// The whole call, loading included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            load: Duration::from_secs(5 * 60),
            first_token: Duration::from_secs(2 * 60),
            stall: Duration::from_secs(30),
            total: Duration::from_secs(10 * 60),
        }
    }
}

/// Money per million tokens, in the currency of the account.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of the prompt.
    pub input: f64,
    /// Of the prompt, where the server had it cached; as any other when left out.
    pub cached: Option<f64>,
    /// Of the answer.
    pub output: f64,
}
