//! What a step may use, and what it leaves behind.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Settings;
use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::job::{Call, CursorKey, StepEnd};
use crate::llm::{Lanes, Model};
use crate::store::Store;
use crate::template::{Roots, Templates};
use crate::workspace::Workspace;

/// Which models may read what a job reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only those at home.
    Home,
    /// Any.
    Anywhere,
}

/// What a step may use.
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
    /// How many questions each model's server is asked at once.
    pub lanes: &'a Lanes,
    /// The template environment, with the run's clock, zone and language.
    pub templates: &'a Templates,
    /// What templates see: results by step id, `event`, `job`, `run`, `now`.
    pub scope: &'a Roots,
    /// The folder with the database and the workspace.
    pub state: &'a Path,
    /// The job's name.
    pub job: &'a str,
    /// The step's id.
    pub step: &'a str,
    /// Which models may read what this job reads.
    pub reach: Reach,
    /// The time that the step has.
    pub limit: Duration,
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

    /// The models of a route that may read what this job reads and whose keys are there, in their order.
    pub fn chain(&self, route: &str) -> Chain {
        let mut chain = Chain::default();
        let names = self.settings.routes.get(route).map(|route| route.chain());
        for name in names.into_iter().flatten() {
            let Some(model) = self.settings.models.get(name) else {
                continue;
            };
            let model = if model.local || self.reach == Reach::Anywhere {
                model.with_key(self.secrets)
            } else {
                Err("it is not at home, where this has to stay".to_owned())
            };
            match model {
                Ok(model) => chain.models.push(model),
                Err(why) => chain.skipped.push(format!("{name}: {why}")),
            }
        }
        chain
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

/// The models of a route.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// Those that may be asked, in their order.
    pub models: Vec<Model>,
    /// The others, each with why it may not.
    pub skipped: Vec<String>,
}

/// What a step leaves behind; committed at once with what follows it.
#[derive(Debug, Clone)]
pub struct Done {
    /// How it ended; [`StepEnd::Done`] holds what later steps see.
    pub end: StepEnd,
    /// What `show` tells beyond the result.
    pub detail: Option<Value>,
    /// Calls to models.
    pub calls: Vec<Call>,
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
            calls: Vec::new(),
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
    /// Calls to models, failed ones too.
    pub calls: Vec<Call>,
}

impl StepError {
    /// A failure with its reason.
    pub fn new(message: impl Into<String>) -> Self {
        StepError {
            message: message.into(),
            detail: None,
            calls: Vec::new(),
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
