//! `set`: values from expressions.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::At;

/// As typed: `set.total = "events.items | length"`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Names and expressions; each value is seen as `id.name`.
    set: BTreeMap<String, At<String>>,
}

/// Values from expressions.
#[derive(Debug, Clone)]
pub struct Set {
    values: Vec<(String, String)>,
    example: Value,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Set> {
        let mut example = Map::new();
        let mut values = Vec::new();
        for (name, expression) in self.set {
            example.insert(name.clone(), scope.value_example(&expression));
            values.push((name, scope.expression(expression)));
        }
        values.shrink_to_fit();
        let example = Value::Object(example);
        Some(Set { values, example })
    }
}

impl Set {
    pub(super) fn without_example(self) -> Self {
        Set {
            example: Value::Null,
            ..self
        }
    }

    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(10),
            example: self.example.clone(),
        }
    }

    /// Waits for nothing, so that it needs no time limit: the engine of templates ends by itself.
    pub fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let mut result = Map::new();
        let scope = context.scope.context();
        for (name, expression) in &self.values {
            let value = context.templates.eval(expression, &scope);
            let value = value.map_err(|error| StepError::new(error.to_string()))?;
            result.insert(name.clone(), value);
        }
        Ok(Done::result(Value::Object(result)))
    }
}
