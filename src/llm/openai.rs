//! Chat completions, by OpenAI and those who copy it: llama.cpp, vLLM, OpenRouter
//! (<https://platform.openai.com/docs/api-reference/chat>).

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Exchange, Opened};
use super::listen::Listener;
use super::sse::{data, event};
use super::wire::{Meaning, Piece, follow, garbled, read, told, words};
use super::{LlmError, Message, Tool, ToolCall};
use crate::job::Call;

/// Has the model answer the exchange's request into `listener`, and what it took into `call`.
pub(super) async fn chat(
    exchange: &Exchange<'_>,
    call: &mut Call,
    listener: &mut Listener<'_>,
) -> Result<(), LlmError> {
    let model = exchange.model;
    let url = format!("{}/chat/completions", model.url);
    let headers = exchange.headers("authorization", "Bearer ")?;
    let opened = exchange
        .open((&url, headers, &body(exchange)), call)
        .await?;
    let mut answer = Collected::default();
    let (stream, asked) = match opened {
        Opened::Stream(stream, asked) => (*stream, asked),
        Opened::Whole(body) => {
            let whole: Chunk = read(model, &body, "JSON of something else")?;
            answer.take(exchange, whole, listener)?;
            answer.count(call, listener);
            return answer.end(exchange, listener);
        }
    };
    let followed = follow(exchange, stream, asked, &mut call.first_token, |piece| {
        let Some(data) = data(model, piece)? else {
            // Some forget to say that it is done.
            return Ok(match (piece, &answer.finish) {
                (Piece::Rest(_), Some(_)) => Meaning::End,
                _ => Meaning::Nothing,
            });
        };
        if data == b"[DONE]" {
            return Ok(Meaning::End);
        }
        match event(model, piece, data)? {
            Some(chunk) => answer.take(exchange, chunk, listener),
            None => Ok(Meaning::Nothing),
        }
    });
    let followed = followed.await;
    answer.count(call, listener);
    followed?;
    answer.end(exchange, listener)
}

