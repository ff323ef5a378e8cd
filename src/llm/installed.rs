//! What an Ollama server has on its disk (`GET /api/tags`, docs/api.md of ollama/ollama).

use serde::Deserialize;

use super::wire::{broken, garbled};
use super::{LlmError, Model};
use crate::clock::{Clock, timeout};
use crate::net::{Client, HeaderMap, NetError};

/// A model on the disk of a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installed {
    /// With its tag: `qwen2.5:1.5b`.
    pub name: String,
    /// Bytes of its files; loaded it takes a little more.
    #[serde(default)]
    pub size: u64,
}

impl Installed {
    /// Whether the configuration means this one: a name without a tag is `latest`.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.name.strip_suffix(":latest") == Some(name)
    }
}

#[derive(Deserialize)]
struct Tags {
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
    let url = format!("{}/api/tags", model.url.trim_end_matches('/'));
    let limit = model.timeouts.connect;
    let asked = timeout(clock, limit, net.get(&url, HeaderMap::new())).await;
    let answer = asked.map_err(|late| LlmError::Unreachable {
        url: model.server(),
        why: late.to_string(),
    })?;
    let answer = answer.and_then(|answer| answer.success());
    let answer = answer.map_err(|error| match error {
        NetError::Status { status, .. } => garbled(model, &format!("status {status}")),
        error => broken(model, error),
    })?;
    let tags: Tags =
        serde_json::from_slice(&answer.body).map_err(|error| garbled(model, &error.to_string()))?;
    Ok(tags.models)
}
