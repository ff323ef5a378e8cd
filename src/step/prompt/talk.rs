//! The talk with the models of a route until one gives an answer that can be used.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Facts, NO_FACTS, Plainly, Plan, Prompt, Schema};
use crate::llm::route::Failure;
use crate::llm::{Message, Picture, Request, facts};
use crate::step::{Context, Planned};

pub(super) struct Talk<'a> {
    prompt: &'a Prompt,
    context: &'a Context<'a>,
    plan: &'a Plan,
    pictures: Vec<Picture>,
    /// When the step's own time ends.
    deadline: Duration,
    pub(super) detail: Map<String, Value>,
}

/// What is wrong with an answer.
struct Wrong {
    why: Plainly,
    /// For the model.
    told: String,
    /// For people.
    noted: String,
}

impl<'a> Talk<'a> {
    pub(super) fn new(
        prompt: &'a Prompt,
        context: &'a Context<'a>,
        plan: &'a Plan,
        pictures: Vec<Picture>,
    ) -> Self {
        let mut talk = Talk {
            prompt,
            context,
            plan,
            pictures,
            deadline: context.clock.monotonic() + context.limit,
            detail: Map::new(),
        };
        talk.note(
            "prompt",
            json!({ "system": plan.system, "user": plan.user }),
        );
        if !plan.route.skipped.is_empty() {
            talk.note("skipped", json!(plan.route.skipped));
        }
        talk
    }

    /// An answer that holds. One that does not is sent back to its model once; then the next one of the route is asked.
    pub(super) async fn word(&mut self) -> Result<Value, Plainly> {
        let mut route = self.plan.route.clone();
        if route.models.is_empty() {
            return Err(match route.skipped.is_empty() {
                true => Plainly::NoModel,
                false => Plainly::NoAnswer,
            });
        }
        let mut why = Plainly::NoAnswer;
        let mut names = ["answer", "second_answer", "third_answer", "fourth_answer"].into_iter();
        while !route.models.is_empty() {
            let mut messages = vec![Message::User(self.plan.user.clone(), self.pictures.clone())];
            for tried in 0..2 {
                let Some((answer, model)) = self.ask(&route, &messages).await else {
                    return Err(why);
                };
                let place = route.models.iter().position(|known| known.name == model);
                route.models.drain(..place.unwrap_or(0));
                let name = names.next().unwrap_or("last_answer");
                self.note(name, json!(answer));
                let wrong = match self.judge(&answer) {
                    Ok(value) => {
                        let by = self.context.by(&route.models[0]);
                        self.note("by", json!(by));
                        return Ok(value);
                    }
                    Err(wrong) => wrong,
                };
                why = wrong.why;
                self.note(&format!("{name}_{}", why.noted()), json!(wrong.noted));
                if tried == 0 {
                    messages.push(Message::assistant(answer));
                    messages.push(Message::user(wrong.told));
                }
            }
            route.models.remove(0);
        }
        Err(why)
    }

    /// The answer of a route, and the model's name.
    async fn ask(&mut self, route: &Planned, messages: &[Message]) -> Option<(String, String)> {
        let left = self.deadline.saturating_sub(self.context.clock.monotonic());
        let request = Request {
            system: Some(self.plan.system.clone()).filter(|system| !system.is_empty()),
            messages: messages.to_vec(),
            tools: Vec::new(),
            closed: false,
            temperature: self.plan.temperature,
            max_tokens: self.plan.max_tokens,
            format: self.prompt.json.as_deref().cloned(),
            talk: self.talk_tokens(),
            within: Some(left),
        };
        let answered = self
            .context
            .ask(route, &request, &mut |delta| self.hear(delta))
            .await;
        match answered {
            Ok(answer) => Some((answer.said.text, answer.usage.model)),
            Err(failures) => {
                self.note("no_answer", json!(reasons(&failures)));
                None
            }
        }
    }

    /// Words as they come, where nobody has to look at them first.
    fn hear(&self, delta: &str) {
        let free = self.prompt.facts == Facts::Free && self.prompt.json.is_none();
        if let Some(grows) = self.context.grows.filter(|_| free) {
            grows.send_modify(|text| match delta {
                "" => text.clear(),
                delta => text.push_str(delta),
            });
        }
    }

    /// What the talk comes to when the first answer is sent back with a question.
    fn talk_tokens(&self) -> u32 {
        const QUESTION: u32 = 256;
        if self.prompt.facts == Facts::Free && self.prompt.json.is_none() {
            return 0;
        }
        let models = self.plan.route.models.iter();
        let longest = models.map(|model| model.max_output).max().unwrap_or(0);
        let answer = self
            .plan
            .max_tokens
            .map_or(longest, |most| most.min(longest));
        self.plan.tokens + 2 * answer + QUESTION
    }

    /// What the answer is worth.
    fn judge(&self, answer: &str) -> Result<Value, Wrong> {
        if self.prompt.facts == Facts::Strict {
            self.check(answer)?;
        }
        let Some(schema) = &self.prompt.json else {
            return Ok(json!(answer));
        };
        value(schema, answer).map_err(|noted| Wrong {
            why: Plainly::NotJson,
            told: format!("This is not the JSON that was asked for: {noted}. Write it again, with nothing around it."),
            noted,
        })
    }

    fn check(&self, answer: &str) -> Result<(), Wrong> {
        let settings = self.context.settings;
        let now = self.context.clock.now().with_timezone(&settings.timezone);
        // What the steps found: the number of a run is no fact.
        let found = self.context.scope.copied(|root| !NO_FACTS.contains(&root));
        let held = facts::check(
            answer,
            &Value::Object(found),
            &self.plan.facts,
            settings.language,
            &now,
        );
        held.map_err(|inventions| {
            let named: Vec<&str> = inventions.iter().map(|found| found.text.as_str()).collect();
            let noted = named.join(", ");
            Wrong {
                why: Plainly::Invented,
                told: format!(
                    "These are not in the facts: {noted}. Write it again with nothing but the facts."
                ),
                noted,
            }
        })
    }

    fn note(&mut self, name: &str, value: Value) {
        self.detail.insert(name.to_owned(), value);
    }
}

/// Why no model answered, for people.
pub(in crate::step) fn reasons(failures: &[Failure]) -> Vec<String> {
    let reasons = failures.iter().map(|failure| {
        let hint = failure.hint.as_ref();
        let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{}: {}{hint}", failure.model, failure.error)
    });
    reasons.collect()
}

/// The value of an answer, which models like to put into a fence of code.
///
/// # Errors
/// What is wrong with it.
pub(super) fn value(schema: &Value, answer: &str) -> Result<Value, String> {
    let answer = answer.trim();
    let bare = answer
        .strip_prefix("```json")
        .or(answer.strip_prefix("```"));
    let bare = bare.and_then(|text| text.strip_suffix("```"));
    let value: Value =
        serde_json::from_str(bare.unwrap_or(answer)).map_err(|error| error.to_string())?;
    Schema::new(schema)?.check(&value)?;
    Ok(value)
}