fn body(exchange: &Exchange<'_>) -> Value {
    let Exchange { model, request, .. } = exchange;
    let system = request.system.as_ref();
    let system = system.map(|text| json!({"role": "system", "content": text}));
    let messages = request.messages.iter().map(message);
    let mut body = json!({
        "model": model.model,
        "messages": system.into_iter().chain(messages).collect::<Value>(),
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    // OpenAI's own newer models take nothing else, and most of those who copy it know only the older name.
    let most = match model.url.contains("api.openai.com") {
        true => "max_completion_tokens",
        false => "max_tokens",
    };
    body[most] = exchange.output.into();
    if let Some(temperature) = request.temperature {
        body["temperature"] = temperature.into();
    }
    if !request.tools.is_empty() {
        body["tools"] = tools(&request.tools);
        if request.closed {
            body["tool_choice"] = "none".into();
        }
    }
    if let Some(schema) = &request.format {
        let schema = json!({"name": "answer", "schema": schema});
        body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
    }
    body
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(text, pictures) if pictures.is_empty() => {
            json!({"role": "user", "content": text})
        }
        Message::User(text, pictures) => {
            let pictures = pictures.iter().map(|picture| {
                let url = format!("data:{};base64,{}", picture.media_type, picture.base64);
                json!({"type": "image_url", "image_url": {"url": url}})
            });
            let text = json!({"type": "text", "text": text});
            let parts: Value = std::iter::once(text).chain(pictures).collect();
            json!({"role": "user", "content": parts})
        }
        Message::Assistant(text, calls) => {
            let mut message = json!({"role": "assistant", "content": text});
            if !calls.is_empty() {
                let calls = calls.iter().map(|call| {
                    let arguments = match &call.arguments {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    let function = json!({"name": call.name, "arguments": arguments});
                    json!({"id": call.id, "type": "function", "function": function})
                });
                message["tool_calls"] = calls.collect();
            }
            message
        }
        Message::Tool { call, text } => {
            json!({"role": "tool", "tool_call_id": call.id, "content": text})
        }
    }
}

/// The tools, as this protocol and Ollama's have them.
pub(super) fn tools(tools: &[Tool]) -> Value {
    let tools = tools.iter().map(|tool| {
        let function = json!({
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        });
        json!({"type": "function", "function": function})
    });
    tools.collect()
}

/// A whole answer, or a part of one.
#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Delta {
    content: Option<String>,
    /// Thinking: llama.cpp, vLLM, DeepSeek.
    reasoning_content: Option<String>,
    /// The same: OpenRouter.
    reasoning: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

#[derive(Debug, Deserialize)]
struct CallPart {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Debug, Deserialize)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

/// What came so far beside the words.
#[derive(Debug, Default)]
struct Collected {
    calls: Vec<Open>,
    finish: Option<String>,
    usage: Option<Usage>,
}

/// A call whose arguments may go on.
#[derive(Debug, Default)]
struct Open {
    id: String,
    name: String,
    arguments: String,
}

impl Collected {
    fn take(
        &mut self,
        exchange: &Exchange<'_>,
        chunk: Chunk,
        listener: &mut Listener<'_>,
    ) -> Result<Meaning, LlmError> {
        let model = exchange.model;
        if let Some(error) = &chunk.error {
            let words = words(&json!({ "error": error })).map(str::to_owned);
            return Err(told(
                model,
                200,
                &words.unwrap_or_else(|| error.to_string()),
            ));
        }
        let told_usage = chunk.usage.is_some();
        if told_usage {
            self.usage = chunk.usage;
        }
        let Some(choices) = chunk.choices else {
            return match told_usage {
                true => Ok(Meaning::Nothing),
                false => Err(garbled(model, "JSON without an answer")),
            };
        };
        let mut meaning = Meaning::Nothing;
        // There is one; more were not asked for.
        if let Some(choice) = choices.into_iter().next() {
            if let Some(delta) = choice.delta
                && self.hear(delta, listener)?
            {
                meaning = Meaning::Part;
            }
            if choice.finish_reason.is_some() {
                self.finish = choice.finish_reason;
                meaning = Meaning::Part;
            }
        }
        Ok(meaning)
    }

    /// Whether it held anything.
    fn hear(&mut self, delta: Delta, listener: &mut Listener<'_>) -> Result<bool, LlmError> {
        let mut held = false;
        let thought = delta.reasoning_content.or(delta.reasoning);
        if let Some(thought) = thought.filter(|thought| !thought.is_empty()) {
            listener.push(&format!("<think>{thought}</think>"))?;
            held = true;
        }
        if let Some(text) = delta.content.filter(|text| !text.is_empty()) {
            listener.push(&text)?;
            held = true;
        }
        for (place, part) in delta.tool_calls.into_iter().flatten().enumerate() {
            held = true;
            let place = part.index.unwrap_or(place).min(MOST_CALLS);
            if self.calls.len() <= place {
                self.calls.resize_with(place + 1, Open::default);
            }
            let open = &mut self.calls[place];
            open.id.push_str(part.id.as_deref().unwrap_or_default());
            let Some(function) = part.function else {
                continue;
            };
            open.name
                .push_str(function.name.as_deref().unwrap_or_default());
            let arguments = match function.arguments {
                None | Some(Value::Null) => continue,
                Some(Value::String(text)) => text,
                // Some servers give them as JSON.
                Some(other) => other.to_string(),
            };
            listener.count(&arguments)?;
            open.arguments.push_str(&arguments);
        }
        Ok(held)
    }

    /// What it took, as far as that is known.
    fn count(&self, call: &mut Call, listener: &Listener<'_>) {
        call.tokens_out = listener.pieces().into();
        if let Some(usage) = &self.usage {
            call.tokens_in = usage.prompt_tokens.unwrap_or(call.tokens_in);
            call.tokens_out = usage.completion_tokens.unwrap_or(call.tokens_out);
            let cached = usage.prompt_tokens_details.as_ref();
            call.tokens_cached = cached.and_then(|told| told.cached_tokens).unwrap_or(0);
        }
    }

    fn end(self, exchange: &Exchange<'_>, listener: &mut Listener<'_>) -> Result<(), LlmError> {
        match self.finish.as_deref() {
            Some("length") => return Err(LlmError::Endless(exchange.output)),
            Some("content_filter") => return Err(filtered()),
            _ => {}
        }
        for open in self.calls {
            listener.call(ToolCall {
                id: open.id,
                name: open.name,
                arguments: arguments(open.arguments),
            })?;
        }
        Ok(())
    }
}

/// No model has use for more at once.
const MOST_CALLS: usize = 31;

/// The arguments of a call, which models write: a text where they are no JSON.
pub(super) fn arguments(text: String) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

pub(super) fn filtered() -> LlmError {
    LlmError::Server {
        status: 200,
        message: "the provider's filter stopped the answer".into(),
    }
}
