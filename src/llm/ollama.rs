//! Ollama's native API (docs/api.md of ollama/ollama): greet, load, chat.
//!
//! The server aborts a load when its client goes away, so that a call which gives up early and tries again would never
//! see the model loaded. Hence an empty generate loads it first, under a limit of its own, and nothing is retried here.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Exchange;
use super::listen::Listener;
use super::tokens::{CONTEXT_STEP, context_for};
use super::wire::{Meaning, Piece, broken, follow, garbled, read, reported, told};
use super::{LlmError, Message, Phase, ToolCall, openai};
use crate::clock::timeout;
use crate::job::Call;
use crate::net::{HeaderMap, Streaming};

/// Has the model answer the exchange's request into `listener`, and what it took into `call`.
pub(super) async fn chat(
    exchange: &Exchange<'_>,
    call: &mut Call,
    listener: &mut Listener<'_>,
) -> Result<(), LlmError> {
    let server = Server(exchange);
    server.greet().await?;
    let context = server.context().await?;
    let started = exchange.clock.monotonic();
    let loaded = server.load(context).await?;
    call.load = exchange.clock.monotonic().saturating_sub(started);
    server.talk(context, loaded, call, listener).await
}

/// Has the server load the model for a talk of so many tokens.
pub(super) async fn warm(exchange: &Exchange<'_>, tokens: u32) -> Result<(), LlmError> {
    let server = Server(exchange);
    server.greet().await?;
    let context = context_for(0, tokens, 0, exchange.model.context)?;
    server.load(context).await.map(|_| ())
}

struct Server<'a, 'b>(&'a Exchange<'b>);

/// Whether the model is in memory before the talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Before,
    /// The server cannot be asked to load it: the talk does, and gets that time too.
    ByTalking,
}

impl Server<'_, '_> {
    /// Any answer at all tells that a server is there, before the long waits begin.
    async fn greet(&self) -> Result<(), LlmError> {
        let limit = self.0.model.timeouts.connect;
        let url = self.url("version");
        let greeting = self.0.net.get(&url, self.headers()?);
        match timeout(self.0.clock, limit, greeting).await {
            Ok(answer) => answer
                .map(|_| ())
                .map_err(|error| broken(self.0.model, error)),
            Err(late) => Err(LlmError::Unreachable {
                url: self.0.model.server(),
                why: late.to_string(),
            }),
        }
    }

    /// The `num_ctx` for this prompt. A server is asked for its model's limit only when that can matter.
    async fn context(&self) -> Result<u32, LlmError> {
        let Exchange {
            model,
            prompt,
            output,
            request,
            ..
        } = *self.0;
        let needed = prompt.saturating_add(output).max(request.talk);
        if model.context.is_some() || needed <= CONTEXT_STEP {
            return context_for(prompt, output, request.talk, model.context);
        }
        let limit = model.timeouts.load;
        let asked = timeout(self.0.clock, limit, async {
            let answer = self.post("show", &json!({"model": model.model})).await?;
            answer.read().await.map_err(|error| broken(model, error))
        });
        let answer = asked.await.unwrap_or(Err(late(Phase::Load, limit)))?;
        let shown: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let info = shown["model_info"].as_object().into_iter().flatten();
        let lengths = info.filter(|(key, _)| key.ends_with(".context_length"));
        let longest = lengths.filter_map(|(_, length)| length.as_u64()).min();
        context_for(
            prompt,
            output,
            request.talk,
            longest.and_then(|length| u32::try_from(length).ok()),
        )
    }

    async fn load(&self, context: u32) -> Result<Loaded, LlmError> {
        let mut body = self.body(json!({"num_ctx": context}));
        body.insert("stream".into(), false.into());
        let limit = self.0.model.timeouts.load;
        let answer = timeout(self.0.clock, limit, async {
            let answer = self.send("generate", &Value::Object(body)).await?;
            let answer = answer.read().await;
            answer.map_err(|error| broken(self.0.model, error))
        });
        let answer = answer.await.unwrap_or(Err(late(Phase::Load, limit)))?;
        if answer.status.is_success() {
            return Ok(Loaded::Before);
        }
        let error = reported(self.0.model, &answer, self.0.clock.now());
        match (answer.status.as_u16(), error) {
            (_, LlmError::NoModel(name)) => Err(LlmError::NoModel(name)),
            // Servers that only speak `/api/chat`.
            (404 | 405, _) => Ok(Loaded::ByTalking),
            (_, error) => Err(error),
        }
    }

