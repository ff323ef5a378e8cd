//! One call to one model, whoever provides it.

use serde_json::Value;

use super::listen::{Listener, Replacement};
use super::tokens::estimate_prompt;
use super::{LlmError, Model, Phase, Provider, Request, ollama};
use crate::clock::{Clock, timeout};
use crate::job::Call;
use crate::net::Client;

/// A call and how it ended: what it took is known either way.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// The row of the ledger; its `step` is the caller's to fill in.
    pub call: Call,
    /// The answer's text, trimmed and without thinking.
    pub result: Result<String, LlmError>,
}

/// What a provider needs for a call.
pub(super) struct Exchange<'a> {
    pub clock: &'a dyn Clock,
    pub net: &'a Client,
    pub model: &'a Model,
    pub request: &'a Request,
    /// Estimated tokens of the prompt.
    pub prompt: u32,
    /// The most tokens of the answer.
    pub output: u32,
}

/// Asks `model`, telling each visible piece of the answer to `on_delta` as it comes. Dropping the future hangs up.
///
/// `net` has to allow the host of the model's URL. Deltas are for showing only: the result may differ from
/// their sum when the model turns out to have been thinking aloud.
pub async fn call(
    clock: &dyn Clock,
    net: &Client,
    model: &Model,
    request: &Request,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Called {
    let output = request
        .max_tokens
        .map_or(model.max_output, |most| most.min(model.max_output));
    let exchange = Exchange {
        clock,
        net,
        model,
        request,
        prompt: estimate_prompt(request.texts()),
        output,
    };
    let mut call = Call {
        model: model.name.clone(),
        backend: model.backend(),
        ..Call::default()
    };
    let started = clock.monotonic();
    let limit = model.timeouts.total;
    let answered = timeout(clock, limit, answer(&exchange, &mut call, on_delta)).await;
    let result = answered.unwrap_or(Err(LlmError::Timeout {
        phase: Phase::Total,
        limit,
    }));
    call.total = clock.monotonic().saturating_sub(started);
    call.error = result.as_ref().err().map(ToString::to_string);
    Called { call, result }
}

async fn answer(
    exchange: &Exchange<'_>,
    call: &mut Call,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<String, LlmError> {
    let mut listener = Listener::new(exchange.output, on_delta);
    match exchange.model.provider {
        Provider::Ollama => ollama::chat(exchange, call, &mut listener).await?,
        other @ (Provider::OpenAi | Provider::Anthropic) => {
            return Err(LlmError::Provider(other.word()));
        }
    }
    let quoted = exchange
        .request
        .texts()
        .any(|text| text.contains('\u{fffd}'));
    let text = listener.finish(if quoted {
        Replacement::Quoted
    } else {
        Replacement::New
    })?;
    if exchange.request.format.is_some() && serde_json::from_str::<Value>(&text).is_err() {
        return Err(LlmError::NotJson);
    }
    Ok(text)
}
