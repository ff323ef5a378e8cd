//! `agent`: a model answers a person and may use the tools that the job lists, and no others.
//!
//! What happened is a list of rounds, which is all that is kept of it: a step that waits for the owner's word goes on from there.

mod results;
mod rounds;
mod talk;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::prompt_file::{Approval, PromptFile};
use crate::config::resolve::Scope;
use crate::config::value::At;

use talk::Talk;
use tools::{KNOWN, Tool};

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
    /// What it may use: step kinds, as `calendar.list`, and `agent.NAME` for another profile.
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
    "remind",
    "shell",
];

/// Tools that are other profiles: `agent.research` is `prompts/research.md`.
const PROFILE: &str = "agent.";

/// Who a model is, what it may use.
#[derive(Debug, Clone)]
pub struct Profile {
    /// For people, and for the model that may call it.
    name: String,
    description: String,
    text: Arc<str>,
    /// The route.
    pub route: String,
    tools: Vec<Tool>,
    max_rounds: u32,
    approval: Approval,
}

/// A model with tools.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Who it is.
    pub profile: Profile,
    /// How many messages of the conversation it sees.
    memory: usize,
    fallback: Option<Arc<str>>,
}

/// What is said instead of a profile's own rounds.
const ROUNDS: u32 = 5;

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Agent> {
        let span = self.agent.span.clone();
        let text = scope.prompt_file(self.agent);
        let fallback = self.fallback.map(|file| scope.fallback_file(file));
        let Some(text) = text else {
            // What else is wrong is told all the same.
            resolve_tools(scope, self.tools.unwrap_or_default(), Depth::First);
            scope.route(self.route);
            return None;
        };
        let front = PromptFile::parse(&text).ok()?.front;
        let typed = |names: Vec<String>| {
            let span = span.clone();
            let each = names.into_iter().map(move |value| At {
                value,
                span: span.clone(),
            });
            each.collect::<Vec<_>>()
        };
        let named = front.tools.clone().map(typed).unwrap_or_default();
        let tools = resolve_tools(scope, self.tools.unwrap_or(named), Depth::First);
        let route = self
            .route
            .or(front.route.clone().map(|value| At { value, span }));
        let route = scope.route(route)?;
        let mut profile = Profile::new("", &text, route, tools)?;
        profile.max_rounds = self.max_rounds.unwrap_or(profile.max_rounds);
        Some(Agent {
            profile,
            memory: self.memory.unwrap_or(20) as usize,
            fallback: match fallback {
                Some(text) => Some(text?.into()),
                None => None,
            },
        })
    }
}

/// Whether a profile may call others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    First,
    Second,
}

fn resolve_tools(scope: &mut Scope<'_>, typed: Vec<At<String>>, depth: Depth) -> Vec<Tool> {
    let mut tools = Vec::new();
    for name in typed {
        match name.value.strip_prefix(PROFILE) {
            Some(profile) if depth == Depth::First => {
                let profile = profile.to_owned();
                tools.extend(resolve_profile(scope, &profile, name.span));
            }
            Some(_) => {
                let right = "a profile that is called calls no others: take this out of its tools";
                scope.error(name.span, "this is more than one level deep", right);
            }
            None => {
                let span = name.span.clone();
                let Some(name) = scope.one_of(name, "tool", TOOLS) else {
                    continue;
                };
                match KNOWN.iter().find(|known| known.name == name) {
                    Some(known) => tools.push(Tool::Kind(known)),
                    None => {
                        let what = format!("this version cannot use `{name}` as a tool yet");
                        scope.warning(span, what, "the model will not see it");
                    }
                }
            }
        }
    }
    tools
}

fn resolve_profile(
    scope: &mut Scope<'_>,
    name: &str,
    span: std::ops::Range<usize>,
) -> Option<Tool> {
    let at = |value: String| At {
        value,
        span: span.clone(),
    };
    let text = scope.prompt_file(at(format!("{name}.md")))?;
    let front = PromptFile::parse(&text).ok()?.front;
    let typed = front.tools.clone().unwrap_or_default();
    let tools = resolve_tools(scope, typed.into_iter().map(at).collect(), Depth::Second);
    let route = scope.route(front.route.clone().map(at))?;
    let profile = Profile::new(name, &text, route, tools)?;
    Some(Tool::Profile(Arc::new(profile)))
}

impl Profile {
    fn new(name: &str, text: &str, route: String, tools: Vec<Tool>) -> Option<Self> {
        let front = PromptFile::parse(text).ok()?.front;
        Some(Profile {
            name: front.name.unwrap_or_else(|| name.to_owned()),
            description: front.description.unwrap_or_default(),
            max_rounds: front.rounds.unwrap_or(ROUNDS),
            approval: front.approval.unwrap_or_default(),
            text: text.into(),
            route,
            tools,
        })
    }
}

impl Agent {
    pub(super) fn declaration(&self) -> Declaration {
        let tools = &self.profile.tools;
        Declaration {
            effects: tools.iter().any(Tool::has_effects),
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(900),
            example: Value::String("text".to_owned()),
        }
    }

    /// Whether it, or a profile that it calls, may look at calendars.
    pub fn reads_calendars(&self) -> bool {
        self.profile.tools.iter().any(Tool::reads_calendars)
    }

    /// Answers, or asks the owner for a word first.
    ///
    /// A type of its own: kinds hold agents, and agents do kinds.
    pub(super) fn run<'r>(
        &'r self,
        context: &'r Context<'_>,
    ) -> BoxFuture<'r, Result<Done, StepError>> {
        Box::pin(self.answer(context))
    }

    async fn answer(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let mut talk = Talk::new(self, context)?;
        let end = match talk.answer().await {
            Ok(end) => end,
            Err(why) => self.without(context, &mut talk, why)?,
        };
        Ok(Done {
            detail: Some(talk.detail()),
            cursors: talk.cursors,
            ..Done::end(end)
        })
    }

    /// The plain text where no model answers, or what is known so far.
    fn without(
        &self,
        context: &Context<'_>,
        talk: &mut Talk<'_>,
        reasons: Vec<String>,
    ) -> Result<crate::job::StepEnd, StepError> {
        use crate::job::StepEnd;
        talk.note("no_answer", json!(reasons));
        // No model worded what comes now.
        talk.note("by", Value::Null);
        if let Some(known) = talk.known_so_far() {
            return Ok(StepEnd::Done(Value::String(known)));
        }
        match &self.fallback {
            Some(fallback) => {
                let text = context.render(fallback)?;
                Ok(StepEnd::Done(Value::String(text.trim_end().to_owned())))
            }
            None => Ok(StepEnd::Failed(format!(
                "no model answered, and the step has no `fallback`; {}",
                reasons.join("; ")
            ))),
        }
    }
}

/// What a step that waited goes on with.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// What it left when it asked.
    pub detail: Value,
    /// The answer.
    pub approved: bool,
}

/// A table of arguments.
type Arguments = Map<String, Value>;
