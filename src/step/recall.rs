//! `recall`: finds what was remembered of a person by some words.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::llm::Reach;
use crate::words::words;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Words to find it by; the newest where there are none.
    recall: At<String>,
    /// The most that is found; 10 when left out.
    most: Option<u32>,
}

/// A search among what was remembered.
#[derive(Debug, Clone)]
pub struct Recall {
    words: String,
    most: u32,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Recall> {
        Some(Recall {
            words: scope.template(self.recall),
            most: self.most.unwrap_or(10),
        })
    }
}

impl Recall {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(30),
            example: json!({ "items": [{ "id": 1, "at": "2026-11-20", "text": "text" }], "count": 1 }),
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let words = words(&context.render(&self.words)?);
        let (person, most) = (context.person(), self.most);
        let read = context
            .store
            .read(move |reader| reader.memories(&person, &words, most));
        let mut found = read
            .await
            .map_err(|error| StepError::new(error.to_string()))?;
        // What has to stay at home is not found by what may go further.
        found.retain(|memory| !memory.home || context.reach == Reach::Home);
        let zone = context.settings.timezone;
        let items = found.iter().map(|memory| {
            let at = memory.at.with_timezone(&zone).format("%F").to_string();
            json!({ "id": memory.id, "at": at, "text": memory.text })
        });
        let items: Vec<_> = items.collect();
        Ok(Done::result(
            json!({ "count": items.len(), "items": items }),
        ))
    }
}
