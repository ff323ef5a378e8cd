//! What templates see, kept in the engine's own form: a result is put into it once, when a template first names it.

use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, Serde};
use serde_json::{Map, Value as Json};

use super::Context;

/// What templates see: results by step id, with `event`, `job`, `run`, `now` beside them.
#[derive(Debug, Clone, Default)]
pub struct Roots(Arc<Known>);

/// In the order in which they were added. There are few.
#[derive(Debug, Clone, Default)]
struct Known(Vec<(String, Root)>);

#[derive(Debug, Clone)]
struct Root {
    json: Json,
    value: OnceLock<Value>,
}

impl Roots {
    /// Adds a root, or puts it in another's place.
    pub fn insert(&mut self, name: String, json: Json) {
        let value = OnceLock::new();
        let root = Root { json, value };
        let known = &mut Arc::make_mut(&mut self.0).0;
        match known.iter_mut().find(|(other, _)| *other == name) {
            Some((_, other)) => *other = root,
            None => known.push((name, root)),
        }
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).map(|root| &root.json)
    }

    /// A copy of those that `wanted` says.
    pub fn copied(&self, wanted: impl Fn(&str) -> bool) -> Map<String, Json> {
        let roots = self.0.0.iter().filter(|(name, _)| wanted(name));
        roots
            .map(|(name, root)| (name.clone(), root.json.clone()))
            .collect()
    }

    /// All of them, for a template.
    pub fn context(&self) -> Context {
        Context(Value::from_dyn_object(Arc::clone(&self.0)))
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

impl Known {
    fn get(&self, name: &str) -> Option<&Root> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, root)| root)
    }
}

impl Object for Known {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let root = self.get(key.as_str()?)?;
        let value = root.value.get_or_init(|| Value::from(Serde(&root.json)));
        Some(value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.iter().map(|(name, _)| Value::from(name.as_str()));
        Enumerator::Values(names.collect())
    }
}
