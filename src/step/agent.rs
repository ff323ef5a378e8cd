//! `agent`: a model answers a person and may use the tools the job lists. Read and checked; a later version runs it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Declaration;
use crate::config::resolve::Scope;
use crate::config::value::At;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// A file of `prompts/`.
    agent: At<String>,
    /// A route of the configuration.
    route: Option<At<String>>,
    /// How many messages of the conversation it sees.
    memory: Option<u32>,
    /// What it may use: step kinds, as `calendar.list`.
    tools: Option<Vec<At<String>>>,
    /// How often it may use them before it has to answer.
    max_rounds: Option<u32>,
    /// A template for when no model answers.
    fallback: Option<At<String>>,
}

/// What an agent step may be given as tools.
pub const TOOLS: &[&str] = &[
    "calendar.list",
    "calendar.search",
    "calendar.free",
    "calendar.create",
    "calendar.update",
    "calendar.delete",
    "log",
    "journal",
    "system",
    "fetch",
    "feed",
    "page",
    "search",
    "file.read",
    "file.write",
    "file.append",
    "notes",
    "remember",
    "recall",
    "shell",
];

/// A model with tools.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The prompt file.
    pub prompt: String,
    /// The route.
    pub route: String,
    /// How many messages of the conversation it sees.
    pub memory: u32,
    /// What it may use.
    pub tools: Vec<String>,
    /// How often it may use them.
    pub max_rounds: u32,
    /// A template for when no model answers.
    pub fallback: Option<String>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Agent> {
        let prompt = scope.prompt_file(self.agent);
        let fallback = self.fallback.map(|file| scope.fallback_file(file));
        let mut tools = Vec::new();
        for tool in self.tools.unwrap_or_default() {
            tools.extend(scope.one_of(tool, "tool", TOOLS));
        }
        Some(Agent {
            prompt: prompt?,
            route: scope.route(self.route)?,
            memory: self.memory.unwrap_or(20),
            tools,
            max_rounds: self.max_rounds.unwrap_or(5),
            fallback: fallback.flatten(),
        })
    }
}

impl Agent {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: true,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(900),
            example: Value::String("text".to_owned()),
        }
    }
}
