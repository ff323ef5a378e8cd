//! `journal`: what is new in systemd's journal; the sibling of `log`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::log::{
    self, AuthoredOnly, AuthoredSince, Journal as Reader, JournalLook, Since, ToldLines,
};
use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{At, OneOrMany, Pattern, Size};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Units; `*` is all.
    journal: At<OneOrMany<String>>,
    /// `last-run`, `start`, or a time such as `10m`; `last-run` when left out.
    since: Option<AuthoredSince>,
    /// Only lines (`program: message`) that it matches.
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

/// What is new in the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    units: Vec<String>,
    since: Since,
    told: ToldLines,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Journal> {
        for unit in &self.journal.value.0 {
            if unit.starts_with('-') || unit.trim().is_empty() {
                let what = format!("`{unit}` is not a unit");
                scope.error(
                    self.journal.span.clone(),
                    what,
                    "write it as \"ssh.service\"",
                );
            }
        }
        let units = self.journal.value.0.into_iter().filter(|unit| unit != "*");
        Some(Journal {
            units: units.collect(),
            since: self.since.map_or(Since::LastRun, |since| since.0),
            told: ToldLines {
                matches: self.matches,
                ignore: self.ignore,
                max_lines: self.max_lines,
                max_bytes: self.max_bytes,
                only: self.only,
            },
        })
    }
}

impl Journal {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(60),
            example: log::example(),
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let look = JournalLook {
            units: self.units.clone(),
            since: self.since,
            choice: self.told.choice()?,
        };
        let reader = Reader {
            command: vec!["journalctl".to_owned()],
            own_unit: "reveille.service".to_owned(),
        };
        let memory = log::memory(context).await?;
        let (now, zone) = (context.clock.now(), context.settings.timezone);
        let reading = log::read_journal(&look, &memory, &reader, now, zone).await;
        log::done(
            context,
            reading.map_err(|error| StepError::new(error.to_string()))?,
        )
    }
}
