//! `prompt`: a model words facts; a plain template does when no model can.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::prompt_file::PromptFile;
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::job::{Call, StepEnd};
use crate::llm::route::{Down, Route, ask};
use crate::llm::{Message, Model, Request, estimate_tokens, facts, fence};
use crate::template::Locale;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// A file of `prompts/`.
    prompt: At<String>,
    /// A route of the configuration; the default one when left out.
    route: Option<At<String>>,
    /// `strict`: every time, date, weekday and number of the answer has to be in the facts.
    facts: Option<Facts>,
    /// A plain template of `prompts/`, for when no model gives a usable answer.
    fallback: Option<At<String>>,
}

/// How closely an answer is held to the facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Facts {
    /// Not at all.
    #[default]
    Free,
    /// Every time, date, weekday and number has to be in the facts.
    Strict,
}

/// Facts, worded.
#[derive(Debug, Clone)]
pub struct Prompt {
    text: Arc<str>,
    route: String,
    facts: Facts,
    fallback: Option<Arc<str>>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Prompt> {
        let text = scope.prompt_file(self.prompt);
        let fallback = self.fallback.map(|file| scope.fallback_file(file));
        let route = scope.route(self.route);
        Some(Prompt {
            text: text?.into(),
            route: route?,
            facts: self.facts.unwrap_or_default(),
            fallback: match fallback {
                Some(text) => Some(text?.into()),
                None => None,
            },
        })
    }
}

/// What a prompt step would ask, and of whom.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who the model is to be and what it is to do: the same from day to day.
    pub system: String,
    /// The facts, fenced as data.
    pub user: String,
    /// The facts as they were rendered.
    facts: String,
    /// An estimate of the prompt's tokens.
    pub tokens: u32,
    /// The models in their order.
    pub chain: Vec<Model>,
    /// Models of the route that may not be asked, each with why.
    skipped: Vec<String>,
    temperature: Option<f32>,
    max_tokens: Option<u32>,
}

/// What templates see that no step found.
const NO_FACTS: &[&str] = &["event", "job", "run", "now", "language"];

/// Why the plain text goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plainly {
    NoPrompt,
    NoModel,
    NoAnswer,
    Invented,
}

impl Plainly {
    fn line(self, locale: Locale) -> &'static str {
        match (locale, self) {
            (Locale::En, Plainly::NoPrompt) => "_Plain text: the prompt could not be filled in._",
            (Locale::En, Plainly::NoModel) => "_Plain text: no model is configured for it._",
            (Locale::En, Plainly::NoAnswer) => "_Plain text: no model answered._",
            (Locale::En, Plainly::Invented) => "_Plain text: the model did not keep to the facts._",
            (Locale::Es, Plainly::NoPrompt) => "_Texto fijo: no se pudo rellenar el prompt._",
            (Locale::Es, Plainly::NoModel) => "_Texto fijo: no hay ningún modelo configurado._",
            (Locale::Es, Plainly::NoAnswer) => "_Texto fijo: ningún modelo respondió._",
            (Locale::Es, Plainly::Invented) => "_Texto fijo: el modelo no se ciñó a los datos._",
        }
    }
}

impl Prompt {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(900),
            example: Value::String("text".to_owned()),
        }
    }

    /// What would be asked now.
    pub fn plan(&self, context: &Context<'_>) -> Result<Plan, StepError> {
        let parts = PromptFile::parse(&self.text).map_err(|error| StepError::new(error.what))?;
        let render = |text: &str| context.render(text);
        let mut system = render(parts.system.as_deref().unwrap_or_default())?;
        let instructions = render(parts.instructions)?;
        if !system.is_empty() && !instructions.trim().is_empty() {
            system.push_str("\n\n");
        }
        system.push_str(instructions.trim());
        let mut facts = render(parts.facts)?.trim().to_owned();
        context.secrets.scrub(&mut system);
        context.secrets.scrub(&mut facts);
        let user = fence::data("facts", &facts);
        let chain = context.chain(&self.route);
        Ok(Plan {
            tokens: estimate_tokens(&system) + estimate_tokens(&user),
            chain: chain.models,
            skipped: chain.skipped,
            temperature: parts.temperature.map(|temperature| temperature as f32),
            max_tokens: parts.max_tokens,
            system,
            user,
            facts,
        })
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let plan = match self.plan(context) {
            Ok(plan) => plan,
            Err(error) => return self.unplanned(context, error),
        };
        let mut talk = Talk {
            prompt: self,
            context,
            plan: &plan,
            deadline: context.clock.monotonic() + context.limit,
            calls: Vec::new(),
            detail: Map::new(),
        };
        talk.note(
            "prompt",
            json!({ "system": plan.system, "user": plan.user }),
        );
        if !plan.skipped.is_empty() {
            talk.note("skipped", json!(plan.skipped));
        }
        let end = match talk.word().await {
            Ok(text) => StepEnd::Done(Value::String(text)),
            Err(plainly) => self.plainly(context, plainly, &mut talk.detail),
        };
        let mut calls = std::mem::take(&mut talk.calls);
        for call in &mut calls {
            call.step = context.step.to_owned();
        }
        Ok(Done {
            end,
            detail: Some(Value::Object(talk.detail)),
            calls,
            cursors: Vec::new(),
        })
    }

    /// The plain text where there is nothing to ask a model; the failure itself where the step has none.
    fn unplanned(&self, context: &Context<'_>, error: StepError) -> Result<Done, StepError> {
        if self.fallback.is_none() {
            return Err(error);
        }
        let mut detail = Map::new();
        detail.insert("no_prompt".to_owned(), json!(error.message));
        let end = self.plainly(context, Plainly::NoPrompt, &mut detail);
        Ok(Done {
            detail: Some(Value::Object(detail)),
            ..Done::end(end)
        })
    }

    /// The plain text, saying so in one quiet line; a failure where the step has none.
    fn plainly(
        &self,
        context: &Context<'_>,
        why: Plainly,
        detail: &mut Map<String, Value>,
    ) -> StepEnd {
        let Some(fallback) = &self.fallback else {
            let line = why.line(Locale::En).trim_matches('_');
            let reason = line
                .trim_start_matches("Plain text: ")
                .trim_end_matches('.');
            let told = ["skipped", "no_answer"].map(|note| detail.get(note));
            let told = told.into_iter().flatten().filter_map(Value::as_array);
            let told = told.flatten().filter_map(Value::as_str);
            let told: String = told.map(|why| format!("; {why}")).collect();
            return StepEnd::Failed(format!("{reason}, and the step has no `fallback`{told}"));
        };
        let text = match context.render(fallback) {
            Ok(text) => text,
            Err(error) => return StepEnd::Failed(error.message),
        };
        let text = text.trim_end();
        detail.insert("plain".to_owned(), json!(why.line(Locale::En)));
        if text.is_empty() {
            return StepEnd::Done(Value::String(String::new()));
        }
        let language = context.settings.language;
        StepEnd::Done(Value::String(format!("{text}\n\n{}", why.line(language))))
    }
}

