//! `reveille outbox`

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::history::{short, when};
use super::out::{calm, errln, outln};
use crate::config::Settings;
use crate::delivery::place;
use crate::error::Error;
use crate::job::DeliveryId;
use crate::store::{Delivery, DeliveryState, Listing, Mode, Which};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,

    /// Also what was sent or dropped
    #[arg(long)]
    all: bool,

    /// At most so many, the newest
    #[arg(long, short = 'n', default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// The list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send again what was set aside, failed, or waits for its next try
    Retry(Meant),
    /// Let messages be that were not sent
    Drop(Meant),
}

#[derive(Debug, Args)]
struct Meant {
    /// The message's number, or `all`
    id: String,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    match &arguments.what {
        None => list(context, arguments),
        Some(What::Retry(meant)) => {
            let which = which(&meant.id)?;
            let store = context.open_store(Mode::Inline)?;
            let count = context.block_on(store.retry_deliveries(which))??;
            let done = match context.lent {
                Some(_) => "sent again now",
                None => "sent again by the daemon or the next run",
            };
            changed(context, which, (count, done))
        }
        Some(What::Drop(meant)) => {
            let which = which(&meant.id)?;
            let store = context.open_store(Mode::Inline)?;
            let count = context.block_on(store.drop_deliveries(which))??;
            changed(context, which, (count, "dropped"))
        }
    }
}

fn which(text: &str) -> Result<Which, Error> {
    if text == "all" {
        return Ok(Which::All);
    }
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse().map(|number| Which::One(DeliveryId(number)));
    number.map_err(|_| {
        Error::usage(format!("`{text}` is not a message's number"))
            .hint("write it as 12, or `all`; `reveille outbox` lists them")
    })
}

/// Says what became of the messages, and lets the sender know.
fn changed(context: &Context, which: Which, (count, done): (usize, &str)) -> Result<u8, Error> {
    if let (Which::One(id), 0) = (which, count) {
        let what = format!(
            "message {} is not in the outbox, or is being sent now",
            id.0
        );
        return Err(Error::usage(what).hint("`reveille outbox` lists what is"));
    }
    if let Some(lent) = &context.lent {
        context.block_on(lent.intake.outbox().look())??;
    }
    match count {
        0 => errln!("there is nothing to do in the outbox"),
        1 => outln!("1 message is {done}"),
        count => outln!("{count} messages are {done}"),
    }
    Ok(0)
}

fn list(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let which = if arguments.all {
        Listing::All
    } else {
        Listing::Open
    };
    let limit = arguments.limit;
    let rows = match context.existing_store()? {
        Some(store) => store.read_now(|reader| reader.outbox(which, limit))?,
        None => Vec::new(),
    };
    if arguments.json {
        outln!("{}", Value::Array(rows.iter().map(row_json).collect()));
        return Ok(0);
    }
    if rows.is_empty() {
        errln!("the outbox is empty");
        return Ok(0);
    }
    let (_, config) = context.config()?;
    let lines: Vec<_> = rows
        .iter()
        .map(|row| [row.id.0.to_string(), whose(row), to(row)])
        .collect();
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (id, job, place) = (width(0), width(1), width(2));
    for (row, line) in rows.iter().zip(&lines) {
        outln!(
            "{:>id$}  {}  {:job$}  {:place$}  {}  {}",
            line[0],
            when(context, &config.settings, row.created_at),
            line[1],
            line[2],
            context.paint.outcome(&format!("{:7}", row.state.word())),
            told(context, &config.settings, row),
        );
    }
    let waits = |row: &&Delivery| matches!(row.state, DeliveryState::Parked(_));
    if let Some(parked) = rows.iter().find(waits) {
        let id = parked.id.0;
        errln!(
            "hint: what is parked may have arrived: `reveille outbox retry {id}` sends it again, `reveille outbox drop {id}` lets it be"
        );
    }
    Ok(0)
}

fn whose(row: &Delivery) -> String {
    match (&row.job, row.run) {
        (Some(job), Some(run)) => format!("{job} {run}"),
        _ => "reveille".to_owned(),
    }
}

fn to(row: &Delivery) -> String {
    let (kind, place) = (&row.message.kind, place(&row.message));
    if place == *kind {
        return place;
    }
    format!("{kind} {place}")
}

/// Why it stands as it does, and its first words.
fn told(context: &Context, settings: &Settings, row: &Delivery) -> String {
    let now = context.clock.now();
    let mut parts = Vec::new();
    if let DeliveryState::Pending = row.state
        && row.due_at > now
    {
        let due = row.due_at.with_timezone(&settings.timezone);
        let wait = short((row.due_at - now).to_std().unwrap_or_default());
        parts.push(format!("due {} (in {wait})", due.format("%a %H:%M:%S")));
    }
    if row.attempts > 0 {
        let reason = row.reason.as_deref().unwrap_or_default();
        parts.push(match row.attempts {
            1 => one_line(reason, 120),
            tried => format!("tried {tried} times: {}", one_line(reason, 120)),
        });
    } else if let Some(reason) = &row.reason {
        parts.push(one_line(reason, 120));
    }
    parts.push(format!("\"{}\"", one_line(&row.message.body, 40)));
    parts.join("; ")
}

fn one_line(text: &str, length: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = match words.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    };
    calm(&shown).into_owned()
}

fn row_json(row: &Delivery) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "id": row.id,
        "run": row.run,
        "job": row.job,
        "kind": row.message.kind,
        "to": place(&row.message),
        "state": row.state.word(),
        "attempts": row.attempts,
        "reason": row.reason,
        "created_at": time(row.created_at),
        "due_at": time(row.due_at),
        "expires_at": row.message.expires_at.map(time),
        "body": row.message.body,
    })
}
