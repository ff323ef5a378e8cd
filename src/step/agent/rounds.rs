//! What happened in an agent's step, and the talk that it makes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::llm::{Message, Said, ToolCall, fence};

/// One turn of the model: what it said, what it called and what came of that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Round {
    pub said: String,
    pub calls: Vec<Called>,
}

/// A call of a tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Called {
    pub tool: String,
    pub arguments: Value,
    /// What the tool gave, or why it gave nothing; nothing yet while the owner is asked.
    pub result: Option<String>,
    /// It is words for the model about what it did wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrong: bool,
}

impl Round {
    pub fn new(said: Said) -> Self {
        let calls = said.calls.into_iter().map(|call| Called {
            tool: call.name,
            arguments: call.arguments,
            result: None,
            wrong: false,
        });
        Round {
            calls: calls.collect(),
            said: said.text,
        }
    }
}

/// The talk after some rounds. Calls have names of ours: providers want some, each of its own form.
pub(super) fn messages(rounds: &[Round]) -> Vec<Message> {
    let mut messages = Vec::new();
    for (number, round) in rounds.iter().enumerate() {
        let calls = round.calls.iter().enumerate();
        let calls = calls.map(|(place, called)| ToolCall {
            id: format!("call_{}_{}", number + 1, place + 1),
            name: called.tool.clone(),
            arguments: called.arguments.clone(),
        });
        let calls: Vec<_> = calls.collect();
        messages.push(Message::Assistant(round.said.clone(), calls.clone()));
        for (call, called) in calls.into_iter().zip(&round.calls) {
            let result = called.result.as_deref().unwrap_or_default();
            let text = fence::data(&called.tool, result);
            messages.push(Message::Tool { call, text });
        }
    }
    messages
}
