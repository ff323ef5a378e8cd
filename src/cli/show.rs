//! `reveille show RUN`

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::history::{row_json, short, state_word, when};
use super::out::{calm, outln};
use crate::config::Settings;
use crate::error::Error;
use crate::job::{Call, RunId, RunState, StepRecord, Wait};
use crate::store::{Delivery, DeliveryState, RunStory};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The run's number, as 12 or #12; the newest when left out
    run: Option<String>,

    /// The story as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let none = || Error::usage("no runs yet").hint("`reveille run JOB` makes one");
    let store = context.existing_store()?.ok_or_else(none)?;
    let run = match &arguments.run {
        Some(text) => parse(text)?,
        None => {
            let filter = crate::store::Filter {
                job: None,
                limit: 1,
                before: None,
            };
            let rows = store
                .read_now(|reader| reader.history(&filter))
                .map_err(Error::from)?;
            rows.first().ok_or_else(none)?.run
        }
    };
    let story = store
        .read_now(|reader| reader.run(run))
        .map_err(Error::from)?;
    let Some(story) = story else {
        let hint = "`reveille history` lists them";
        return Err(Error::usage(format!("there is no run {run}")).hint(hint));
    };
    if arguments.json {
        outln!("{}", to_json(&story));
    } else {
        let (_, config) = context.config()?;
        print(context, &config.settings, &story);
    }
    Ok(0)
}

fn parse(text: &str) -> Result<RunId, Error> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits.parse().map(RunId).map_err(|_| {
        Error::usage(format!("`{text}` is not a run's number"))
            .hint("write it as 12; `reveille history` lists them")
    })
}

fn print(context: &Context, settings: &Settings, story: &RunStory) {
    let row = &story.row;
    let paint = &context.paint;
    outln!("{}", paint.bold(&format!("Run {} of {}", row.run, row.job)));
    outln!("  outcome   {}", paint.outcome(state_word(&row.state)));
    match &row.state {
        RunState::Finished(outcome) => {
            if let Some(reason) = outcome.reason() {
                outln!("  because   {}", indent(reason, 12));
            }
        }
        RunState::Waiting(Wait::Until(at)) => {
            outln!("  until     {}", when(context, settings, *at))
        }
        _ => {}
    }
    outln!(
        "  started   {}, {}",
        when(context, settings, row.accepted_at),
        row.trigger.word()
    );
    let event = &story.event.payload;
    if event
        .as_object()
        .is_some_and(|fields| fields.values().any(is_telling))
    {
        outln!("  event     {}", indent(shown(event).trim_start(), 12));
    }
    for step in &story.steps {
        print_step(context, step);
        for call in story.calls.iter().filter(|call| call.step == step.id) {
            outln!("    {}", call_line(call));
        }
    }
    for delivery in &story.deliveries {
        print_delivery(context, settings, delivery);
    }
}

fn is_telling(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

fn print_step(context: &Context, step: &StepRecord) {
    let paint = &context.paint;
    let again = if step.attempt > 1 {
        format!(", attempt {}", step.attempt)
    } else {
        String::new()
    };
    let kind = if step.kind == step.id {
        String::new()
    } else {
        format!(" ({})", step.kind)
    };
    outln!();
    outln!(
        "{}{kind}  {}  {}{again}",
        paint.bold(&step.id),
        paint.outcome(step.end),
        short(step.took)
    );
    if let Some(error) = &step.error {
        outln!("    error: {}", indent(&calm(error), 4));
    }
    if let Some(Value::Object(detail)) = &step.detail {
        for (name, value) in detail {
            outln!("    {}", indent(&labelled(name, value, 2), 4));
        }
    }
    if let Some(result) = &step.result {
        outln!("    {}", indent(&labelled("result", result, 2), 4));
    }
}

/// Several lines below each other, the first where the cursor is.
fn indent(text: &str, by: usize) -> String {
    let margin = format!("\n{}", " ".repeat(by));
    text.trim_end().replace('\n', &margin)
}

/// A value for people: text as it is, a field or an item a line, what is inside of these as JSON.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.trim_end().contains('\n') => {
            format!("\n{}", calm(text.trim_end()))
        }
        Value::String(text) => calm(text.trim_end()).into_owned(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| is_telling(value))
            .map(|(name, value)| format!("\n{}", labelled(name, value, 2)))
            .collect(),
        Value::Array(items)
            if items
                .iter()
                .any(|item| item.is_object() || item.is_string()) =>
        {
            items
                .iter()
                .map(|item| format!("\n- {}", line(item)))
                .collect()
        }
        other => other.to_string(),
    }
}

/// `name: value`, what has several lines below its name.
fn labelled(name: &str, value: &Value, by: usize) -> String {
    let text = indent(&shown(value), by);
    let gap = if text.starts_with('\n') { "" } else { " " };
    format!("{name}:{gap}{text}")
}

/// A value in one line, without what is empty in it.
fn line(value: &Value) -> String {
    match value {
        Value::String(text) => calm(&text.replace('\n', " ")).into_owned(),
        Value::Object(fields) => {
            let telling = fields.iter().filter(|(_, value)| is_telling(value));
            let shown = telling.map(|(name, value)| format!("{name}={value}"));
            shown.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

fn call_line(call: &Call) -> String {
    let end = match &call.error {
        Some(error) => format!("failed: {error}"),
        None => format!("{} in, {} out", call.tokens_in, call.tokens_out),
    };
    format!(
        "{} ({}): {end}; load {}, first token {}, total {}",
        call.model,
        call.backend,
        short(call.load),
        short(call.first_token),
        short(call.total)
    )
}

fn print_delivery(context: &Context, settings: &Settings, delivery: &Delivery) {
    let state = match &delivery.state {
        DeliveryState::Pending | DeliveryState::Sending => delivery.state.word().to_owned(),
        DeliveryState::Parked(reason) => format!("parked: {reason}"),
        DeliveryState::Sent { at, receipt } => {
            let instead = receipt
                .as_ref()
                .and_then(|receipt| receipt.get("printed_instead_of"));
            let how = if instead.is_some() {
                "printed on the terminal"
            } else {
                "sent"
            };
            format!("{how} {}", when(context, settings, *at))
        }
        DeliveryState::Failed(reason) => format!("failed: {reason}"),
        DeliveryState::Dropped(reason) => format!("dropped: {reason}"),
    };
    outln!();
    outln!(
        "{}  {state}",
        context.paint.bold(&format!("to {}", delivery.message.kind))
    );
    outln!("    {}", indent(&calm(&delivery.message.body), 4));
}

fn to_json(story: &RunStory) -> Value {
    let mut run = row_json(&story.row);
    run["event"] = json!({ "kind": story.event.kind.word(), "payload": story.event.payload });
    let steps = story.steps.iter().map(|step| {
        json!({
            "id": step.id, "kind": step.kind, "attempt": step.attempt, "end": step.end,
            "result": step.result, "error": step.error, "detail": step.detail,
            "took_ms": step.took.as_secs_f64() * 1000.0,
        })
    });
    run["steps"] = Value::Array(steps.collect());
    run["calls"] = json!(story.calls);
    let deliveries = story.deliveries.iter().map(|delivery| {
        json!({
            "kind": delivery.message.kind, "target": delivery.message.target, "body": delivery.message.body,
            "state": delivery.state.word(), "attempts": delivery.attempts,
        })
    });
    run["deliveries"] = Value::Array(deliveries.collect());
    run
}
