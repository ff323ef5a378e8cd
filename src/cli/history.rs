//! `reveille history [JOB]`

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::context::{Context, no_such_job};
use super::out::{errln, outln};
use crate::config::Settings;
use crate::error::Error;
use crate::job::RunState;
use crate::store::{Filter, RunRow};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this job's runs
    job: Option<String>,

    /// At most so many
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// The list as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let filter = Filter {
        job: arguments.job.clone(),
        limit: arguments.limit,
        before: None,
    };
    let rows = match context.existing_store()? {
        Some(store) => store
            .read_now(|reader| reader.history(&filter))
            .map_err(Error::from)?,
        None => Vec::new(),
    };
    let (folder, config) = context.config()?;
    if let Some(job) = &arguments.job
        && rows.is_empty()
        && !config.sources.contains_key(job)
    {
        return Err(no_such_job(&config, &folder, job));
    }
    if arguments.json {
        outln!("{}", Value::Array(rows.iter().map(row_json).collect()));
        return Ok(0);
    }
    if rows.is_empty() {
        match &arguments.job {
            Some(job) => errln!("no runs of `{job}` yet"),
            None => errln!("no runs yet"),
        }
        return Ok(0);
    }
    let width = rows
        .iter()
        .map(|row| row.job.chars().count())
        .max()
        .unwrap_or(0);
    let number = rows
        .iter()
        .map(|row| row.run.to_string().len())
        .max()
        .unwrap_or(0);
    for row in &rows {
        outln!(
            "{:>number$}  {}  {:width$}  {}  {:>8}  {}",
            row.run.to_string(),
            when(context, &config.settings, row.accepted_at),
            row.job,
            context
                .paint
                .outcome(&format!("{:14}", state_word(&row.state))),
            took(row),
            told(row),
        );
    }
    Ok(0)
}

/// The word for where a run stands.
pub(super) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Running => "running",
        RunState::Waiting(_) => "waiting",
        RunState::Finished(outcome) => outcome.word(),
    }
}

/// A moment in the configured zone: `Fri 20 Nov 2026 07:00`.
pub(super) fn when(_: &Context, settings: &Settings, at: DateTime<Utc>) -> String {
    at.with_timezone(&settings.timezone)
        .format("%a %d %b %Y %H:%M:%S")
        .to_string()
}

fn took(row: &RunRow) -> String {
    match (row.started_at, row.finished_at) {
        (Some(from), Some(to)) => short((to - from).to_std().unwrap_or_default()),
        _ => String::new(),
    }
}

/// A length of time for a table: `12 ms`, `3.9 s`, `2 min`.
pub(super) fn short(took: std::time::Duration) -> String {
    match took.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        millis @ 1_000..60_000 => format!("{:.1} s", millis as f64 / 1_000.0),
        millis => format!("{} min", millis / 60_000),
    }
}

/// The reason, and what did not go out.
fn told(row: &RunRow) -> String {
    let parts = [reason(row), undelivered(row).unwrap_or_default()];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// How many messages of a run that has ended did not go out, in words; those of others are still on their way.
pub(super) fn undelivered(row: &RunRow) -> Option<String> {
    let count = row.deliveries.failed + row.deliveries.pending;
    let ended = matches!(row.state, RunState::Finished(_));
    (ended && count > 0).then(|| format!("{count} not delivered"))
}

fn reason(row: &RunRow) -> String {
    let reason = match &row.state {
        RunState::Finished(outcome) => outcome.reason().unwrap_or_default(),
        _ => "",
    };
    let first = reason.lines().next().unwrap_or_default();
    match first.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &first[..end]),
        None => first.to_owned(),
    }
}

pub(super) fn row_json(row: &RunRow) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "run": row.run,
        "uuid": row.uuid.to_string(),
        "job": row.job,
        "trigger": row.trigger.word(),
        "state": state_word(&row.state),
        "reason": match &row.state {
            RunState::Finished(outcome) => outcome.reason(),
            _ => None,
        },
        "accepted_at": time(row.accepted_at),
        "started_at": row.started_at.map(time),
        "finished_at": row.finished_at.map(time),
        "sent": row.deliveries.sent,
        "failed": row.deliveries.failed,
        "pending": row.deliveries.pending,
    })
}
