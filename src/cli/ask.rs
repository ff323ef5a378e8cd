//! `reveille ask "..."`

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::follow::Asked;
use super::out::outln;
use super::run::{How, execute};
use crate::config::intents;
use crate::error::Error;
use crate::job::{Event, TriggerKind};
use crate::telegram::{intent, when};

#[derive(Debug, Args)]
pub struct Arguments {
    /// What you would write to the bot
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,

    /// Only say whose message it is, and why
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    how: How,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let text = arguments.text.join(" ");
    let asked = intent::Asked {
        text: &text,
        file: false,
    };
    let found = match &context.lent {
        Some(lent) => intents(&lent.intake.loaded().jobs).of(asked),
        None => intents(&config.jobs).of(asked),
    };
    if arguments.explain {
        explain(&found, arguments.how.json);
        return Ok(0);
    }
    let Some(first) = found.first() else {
        let what = "no job takes this message";
        return Err(
            Error::usage(what).hint("`telegram = \"any\"` in a job takes what no other job claims")
        );
    };
    let job = context.known_job(&config, &folder, &first.job)?;
    let zone = config.settings.timezone;
    let when = when(&text, context.clock.now().with_timezone(&zone));
    let event = Event {
        id: context.clock.id(),
        job: first.job.clone(),
        kind: TriggerKind::Hand,
        dedupe_key: None,
        payload: json!({
            "asked": true, "text": text, "args": first.args, "when": when.map(|when| when.to_rfc3339()), "stdin": "",
            "user": { "id": 0, "name": "you" }, "chat": { "id": 0, "title": "terminal" }, "message": 0, "forwarded": false,
        }),
        at: context.clock.now(),
    };
    let asked = Asked {
        job,
        event,
        steps: Vec::new(),
    };
    execute(context, folder, config, asked, &arguments.how)
}

/// Who gets it, who would come next, and why.
fn explain(found: &[intent::Match], as_json: bool) {
    if as_json {
        let each = found.iter().map(|found| {
            json!({ "job": found.job, "trigger": found.trigger, "why": found.why.words(), "args": found.args })
        });
        return outln!("{}", json!(each.collect::<Vec<_>>()));
    }
    let Some((first, others)) = found.split_first() else {
        return outln!("No job takes this message.");
    };
    outln!("{} takes it: {}", first.job, first.why.words());
    for other in others {
        outln!("  then {}: {}", other.job, other.why.words());
    }
}
