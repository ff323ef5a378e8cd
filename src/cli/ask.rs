//! `reveille ask "..."`

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{Args, Parser};
use serde::Serialize;
use serde_json::{Value, json};

use super::by_hand::Whom;
use super::context::Context;
use super::follow::Asked;
use super::out::outln;
use super::run::{How, execute};
use crate::config::intents;
use crate::config::settings::RouteSettings;
use crate::config::suggest::nearest;
use crate::config::{Config, Job};
use crate::engine::conversation;
use crate::error::Error;
use crate::job::{Event, TriggerKind};
use crate::store::Mode;
use crate::telegram::own::{OWN, is_own};
use crate::telegram::{add_times, intent};
use crate::trigger::Kind;

#[derive(Debug, Args)]
pub struct Arguments {
    /// What you would write to the bot
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,

    /// Only say whose message it is, and why
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    whom: Whom,

    #[command(flatten)]
    how: How,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let mut text = arguments.text.join(" ");
    if text.trim().is_empty() {
        return Err(Error::usage("there is nothing to ask"));
    }
    let mut by_route = None;
    if let Some((name, rest)) = intent::command(&text)
        && let name = name.to_ascii_lowercase()
        && !rest.is_empty()
        && !is_own(&name)
        && config.settings.routes.contains_key(&name)
        && !is_jobs(&config.jobs, &name)
    {
        (by_route, text) = (Some(name), rest.to_owned());
    }
    let asked = intent::Asked {
        text: &text,
        file: false,
    };
    let found = match &context.lent {
        Some(lent) => intents(&lent.intake.loaded().jobs).of(asked),
        None => intents(&config.jobs).of(asked),
    };
    if arguments.explain
        && let Ok(Some(_)) = own(&text)
        && !found
            .first()
            .is_some_and(|found| matches!(found.why, intent::Why::Command(_)))
    {
        outln!("reveille itself takes it: its own command");
        return Ok(0);
    }
    if arguments.explain {
        let mut payload = json!({});
        if let Some(route) = by_route {
            payload["route"] = route.into();
        }
        arguments.whom.tell(&config.settings, &mut payload)?;
        explain(&found, &config, (&text, &payload), arguments.how.json);
        return Ok(0);
    }
    // A job's own command comes before ours, and ours before what a job takes of any words.
    let by_command = |found: &intent::Match| matches!(found.why, intent::Why::Command(_));
    if !found.first().is_some_and(by_command)
        && let Some(own) = own(&text)?
    {
        return super::execute(context, &own);
    }
    if let Some((name, _)) =
        intent::command(&text).filter(|_| !found.first().is_some_and(by_command))
    {
        return Err(unknown(&config.jobs, name));
    }
    let Some(first) = found.first() else {
        let what = "no job takes this message";
        return Err(
            Error::usage(what).hint("`telegram = \"any\"` in a job takes what no other job claims")
        );
    };
    let job = context.known_job(&config, &folder, &first.job)?;
    let zone = config.settings.timezone;
    let mut payload = json!({
        "asked": true, "text": text, "args": first.args, "stdin": "",
        "user": { "id": 0, "name": "you" }, "chat": { "id": TERMINAL, "title": "terminal" },
        "message": 0, "forwarded": false,
    });
    add_times(
        &mut payload,
        &text,
        context.clock.now().with_timezone(&zone),
    );
    if let Some(route) = by_route {
        payload["route"] = route.into();
    }
    arguments.whom.tell(&config.settings, &mut payload)?;
    let store = context.open_store(Mode::Inline)?;
    let now = context.clock.now();
    let home = conversation::stays_at_home(&job, &config.settings);
    let said = conversation::said(&store, (TERMINAL, None), (&text, home), now);
    let (before, moved) = context.block_on(said)??;
    context.block_on(store.remember(vec![moved]))??;
    drop(store);
    payload["conversation"] = before;
    let event = Event {
        id: context.clock.id(),
        job: first.job.clone(),
        kind: TriggerKind::Hand,
        dedupe_key: None,
        payload,
        at: context.clock.now(),
    };
    let asked = Asked {
        job,
        event,
        steps: Vec::new(),
    };
    execute(context, folder, config, asked, &arguments.how)
}

