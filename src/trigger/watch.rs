//! `watch`: a file that is made, changed or removed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::value::{Glob, OneOrMany, Span};
use crate::watch::{Below, Change, Grouping, Pace};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Files, folders or globs; relative ones are below the folder of the jobs. A folder leaves out names that begin with .#
    /// or end in ~, .swp or .tmp; a glob means whatever it names.
    watch: OneOrMany<Glob>,
    /// Quiet time after the last change before the run starts, at most ten times that after the first; "2s" when left out.
    settle: Option<Span>,
    /// Folders with all that is below them; links are not followed there.
    recursive: Option<bool>,
    /// Which changes count; all of them when left out.
    on: Option<OneOrMany<Change>>,
    /// One run for all files that settled together (up to 1,000), in `event.files`.
    batch: Option<bool>,
}

/// Files to watch.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Files, folders or globs.
    pub paths: Vec<String>,
    /// Whether folders are watched with all that is below them.
    pub below: Below,
    /// When it is told of what.
    pub pace: Pace,
}

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<Watch> {
        let every = vec![Change::Created, Change::Changed, Change::Removed];
        let pace = Pace {
            settle: self
                .settle
                .map_or(Duration::from_secs(2), |settle| settle.0),
            on: self.on.map_or(every, |on| on.0),
            grouping: match self.batch {
                Some(true) => Grouping::Together,
                _ => Grouping::Each,
            },
        };
        Some(Watch {
            paths: self.watch.0.into_iter().map(|glob| glob.0).collect(),
            below: match self.recursive {
                Some(true) => Below::All,
                _ => Below::Files,
            },
            pace,
        })
    }
}

impl Watch {
    /// An example of what `event` holds.
    pub(super) fn event_example(&self) -> Value {
        let file = json!({
            "path": "/home/pi/inbox/report.csv",
            "change": "created",
            "size": 120,
            "content": "text",
            "cut": false
        });
        match self.pace.grouping {
            Grouping::Each => {
                let mut event = file;
                event["kind"] = json!("watch");
                event
            }
            Grouping::Together => json!({ "kind": "watch", "files": [file] }),
        }
    }
}
