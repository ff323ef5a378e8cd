//! The talk with a model that may use tools: at most so many rounds, each result capped and fenced, nothing with effects once
//! somebody else's text is in it, unless the owner says so.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::results::{Outcome, RULES, capped, identity, known, question, thin};
use super::rounds::{Called, Round, messages};
use super::tools::Tool;
use super::{Agent, Profile};
use crate::clock::timeout;
use crate::config::prompt_file::{Approval, PromptFile};
use crate::job::{Moved, StepEnd, Wait};
use crate::llm::{Message, Request, fence};
use crate::step::prompt::reasons;
use crate::step::{Context, Planned, StepError};

/// The longest text that an owner is asked about, in characters.
const SHOWN: usize = 1500;

/// So many calls that were made before are answered by pointing at their results; then it has to answer.
const REPEATS: usize = 2;

/// How long an owner is waited for.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

pub(super) struct Talk<'a> {
    profile: &'a Profile,
    context: &'a Context<'a>,
    system: String,
    /// What was said before, and the question.
    opening: Vec<Message>,
    temperature: Option<f32>,
    max_tokens: Option<u32>,
    /// Text that somebody else wrote is in it.
    tainted: bool,
    rounds: Vec<Round>,
    notes: Map<String, Value>,
    /// Positions that tools remember.
    pub cursors: Vec<Moved>,
    /// When the step's own time ends.
    deadline: Duration,
}

/// What is next after the calls of a round.
enum Next {
    Go,
    Ask(StepEnd),
}

impl<'a> Talk<'a> {
    pub fn new(agent: &'a Agent, context: &'a Context<'a>) -> Result<Self, StepError> {
        let event = context.scope.get("event").cloned().unwrap_or_default();
        let trusted = context.trusts(&event);
        let mut talk = Talk::of(&agent.profile, context)?;
        talk.tainted |= !trusted;
        let before = event["conversation"].as_array();
        let before = before.map_or(&[][..], Vec::as_slice);
        for turn in &before[before.len().saturating_sub(agent.memory)..] {
            let text = turn["text"].as_str().unwrap_or_default();
            talk.opening.push(match turn["who"].as_str() {
                Some("answer") => {
                    // It may quote what somebody else wrote.
                    talk.tainted = true;
                    Message::assistant(fence::neutralise(text))
                }
                _ => Message::user(text),
            });
        }
        let question = question(&event);
        let question = match trusted {
            true => question,
            false => fence::data("message", &question),
        };
        talk.ask(question);
        if let Some(resumed) = &context.resumed {
            let rounds = resumed.detail["rounds"].clone();
            talk.rounds = serde_json::from_value(rounds).unwrap_or_default();
            talk.tainted = true;
        }
        Ok(talk)
    }

    /// A profile that another one calls.
    fn called(
        profile: &'a Profile,
        context: &'a Context<'a>,
        task: &str,
    ) -> Result<Self, StepError> {
        let mut talk = Talk::of(profile, context)?;
        talk.tainted = true;
        talk.ask(fence::data("task", task));
        Ok(talk)
    }

    fn of(profile: &'a Profile, context: &'a Context<'a>) -> Result<Self, StepError> {
        let parts = PromptFile::parse(&profile.text).map_err(|error| StepError::new(error.what))?;
        let system = context.render(parts.front.system.as_deref().unwrap_or_default())?;
        let instructions = context.render(parts.instructions)?;
        let facts = context.render(parts.facts)?.trim().to_owned();
        let said = [system.trim(), instructions.trim(), RULES];
        let said = said.into_iter().filter(|part| !part.is_empty());
        let opening = match facts.is_empty() {
            true => Vec::new(),
            false => vec![Message::user(fence::data("facts", &facts))],
        };
        Ok(Talk {
            profile,
            context,
            system: said.collect::<Vec<_>>().join("\n\n"),
            tainted: !opening.is_empty(),
            opening,
            temperature: parts
                .front
                .temperature
                .map(|temperature| temperature as f32),
            max_tokens: parts.front.max_tokens,
            rounds: Vec::new(),
            notes: Map::new(),
            cursors: Vec::new(),
            deadline: context.clock.monotonic() + context.limit,
        })
    }

    fn ask(&mut self, question: String) {
        let prompt = json!({ "system": self.system, "user": question });
        self.note("prompt", prompt);
        self.opening.push(Message::user(question));
    }

    pub fn note(&mut self, name: &str, value: Value) {
        self.notes.insert(name.to_owned(), value);
    }

    /// What `show` tells of it, and what it goes on from.
    pub fn detail(&self) -> Value {
        let mut detail = self.notes.clone();
        detail.insert("rounds".to_owned(), json!(self.rounds));
        Value::Object(detail)
    }

