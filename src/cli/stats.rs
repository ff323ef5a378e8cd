//! `reveille stats`: what calls to models came to, as rows or as a picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, absolute};
use super::ledger::{quoted, since};
use super::out::{errln, outln};
use crate::config::Settings;
use crate::error::Error;
use crate::llm::chart::{self, Stretch};
use crate::llm::money::shown as money;
use crate::llm::usage::{Sum, Usage, units};
use crate::plot::{FORMATS, Format};
use crate::store::LedgerRow;
use crate::workspace::{Put, Workspace};

#[derive(Debug, Args)]
pub struct Arguments {
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

    /// A picture of the days in place of the rows: FILE ends in .png or .svg
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    pub(super) plot: Option<PathBuf>,
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

/// What the days' calls come to: by what a row is, and by what a picture's colours are.
fn usage(context: &Context, arguments: &Arguments, settings: &Settings) -> Result<Usage<2>, Error> {
    let since = since(context, arguments.days);
    let sides = |row: &LedgerRow, day: NaiveDate| {
        let call = &row.call;
        let (row, colour) = match arguments.by {
            By::Job => (row.job.clone(), None),
            By::Model => {
                let row = format!("{} ({})", call.model, call.backend);
                (row, Some(call.model.clone()))
            }
            By::Day => (day.to_string(), Some("tokens".to_owned())),
            By::Route => (named(&call.route), None),
            By::Class => (named(call.class.as_deref().unwrap_or_default()), None),
        };
        let colour = colour.unwrap_or_else(|| row.clone());
        [row, colour]
    };
    let Some(store) = context.existing_store()? else {
        return Ok(Usage::default());
    };
    let priced = (settings.timezone, settings.reference);
    let read = store.read_now(|reader| Usage::read(reader, since, priced, sides));
    read.map_err(Error::from)
}

/// The row of calls that have a class or a route, and of those that have none.
fn named(name: &str) -> String {
    let name = if name.is_empty() { "(none)" } else { name };
    name.to_owned()
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (_, config) = context.config()?;
    if let Some(file) = &arguments.plot {
        return plot(context, arguments, (&config.settings, file));
    }
    let usage = usage(context, arguments, &config.settings)?;
    let ([sums, _], all, avoided) = (&usage.by, &usage.all, usage.avoided);
    let days = f64::from(arguments.days);
    // From the first call on, where there are none for the whole stretch.
    let first = usage.first.map(|first| context.clock.now() - first);
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
        for (key, sum) in sums {
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
    if all.calls == 0 {
        outln!("no calls to models in the last {} days", arguments.days);
    } else {
        table(context, sums, all);
    }
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

/// "1 call", "1,234 calls".
fn counts(count: u64, one: &str) -> String {
    let digits = count.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let grouped = String::from_utf8(groups.join(&b',')).unwrap_or(digits);
    format!("{grouped} {one}{}", if count == 1 { "" } else { "s" })
}

fn plot(
    context: &Context,
    arguments: &Arguments,
    (settings, file): (&Settings, &Path),
) -> Result<u8, Error> {
    let format = Format::of(file)
        .ok_or_else(|| Error::usage(format!("cannot draw `{}`", file.display())).hint(FORMATS))?;
    let usage = usage(context, arguments, settings)?;
    let (from, to) = (since(context, arguments.days), context.clock.now());
    let [from, to] = [from, to].map(|at| at.with_timezone(&settings.timezone).date_naive());
    let days = arguments.days.into();
    let saves = settings.reference.is_some();
    let chart = chart::of(
        &usage,
        Stretch { days, from, to },
        (settings.language, saves),
    );
    let bytes = chart.draw(format).map_err(Error::bug)?;
    put(context, file, &bytes)?;
    errln!(
        "wrote {} ({}, {})",
        file.display(),
        counts(days, "day"),
        counts(usage.all.calls, "call")
    );
    Ok(0)
}

/// Writes a file where it was typed, at once or not at all.
fn put(context: &Context, file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let place = absolute(context.place(file));
    let failed = |why: &dyn std::fmt::Display| {
        Error::usage(format!("cannot write {}: {why}", file.display()))
    };
    let Some(path) = place.to_str() else {
        return Err(failed(&"its name is not UTF-8"));
    };
    if place.parent().is_none_or(|folder| !folder.is_dir()) {
        return Err(failed(&"there is no such folder"));
    }
    let workspace = Workspace::new(context.state.join("workspace"));
    workspace
        .deliver(path, bytes, Put::Replace)
        .map_err(Error::usage)
}

fn table(context: &Context, sums: &BTreeMap<String, Sum>, all: &Sum) {
    let widest = sums.keys().map(|key| key.chars().count()).max();
    let width = widest.unwrap_or(0).max(5);
    let most = sums.values().map(Sum::tokens).max();
    let head = format!(
        "{:width$}  {:>6} {:>6} {:>10} {:>9} {:>9} {:>8} {:>10}",
        "", "calls", "failed", "tokens in", "cached", "out", "average", "cost"
    );
    outln!("{}", context.paint.bold(&head));
    for (key, sum) in sums {
        let bar = bar(sum.tokens(), most.unwrap_or(0));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_cent_and_further_where_they_are_less() {
        assert_eq!(money(0), "0");
        assert_eq!(money(504_000), "0.000504");
        assert_eq!(money(1_234_560_000), "1.2346");
        assert_eq!(counts(1, "call"), "1 call");
        assert_eq!(counts(1_234_567, "call"), "1,234,567 calls");
        assert_eq!(bar(64, 64), "████████");
        assert_eq!(bar(1, 1000), "▏");
    }
}
