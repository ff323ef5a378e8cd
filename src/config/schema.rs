//! JSON Schemas of the job file and the configuration, from the very structures that read them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::job_file::AuthoredJob;
use super::settings as typed;
use crate::{delivery, step, trigger};

/// The schema of `jobs/NAME.toml`.
pub fn job() -> Value {
    let mut generator = generator();
    let mut root = keys(&mut generator, AuthoredJob::json_schema);
    let common = keys(&mut generator, trigger::Common::json_schema);
    let triggers = list(common, trigger::Authored::schemas(&mut generator));
    let common = keys(&mut generator, step::Common::json_schema);
    let steps = list(common, step::Authored::schemas(&mut generator));
    let common = keys(&mut generator, delivery::Common::json_schema);
    let deliveries = list(common, delivery::Authored::schemas(&mut generator));
    for (name, list) in [
        ("trigger", triggers),
        ("step", steps),
        ("deliver", deliveries),
    ] {
        root["properties"][name] = list;
    }
    finish(root, generator, "A job of Reveille")
}

/// The schema of `config/reveille.toml`.
pub fn settings() -> Value {
    let mut generator = generator();
    let mut properties = Map::new();
    let mut add = |name: &str, schema: Value| properties.insert(name.to_owned(), schema);
    add(
        "defaults",
        keys(&mut generator, typed::AuthoredDefaults::json_schema),
    );
    add(
        "owner",
        keys(&mut generator, typed::AuthoredOwner::json_schema),
    );
    add(
        "calendars",
        named(keys(&mut generator, typed::AuthoredCalendar::json_schema)),
    );
    add(
        "google",
        named(keys(&mut generator, typed::AuthoredGoogle::json_schema)),
    );
    add(
        "models",
        named(keys(&mut generator, typed::AuthoredModel::json_schema)),
    );
    add(
        "routes",
        named(keys(&mut generator, typed::AuthoredRoute::json_schema)),
    );
    add(
        "classes",
        keys(&mut generator, typed::AuthoredClasses::json_schema),
    );
    add(
        "budget",
        keys(&mut generator, typed::AuthoredBudget::json_schema),
    );
    add(
        "email",
        keys(&mut generator, typed::AuthoredEmail::json_schema),
    );
    add(
        "telegram",
        keys(&mut generator, typed::AuthoredTelegram::json_schema),
    );
    add("web", keys(&mut generator, typed::AuthoredWeb::json_schema));
    add(
        "limits",
        keys(&mut generator, typed::AuthoredLimits::json_schema),
    );
    add(
        "history",
        keys(&mut generator, typed::AuthoredHistory::json_schema),
    );
    add(
        "heartbeat",
        keys(&mut generator, typed::AuthoredHeartbeat::json_schema),
    );
    let root = json!({
        "type": "object", "properties": properties, "additionalProperties": false
    });
    finish(root, generator, "The configuration of Reveille")
}

/// The text of a schema file, with a last newline.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().into_generator()
}

fn keys(generator: &mut SchemaGenerator, schema: impl Fn(&mut SchemaGenerator) -> Schema) -> Value {
    schema(generator).to_value()
}

fn named(one: Value) -> Value {
    json!({ "type": "object", "additionalProperties": one })
}

/// A list whose items are one of the kinds, each with the common keys beside its own.
fn list(common: Value, kinds: Vec<(&'static str, Schema)>) -> Value {
    let one = |(word, schema): (&str, Schema)| {
        let mut kind = schema.to_value();
        if let (Some(own), Some(shared)) = (
            kind["properties"].as_object_mut(),
            common["properties"].as_object(),
        ) {
            own.extend(shared.clone());
        }
        let mut required = vec![json!(word)];
        for from in [&common, &kind] {
            let names = from["required"].as_array().into_iter().flatten();
            required.extend(names.filter(|name| **name != word).cloned());
        }
        kind["required"] = Value::Array(required);
        kind
    };
    let kinds: Vec<Value> = kinds.into_iter().map(one).collect();
    json!({ "type": "array", "items": { "oneOf": kinds } })
}

fn finish(mut root: Value, generator: SchemaGenerator, title: &str) -> Value {
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!(title);
    let definitions: Map<String, Value> = generator.definitions().clone();
    if !definitions.is_empty() {
        root["definitions"] = Value::Object(definitions);
    }
    root
}
