//! `render`: a text from a template of `prompts/`, by code alone.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::At;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// A template of `prompts/`.
    render: At<String>,
}

/// A text by code alone.
#[derive(Debug, Clone)]
pub struct Render {
    text: Arc<str>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Render> {
        let text = scope.fallback_file(self.render)?.into();
        Some(Render { text })
    }
}

impl Render {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(10),
            example: Value::String("text".to_owned()),
        }
    }

    /// Waits for nothing: the engine of templates ends by itself.
    pub fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let text = context.render(&self.text)?;
        Ok(Done::result(Value::String(text.trim_end().to_owned())))
    }
}
