//! JSON Schemas that answers and arguments of models have to follow.

use boon::{Compiler, Schemas};
use serde_json::{Map, Value, json};

/// Where a schema is said to be; nothing is ever fetched.
const PLACE: &str = "file:///schema.json";

/// A schema that was read, ready to hold values to it.
pub struct Schema {
    schemas: Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// It is none, or names others.
    pub fn new(schema: &Value) -> Result<Self, String> {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let added = compiler.add_resource(PLACE, schema.clone());
        added.map_err(|error| error.to_string())?;
        let index = compiler.compile(PLACE, &mut schemas);
        let index = index.map_err(|error| {
            let told = format!("{error:#}");
            told.lines().last().unwrap_or_default().trim().to_owned()
        })?;
        Ok(Schema { schemas, index })
    }

    /// Holds a value to it.
    ///
    /// # Errors
    /// What is wrong, each with its place, for models and people.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.schemas.validate(value, self.index).map_err(|error| {
            let mut wrong = Vec::new();
            leaves(&error, &mut wrong);
            wrong.dedup();
            wrong.truncate(MOST);
            wrong.join("; ")
        })
    }
}

/// So many mistakes are told at once.
const MOST: usize = 5;

fn leaves(error: &boon::ValidationError<'_, '_>, wrong: &mut Vec<String>) {
    if error.causes.is_empty() {
        let place = error.instance_location.to_string();
        let place = if place.is_empty() { "it" } else { &place };
        wrong.push(format!("{place}: {}", error.kind));
    }
    error.causes.iter().for_each(|cause| leaves(cause, wrong));
}

/// A value as the schema wants it, for the check of templates.
pub fn example(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|known| known.first()) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("string") => json!("text"),
        Some("integer") => json!(1),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("array") => json!([example(&schema["items"])]),
        Some("object") => {
            let known = schema["properties"].as_object().into_iter().flatten();
            let known = known.map(|(name, schema)| (name.clone(), example(schema)));
            Value::Object(Map::from_iter(known))
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mood() -> Value {
        json!({
            "type": "object",
            "properties": {
                "mood": {"enum": ["good", "bad"]},
                "reasons": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["mood"],
            "additionalProperties": false,
        })
    }

    #[test]
    fn values_are_held_to_it() {
        let schema = Schema::new(&mood()).ok().unwrap();
        assert_eq!(schema.check(&json!({"mood": "good"})), Ok(()));
        for (wrong, why) in [
            (json!({}), "mood"),
            (json!({"mood": "odd"}), "/mood"),
            (json!({"mood": "bad", "reasons": [1]}), "/reasons/0"),
            (json!({"mood": "bad", "x": 1}), "x"),
            (json!("bad"), "object"),
        ] {
            let told = schema.check(&wrong).unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
        assert!(Schema::new(&json!({"type": "objekt"})).is_err());
        assert!(Schema::new(&json!({"$ref": "http://evil.example/x.json"})).is_err());
    }

    #[test]
    fn its_example_has_its_fields() {
        assert_eq!(
            example(&mood()),
            json!({"mood": "good", "reasons": ["text"]})
        );
    }
}
