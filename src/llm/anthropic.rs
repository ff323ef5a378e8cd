//! Anthropic's messages (<https://docs.anthropic.com/en/api/messages>).

mod events;

use serde_json::{Value, json};

use super::call::{Exchange, Opened};
use super::listen::Listener;
use super::openai::{arguments, filtered};
use super::sse::{data, event};
use super::wire::{Meaning, follow, garbled, read, told};
use super::{LlmError, Message, ToolCall};
use crate::job::Call;
use crate::net::HeaderValue;

use events::{Block, Delta, Event, Usage, Whole};

/// The version of the protocol that this module speaks.
const VERSION: &str = "2023-06-01";

/// The tool whose arguments are the answer, where it has to follow a schema.
const ANSWER: &str = "answer";

/// Has the model answer the exchange's request into `listener`, and what it took into `call`.
pub(super) async fn chat(
    exchange: &Exchange<'_>,
    call: &mut Call,
    listener: &mut Listener<'_>,
) -> Result<(), LlmError> {
    let model = exchange.model;
    let url = format!("{}/v1/messages", model.url.trim_end_matches("/v1"));
    let mut headers = exchange.headers("x-api-key", "")?;
    headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
    let opened = exchange
        .open((&url, headers, &body(exchange)), call)
        .await?;
    let mut answer = Collected::default();
    let (stream, asked) = match opened {
        Opened::Stream(stream, asked) => (*stream, asked),
        Opened::Whole(body) => {
            let whole: Whole = read(model, &body, "JSON of something else")?;
            answer.usage.add(&whole.usage);
            answer.stop = whole.stop_reason;
            for block in whole.content {
                answer.begin(exchange, block, listener)?;
                answer.close(listener)?;
            }
            answer.count(call, listener);
            return answer.end(exchange);
        }
    };
    let followed = follow(exchange, stream, asked, &mut call.first_token, |piece| {
        let Some(data) = data(model, piece)? else {
            return Ok(Meaning::Nothing);
        };
        match event(model, piece, data)? {
            Some(event) => answer.take(exchange, event, listener),
            None => Ok(Meaning::Nothing),
        }
    });
    let followed = followed.await;
    answer.count(call, listener);
    followed?;
    answer.end(exchange)
}

fn body(exchange: &Exchange<'_>) -> Value {
    let Exchange { model, request, .. } = exchange;
    let mut body = json!({
        "model": model.model,
        "max_tokens": exchange.output,
        "messages": messages(&request.messages),
        "stream": true,
    });
    if let Some(system) = &request.system {
        body["system"] = system.as_str().into();
    }
    if let Some(temperature) = request.temperature {
        body["temperature"] = temperature.into();
    }
    let mut tools: Vec<Value> = request
        .tools
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.parameters,
            })
        })
        .collect();
    if let Some(schema) = &request.format {
        let description = "Takes your answer.";
        tools.push(json!({"name": ANSWER, "description": description, "input_schema": schema}));
        body["tool_choice"] = json!({"type": "tool", "name": ANSWER});
    }
    if request.closed && !tools.is_empty() {
        body["tool_choice"] = json!({"type": "none"});
    }
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    body
}

/// The talk: what tools gave is a turn of the user's, all of one round together.
fn messages(talk: &[Message]) -> Vec<Value> {
    let mut turns: Vec<Value> = Vec::new();
    let mut results = false;
    for message in talk {
        let (role, blocks) = blocks(message);
        let is_result = matches!(message, Message::Tool { .. });
        match turns.last_mut() {
            Some(last) if is_result && results => {
                let known = last["content"].as_array_mut();
                known.expect("blocks are a list").extend(blocks);
            }
            _ => turns.push(json!({"role": role, "content": blocks})),
        }
        results = is_result;
    }
    turns
}

fn blocks(message: &Message) -> (&'static str, Vec<Value>) {
    let text = |text: &String| json!({"type": "text", "text": text});
    match message {
        Message::User(words, pictures) => {
            let pictures = pictures.iter().map(|picture| {
                let source = json!({
                    "type": "base64",
                    "media_type": picture.media_type,
                    "data": picture.base64,
                });
                json!({"type": "image", "source": source})
            });
            ("user", pictures.chain([text(words)]).collect())
        }
        Message::Assistant(words, calls) => {
            let words = (!words.is_empty()).then(|| text(words));
            let calls = calls.iter().map(|call| {
                let input = call.object();
                json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
            });
            ("assistant", words.into_iter().chain(calls).collect())
        }
        Message::Tool { call, text } => {
            let result = json!({"type": "tool_result", "tool_use_id": call.id, "content": text});
            ("user", vec![result])
        }
    }
}

