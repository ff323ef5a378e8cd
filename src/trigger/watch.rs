//! `watch`: a file that is made, changed or removed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::{Glob, OneOrMany, Span};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Files, folders or globs.
    watch: OneOrMany<Glob>,
    /// Quiet time after the last change before the run starts.
    settle: Option<Span>,
    /// Folders with all that is below them.
    recursive: Option<bool>,
    /// Which changes count; all of them when left out.
    on: Option<OneOrMany<Change>>,
    /// One run for all files that settled together.
    batch: Option<bool>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Created,
    /// Its content changed.
    Changed,
    /// It is gone.
    Removed,
}

/// Files to watch.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Files, folders or globs.
    pub paths: Vec<String>,
    /// Quiet time after the last change.
    pub settle: Duration,
    /// Whether folders are watched with all that is below them.
    pub recursive: bool,
    /// Which changes count.
    pub on: Vec<Change>,
    /// One event for all that settled together.
    pub batch: bool,
}

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<Watch> {
        let every = vec![Change::Created, Change::Changed, Change::Removed];
        Some(Watch {
            paths: self.watch.0.into_iter().map(|glob| glob.0).collect(),
            settle: self
                .settle
                .map_or(Duration::from_secs(2), |settle| settle.0),
            recursive: self.recursive.unwrap_or(false),
            on: self.on.map_or(every, |on| on.0),
            batch: self.batch.unwrap_or(false),
        })
    }
}

pub(super) fn event_example() -> Value {
    json!({
        "kind": "watch",
        "path": "/home/pi/inbox/report.csv",
        "change": "created",
        "size": 120,
        "content": "text"
    })
}
