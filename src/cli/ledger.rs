//! What the ledger of calls comes to: `reveille stats`, `reveille cost`, `reveille export`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::Context;
use super::out::outln;
use crate::error::Error;
use crate::job::RunId;
use crate::llm::money::shown as money;
use crate::llm::usage::{Sum, units};
use crate::store::{Cap, LedgerRow, Store, StoreError};

#[derive(Debug, Args)]
pub struct StatsArguments {
    /// How many days back
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3660))]
    days: u16,

    /// What one row is
    #[arg(long, value_enum, default_value_t = By::Model)]
    by: By,

    /// The rows as JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// The rows as CSV
    #[arg(long)]
    csv: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// A job
    Job,
    /// A model
    Model,
    /// A day
    Day,
    /// A route: what kind of task it is
    Route,
    /// A kind of message
    Class,
}

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
fn since(context: &Context, days: u16) -> DateTime<Utc> {
    context.clock.now() - TimeDelta::days(days.into())
}

fn rows(store: Option<&Store>, since: DateTime<Utc>) -> Result<Vec<LedgerRow>, StoreError> {
    let mut rows = Vec::new();
    if let Some(store) = store {
        store.read_now(|reader| reader.ledger(since, |row| rows.push(row)))?;
    }
    Ok(rows)
}

pub(super) fn stats(context: &Context, arguments: &StatsArguments) -> Result<u8, Error> {
    let (_, config) = context.config()?;
    let (store, since) = (context.existing_store()?, since(context, arguments.days));
    let rows = rows(store.as_ref(), since).map_err(Error::from)?;
    let avoided = store
        .as_ref()
        .map(|store| store.read_now(|reader| reader.calls_avoided(since)));
    let avoided = avoided.transpose().map_err(Error::from)?.unwrap_or(0);
    let zone = config.settings.timezone;
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    let mut all = Sum::default();
    for row in &rows {
        let call = &row.call;
        let key = match arguments.by {
            By::Job => row.job.clone(),
            By::Model => format!("{} ({})", call.model, call.backend),
            By::Day => row.at.with_timezone(&zone).format("%F").to_string(),
            By::Route => call.route.clone(),
            By::Class => call.class.clone().unwrap_or_default(),
        };
        let reference = config.settings.reference;
        sums.entry(key).or_default().add(call, reference);
        all.add(call, reference);
    }
    let days = f64::from(arguments.days);
    // From the first call on, where there are none for the whole stretch.
    let first = rows.first().map(|row| context.clock.now() - row.at);
    let lived = first.map_or(days, |lived| {
        (lived.num_minutes() as f64 / 1440.0).clamp(1.0, days)
    });
    let month = (all.cost as f64 / lived * 30.0) as u64;
    if arguments.json {
        let list: Vec<Value> = sums
            .iter()
            .map(|(key, sum)| {
                let mut row = sum.json();
                row["key"] = key.as_str().into();
                row
            })
            .collect();
        let whole = json!({
            "days": arguments.days, "rows": list, "all": all.json(),
            "calls_avoided": avoided, "month_projected": units(month),
        });
        outln!("{whole}");
        return Ok(0);
    }
    if arguments.csv {
        outln!("key,calls,failed,tokens_in,tokens_cached,tokens_out,seconds,cost,saved");
        for (key, sum) in &sums {
            outln!(
                "{},{},{},{},{},{},{:.3},{},{}",
                quoted(key),
                sum.calls,
                sum.failed,
                sum.tokens_in,
                sum.tokens_cached,
                sum.tokens_out,
                sum.average(),
                units(sum.cost),
                units(sum.saved())
            );
        }
        return Ok(0);
    }
    if rows.is_empty() {
        outln!("no calls to models in the last {} days", arguments.days);
    } else {
        table(context, &sums, &all);
    }
    let counts =
        |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    outln!(
        "{}, {} spent, {} a month at this rate; {} avoided by gates",
        counts(all.calls, "call"),
        money(all.cost),
        money(month),
        counts(avoided, "call")
    );
    if config.settings.reference.is_some() {
        outln!("{} saved against the reference price", money(all.saved()));
    }
    Ok(0)
}

fn table(context: &Context, sums: &BTreeMap<String, Sum>, all: &Sum) {
    let widest = sums.keys().map(|key| key.chars().count()).max();
    let width = widest.unwrap_or(0).max(5);
    let most = sums
        .values()
        .map(|sum| sum.tokens_in + sum.tokens_out)
        .max();
    let head = format!(
        "{:width$}  {:>6} {:>6} {:>10} {:>9} {:>9} {:>8} {:>10}",
        "", "calls", "failed", "tokens in", "cached", "out", "average", "cost"
    );
    outln!("{}", context.paint.bold(&head));
    for (key, sum) in sums {
        let bar = bar(sum.tokens_in + sum.tokens_out, most.unwrap_or(0));
        outln!("{}  {bar}", line(key, width, sum).trim_end());
    }
    if sums.len() > 1 {
        outln!("{}", line("all", width, all).trim_end());
    }
}

fn line(key: &str, width: usize, sum: &Sum) -> String {
    format!(
        "{key:width$}  {:>6} {:>6} {:>10} {:>9} {:>9} {:>6.1} s {:>10}",
        sum.calls,
        sum.failed,
        sum.tokens_in,
        sum.tokens_cached,
        sum.tokens_out,
        sum.average(),
        money(sum.cost)
    )
}

/// A part of the most, as a bar of eight cells.
fn bar(part: u64, most: u64) -> String {
    const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    let cells = (part as f64 / most.max(1) as f64 * 64.0).round() as usize;
    let mut bar = "█".repeat(cells / 8);
    if !cells.is_multiple_of(8) || cells == 0 {
        bar.push(EIGHTHS[(cells % 8).max(1)]);
    }
    bar
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
fn quoted(cell: &str) -> String {
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_cent_and_further_where_they_are_less() {
        assert_eq!(money(0), "0");
        assert_eq!(money(504_000), "0.000504");
        assert_eq!(money(1_234_560_000), "1.2346");
        assert_eq!(bar(64, 64), "████████");
        assert_eq!(bar(1, 1000), "▏");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