/// What came so far beside the words.
#[derive(Debug, Default)]
struct Collected {
    open: Option<Open>,
    usage: Usage,
    stop: Option<String>,
}

/// A call whose arguments may go on.
#[derive(Debug)]
struct Open {
    id: String,
    name: String,
    /// As it was begun with.
    input: Value,
    json: String,
}

impl Collected {
    fn take(
        &mut self,
        exchange: &Exchange<'_>,
        event: Event,
        listener: &mut Listener<'_>,
    ) -> Result<Meaning, LlmError> {
        Ok(match event {
            Event::MessageStart { message } => {
                self.usage.add(&message.usage);
                Meaning::Nothing
            }
            Event::ContentBlockStart { content_block } => {
                self.begin(exchange, content_block, listener)?;
                Meaning::Part
            }
            Event::ContentBlockDelta { delta } => {
                match (delta, &mut self.open) {
                    (Delta::Text { text }, _) => listener.push(&text)?,
                    (Delta::Thinking { thinking }, _) => {
                        listener.push(&format!("<think>{thinking}</think>"))?;
                    }
                    (Delta::Json { partial_json }, Some(open)) => {
                        listener.count(&partial_json)?;
                        open.json.push_str(&partial_json);
                    }
                    (Delta::Json { partial_json }, None) => {
                        listener.push(&partial_json)?;
                    }
                    (Delta::Other, _) => {}
                }
                Meaning::Part
            }
            Event::ContentBlockStop => {
                self.close(listener)?;
                Meaning::Part
            }
            Event::MessageDelta { delta, usage } => {
                self.usage.add(&usage);
                self.stop = delta.stop_reason.or(self.stop.take());
                Meaning::Part
            }
            Event::MessageStop => Meaning::End,
            Event::Error { error } => {
                return Err(match error.kind.as_str() {
                    "overloaded_error" => LlmError::Busy {
                        status: 529,
                        retry_after: None,
                    },
                    "rate_limit_error" => LlmError::Busy {
                        status: 429,
                        retry_after: None,
                    },
                    _ => told(exchange.model, 200, &error.message),
                });
            }
            Event::Other => Meaning::Nothing,
        })
    }

    fn begin(
        &mut self,
        exchange: &Exchange<'_>,
        block: Block,
        listener: &mut Listener<'_>,
    ) -> Result<(), LlmError> {
        match block {
            Block::Text { text } => listener.push(&text)?,
            // The answer itself, where it has to follow a schema.
            Block::ToolUse { name, input, .. }
                if exchange.request.format.is_some() && name == ANSWER =>
            {
                if input.as_object().is_some_and(|input| !input.is_empty()) {
                    listener.push(&input.to_string())?;
                }
            }
            Block::ToolUse { id, name, input } => {
                if id.is_empty() || name.is_empty() {
                    return Err(garbled(exchange.model, "a call without a name"));
                }
                self.open = Some(Open {
                    id,
                    name,
                    input,
                    json: String::new(),
                });
            }
            Block::Other => {}
        }
        Ok(())
    }

    fn close(&mut self, listener: &mut Listener<'_>) -> Result<(), LlmError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let whole = match open.json.is_empty() && !open.input.is_null() {
            true => open.input,
            false => arguments(open.json),
        };
        listener.call(ToolCall {
            id: open.id,
            name: open.name,
            arguments: whole,
        })
    }

    /// What it took, as far as that is known.
    fn count(&self, call: &mut Call, listener: &Listener<'_>) {
        let usage = &self.usage;
        let cached = usage.cache_read_input_tokens.unwrap_or(0);
        if let Some(read) = usage.input_tokens {
            call.tokens_in = read + cached + usage.cache_creation_input_tokens.unwrap_or(0);
        }
        call.tokens_cached = cached;
        // The figure at the beginning is a first one; that at the end counts.
        let said = usage.output_tokens.unwrap_or(0);
        call.tokens_out = match self.stop {
            Some(_) => said,
            None => said.max(listener.pieces().into()),
        };
    }

    fn end(self, exchange: &Exchange<'_>) -> Result<(), LlmError> {
        match self.stop.as_deref() {
            Some("max_tokens") => Err(LlmError::Endless(exchange.output)),
            Some("refusal") => Err(filtered()),
            _ => Ok(()),
        }
    }
}
