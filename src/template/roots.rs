//! What templates see, kept in the engine's own form: a result is put into it once, however many templates name it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, Serde};
use serde_json::{Map, Value as Json};

use super::Context;

/// What templates see: results by step id, with `event`, `job`, `run`, `now` beside them.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    json: Map<String, Json>,
    known: Arc<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known(BTreeMap<Arc<str>, Value>);

impl Roots {
    /// Adds a root, or puts it in another's place.
    pub fn insert(&mut self, name: String, value: Json) {
        let known = Value::from(Serde(&value));
        let own = Arc::make_mut(&mut self.known);
        own.0.insert(Arc::from(name.as_str()), known);
        self.json.insert(name, value);
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.json.get(name)
    }

    /// All of them.
    pub fn json(&self) -> &Map<String, Json> {
        &self.json
    }

    /// All of them, for a template.
    pub fn context(&self) -> Context {
        Context(Value::from_dyn_object(Arc::clone(&self.known)))
    }
}

impl FromIterator<(String, Json)> for Roots {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(all: I) -> Self {
        let mut roots = Roots::default();
        for (name, value) in all {
            roots.insert(name, value);
        }
        roots
    }
}

impl Object for Known {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.keys().map(|name| Value::from(Arc::clone(name)));
        Enumerator::Values(names.collect())
    }
}
