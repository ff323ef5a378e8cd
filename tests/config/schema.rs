//! The JSON Schemas say what the parser says.

use serde_json::Value;

use super::golden;
use crate::support::{Folder, faults, sections};

fn repository(path: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{root}/{path}"))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn schema(path: &str) -> Value {
    serde_json::from_str(&repository(path)).expect("a schema is JSON")
}

/// The schema's findings in a TOML text; `None` where it is not even TOML.
fn judged(schema: &Value, text: &str) -> Option<Vec<String>> {
    let table: toml::Table = text.parse().ok()?;
    let value = serde_json::to_value(table).expect("TOML without dates is JSON");
    Some(faults(schema, &value))
}

#[test]
fn the_files_beside_the_configuration_are_what_schema_prints() {
    let folder = Folder::empty();
    for (option, path) in [
        ("--job", "config/job.schema.json"),
        ("--settings", "config/reveille.schema.json"),
    ] {
        folder.run(["schema", option]).is(0, &repository(path), "");
    }
}

#[test]
fn schema_writes_both_files_into_the_folder() {
    let folder = Folder::new();
    let written = "config/job.schema.json\nconfig/reveille.schema.json\n";
    folder.run(["schema"]).is(0, written, "");
    assert_eq!(
        folder.read("config/job.schema.json"),
        repository("config/job.schema.json")
    );
}

#[test]
fn every_example_fits_its_schema() {
    let job = schema("config/job.schema.json");
    let none: Option<Vec<String>> = Some(Vec::new());
    for name in ["ask", "daily-briefing", "heartbeat"] {
        assert_eq!(
            judged(&job, &repository(&format!("jobs/{name}.toml"))),
            none,
            "{name}"
        );
    }
    for (name, text) in sections(include_str!("../data/design-jobs.txt")) {
        assert_eq!(judged(&job, text), none, "{name}");
    }
    let settings = schema("config/reveille.schema.json");
    assert_eq!(judged(&settings, &repository("config/reveille.toml")), none);
}

/// Every key of every kind, each with a right value: the parser and the schema take it.
#[test]
fn every_construct_fits_its_schema_and_loads() {
    let every = include_str!("../data/every-construct.txt");
    let job = schema("config/job.schema.json");
    let settings = schema("config/reveille.schema.json");
    let folder = Folder::empty().file("prompts/ok.md", "Say it.\n");
    let mut text = String::new();
    for (path, file) in sections(every) {
        folder.write(path, file);
        let schema = if path.starts_with("jobs/") {
            &job
        } else {
            &settings
        };
        assert_eq!(judged(schema, file), Some(Vec::new()), "{path}");
        text.push_str(file);
    }
    folder.run(["check"]).says(0, &["no mistakes\n"]);
    let words = regex::Regex::new("[a-z_]+").expect("a pattern");
    let used: Vec<&str> = words.find_iter(&text).map(|word| word.as_str()).collect();
    for schema in [&job, &settings] {
        for key in keys(schema) {
            assert!(
                used.contains(&key.as_str()),
                "`{key}` is in the schema and not in the file"
            );
        }
    }
}

/// The names of all properties of a schema.
fn keys(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(rules) => {
            let own = rules.get("properties").and_then(Value::as_object);
            let own = own.into_iter().flat_map(|names| names.keys().cloned());
            own.chain(rules.values().flat_map(keys)).collect()
        }
        Value::Array(items) => items.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}

/// Mistakes that only the program can see: names of other things, templates, patterns, what stands in other files.
const BEYOND: &[&str] = &[
    "after-circles",
    "agent-twice",
    "settings-models-path",
    "settings-email-open",
    "settings-email-login",
    "settings-email-address",
    "deliver-digest-body",
    "broken-names-are-told-once",
    "deliver-file",
    "item-without-for-each",
    "job-does-nothing",
    "job-empty",
    "job-name",
    "outside-text-as-code",
    "outside-text-as-option",
    "outside-text-as-path",
    "prompt-",
    "reminders-that-nobody-tells",
    "settings-missing",
    "step-calendar-none",
    "step-calendar-verbs",
    "step-ids",
    "step-order",
    "step-same-kind",
    "telegram-clashes",
    "template-",
    "trigger-same-id",
    "trigger-webhook-open",
];

#[test]
fn what_a_schema_can_see_is_seen() {
    let job = schema("config/job.schema.json");
    let settings = schema("config/reveille.schema.json");
    for (path, text) in golden::cases() {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a name");
        if BEYOND.iter().any(|beyond| name.starts_with(beyond)) {
            continue;
        }
        let seen = golden::files(&text).into_iter().any(|(path, text)| {
            let schema = if path.starts_with("jobs/") {
                &job
            } else {
                &settings
            };
            path.ends_with(".toml") && judged(schema, text).is_none_or(|faults| !faults.is_empty())
        });
        assert!(seen, "{name}: the schemas take it");
    }
}
