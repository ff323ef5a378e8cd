//! A run in one line.

use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::history::{short, state_word};
use crate::delivery::place;
use crate::job::{Call, RunState, StepRecord};
use crate::store::{Delivery, DeliveryState, RunStory};
use crate::zone::Tz;

/// `run #412  ok in 4.1 s: events 12 ms, text 3.9 s (qwen2.5:1.5b, 312 in, 96 out), delivered to owner 08:12:07`
pub(super) fn line(context: &Context, story: &RunStory, zone: Tz) -> String {
    let row = &story.row;
    let word = context.paint.outcome(state_word(&row.state));
    let took = row
        .started_at
        .zip(row.finished_at)
        .map(|(from, to)| (to - from).to_std());
    let took = took.map(|took| format!(" in {}", short(took.unwrap_or_default())));
    let because = match &row.state {
        RunState::Finished(outcome) => outcome
            .reason()
            .map(|reason| format!(" ({})", one_line(reason))),
        _ => None,
    };
    let steps = story.steps.iter().filter(|step| step.end != "skipped");
    let parts = steps.map(|step| self::step(step, &story.calls));
    let parts: Vec<String> = parts
        .chain(story.deliveries.iter().map(|one| delivery(one, zone)))
        .collect();
    let told = if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    };
    format!(
        "run {}  {word}{}{}{told}",
        row.run,
        took.unwrap_or_default(),
        because.unwrap_or_default()
    )
}

fn step(step: &StepRecord, calls: &[Call]) -> String {
    let of_step = calls
        .iter()
        .filter(|call| call.step == step.id && call.error.is_none());
    let calls: Vec<String> = of_step.map(call).collect();
    let calls = if calls.is_empty() {
        String::new()
    } else {
        format!(" ({})", calls.join("; "))
    };
    let end = match step.end {
        "done" => String::new(),
        other => format!(" {other}"),
    };
    let took = if step.took < Duration::from_micros(500) {
        "0 ms".to_owned()
    } else {
        short(step.took)
    };
    format!("{}{end} {took}{calls}", step.id)
}

fn call(call: &Call) -> String {
    let model = call
        .backend
        .split_once('/')
        .map_or(call.backend.as_str(), |(_, model)| model);
    format!("{model}, {} in, {} out", call.tokens_in, call.tokens_out)
}

fn delivery(delivery: &Delivery, zone: Tz) -> String {
    let to = place(&delivery.message);
    match &delivery.state {
        DeliveryState::Sent { at, .. } => {
            format!(
                "delivered to {to} {}",
                at.with_timezone(&zone).format("%H:%M:%S")
            )
        }
        DeliveryState::Pending | DeliveryState::Sending => format!("on its way to {to}"),
        DeliveryState::Parked(reason) => {
            format!("set aside for {to}: {}", one_line(reason))
        }
        DeliveryState::Failed(reason) => format!("not delivered to {to}: {}", one_line(reason)),
        DeliveryState::Dropped(reason) => format!("dropped for {to}: {}", one_line(reason)),
    }
}

fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
