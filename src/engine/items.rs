//! A step for each item of a list: so many at a time, results in the order of the items.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Map, Value, json};

use super::Engine;
use super::step::bounded;
use crate::job::StepEnd;
use crate::step::{Context, Done, Kind, OnError, Step};

/// So many items a step has at most.
const MOST: usize = 10_000;

/// Executes the step once for each item of `expression`. One that fails costs the others nothing: its result is `none`.
pub(super) async fn each(
    engine: &Engine,
    step: &Step,
    expression: &str,
    context: &Context<'_>,
) -> Done {
    let failed = |why: String| Done::end(StepEnd::Failed(why));
    let items = match context.templates.eval(expression, &context.scope.context()) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Null) => Vec::new(),
        Ok(other) => {
            let found = match other {
                Value::Object(_) => "a table",
                Value::String(_) => "a text",
                _ => "one value",
            };
            return failed(format!("for_each: `{expression}` is {found}, and no list"));
        }
        Err(error) => return failed(format!("for_each: {error}")),
    };
    if items.len() > MOST {
        let count = items.len();
        return failed(format!("for_each: {count} items, and {MOST} are the most"));
    }
    let one = async |item: Value| {
        let mut scope = context.scope.clone();
        scope.insert("item".to_owned(), item);
        let context = Context {
            scope: &scope,
            grows: None,
            ..context.clone()
        };
        let most = engine.loaded.settings.max_commands;
        let _place = match &step.kind {
            Kind::Exec(_) => Some(engine.commands.place(most).await),
            _ => None,
        };
        Box::pin(bounded(engine, step, &context)).await
    };
    let width = usize::try_from(step.parallel).unwrap_or(1);
    let done: Vec<Done> = stream::iter(items.into_iter().map(one))
        .buffered(width.max(1))
        .collect()
        .await;
    whole(step, done)
}

/// What the items come to together.
fn whole(step: &Step, done: Vec<Done>) -> Done {
    let count = done.len();
    let (mut results, mut errors, mut details) = (Vec::new(), Vec::new(), Vec::new());
    let mut cursors = Vec::new();
    for (place, done) in done.into_iter().enumerate() {
        let result = match done.end {
            StepEnd::Done(value) => value,
            StepEnd::Failed(why) => {
                errors.push(format!("#{}: {why}", place + 1));
                Value::Null
            }
            StepEnd::Wait(_) => {
                let why = "it asks somebody, and an item cannot wait for that";
                errors.push(format!("#{}: {why}", place + 1));
                Value::Null
            }
            StepEnd::Skipped | StepEnd::Stop => Value::Null,
        };
        results.push(result);
        details.push(done.detail.unwrap_or_default());
        cursors.extend(done.cursors);
    }
    let mut detail = Map::new();
    let by: BTreeSet<&str> = details
        .iter()
        .filter_map(|detail| detail["by"].as_str())
        .collect();
    if !by.is_empty() {
        let by: Vec<&str> = by.into_iter().collect();
        detail.insert("by".to_owned(), json!(by.join(", ")));
    }
    if !errors.is_empty() {
        detail.insert("errors".to_owned(), json!(errors));
    }
    if details.iter().any(|detail| !detail.is_null()) {
        detail.insert("items".to_owned(), json!(details));
    }
    let fails = !errors.is_empty() && step.on_error == OnError::Fail;
    Done {
        end: match fails {
            true => {
                let few = errors
                    .iter()
                    .take(3)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("; ");
                StepEnd::Failed(format!("{} of {count} items failed: {few}", errors.len()))
            }
            false => StepEnd::Done(Value::Array(results)),
        },
        detail: (!detail.is_empty()).then_some(Value::Object(detail)),
        cursors,
    }
}
