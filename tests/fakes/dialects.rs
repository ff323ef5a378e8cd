//! How each protocol says the same.

use serde_json::{Value, json};

use super::Act;

/// Chat completions.
pub const OPENAI: &str = "/v1/chat/completions";

/// Messages.
pub const ANTHROPIC: &str = "/v1/messages";

/// The content type of a stream.
pub fn kind(path: &str) -> &'static str {
    match path {
        OPENAI | ANTHROPIC => "text/event-stream; charset=utf-8",
        _ => "application/x-ndjson",
    }
}

/// What comes before everything else: servers say that they are there.
pub fn begin(path: &str) -> &'static str {
    match path {
        OPENAI => {
            ": PROCESSING\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
        }
        ANTHROPIC => {
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":12,\"cache_read_input_tokens\":300,\"output_tokens\":1}}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
        }
        _ => "",
    }
}

/// A part of an answer.
pub fn says(path: &str, act: &Act) -> String {
    match path {
        OPENAI => openai(act),
        ANTHROPIC => anthropic(act),
        _ => ollama(act),
    }
}

fn ollama(act: &Act) -> String {
    let line = match act {
        Act::Say(text) => {
            let message = json!({"role": "assistant", "content": text});
            json!({"model": "tiny", "message": message, "done": false})
        }
        Act::Tool(name, arguments) => {
            let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
            let call = json!({"function": {"name": name, "arguments": arguments}});
            let message = json!({"role": "assistant", "content": "", "tool_calls": [call]});
            json!({"model": "tiny", "message": message, "done": false})
        }
        Act::Done(reason) => json!({
            "model": "tiny",
            "message": {"role": "assistant", "content": ""},
            "done": true,
            "done_reason": reason,
            "load_duration": 2_000_000,
            "prompt_eval_count": 312,
            "eval_count": 96,
        }),
        other => panic!("{other:?} is no part of an answer"),
    };
    format!("{line}\n")
}

fn openai(act: &Act) -> String {
    let delta = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({ "choices": [choice] }))
    };
    match act {
        Act::Say(text) => delta(json!({ "content": text }), Value::Null),
        Act::Tool(name, arguments) => {
            let (head, tail) = arguments.split_at(arguments.len() / 2);
            let function = json!({"name": name, "arguments": head});
            let begin =
                json!({"index": 0, "id": "call_a", "type": "function", "function": function});
            let end = json!({"index": 0, "function": {"arguments": tail}});
            let parts =
                [begin, end].map(|part| delta(json!({ "tool_calls": [part] }), Value::Null));
            parts.concat()
        }
        Act::Done(reason) => {
            let usage = json!({
                "prompt_tokens": 312,
                "completion_tokens": 96,
                "prompt_tokens_details": {"cached_tokens": 300},
            });
            let usage = json!({ "choices": [], "usage": usage });
            let end = delta(json!({}), json!(reason));
            format!("{end}data: {usage}\n\ndata: [DONE]\n\n")
        }
        other => panic!("{other:?} is no part of an answer"),
    }
}

fn anthropic(act: &Act) -> String {
    let event = |event: Value| {
        let kind = event["type"].as_str().unwrap_or_default();
        format!("event: {kind}\ndata: {event}\n\n")
    };
    let events = match act {
        Act::Say(text) => vec![
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        ],
        Act::Tool(name, arguments) => {
            let (head, tail) = arguments.split_at(arguments.len() / 2);
            let block = json!({"type": "tool_use", "id": "toolu_a", "name": name, "input": {}});
            let json_of = |part| json!({"type": "input_json_delta", "partial_json": part});
            vec![
                json!({"type": "content_block_start", "index": 1, "content_block": block}),
                json!({"type": "content_block_delta", "index": 1, "delta": json_of(head)}),
                json!({"type": "content_block_delta", "index": 1, "delta": json_of(tail)}),
                json!({"type": "content_block_stop", "index": 1}),
            ]
        }
        Act::Done(reason) => {
            let reason = if *reason == "length" {
                "max_tokens"
            } else {
                "end_turn"
            };
            vec![
                json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 96}}),
                json!({"type": "message_stop"}),
            ]
        }
        other => panic!("{other:?} is no part of an answer"),
    };
    events.into_iter().map(event).collect()
}

/// A whole answer at once.
pub fn whole(path: &str, text: &str) -> String {
    let body = match path {
        OPENAI => json!({
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 312, "completion_tokens": 96},
        }),
        ANTHROPIC => json!({
            "type": "message",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 312, "output_tokens": 96},
        }),
        _ => json!({
            "message": {"role": "assistant", "content": text},
            "done": true,
            "done_reason": "stop",
            "prompt_eval_count": 312,
            "eval_count": 96,
        }),
    };
    body.to_string()
}
