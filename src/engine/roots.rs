//! What templates see besides the results of steps.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::context::reach;
use super::run::Begun;
use crate::config::{Job, Settings};
use crate::llm::Reach;
use crate::template::Roots;

/// `event`, whose payload it takes, `job`, `run`, `now` and `language`.
///
/// Every field that any trigger of the job may fill is there; what this event lacks is `none`.
pub fn roots(job: &Job, settings: &Settings, begun: &mut Begun) -> Roots {
    let Begun {
        run,
        event,
        at: now,
        ..
    } = begun;
    let mut fields = match event.payload.take() {
        Value::Object(payload) => payload,
        _ => Map::new(),
    };
    if reach(job, settings) == Reach::Anywhere
        && let Some(Value::Array(turns)) = fields.get_mut("conversation")
    {
        // What was answered from what has to stay at home goes no further with another job.
        turns.retain(|turn| turn["home"] != true);
    }
    let kind = || json!(event.kind.word());
    fields.entry("kind").or_insert_with(kind);
    for field in &job.event_fields {
        if !fields.contains_key(field) {
            fields.insert(field.clone(), Value::Null);
        }
    }
    let now = now.with_timezone(&settings.timezone);
    let mut roots = Roots::default();
    roots.insert("event".to_owned(), Value::Object(fields));
    roots.insert(
        "job".to_owned(),
        json!({ "name": job.name, "description": job.description }),
    );
    roots.insert(
        "run".to_owned(),
        json!({ "id": run.0, "attempt": begun.attempt }),
    );
    let now = now.to_rfc3339_opts(SecondsFormat::Secs, false);
    roots.insert("now".to_owned(), Value::String(now));
    roots.insert("language".to_owned(), json!(settings.language.code()));
    roots
}
