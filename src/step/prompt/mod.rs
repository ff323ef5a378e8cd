//! `prompt`: a model words facts; a plain template does when no model can.

mod talk;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::schema::{self, Schema};
use super::{Context, Declaration, Done, Planned, StepError};
use crate::config::prompt_file::PromptFile;
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::job::StepEnd;
use crate::llm::{Picture, estimate_tokens, fence};
use crate::template::Locale;

use talk::Talk;
pub(super) use talk::reasons;

/// The largest picture that is shown to a model, in bytes.
const LARGEST: u64 = 4 << 20;

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
    /// A JSON Schema: the answer is a value that follows it.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    json: Option<At<Value>>,
    /// A picture of the workspace, for models that see.
    image: Option<At<String>>,
    /// The model is in memory when a timed run begins.
    warm: Option<bool>,
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
    json: Option<Arc<Value>>,
    image: Option<Arc<str>>,
    warm: bool,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Prompt> {
        let text = scope.prompt_file(self.prompt);
        let fallback = self.fallback.map(|file| scope.fallback_file(file));
        let route = scope.route(self.route);
        if let Some(json) = &self.json
            && let Err(why) = Schema::new(&json.value)
        {
            let what = format!("this is no JSON Schema: {why}");
            let right =
                "write it as json.type = \"object\", json.properties.NAME.type = \"string\"";
            scope.error(json.span.clone(), what, right);
        }
        let image = self.image.map(|path| scope.path(path));
        Some(Prompt {
            text: text?.into(),
            route: route?,
            facts: self.facts.unwrap_or_default(),
            fallback: match fallback {
                Some(text) => Some(text?.into()),
                None => None,
            },
            json: self.json.map(|json| Arc::new(json.value)),
            image: image.map(Arc::from),
            warm: self.warm.unwrap_or(false),
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
    /// Whom it asks.
    pub route: Planned,
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
    NotJson,
}

impl Plainly {
    /// How what was wrong with an answer is noted.
    fn noted(self) -> &'static str {
        match self {
            Plainly::NotJson => "not_json",
            _ => "invented",
        }
    }

    fn line(self, locale: Locale) -> &'static str {
        match (locale, self) {
            (Locale::En, Plainly::NoPrompt) => "_Plain text: the prompt could not be filled in._",
            (Locale::En, Plainly::NoModel) => "_Plain text: no model is configured for it._",
            (Locale::En, Plainly::NoAnswer) => "_Plain text: no model answered._",
            (Locale::En, Plainly::NotJson) => {
                "_Plain text: the answer was not the JSON that was asked for._"
            }
            (Locale::Es, Plainly::NotJson) => "_Texto fijo: la respuesta no era el JSON pedido._",
            (Locale::En, Plainly::Invented) => "_Plain text: the model did not keep to the facts._",
            (Locale::Es, Plainly::NoPrompt) => "_Texto fijo: no se pudo rellenar el prompt._",
            (Locale::Es, Plainly::NoModel) => "_Texto fijo: no hay ningún modelo configurado._",
            (Locale::Es, Plainly::NoAnswer) => "_Texto fijo: ningún modelo respondió._",
            (Locale::Es, Plainly::Invented) => "_Texto fijo: el modelo no se ciñó a los datos._",
        }
    }
}

/// A template without its code.
fn spoken(template: &str) -> String {
    let mut parts = template.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.rsplit('}').next().unwrap_or_default());
    }
    text
}

