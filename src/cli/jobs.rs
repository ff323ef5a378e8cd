//! `reveille jobs`

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::history::{state_word, undelivered, when};
use super::out::{errln, outln};
use crate::config::{Config, Job};
use crate::error::Error;
use crate::store::RunRow;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The list as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let mut last: BTreeMap<String, RunRow> = BTreeMap::new();
    if let Some(store) = context.existing_store()? {
        let rows = store
            .read_now(|reader| reader.jobs_last())
            .map_err(Error::from)?;
        last = rows.into_iter().map(|row| (row.job.clone(), row)).collect();
    }
    if arguments.json {
        let list: Vec<Value> = config
            .sources
            .keys()
            .map(|name| to_json(name, &config, &last))
            .collect();
        outln!("{}", Value::Array(list));
        return Ok(0);
    }
    if config.sources.is_empty() {
        errln!("no jobs in {}", folder.shown("jobs"));
        return Ok(0);
    }
    let width = config
        .sources
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    for name in config.sources.keys() {
        let job = config.jobs.get(name);
        let state = match (job, last.get(name)) {
            (None, _) => context
                .paint
                .outcome("does not load: `reveille check` says why"),
            (Some(job), _) if !job.enabled => "off".to_owned(),
            (Some(_), None) => "never ran".to_owned(),
            (Some(_), Some(row)) => {
                let word = context.paint.outcome(state_word(&row.state));
                let at = when(context, &config.settings, row.accepted_at);
                match undelivered(row) {
                    Some(count) => format!("{word} {at}, {}", context.paint.outcome(&count)),
                    None => format!("{word} {at}"),
                }
            }
        };
        outln!("{}  {state}", context.paint.bold(&format!("{name:width$}")));
        if let Some(job) = job {
            let starts = starts(job);
            let indent = " ".repeat(width + 2);
            if !job.description.is_empty() {
                outln!("{indent}{}", job.description);
            }
            outln!("{indent}{starts}");
        }
    }
    Ok(0)
}

/// What starts a job, in one line.
fn starts(job: &Job) -> String {
    if job.triggers.is_empty() {
        return "by hand".to_owned();
    }
    let ids: Vec<&str> = job
        .triggers
        .iter()
        .map(|trigger| trigger.id.as_str())
        .collect();
    ids.join(", ")
}

fn to_json(name: &str, config: &Config, last: &BTreeMap<String, RunRow>) -> Value {
    let job = config.jobs.get(name);
    json!({
        "name": name,
        "loads": job.is_some(),
        "enabled": job.is_some_and(|job| job.enabled),
        "description": job.map(|job| &job.description),
        "triggers": job.map(|job| job.triggers.iter().map(|trigger| &trigger.id).collect::<Vec<_>>()),
        "last_run": last.get(name).map(super::history::row_json),
    })
}