    /// Goes on until there is an answer, or the owner is to be asked.
    ///
    /// # Errors
    /// Why no model answered.
    pub fn answer(&mut self) -> BoxFuture<'_, Result<StepEnd, Vec<String>>> {
        // A profile may call another, so that it is a type of its own.
        Box::pin(self.rounds())
    }

    async fn rounds(&mut self) -> Result<StepEnd, Vec<String>> {
        let route = self.context.route(&self.profile.route);
        if !route.skipped.is_empty() {
            self.note("skipped", json!(route.skipped));
        }
        if route.models.is_empty() {
            return Err(match route.skipped.is_empty() {
                true => vec!["no model is configured for it".to_owned()],
                false => route.skipped,
            });
        }
        let mut repeats = 0;
        // What waited for the owner's word comes first.
        if let Next::Ask(end) = self
            .tools(&mut repeats, self.context.resumed.is_some())
            .await
        {
            return Ok(end);
        }
        loop {
            let used = u32::try_from(self.rounds.len()).unwrap_or(u32::MAX);
            let last = used >= self.profile.max_rounds || repeats >= REPEATS;
            let said = self.round(&route, last).await?;
            if said.calls.is_empty() || last {
                let text = fence::neutralise(&said.said).into_owned();
                return match text.is_empty() {
                    true => Err(vec![
                        "its rounds are used up, and it gave no answer".to_owned(),
                    ]),
                    false => Ok(StepEnd::Done(Value::String(text))),
                };
            }
            self.rounds.push(said);
            if let Next::Ask(end) = self.tools(&mut repeats, false).await {
                return Ok(end);
            }
        }
    }

    async fn round(&mut self, route: &Planned, last: bool) -> Result<Round, Vec<String>> {
        let mut messages: Vec<Message> = self.opening.clone();
        messages.extend(self::messages(&self.rounds));
        if last && !self.rounds.is_empty() {
            let now = "Answer now with what you know, and say what you could not find out.";
            messages.push(Message::user(now));
        }
        let left = self.deadline.saturating_sub(self.context.clock.monotonic());
        let request = Request {
            system: Some(self.system.clone()),
            messages,
            tools: self.profile.tools.iter().map(Tool::told).collect(),
            closed: last,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            within: Some(left),
            ..Request::default()
        };
        let grows = self.context.grows;
        let mut hear = |delta: &str| {
            if let Some(grows) = grows {
                grows.send_modify(|text| match delta {
                    "" => text.clear(),
                    delta => text.push_str(delta),
                });
            }
        };
        let answered = self.context.ask(route, &request, &mut hear).await;
        let answer = answered.map_err(|failures| reasons(&failures))?;
        let by = route.models.iter();
        let by = by.clone().find(|model| model.name == answer.usage.model);
        let by = by.map(|model| self.context.by(model));
        self.note("by", json!(by));
        if !answer.said.calls.is_empty() {
            // What it said before it uses tools is no answer yet.
            hear("");
        }
        Ok(Round::new(answer.said))
    }

    /// Does what the last round called and has no result yet.
    async fn tools(&mut self, repeats: &mut usize, mut answered: bool) -> Next {
        let Some(mut round) = self.rounds.pop() else {
            return Next::Go;
        };
        let mut known: HashSet<String> = HashSet::new();
        for earlier in self.rounds.iter().flat_map(|round| &round.calls) {
            known.insert(identity(earlier));
        }
        let mut next = Next::Go;
        for place in 0..round.calls.len() {
            if round.calls[place].result.is_some() {
                known.insert(identity(&round.calls[place]));
                continue;
            }
            let called = round.calls[place].clone();
            let decided = std::mem::take(&mut answered);
            let result = if !known.insert(identity(&called)) {
                *repeats += 1;
                round.calls[place].wrong = true;
                "You called this before with the same arguments: its result is above.".to_owned()
            } else {
                match self.one(&called, decided).await {
                    Outcome::Gave(result) => result,
                    Outcome::Wrong(why) => {
                        round.calls[place].wrong = true;
                        why
                    }
                    Outcome::Asks(end, detail) => {
                        self.notes.extend(detail);
                        next = Next::Ask(end);
                        break;
                    }
                }
            };
            round.calls[place].result = Some(result);
        }
        self.rounds.push(round);
        next
    }

    /// One call; `decided` where the owner's word on it is there.
    async fn one(&mut self, called: &Called, decided: bool) -> Outcome {
        let tools = self.profile.tools.iter();
        let found = tools.clone().find(|tool| tool.called() == called.tool);
        let Some(tool) = found else {
            let names: Vec<String> = tools.map(Tool::called).collect();
            let none = format!(
                "There is no tool `{}`. There are: {}.",
                called.tool,
                names.join(", ")
            );
            return Outcome::Wrong(none);
        };
        let arguments = match tool.check(&called.arguments) {
            Ok(arguments) => arguments,
            Err(wrong) => return Outcome::Wrong(format!("These arguments are wrong: {wrong}")),
        };
        let asks = self.tainted || self.profile.approval == Approval::Always;
        if tool.has_effects() && asks {
            match (&self.context.resumed, decided) {
                (Some(resumed), true) if resumed.approved => {}
                (Some(_), true) => {
                    return Outcome::Wrong("The owner said no to this.".to_owned());
                }
                _ => return self.asks(tool, arguments),
            }
        }
        let result = match tool {
            Tool::Profile(profile) => self.profile_answers(profile, arguments).await,
            Tool::Kind(known) => match known.step(arguments, self.context) {
                Err(wrong) => Err(format!("These arguments are wrong: {wrong}")),
                Ok(kind) => {
                    self.tainted |= known.outside;
                    self.does(&kind).await
                }
            },
        };
        let failed = result.is_err();
        let mut result = result.unwrap_or_else(|why| why);
        self.context.secrets.scrub(&mut result);
        match failed {
            true => Outcome::Wrong(capped(result)),
            false => Outcome::Gave(capped(result)),
        }
    }

    async fn does(&mut self, kind: &crate::step::Kind) -> Result<String, String> {
        let left = self.deadline.saturating_sub(self.context.clock.monotonic());
        let limit = kind.declaration().timeout.min(left);
        let ran = timeout(&**self.context.clock, limit, kind.run(self.context)).await;
        let done = match ran {
            Err(_) => return Err("It did not end in time.".to_owned()),
            Ok(Err(error)) => return Err(format!("It failed: {}", error.message)),
            Ok(Ok(done)) => done,
        };
        self.cursors.extend(done.cursors);
        match done.end {
            StepEnd::Done(Value::String(text)) => Ok(text),
            StepEnd::Done(Value::Null) => Ok("done".to_owned()),
            StepEnd::Done(mut value) => {
                thin(&mut value);
                Ok(value.to_string())
            }
            StepEnd::Failed(why) => Err(format!("It failed: {why}")),
            _ => Ok("nothing".to_owned()),
        }
    }

    async fn profile_answers(
        &mut self,
        profile: &Arc<Profile>,
        arguments: &super::Arguments,
    ) -> Result<String, String> {
        let task = arguments["task"].as_str().unwrap_or_default();
        // What has effects asks, and only the first one can: it gets what has none.
        let mut harmless = Profile::clone(profile);
        harmless.tools.retain(|tool| !tool.has_effects());
        let context = Context {
            grows: None,
            resumed: None,
            ..self.context.clone()
        };
        let talk = Talk::called(&harmless, &context, task);
        let mut talk = talk.map_err(|error| error.message)?;
        self.tainted = true;
        let answered = talk.answer().await;
        let known = talk.known_so_far();
        self.cursors.append(&mut talk.cursors);
        match answered {
            Ok(StepEnd::Done(Value::String(text))) => Ok(text),
            Ok(_) => Err("It gave no answer.".to_owned()),
            Err(reasons) => known.ok_or_else(|| format!("It failed: {}", reasons.join("; "))),
        }
    }

    /// Asks the owner: the message shows exactly what will be done.
    fn asks(&self, tool: &Tool, arguments: &super::Arguments) -> Outcome {
        let each = arguments.iter().map(|(key, value)| match value {
            Value::String(text) => format!("{key}: {text}"),
            other => format!("{key}: {other}"),
        });
        let asks = format!("{}\n{}", tool.name(), each.collect::<Vec<_>>().join("\n"));
        let asks: String = asks.chars().filter(|c| !crate::step::hides(*c)).collect();
        if asks.chars().count() > SHOWN {
            let why =
                "The owner would have to be asked, and nobody reads so much: make it shorter.";
            return Outcome::Wrong(why.to_owned());
        }
        let until = self.context.clock.now() + PATIENCE;
        let nonce = self.context.clock.id().simple().to_string();
        let detail = [("asks", json!(asks)), ("until", json!(until))];
        let detail = detail.map(|(key, value)| (key.to_owned(), value));
        Outcome::Asks(StepEnd::Wait(Wait::Token(nonce)), Map::from_iter(detail))
    }

    /// What tools found, for a person, where no answer came of it.
    pub fn known_so_far(&self) -> Option<String> {
        known(&self.rounds, self.context.settings.language)
    }
}
