//! `reveille next [JOB]`

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::known::known;
use super::moment::{length, shown};
use super::out::{errln, outln};
use crate::config::{Job, teller};
use crate::engine::schedule::{Occurrences, outlook};
use crate::error::Error;
use crate::store::Pause;
use crate::trigger::{Cron, Kind, Trigger};
use crate::zone::Tz;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this job's
    job: Option<String>,

    /// So many
    #[arg(long = "count", short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,

    /// The list as JSON
    #[arg(long)]
    json: bool,
}

/// A moment to come.
struct Coming<'a> {
    due: DateTime<Utc>,
    job: &'a Job,
    trigger: &'a Trigger,
    zone: Tz,
    notes: Vec<String>,
    pause: Option<Pause>,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let jobs: Vec<Arc<Job>> = match &arguments.job {
        Some(name) => vec![context.known_job(&config, &folder, name)?],
        None => context.known_jobs(&config),
    };
    let store = context.existing_store()?;
    let pauses = match &store {
        Some(store) => store
            .read_now(|reader| reader.pauses())
            .map_err(Error::from)?,
        None => HashMap::new(),
    };
    let now = context.clock.now();
    let count = usize::from(arguments.count);
    let mut coming = Vec::new();
    let teller = teller(&config.jobs).map(|job| job.name.as_str());
    for job in jobs.iter().filter(|job| job.enabled) {
        let Some(store) = &store else { break };
        let known = known(store, job, teller, now);
        let known = known.map_err(Error::from)?.into_iter();
        coming.extend(known.map(|(trigger, due, what)| {
            Coming {
                due,
                job,
                trigger,
                zone: config.settings.timezone,
                notes: vec![what],
                pause: pauses
                    .get(&job.name)
                    .copied()
                    .filter(|pause| pause.holds(due)),
            }
        }));
    }
    for job in jobs.iter().filter(|job| job.enabled) {
        for (trigger, cron) in timed(job) {
            let moments = Occurrences::new(&cron.entry, cron.timezone);
            for (due, notes) in outlook(&moments, cron.timezone, now, count) {
                let pause = pauses.get(&job.name).copied();
                coming.push(Coming {
                    due,
                    job,
                    trigger,
                    zone: cron.timezone,
                    notes: notes.iter().map(ToString::to_string).collect(),
                    pause: pause.filter(|pause| pause.holds(due)),
                });
            }
        }
    }
    coming.sort_by_key(|coming| (coming.due, &coming.job.name));
    coming.truncate(count);
    if arguments.json {
        outln!(
            "{}",
            Value::Array(coming.iter().map(Coming::to_json).collect())
        );
        return Ok(0);
    }
    if coming.is_empty() {
        errln!("{}", nothing(arguments.job.as_deref(), &jobs));
    }
    print(
        &coming,
        now,
        config.settings.timezone,
        arguments.job.is_none(),
    );
    Ok(0)
}

/// The cron triggers of a job that are switched on.
pub(super) fn timed(job: &Job) -> impl Iterator<Item = (&Trigger, &Cron)> {
    let on = job.triggers.iter().filter(|trigger| trigger.enabled);
    on.filter_map(|trigger| match &trigger.kind {
        Kind::Cron(cron) => Some((trigger, cron)),
        _ => None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Shown,
    Known,
}

fn print(coming: &[Coming<'_>], now: DateTime<Utc>, usual: Tz, all: bool) {
    let names = if all { Names::Shown } else { Names::Known };
    let moments: Vec<String> = coming
        .iter()
        .map(|coming| shown(coming.due, coming.zone, usual))
        .collect();
    let width = moments
        .iter()
        .map(|moment| moment.chars().count())
        .max()
        .unwrap_or(0);
    let name = coming
        .iter()
        .map(|coming| coming.job.name.chars().count())
        .max()
        .unwrap_or(0);
    for (index, (moment, coming)) in moments.iter().zip(coming).enumerate() {
        let mut notes = coming.notes.clone();
        if index == 0 {
            notes.insert(0, format!("in {}", length(coming.due - now)));
        }
        if let Some(pause) = coming.pause {
            let until = pause
                .until
                .map(|until| format!(" until {}", shown(until, usual, usual)));
            notes.push(format!("paused{}", until.unwrap_or_default()));
        }
        let notes = notes.join(", ");
        let line = match names {
            Names::Shown => format!("{moment:width$}  {:name$}  {notes}", coming.job.name),
            Names::Known => format!("{moment:width$}   {notes}"),
        };
        outln!("{}", line.trim_end());
    }
}

/// Why there is nothing to list.
fn nothing(asked: Option<&str>, jobs: &[Arc<Job>]) -> String {
    let (Some(name), [job]) = (asked, jobs) else {
        return "no job has a cron trigger that is switched on".to_owned();
    };
    if !job.enabled {
        return format!("`{name}` is switched off: `enabled = false` in its file");
    }
    let crons = job
        .triggers
        .iter()
        .filter(|trigger| matches!(trigger.kind, Kind::Cron(_)));
    if crons.count() > 0 {
        return format!("the cron triggers of `{name}` are switched off: `enabled = false`");
    }
    let kinds: Vec<&str> = job
        .triggers
        .iter()
        .map(|trigger| trigger.kind.word())
        .collect();
    let waits = |kind: &&Kind| matches!(kind, Kind::Calendar(_) | Kind::Reminder(_));
    let mut waiting = job.triggers.iter().map(|trigger| &trigger.kind);
    match kinds.as_slice() {
        [] => format!("`{name}` has no trigger: it runs when somebody says `reveille run {name}`"),
        kinds if waiting.any(|kind| waits(&kind)) => format!(
            "nothing is known to come that starts `{name}` (it starts by {}); a running daemon looks at calendars",
            kinds.join(", ")
        ),
        kinds => format!(
            "`{name}` has no cron trigger: it starts by {}",
            kinds.join(", ")
        ),
    }
}

impl Coming<'_> {
    fn to_json(&self) -> Value {
        json!({
            "job": self.job.name,
            "trigger": self.trigger.id,
            "due_at": self.due.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, true),
            "timezone": self.zone.name(),
            "notes": self.notes,
            "paused": self.pause.is_some(),
        })
    }
}