struct Talk<'a> {
    prompt: &'a Prompt,
    context: &'a Context<'a>,
    plan: &'a Plan,
    /// When the step's own time ends.
    deadline: Duration,
    calls: Vec<Call>,
    detail: Map<String, Value>,
}

impl Talk<'_> {
    /// An answer that keeps to the facts; one that does not is asked for once more.
    async fn word(&mut self) -> Result<String, Plainly> {
        if self.plan.chain.is_empty() {
            let configured = !self.plan.skipped.is_empty();
            return Err(if configured {
                Plainly::NoAnswer
            } else {
                Plainly::NoModel
            });
        }
        let down = Down::default();
        let mut messages = vec![Message::user(self.plan.user.clone())];
        for attempt in ["answer", "second_answer"] {
            let answer = self.ask(&messages, &down).await.ok_or(Plainly::NoAnswer)?;
            self.note(attempt, json!(answer));
            let Err(inventions) = self.check(&answer) else {
                return Ok(answer);
            };
            let named: Vec<&str> = inventions.iter().map(|found| found.text.as_str()).collect();
            let named = named.join(", ");
            self.note(&format!("{attempt}_invented"), json!(named));
            messages.push(Message::assistant(answer));
            messages.push(Message::user(format!(
                "These are not in the facts: {named}. Write it again with nothing but the facts."
            )));
        }
        Err(Plainly::Invented)
    }

    async fn ask(&mut self, messages: &[Message], down: &Down) -> Option<String> {
        let left = self.deadline.saturating_sub(self.context.clock.monotonic());
        let request = Request {
            system: Some(self.plan.system.clone()).filter(|system| !system.is_empty()),
            messages: messages.to_vec(),
            temperature: self.plan.temperature,
            max_tokens: self.plan.max_tokens,
            format: None,
            talk: self.talk_tokens(),
            within: Some(left),
        };
        let route = Route {
            name: self.prompt.route.clone(),
            chain: self.plan.chain.clone(),
        };
        let clock = self.context.clock;
        let client = crate::llm::client(&route.chain, Arc::clone(clock));
        let routed = ask(
            clock.as_ref(),
            &client,
            &route,
            &request,
            (self.context.lanes, down),
            &mut |delta| self.hear(delta),
        )
        .await;
        self.calls.extend(routed.calls);
        match routed.answer {
            Ok(answer) => Some(answer.text),
            Err(failures) => {
                let reasons = failures.iter().map(|failure| {
                    let hint = failure
                        .error
                        .hint()
                        .map_or_else(String::new, |hint| format!(" ({hint})"));
                    format!("{}: {}{hint}", failure.model, failure.error)
                });
                self.note("no_answer", json!(reasons.collect::<Vec<_>>()));
                None
            }
        }
    }

    /// Words as they come, where nobody has to look at them first.
    fn hear(&self, delta: &str) {
        if let (Facts::Free, Some(grows)) = (self.prompt.facts, self.context.grows) {
            grows.send_modify(|text| match delta {
                "" => text.clear(),
                delta => text.push_str(delta),
            });
        }
    }

    /// What the talk comes to when the first answer is sent back with a question.
    fn talk_tokens(&self) -> u32 {
        const QUESTION: u32 = 256;
        if self.prompt.facts == Facts::Free {
            return 0;
        }
        let longest = self.plan.chain.iter().map(|model| model.max_output).max();
        let longest = longest.unwrap_or(0);
        let answer = self
            .plan
            .max_tokens
            .map_or(longest, |most| most.min(longest));
        self.plan.tokens + 2 * answer + QUESTION
    }

    fn check(&self, answer: &str) -> Result<(), Vec<facts::Invention>> {
        if self.prompt.facts == Facts::Free {
            return Ok(());
        }
        let settings = self.context.settings;
        let now = self.context.clock.now().with_timezone(&settings.timezone);
        // What the steps found: the number of a run is no fact.
        let found = self.context.scope.copied(|root| !NO_FACTS.contains(&root));
        facts::check(
            answer,
            &Value::Object(found),
            &self.plan.facts,
            settings.language,
            &now,
        )
    }

    fn note(&mut self, name: &str, value: Value) {
        self.detail.insert(name.to_owned(), value);
    }
}
