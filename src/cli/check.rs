//! `reveille check [PATH]`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::out::{errln, outln};
use crate::config::Config;
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::config::secrets::Secrets;
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Show only what is wrong with this file, or with files below this folder
    path: Option<PathBuf>,

    /// The findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let shown = wanted(context, &config, arguments.path.as_deref())?;
    let errors = shown
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    if arguments.json {
        let findings: Vec<_> = shown.iter().map(|found| found.to_json()).collect();
        let jobs = config.sources.len();
        outln!(
            "{}",
            json!({ "jobs": jobs, "errors": errors, "findings": findings })
        );
    } else {
        let (secrets, warning) = Secrets::load(&folder);
        // Read by a service, they may be there for it alone.
        let missing = config
            .secrets()
            .filter_map(|named| secrets.get(named).err());
        let missing: BTreeSet<String> = missing.collect();
        let told = secrets.learn(config.secrets()).into_iter().chain(missing);
        for warning in warning.into_iter().chain(told) {
            errln!("{}: {warning}\n", context.paint.warning("warning"));
        }
        print(context, &shown);
        errln!("{}", summary(&config, &shown, errors));
    }
    Ok(if errors == 0 { 0 } else { 2 })
}

fn wanted<'c>(
    context: &Context,
    config: &'c Config,
    path: Option<&Path>,
) -> Result<Vec<&'c Diagnostic>, Error> {
    let Some(path) = path else {
        return Ok(config.problems.iter().collect());
    };
    let absolute = |path: &Path| std::fs::canonicalize(path).ok();
    let Some(wanted) = absolute(&context.place(path)) else {
        let what = format!("there is no {}", path.display());
        return Err(Error::usage(what).hint("name a file or a folder that is there"));
    };
    let below = |found: &&Diagnostic| {
        absolute(Path::new(&found.source.path)).is_some_and(|file| file.starts_with(&wanted))
    };
    Ok(config.problems.iter().filter(below).collect())
}

fn print(context: &Context, shown: &[&Diagnostic]) {
    let renderer = context.paint.renderer();
    // Thousands of mistakes are few writes.
    for some in shown.chunks(100) {
        let text: String = some
            .iter()
            .map(|found| found.render(&renderer) + "\n\n")
            .collect();
        errln!("{}", text.strip_suffix('\n').unwrap_or(&text));
    }
}

fn summary(config: &Config, shown: &[&Diagnostic], errors: usize) -> String {
    let jobs = config.sources.len();
    if errors == 0 {
        return format!("{}: no mistakes", count(jobs, "job"));
    }
    let mut files: Vec<&str> = shown
        .iter()
        .map(|found| found.source.path.as_str())
        .collect();
    files.sort_unstable();
    files.dedup();
    let wrong = jobs - config.jobs.len().min(jobs);
    let in_files = count(files.len(), "file");
    let found = count(errors, "error");
    let all = count(jobs, "job");
    match wrong {
        0 => format!("{found} in {in_files}"),
        1 => format!("{found} in {in_files}; 1 of {all} does not load"),
        _ => format!("{found} in {in_files}; {wrong} of {all} do not load"),
    }
}

/// `1 job`, `2 jobs`
fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}
