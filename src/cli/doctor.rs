//! `reveille doctor`: what this machine can and cannot promise.

mod finding;
mod folder;
mod kernel;
mod machine;
mod models;
mod root;
mod service;
mod state;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::out::{calm, errln, outln};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::folder::Folder;
use crate::error::Error;
use crate::trigger;
use crate::zone::Tz;
use finding::{Finding, Verdict};
pub(super) use machine::gib;
use root::Root;
use service::Person;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let root = Root::at("/");
    let asked = Asked {
        folder: &folder,
        config: &config,
        state: &context.state,
        zone: context.system_zone,
        // Inside a daemon it is the daemon's rights that count, and whoever asks has reached it.
        person: context.lent.is_none().then(|| Person::present(&root)),
        clock: Arc::clone(&context.clock),
    };
    let findings = context.block_on(look(&root, &asked))?;
    let count = |verdict| {
        findings
            .iter()
            .filter(|found| found.verdict == verdict)
            .count()
    };
    let cannot = count(Verdict::Cannot);
    if arguments.json {
        outln!("{}", json!({ "cannot": cannot, "findings": findings }));
    } else {
        for found in &findings {
            let word = format!("{:<7}", found.verdict.word());
            outln!("{}  {}", context.paint.outcome(&word), calm(&found.line()));
        }
        let (ok, warnings) = (count(Verdict::Ok), count(Verdict::Warning));
        errln!("{ok} ok, {warnings} warnings, {cannot} that cannot be");
    }
    Ok(u8::from(cannot > 0))
}

/// What is looked at, and for whom.
struct Asked<'a> {
    folder: &'a Folder,
    config: &'a Config,
    state: &'a Path,
    zone: Tz,
    person: Option<Person>,
    clock: Arc<dyn Clock>,
}

/// Everything, in the order in which a machine is put in order.
async fn look(root: &Root, asked: &Asked<'_>) -> Vec<Finding> {
    let Asked {
        folder,
        config,
        state,
        ..
    } = *asked;
    let triggers = config.jobs.values().flat_map(|job| &job.triggers);
    let watches = triggers.filter(|trigger| matches!(trigger.kind, trigger::Kind::Watch(_)));
    let mut findings = machine::look(root);
    findings.push(machine::zone(config.settings.timezone, asked.zone));
    findings.extend(state::look(root, state, &*asked.clock));
    findings.extend(kernel::look(root, watches.count()));
    findings.extend(folder::look(root, folder, config, state));
    findings.extend(models::look(root, &config.settings, Arc::clone(&asked.clock)).await);
    findings.extend(service::look(root, state, config, asked.person.as_ref()));
    findings
}
