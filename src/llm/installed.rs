//! What a server could answer with, what it holds in memory, and how a model gets there: `GET /api/tags`, `GET /api/ps` and
//! `POST /api/pull` of Ollama (docs/api.md of ollama/ollama), `GET /models` of the others.

use serde::Deserialize;
use serde_json::json;

use super::wire::{Meaning, Piece, broken, follow, garbled, read, reported};
use super::{LlmError, Model, Provider, call::Exchange, ollama};
use crate::clock::{Clock, timeout};
use crate::net::{Client, HeaderValue, Response};

/// A model that a server has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installed {
    /// With its tag: `qwen2.5:1.5b`.
    #[serde(alias = "id")]
    pub name: String,
    /// Bytes of its files; loaded it takes a little more. 0 where the server does not say.
    #[serde(default)]
    pub size: u64,
    /// Bytes of it in the memory of a graphics processor, where it is loaded.
    #[serde(default)]
    pub size_vram: u64,
}

impl Installed {
    /// Whether the configuration means this one: a name without a tag is `latest`.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.name.strip_suffix(":latest") == Some(name)
    }
}

#[derive(Deserialize)]
struct Tags {
    #[serde(alias = "data")]
    models: Vec<Installed>,
}

/// What the server of `model` could answer with.
///
/// # Errors
/// It does not answer in the time that a connection may take, or with something else.
pub async fn installed(
    model: &Model,
    net: &Client,
    clock: &dyn Clock,
) -> Result<Vec<Installed>, LlmError> {
    let path = match model.provider {
        Provider::Ollama => "/api/tags",
        Provider::OpenAi => "/models",
        Provider::Anthropic => "/v1/models",
    };
    list(model, path, net, clock).await
}

/// What a server of Ollama has in memory.
///
/// # Errors
/// As [`installed`].
pub async fn loaded(
    model: &Model,
    net: &Client,
    clock: &dyn Clock,
) -> Result<Vec<Installed>, LlmError> {
    list(model, "/api/ps", net, clock).await
}

async fn list(
    model: &Model,
    path: &str,
    net: &Client,
    clock: &dyn Clock,
) -> Result<Vec<Installed>, LlmError> {
    let exchange = bare(model, net, clock);
    let mut headers = match model.provider {
        Provider::Anthropic => exchange.headers("x-api-key", "")?,
        _ => exchange.headers("authorization", "Bearer ")?,
    };
    if model.provider == Provider::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    let url = format!("{}{path}", model.url.trim_end_matches('/'));
    let limit = model.timeouts.connect;
    let asked = timeout(clock, limit, net.get(&url, headers)).await;
    let answer: Response = asked
        .map_err(|late| LlmError::Unreachable {
            url: model.server(),
            why: late.to_string(),
        })?
        .map_err(|error| broken(model, error))?;
    if !answer.status.is_success() {
        return Err(reported(model, &answer, clock.now()));
    }
    let tags: Tags =
        serde_json::from_slice(&answer.body).map_err(|error| garbled(model, &error.to_string()))?;
    Ok(tags.models)
}

/// How far a pull is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Pulled {
    /// What is done now.
    pub status: String,
    /// Bytes of the part that is fetched.
    pub total: u64,
    /// Of these, how many are here.
    pub completed: u64,
    error: Option<String>,
}

/// Has the server of Ollama at `model`'s address fetch the model `name`.
///
/// # Errors
/// It is not there, or cannot.
pub async fn pull(
    model: &Model,
    name: &str,
    net: &Client,
    clock: &dyn Clock,
    mut on_progress: impl FnMut(&Pulled),
) -> Result<(), LlmError> {
    let exchange = bare(model, net, clock);
    let url = format!("{}/api/pull", model.url.trim_end_matches('/'));
    let headers = exchange.headers("authorization", "Bearer ")?;
    let body = json!({ "model": name, "stream": true });
    let sent = clock.monotonic();
    let answer = net.post_json(&url, headers, &body).await;
    let answer = answer.map_err(|error| broken(model, error))?;
    if !answer.status.is_success() {
        return Err(exchange.refused(answer).await);
    }
    let (mut ignored, limit) = (std::time::Duration::ZERO, model.timeouts.load);
    let followed = follow(&exchange, answer, (sent, limit), &mut ignored, |piece| {
        if piece.bytes().is_empty() {
            return Ok(Meaning::Nothing);
        }
        let progress: Pulled = match piece {
            Piece::Line(line) => read(model, line, "a line of something else")?,
            Piece::Rest(rest) => read(model, rest, "half a line")?,
        };
        if let Some(error) = &progress.error {
            let message = error.chars().take(300).collect();
            return Err(LlmError::Server {
                status: 200,
                message,
            });
        }
        on_progress(&progress);
        Ok(match progress.status.as_str() {
            "success" => Meaning::End,
            _ => Meaning::Part,
        })
    });
    followed.await
}

/// Has the server load the model for a talk of so many tokens; nothing where it does that by itself.
///
/// # Errors
/// It is not there, or cannot.
pub async fn warm(
    model: &Model,
    tokens: u32,
    net: &Client,
    clock: &dyn Clock,
) -> Result<(), LlmError> {
    match model.provider {
        Provider::Ollama => ollama::warm(&bare(model, net, clock), tokens).await,
        Provider::OpenAi | Provider::Anthropic => Ok(()),
    }
}

/// What a call needs, without a question.
fn bare<'a>(model: &'a Model, net: &'a Client, clock: &'a dyn Clock) -> Exchange<'a> {
    Exchange {
        clock,
        net,
        model,
        request: &NOTHING,
        prompt: 0,
        output: 0,
    }
}

static NOTHING: super::Request = super::Request::NOTHING;
