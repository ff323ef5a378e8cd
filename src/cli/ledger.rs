//! The ledger of calls: `reveille cost`, `reveille export`.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::Context;
use super::out::outln;
use crate::error::Error;
use crate::job::RunId;
use crate::llm::money::shown as money;
use crate::llm::usage::units;
use crate::store::{Cap, LedgerRow, Store, StoreError};

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// How many days back
    #[arg(long, value_name = "N", default_value_t = 3660)]
    days: u16,

    /// As what
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,

    /// Where to; the terminal when left out
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One list
    Json,
    /// A line each
    Jsonl,
    /// A table
    Csv,
}

/// Where a stretch of days back begins.
pub(super) fn since(context: &Context, days: u16) -> DateTime<Utc> {
    context.clock.now() - TimeDelta::days(days.into())
}

fn rows(store: Option<&Store>, since: DateTime<Utc>) -> Result<Vec<LedgerRow>, StoreError> {
    let mut rows = Vec::new();
    if let Some(store) = store {
        store.read_now(|reader| reader.ledger(since, |row| rows.push(row)))?;
    }
    Ok(rows)
}

pub(super) fn cost(context: &Context) -> Result<u8, Error> {
    let (_, config) = context.config()?;
    let (store, settings) = (context.existing_store()?, &config.settings);
    let when = (context.clock.now(), settings.timezone, settings.language);
    let mut caps: Vec<(String, Cap)> = Vec::new();
    for (words, cap) in settings.budget.stretches(when) {
        caps.push((format!("{words:10}"), cap));
    }
    for job in config.jobs.values() {
        let own = job.budget.caps((RunId(0), Some(&job.name)), when);
        // What a run may take begins anew with each.
        let own = own.into_iter().filter(|cap| cap.run.is_none());
        caps.extend(own.map(|cap| (format!("{}:", cap.name), cap)));
    }
    for (words, cap) in caps {
        let read = store
            .as_ref()
            .map(|store| store.read_now(|reader| reader.counted(&cap)));
        let (tokens, spent) = read.transpose().map_err(Error::from)?.unwrap_or_default();
        let of = |most: Option<String>| most.map_or_else(String::new, |most| format!(" of {most}"));
        let (most, limit) = (
            of(cap.money.map(money)),
            of(cap.tokens.map(|most| most.to_string())),
        );
        outln!("{words} {}{most}, {tokens}{limit} tokens", money(spent));
    }
    Ok(0)
}

pub(super) fn export(context: &Context, arguments: &ExportArguments) -> Result<u8, Error> {
    let store = context.existing_store()?;
    let rows = rows(store.as_ref(), since(context, arguments.days)).map_err(Error::from)?;
    let text = match arguments.format {
        Format::Json => {
            let list: Vec<Value> = rows.iter().map(row_json).collect();
            format!("{:#}\n", Value::Array(list))
        }
        Format::Jsonl => rows
            .iter()
            .map(|row| format!("{}\n", row_json(row)))
            .collect(),
        Format::Csv => csv(&rows),
    };
    match &arguments.output {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))?,
        None => outln!("{}", text.trim_end()),
    }
    Ok(0)
}

fn row_json(row: &LedgerRow) -> Value {
    let call = &row.call;
    let seconds = call.total.saturating_sub(call.first_token).as_secs_f64();
    json!({
        "at": row.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "job": row.job, "run": row.run.0, "step": call.step, "route": call.route, "class": call.class,
        "model": call.model, "backend": call.backend,
        "tokens_in": call.tokens_in, "tokens_cached": call.tokens_cached, "tokens_out": call.tokens_out,
        "load_seconds": call.load.as_secs_f64(), "first_token_seconds": call.first_token.as_secs_f64(),
        "total_seconds": call.total.as_secs_f64(),
        "tokens_per_second": if seconds > 1e-4 { call.tokens_out as f64 / seconds } else { 0.0 },
        "cost": units(call.cost), "counts": call.counts, "success": call.error.is_none(), "error": call.error,
    })
}

const COLUMNS: &[&str] = &[
    "at",
    "job",
    "run",
    "step",
    "route",
    "class",
    "model",
    "backend",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "load_seconds",
    "first_token_seconds",
    "total_seconds",
    "tokens_per_second",
    "cost",
    "counts",
    "success",
    "error",
];

fn csv(rows: &[LedgerRow]) -> String {
    let mut text = format!("{}\n", COLUMNS.join(","));
    for row in rows {
        let row = row_json(row);
        let cells = COLUMNS.iter().map(|column| match &row[column] {
            Value::Null => String::new(),
            Value::String(cell) => quoted(cell),
            other => other.to_string(),
        });
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// A cell of RFC 4180.
pub(super) fn quoted(cell: &str) -> String {
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_are_quoted() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