/// Whether a job has this command.
fn is_jobs(jobs: &BTreeMap<String, Arc<Job>>, name: &str) -> bool {
    let text = &format!("/{name}");
    let found = intents(jobs).of(intent::Asked { text, file: false });
    let first = found.first().map(|found| &found.why);
    matches!(first, Some(intent::Why::Command(_)))
}

/// That a command is nobody's, and which may be meant.
fn unknown(jobs: &BTreeMap<String, Arc<Job>>, name: &str) -> Error {
    let triggers = jobs.values().flat_map(|job| &job.triggers);
    let theirs = triggers.filter_map(|trigger| match &trigger.kind {
        Kind::Telegram(telegram) => telegram.what.strip_prefix('/'),
        _ => None,
    });
    let all = theirs.chain(OWN.iter().map(|own| own.name));
    Error::usage(format!("there is no command /{name}")).hint(match nearest(name, all) {
        Some(near) => format!("did you mean /{near}?"),
        None => "/help lists them".to_owned(),
    })
}

/// The terminal among the chats.
const TERMINAL: i64 = 0;

/// The verb of the command line that the bot knows as its own command.
fn own(text: &str) -> Result<Option<super::Command>, Error> {
    let Some((name, rest)) = intent::command(text) else {
        return Ok(None);
    };
    let name = name.to_ascii_lowercase();
    let verb = match name.as_str() {
        "help" | "start" => "jobs",
        "retry" => "replay",
        known if is_own(known) => known,
        _ => return Ok(None),
    };
    let words = ["reveille", verb]
        .into_iter()
        .chain(rest.split_whitespace());
    match super::Cli::try_parse_from(words) {
        Ok(cli) => Ok(Some(cli.command)),
        Err(error) => {
            let usage = error.to_string();
            let usage = usage.trim_start_matches("error: ").trim_end();
            Err(Error::usage(usage))
        }
    }
}

/// Who gets it, who would come next, and why; and for a model, what kind of message it is.
fn explain(found: &[intent::Match], config: &Config, asked: (&str, &Value), as_json: bool) {
    if as_json {
        let each = found.iter().map(|found| {
            json!({
                "job": found.job, "trigger": found.trigger, "why": found.why.words(), "args": found.args,
                "models": asks(config, &found.job, asked),
            })
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
    for asked in asks(config, &first.job, asked) {
        let class = match &asked.class {
            Some((class, why)) => format!(" {class} ({why}):"),
            None => String::new(),
        };
        let models = asked.models.join(", ");
        outln!(
            "  step {}, route {}:{class} {models}",
            asked.step,
            asked.route
        );
    }
}

/// Whom a step would ask.
#[derive(Serialize)]
struct Asks {
    step: String,
    route: String,
    /// What kind of message it is, and why, where that decides.
    class: Option<(&'static str, String)>,
    models: Vec<String>,
}

/// Whom the steps of a job would ask about a message.
fn asks(config: &Config, job: &str, (text, payload): (&str, &Value)) -> Vec<Asks> {
    let settings = &config.settings;
    let steps = config.jobs.get(job).into_iter().flat_map(|job| &job.steps);
    let asks = steps.filter_map(|step| {
        let name = payload["route"].as_str().or(step.kind.route())?;
        step.kind.route()?;
        let route = settings.routes.get(name)?;
        let by_class = matches!(route, RouteSettings::ByClass { .. });
        let class = by_class.then(|| settings.classifier.of(text));
        let models = match payload["model"].as_str() {
            Some(model) => vec![model.to_owned()],
            None => route
                .chain(class.as_ref().map(|(class, _)| *class))
                .to_vec(),
        };
        Some(Asks {
            step: step.id.clone(),
            route: name.to_owned(),
            models,
            class: class.map(|(class, why)| (class.word(), why)),
        })
    });
    asks.collect()
}
