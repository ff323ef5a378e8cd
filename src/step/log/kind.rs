//! The keys of a `log` step and its action.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Cancel, Choice, LinePattern, LogGlob, Look, Memory, Only, Reading, Since, Surroundings,
};
use crate::config::resolve::Scope;
use crate::config::value::{Glob, OneOrMany, Pattern, Size, Span};
use crate::step::{Context, Declaration, Done, StepError};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Files or globs.
    log: OneOrMany<Glob>,
    /// `last-run`, `start`, or a time such as `10m`; `last-run` when left out.
    since: Option<AuthoredSince>,
    /// Only lines that it matches.
    #[serde(rename = "match")]
    matches: Option<Pattern>,
    /// But not lines that this matches.
    ignore: Option<Pattern>,
    /// The most patterns told; 50 when left out.
    max_lines: Option<u32>,
    /// The most text told; 16KiB when left out.
    max_bytes: Option<Size>,
    /// Only patterns that are `new`, or `surging` beyond their usual rate.
    only: Option<Vec<AuthoredOnly>>,
}

/// `since`, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthoredSince(pub Since);

crate::config::value::from_text!(
    AuthoredSince,
    since,
    "Since",
    Some("^(last-run|start|[0-9]+(ms|s|m|h|d))$"),
    "last-run, start, or a time such as \"10m\""
);

fn since(text: &str) -> Result<AuthoredSince, (String, String)> {
    let since = match text {
        "last-run" => Since::LastRun,
        "start" => Since::Start,
        other => match Span::parse(other) {
            Ok(span) => Since::Within(span.0),
            Err(_) => {
                let right = "write last-run, start, or a time such as \"10m\"";
                return Err((
                    format!("`{text}` is not a time to look back"),
                    right.to_owned(),
                ));
            }
        },
    };
    Ok(AuthoredSince(since))
}

/// `only`, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthoredOnly {
    /// Never seen before.
    New,
    /// More of them than usual.
    Surging,
}

impl From<AuthoredOnly> for Only {
    fn from(only: AuthoredOnly) -> Self {
        match only {
            AuthoredOnly::New => Only::New,
            AuthoredOnly::Surging => Only::Surging,
        }
    }
}

/// What is new in log files. Kept as text: patterns are compiled when they are used.
#[derive(Debug, Clone)]
pub struct Log {
    globs: Vec<String>,
    since: Since,
    told: Told,
}

/// Which lines are told and how much of them, as `log` and `journal` share it.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Only lines that it matches.
    pub matches: Option<Pattern>,
    /// But not lines that this matches.
    pub ignore: Option<Pattern>,
    /// The most patterns told.
    pub max_lines: Option<u32>,
    /// The most text told.
    pub max_bytes: Option<Size>,
    /// Which patterns.
    pub only: Option<Vec<AuthoredOnly>>,
}

impl Told {
    /// Compiles the patterns.
    pub fn choice(&self) -> Result<Choice, StepError> {
        let compile = |pattern: &Option<Pattern>| {
            let compiled = pattern.as_ref().map(|pattern| LinePattern::new(&pattern.0));
            compiled
                .transpose()
                .map_err(|error| StepError::new(error.to_string()))
        };
        let usual = Choice::default();
        let only = self.only.iter().flatten().copied();
        Ok(Choice {
            matches: compile(&self.matches)?,
            ignore: compile(&self.ignore)?,
            only: only.map(Only::from).collect(),
            max_lines: self
                .max_lines
                .map_or(usual.max_lines, |lines| lines as usize),
            max_text: self.max_bytes.map_or(usual.max_text, |size| {
                usize::try_from(size.0).unwrap_or(usize::MAX)
            }),
        })
    }
}

impl Authored {
    pub(in crate::step) fn resolve(self, _: &mut Scope<'_>) -> Option<Log> {
        Some(Log {
            globs: self.log.0.into_iter().map(|glob| glob.0).collect(),
            since: self.since.map_or(Since::LastRun, |since| since.0),
            told: Told {
                matches: self.matches,
                ignore: self.ignore,
                max_lines: self.max_lines,
                max_bytes: self.max_bytes,
                only: self.only,
            },
        })
    }
}

/// What the step remembers between runs.
pub async fn memory(context: &Context<'_>) -> Result<Memory, StepError> {
    let (job, step) = (context.job.to_owned(), context.step.to_owned());
    let read = context
        .store
        .read(move |reader| reader.cursors(&job, &step, ""));
    let entries = read
        .await
        .map_err(|error| StepError::new(error.to_string()))?;
    Ok(Memory::load(entries))
}

/// The step's result, with what it is to remember.
pub fn done(context: &Context<'_>, mut reading: Reading) -> Result<Done, StepError> {
    let changes = std::mem::take(&mut reading.changes);
    let result: Value =
        serde_json::to_value(&reading).map_err(|error| StepError::new(error.to_string()))?;
    let cursors = changes
        .into_iter()
        .map(|(name, value)| (context.cursor(name), value));
    Ok(Done {
        cursors: cursors.collect(),
        ..Done::result(result)
    })
}

impl Log {
    pub(in crate::step) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(120),
            example: example(),
        }
    }

    pub(in crate::step) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let globs: Result<Vec<_>, _> = self.globs.iter().map(|glob| LogGlob::new(glob)).collect();
        let look = Look {
            since: self.since,
            choice: self.told.choice()?,
            ..Look::at(globs.map_err(|error| StepError::new(error.to_string()))?)
        };
        let memory = memory(context).await?;
        let own: Vec<PathBuf> = vec![context.state.to_owned()];
        let (now, zone) = (context.clock.now(), context.settings.timezone);
        let ended = EndsWithFuture(Arc::new(AtomicBool::new(false)));
        let cancelled = Arc::clone(&ended.0);
        let reading = tokio::task::spawn_blocking(move || {
            let cancel = Cancel(&cancelled);
            let around = Surroundings {
                now,
                zone,
                own: &own,
                cancel,
            };
            super::read(&look, &memory, around)
        });
        let reading = reading
            .await
            .map_err(|error| StepError::new(format!("a bug: {error}")))?;
        done(
            context,
            reading.map_err(|error| StepError::new(error.to_string()))?,
        )
    }
}

/// Tells the blocking look to end when its step is dropped.
struct EndsWithFuture(Arc<AtomicBool>);

impl Drop for EndsWithFuture {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A result with every field.
pub fn example() -> Value {
    let now = chrono::DateTime::from_timestamp(1_795_161_600, 0).unwrap_or_default();
    serde_json::to_value(Reading::example(now)).unwrap_or_default()
}
