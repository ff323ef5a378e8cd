//! `remember`: keeps a short text for later conversations with the same person.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::llm::Reach;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// What is kept, in a sentence or two.
    remember: At<String>,
}

/// The longest text that is kept, in characters.
const LONGEST: usize = 2000;

/// Something to keep.
#[derive(Debug, Clone)]
pub struct Remember {
    text: String,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Remember> {
        Some(Remember {
            text: scope.template(self.remember),
        })
    }
}

impl Remember {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: true,
            outside_text: false,
            private: true,
            timeout: Duration::from_secs(30),
            example: json!({ "id": 1, "text": "text" }),
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let mut text = context.render(&self.text)?.trim().to_owned();
        context.secrets.scrub(&mut text);
        if text.is_empty() {
            return Err(StepError::new(
                "there is nothing to remember: it rendered empty",
            ));
        }
        let length = text.chars().count();
        if length > LONGEST {
            let why =
                format!("it has {length} characters, and {LONGEST} are the most that is kept");
            return Err(StepError::new(why));
        }
        let home = context.reach == Reach::Home;
        let kept = context
            .store
            .keep_memory(context.person(), text.clone(), home);
        let id = kept
            .await
            .map_err(|error| StepError::new(error.to_string()))?;
        Ok(Done::result(json!({ "id": id, "text": text })))
    }
}