impl Prompt {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(900),
            example: match &self.json {
                Some(schema) => schema::example(schema),
                None => Value::String("text".to_owned()),
            },
        }
    }

    /// The route whose model is to be loaded ahead, and the tokens of the talk.
    pub(super) fn warms(&self) -> Option<(&str, u32)> {
        let parts = PromptFile::parse(&self.text).ok().filter(|_| self.warm)?;
        let answer = parts.front.max_tokens.unwrap_or(512);
        // The facts of a day, and a second question. A guess too high would have another context loaded than the talk's own,
        // and the model once more at its moment.
        let tokens = estimate_tokens(&spoken(&self.text)) * 2 + 2 * answer + 256;
        Some((&self.route, tokens))
    }

    /// The route that the file names, or the configuration.
    pub(super) fn route(&self) -> &str {
        &self.route
    }

    /// What would be asked now.
    pub fn plan(&self, context: &Context<'_>) -> Result<Plan, StepError> {
        let parts = PromptFile::parse(&self.text).map_err(|error| StepError::new(error.what))?;
        let render = |text: &str| context.render(text);
        let mut system = render(parts.front.system.as_deref().unwrap_or_default())?;
        let instructions = render(parts.instructions)?;
        if !system.is_empty() && !instructions.trim().is_empty() {
            system.push_str("\n\n");
        }
        system.push_str(instructions.trim());
        if let Some(schema) = &self.json {
            // Not every server holds its models to it.
            system.push_str(&format!(
                "\n\nAnswer with JSON that follows this schema, and nothing else:\n{schema}"
            ));
        }
        let mut facts = render(parts.facts)?.trim().to_owned();
        context.secrets.scrub(&mut system);
        context.secrets.scrub(&mut facts);
        let user = fence::data("facts", &facts);
        Ok(Plan {
            tokens: estimate_tokens(&system) + estimate_tokens(&user),
            route: context.route(&self.route),
            temperature: parts
                .front
                .temperature
                .map(|temperature| temperature as f32),
            max_tokens: parts.front.max_tokens,
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
        let pictures = match self.picture(context).await {
            Ok(pictures) => pictures,
            Err(error) => return self.unplanned(context, error),
        };
        let mut talk = Talk::new(self, context, &plan, pictures);
        let end = match talk.word().await {
            Ok(worded) => StepEnd::Done(worded),
            Err(plainly) => self.plainly(context, plainly, &mut talk.detail),
        };
        let detail = Some(Value::Object(talk.detail));
        Ok(Done {
            detail,
            ..Done::end(end)
        })
    }

    async fn picture(&self, context: &Context<'_>) -> Result<Vec<Picture>, StepError> {
        let Some(path) = &self.image else {
            return Ok(Vec::new());
        };
        let path = context.render(path)?;
        if path.is_empty() {
            return Ok(Vec::new());
        }
        let extension = path.rsplit('.').next().unwrap_or_default();
        let media_type = match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => "image/jpeg",
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            _ => {
                return Err(StepError::new(format!(
                    "`{path}` is no picture: jpg, png, gif, webp"
                )));
            }
        };
        let workspace = context.workspace();
        let read = tokio::task::spawn_blocking(move || workspace.read(&path, LARGEST)).await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(StepError::new(error.to_string())),
            Err(bug) => return Err(StepError::new(format!("a bug: {bug}"))),
        };
        Ok(vec![Picture {
            media_type: media_type.to_owned(),
            base64: STANDARD.encode(bytes),
        }])
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
        if let Some(schema) = &self.json {
            detail.insert("plain".to_owned(), json!(why.line(Locale::En)));
            return match talk::value(schema, text) {
                Ok(value) => StepEnd::Done(value),
                Err(wrong) => StepEnd::Failed(format!(
                    "the `fallback` is not what `json` asks for: {wrong}"
                )),
            };
        }
        detail.insert("plain".to_owned(), json!(why.line(Locale::En)));
        if text.is_empty() {
            return StepEnd::Done(Value::String(String::new()));
        }
        let language = context.settings.language;
        StepEnd::Done(Value::String(format!("{text}\n\n{}", why.line(language))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's context comes in steps of 2048 tokens: one that is warmed for more is loaded again at seven.
    #[test]
    fn the_briefing_is_warmed_for_the_talk_that_it_has() {
        let prompt = Prompt {
            text: include_str!("../../../prompts/daily-briefing.md").into(),
            route: "quick".to_owned(),
            facts: Facts::Strict,
            fallback: None,
            json: None,
            image: None,
            warm: true,
        };
        let (_, tokens) = prompt.warms().expect("it is warmed");
        assert!((1200..=2048).contains(&tokens), "{tokens}");
        assert_eq!(spoken("a {{ b }}{% c %} d\nf"), "a  d\nf");
    }
}
