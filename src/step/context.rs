//! What a step may use, and what it leaves behind.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::Resumed;
use super::calendar::{Accounts, Desk};
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::config::settings::{Budget, RouteSettings};
use crate::job::{CursorKey, RunId, StepEnd};
use crate::llm::class::Class;
use crate::llm::route::{Asking, Failure, Route};
use crate::llm::{self, Allowed, Answer, Books, Model, Reach, Request, Servers};
use crate::store::{Cap, Store};
use crate::template::{Locale, Roots, Templates};
use crate::workspace::Workspace;

/// Whose memory the owner's is.
const OWNER: &str = "owner";

/// The number of who types on a terminal.
const TERMINAL: i64 = 0;

/// What a step may use.
#[derive(Clone)]
pub struct Context<'a> {
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// The configuration.
    pub settings: &'a Settings,
    /// The user's folder: prompts, calendar files.
    pub folder: &'a Folder,
    /// What `.env`, the environment and credentials hold.
    pub secrets: &'a Secrets,
    /// Remembered positions.
    pub store: &'a Store,
    /// What is known of the servers of models.
    pub servers: &'a Servers,
    /// Accounts of Google that were asked already.
    pub accounts: &'a Accounts,
    /// The template environment, with the run's clock, zone and language.
    pub templates: &'a Templates,
    /// What templates see: results by step id, `event`, `job`, `run`, `now`.
    pub scope: &'a Roots,
    /// The folder with the database and the workspace.
    pub state: &'a Path,
    /// The job's name.
    pub job: &'a str,
    /// What its calls to models may take.
    pub budget: &'a Budget,
    /// The run.
    pub run: RunId,
    /// The step's id.
    pub step: &'a str,
    /// Which models may read what this job reads.
    pub reach: Reach,
    /// The time that the step has.
    pub limit: Duration,
    /// The person whose word counts in chats, by his number there.
    pub owner: Option<i64>,
    /// What a step that waited for the owner's word goes on with.
    pub resumed: Option<Resumed>,
    /// Where the words of a model are heard as they come; they may be wrong.
    pub grows: Option<&'a watch::Sender<String>>,
}