    async fn talk(
        &self,
        context: u32,
        loaded: Loaded,
        call: &mut Call,
        listener: &mut Listener<'_>,
    ) -> Result<(), LlmError> {
        let Exchange { clock, model, .. } = *self.0;
        let sent = clock.monotonic();
        let limit = match loaded {
            Loaded::Before => model.timeouts.first_token,
            Loaded::ByTalking => model.timeouts.first_token + model.timeouts.load,
        };
        let body = self.chat_body(context);
        let stream = timeout(clock, limit, self.post("chat", &body)).await;
        if matches!(stream, Ok(Ok(_)) | Err(_)) {
            call.tokens_in = self.0.prompt.into();
        }
        let stream = stream.unwrap_or(Err(late(Phase::FirstToken, limit)))?;
        let mut last = None;
        let followed = follow(
            self.0,
            stream,
            (sent, limit),
            &mut call.first_token,
            |piece| {
                let line = match (piece, serde_json::from_slice::<Line>(piece.bytes())) {
                    // The last line may lack its break; half a line means that the server died.
                    (Piece::Rest(_), Ok(line)) if line.done || line.error.is_some() => line,
                    (Piece::Rest(_), _) => return Ok(Meaning::Nothing),
                    (Piece::Line(line), _) => read(model, line, "a line of something else")?,
                };
                match (&line.error, &line.message) {
                    (Some(message), _) => return Err(told(model, 200, message)),
                    (None, None) if !line.done => {
                        return Err(garbled(model, "JSON without an answer"));
                    }
                    (None, _) => {}
                }
                line.hear(listener)?;
                call.tokens_out = listener.pieces().into();
                if !line.done {
                    return Ok(Meaning::Part);
                }
                last = Some(line);
                Ok(Meaning::End)
            },
        );
        followed.await?;
        let Some(last) = last else { return Ok(()) };
        call.tokens_in = last.prompt_eval_count.unwrap_or(call.tokens_in);
        call.tokens_out = last.eval_count.unwrap_or(call.tokens_out);
        let load = last.load_duration.map(Duration::from_nanos);
        call.load = call.load.max(load.unwrap_or_default());
        match last.done_reason.as_deref() {
            Some("length") => Err(LlmError::Endless(self.0.output)),
            _ => Ok(()),
        }
    }

    fn chat_body(&self, context: u32) -> Value {
        let request = self.0.request;
        let mut options = json!({"num_ctx": context, "num_predict": self.0.output});
        if let Some(temperature) = request.temperature {
            options["temperature"] = temperature.into();
        }
        let system = request.system.as_ref();
        let system = system.map(|text| json!({"role": "system", "content": text}));
        let messages = request.messages.iter().map(message);
        let mut body = self.body(options);
        body.insert(
            "messages".into(),
            system.into_iter().chain(messages).collect(),
        );
        body.insert("stream".into(), true.into());
        // Minutes of hidden thinking are not affordable where this runs.
        body.insert("think".into(), false.into());
        // Newer servers then say that the context is full; older ones would cut the prompt without a word.
        body.insert("truncate".into(), false.into());
        body.insert("shift".into(), false.into());
        if let Some(format) = &request.format {
            body.insert("format".into(), format.clone());
        }
        if !request.tools.is_empty() && !request.closed {
            body.insert("tools".into(), openai::tools(&request.tools));
        }
        Value::Object(body)
    }

    fn body(&self, options: Value) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("model".into(), self.0.model.model.clone().into());
        body.insert("options".into(), options);
        match self.0.model.keep_alive {
            None => {}
            // A negative number keeps the model loaded for ever.
            Some(Duration::MAX) => drop(body.insert("keep_alive".into(), (-1).into())),
            Some(kept) => drop(body.insert("keep_alive".into(), kept.as_secs().into())),
        }
        body
    }

    async fn post(&self, api: &str, body: &Value) -> Result<Streaming, LlmError> {
        let answer = self.send(api, body).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(self.0.refused(answer).await)
    }

    async fn send(&self, api: &str, body: &Value) -> Result<Streaming, LlmError> {
        let url = self.url(api);
        let sent = self.0.net.post_json(&url, self.headers()?, body).await;
        sent.map_err(|error| broken(self.0.model, error))
    }

    fn url(&self, api: &str) -> String {
        format!("{}/api/{api}", self.0.model.url.trim_end_matches('/'))
    }

    fn headers(&self) -> Result<HeaderMap, LlmError> {
        self.0.headers("authorization", "Bearer ")
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(text, pictures) if pictures.is_empty() => {
            json!({"role": "user", "content": text})
        }
        Message::User(text, pictures) => {
            let pictures = pictures.iter().map(|picture| &picture.base64);
            let pictures = pictures.collect::<Vec<_>>();
            json!({"role": "user", "content": text, "images": pictures})
        }
        Message::Assistant(text, calls) => {
            let mut message = json!({"role": "assistant", "content": text});
            if !calls.is_empty() {
                let calls = calls.iter().map(|call| {
                    let function = json!({"name": call.name, "arguments": call.object()});
                    json!({ "function": function })
                });
                message["tool_calls"] = calls.collect();
            }
            message
        }
        Message::Tool { call, text } => {
            json!({"role": "tool", "tool_name": call.name, "content": text})
        }
    }
}

/// One line of a streamed chat.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    message: Option<Content>,
    error: Option<String>,
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    /// Nanoseconds.
    load_duration: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    content: String,
    thinking: String,
    tool_calls: Vec<Called>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Called {
    function: Function,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Function {
    name: String,
    arguments: Value,
}

impl Line {
    /// Thinking that the server has set apart stays hidden and counts.
    fn hear(&self, listener: &mut Listener<'_>) -> Result<(), LlmError> {
        let Some(message) = &self.message else {
            return listener.push("");
        };
        match message.thinking.is_empty() {
            true => listener.push(&message.content)?,
            false => listener.push(&format!(
                "<think>{}</think>{}",
                message.thinking, message.content
            ))?,
        }
        for called in &message.tool_calls {
            listener.call(ToolCall {
                id: String::new(),
                name: called.function.name.clone(),
                arguments: called.function.arguments.clone(),
            })?;
        }
        Ok(())
    }
}

fn late(phase: Phase, limit: Duration) -> LlmError {
    LlmError::Timeout { phase, limit }
}

#[cfg(test)]
#[path = "ollama_tests.rs"]
mod tests;
