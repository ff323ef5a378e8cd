//! One call to one model, whoever provides it.

use std::time::Duration;

use serde_json::Value;

use super::listen::{Listener, Replacement};
use super::tokens::{estimate_prompt, estimate_tokens, fits};
use super::wire::{broken, reported};
use super::{Allowed, LlmError, Model, Phase, Provider, Request, Said, anthropic, ollama, openai};
use crate::clock::{Clock, timeout};
use crate::job::Call;
use crate::net::{Client, HeaderMap, HeaderName, HeaderValue, NetError, Streaming};

/// A call and how it ended: what it took is known either way.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// The row of the ledger; its `step` is the caller's to fill in.
    pub call: Call,
    /// The answer.
    pub result: Result<Said, LlmError>,
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

impl Exchange<'_> {
    /// The model's key in the header that its provider reads.
    pub fn headers(&self, name: &'static str, before: &str) -> Result<HeaderMap, LlmError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.model.api_key {
            let unusable = |_| {
                LlmError::Net(NetError::Setup(
                    "the API key holds characters that no header may".into(),
                ))
            };
            let value = HeaderValue::try_from(format!("{before}{}", key.expose()));
            let mut value = value.map_err(unusable)?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }

    /// Posts `body`, whose first part is waited for until the model's first token is late, and gives what comes of it: whole
    /// where the server does not stream.
    pub async fn open(
        &self,
        (url, headers, body): (&str, HeaderMap, &Value),
        call: &mut Call,
    ) -> Result<Opened, LlmError> {
        let Exchange { clock, model, .. } = *self;
        fits(self.prompt, self.output, model.context)?;
        let (sent, limit) = (clock.monotonic(), model.first());
        let late = || LlmError::Timeout {
            phase: Phase::FirstToken,
            limit,
        };
        let posted = async {
            let sent = self.net.post_json(url, headers, body).await;
            let answer = sent.map_err(|error| broken(model, error))?;
            match answer.status.is_success() {
                true => Ok(answer),
                false => Err(self.refused(answer).await),
            }
        };
        let stream = timeout(clock, limit, posted).await;
        // What was refused costs nothing; what was only not answered may.
        if matches!(stream, Ok(Ok(_) | Err(LlmError::BrokenOff(_))) | Err(_)) {
            call.tokens_in = self.prompt.into();
        }
        let stream = stream.map_err(|_| late())??;
        let kind = stream.headers.get("content-type");
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            return Ok(Opened::Stream(Box::new(stream), (sent, limit)));
        }
        let left = limit.saturating_sub(clock.monotonic().saturating_sub(sent));
        let whole = timeout(clock, left, stream.read()).await;
        let whole = whole.map_err(|_| late())?;
        let whole = whole.map_err(|error| broken(model, error))?;
        call.first_token = clock.monotonic().saturating_sub(sent);
        Ok(Opened::Whole(whole.body))
    }

    /// The error that an answer without success means.
    pub async fn refused(&self, answer: Streaming) -> LlmError {
        match answer.read().await {
            Ok(answer) => reported(self.model, &answer, self.clock.now()),
            Err(error) => broken(self.model, error),
        }
    }
}

/// What a server answers with.
pub(super) enum Opened {
    /// All of it.
    Whole(Vec<u8>),
    /// What comes bit by bit; when it was asked for, and how long its first part may take.
    Stream(Box<Streaming>, (Duration, Duration)),
}

/// Asks `model`, telling each visible piece of the answer to `on_delta` as it comes. Dropping the future hangs up.
///
/// `net` has to allow the host of the model's URL. Deltas are for showing only: the result may differ from
/// their sum when the model turns out to have been thinking aloud.
pub async fn call(
    clock: &dyn Clock,
    net: &Client,
    model: &Allowed,
    request: &Request,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Called {
    let (prompt, output) = estimate(model, request);
    let exchange = Exchange {
        clock,
        net,
        model,
        request,
        prompt,
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

/// About how many tokens the prompt has, and how many the answer may have.
pub(super) fn estimate(model: &Model, request: &Request) -> (u32, u32) {
    let output = request
        .max_tokens
        .map_or(model.max_output, |most| most.min(model.max_output));
    let tools: u32 = request.told().map(|tool| estimate_tokens(&tool)).sum();
    (estimate_prompt(request.texts()) + tools, output)
}

async fn answer(
    exchange: &Exchange<'_>,
    call: &mut Call,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Said, LlmError> {
    let mut listener = Listener::new(exchange.output, on_delta);
    match exchange.model.provider {
        Provider::Ollama => ollama::chat(exchange, call, &mut listener).await?,
        Provider::OpenAi => openai::chat(exchange, call, &mut listener).await?,
        Provider::Anthropic => anthropic::chat(exchange, call, &mut listener).await?,
    }
    let quoted = exchange
        .request
        .texts()
        .any(|text| text.contains('\u{fffd}'));
    listener.finish(if quoted {
        Replacement::Quoted
    } else {
        Replacement::New
    })
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod providers;