impl Context<'_> {
    /// The key of a position that this step remembers.
    pub fn cursor(&self, name: impl Into<String>) -> CursorKey {
        CursorKey {
            owner: self.job.to_owned(),
            step: self.step.to_owned(),
            name: name.into(),
        }
    }

    /// Whether the owner typed this himself, and does not pass on somebody else's words.
    pub fn trusts(&self, event: &Value) -> bool {
        let typed = matches!(event["kind"].as_str(), Some("telegram" | "hand"));
        // A run that the owner repeats by hand is still for the words of whoever wrote them.
        typed && self.person() == OWNER && event["forwarded"] != true
    }

    /// Whose memory it is: the owner's own, whichever way he speaks, or somebody else's.
    pub fn person(&self) -> String {
        let event = self.scope.get("event");
        match event.and_then(|event| event["user"]["id"].as_i64()) {
            Some(person) if person != TERMINAL && Some(person) != self.owner => person.to_string(),
            _ => OWNER.to_owned(),
        }
    }

    /// Whom a step asks that names this route: a person may have named another, or a model.
    pub fn route(&self, name: &str) -> Planned {
        let mut planned = Planned::default();
        let event = self.scope.get("event");
        let said = |key: &str| event.and_then(|event| event[key].as_str());
        let (settings, forced) = (self.settings, said("model"));
        let name = said("route").unwrap_or(name);
        let route = settings.routes.get(name);
        if let (Some(RouteSettings::ByClass { .. }), Some(text)) = (route, said("text")) {
            let (class, _) = settings.classifier.of(text);
            planned.class = Some(class);
        }
        let chain = route.map(|route| route.chain(planned.class));
        let forced = forced.map(str::to_owned);
        let names = match &forced {
            Some(model) => std::slice::from_ref(model),
            None => chain.unwrap_or_default(),
        };
        for name in names {
            let Some(model) = settings.models.get(name) else {
                planned.skipped.push(format!("{name}: no such model"));
                continue;
            };
            let model = model.with_key(self.secrets).and_then(|model| {
                let home = || "it is not at home, and what this job reads stays there: `local_only` of it, of a step or of a calendar that it reads".to_owned();
                self.reach.allows(model).ok_or_else(home)
            });
            match model {
                Ok(model) => planned.models.push(model),
                Err(why) => planned.skipped.push(format!("{name}: {why}")),
            }
        }
        planned.by_use = matches!(route, Some(RouteSettings::LeastUsed(_)));
        name.clone_into(&mut planned.name);
        planned
    }

    /// Asks a route; words are heard as they come.
    ///
    /// # Errors
    /// Why no model answered.
    pub async fn ask(
        &self,
        planned: &Planned,
        request: &Request,
        hear: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, Vec<Failure>> {
        let mut chain = planned.models.clone();
        if planned.by_use {
            self.by_use(&mut chain).await;
        }
        let route = Route {
            name: planned.name.clone(),
            class: planned.class.map(Class::word),
            chain,
        };
        let net = llm::client(
            route.chain.iter().map(|model| &**model),
            Arc::clone(self.clock),
        );
        let books = Books {
            store: self.store,
            run: self.run,
            job: self.job,
            step: self.step,
            person: self
                .scope
                .get("event")
                .is_some_and(|event| matches!(event["kind"].as_str(), Some("hand" | "telegram"))),
            caps: self.caps(),
        };
        let asking = Asking {
            clock: &**self.clock,
            net: &net,
            servers: self.servers,
            books: &books,
        };
        llm::route::ask(asking, &route, request, hear).await
    }

    /// Who worded an answer, and where, for people.
    pub fn by(&self, model: &Model) -> String {
        let at = match (self.settings.language, model.local) {
            (Locale::En, true) => "at home",
            (Locale::En, false) => "in the cloud",
            (Locale::Es, true) => "en casa",
            (Locale::Es, false) => "en la nube",
        };
        format!("{}, {at}", model.backend())
    }

    /// The models with the fewest calls of the last day first.
    async fn by_use(&self, chain: &mut [Allowed]) {
        let since = self.clock.now() - TimeDelta::days(1);
        let names: Vec<String> = chain.iter().map(|model| model.name.clone()).collect();
        let known = names.clone();
        let counts = self
            .store
            .read(move |reader| reader.calls_since(since, &known));
        let counts = counts.await.unwrap_or_default();
        let used: HashMap<String, u64> = names.into_iter().zip(counts).collect();
        chain.sort_by_key(|model| used.get(&model.name).copied().unwrap_or(0));
    }

    /// What calls of this step may take.
    fn caps(&self) -> Vec<Cap> {
        let settings = self.settings;
        let when = (self.clock.now(), settings.timezone, settings.language);
        let mut caps = settings.budget.caps((self.run, None), when);
        caps.extend(self.budget.caps((self.run, Some(self.job)), when));
        caps
    }

    /// What is needed to look at calendars.
    pub fn desk(&self) -> Desk<'_> {
        Desk {
            clock: self.clock,
            settings: self.settings,
            folder: self.folder,
            secrets: self.secrets,
            store: self.store,
            accounts: self.accounts,
            state: self.state,
            limit: self.limit,
        }
    }

    /// The folder that steps may write in.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(self.state.join("workspace"))
    }

    /// Renders a template of the job file.
    pub fn render(&self, template: &str) -> Result<String, StepError> {
        let rendered = self
            .templates
            .render("template", template, &self.scope.context());
        rendered.map_err(|error| StepError::new(error.to_string()))
    }
}

/// A route as a step asks it.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// What kind of message it is, where that decides.
    pub class: Option<Class>,
    /// Those that may be asked, in their order.
    pub models: Vec<Allowed>,
    /// The others, each with why it may not.
    pub skipped: Vec<String>,
    /// The one with the fewest calls is asked first.
    by_use: bool,
}

/// What a step leaves behind; committed at once with what follows it.
#[derive(Debug, Clone)]
pub struct Done {
    /// How it ended; [`StepEnd::Done`] holds what later steps see.
    pub end: StepEnd,
    /// What `show` tells beyond the result.
    pub detail: Option<Value>,
    /// Positions to remember once the run's outcome is committed; `None` forgets one.
    pub cursors: Vec<(CursorKey, Option<Value>)>,
}

impl Done {
    /// A result and nothing else.
    pub fn result(result: Value) -> Self {
        Done::end(StepEnd::Done(result))
    }

    /// An end and nothing else.
    pub fn end(end: StepEnd) -> Self {
        Done {
            end,
            detail: None,
            cursors: Vec::new(),
        }
    }
}

/// Why a step could not do its work.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// What happened, and what to do.
    pub message: String,
    /// What `show` tells beyond the message.
    pub detail: Option<Value>,
}

impl StepError {
    /// A failure with its reason.
    pub fn new(message: impl Into<String>) -> Self {
        StepError {
            message: message.into(),
            detail: None,
        }
    }

    /// A kind that this version checks and cannot run.
    pub fn not_yet(kind: &str) -> Self {
        StepError::new(format!(
            "this version checks `{kind}` steps but cannot run them yet"
        ))
    }

    /// Adds what the program said before it failed.
    #[must_use]
    pub fn with_output(mut self, output: &str) -> Self {
        self.detail = Some(json!({ "output": output }));
        self
    }
}
