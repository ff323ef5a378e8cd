//! `reveille why JOB WHEN`

mod answer;
mod run;
mod unplanned;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::moment::{Asked, asked, shown};
use super::out::outln;
use crate::config::{Job, teller};
use crate::engine::schedule::Occurrences;
use crate::error::Error;
use crate::store::Store;
use crate::trigger::{Cron, Kind, Trigger};
use crate::zone::Tz;

use answer::{Answer, Known};

/// A day of a busy job has more slots than anybody reads.
const MOST: usize = 24;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The job
    job: String,

    /// The moment, as "now", "yesterday 7:00", "mon 7:00", "2026-11-19 07:00", or a whole day
    #[arg(required = true, value_name = "WHEN")]
    when: Vec<String>,

    /// The answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let (now, zone) = (context.clock.now(), config.settings.timezone);
    let asked = asked(&arguments.when.join(" "), now, zone)?;
    let store = context.existing_store()?;
    let name = &arguments.job;
    let job = match context.known_job(&config, &folder, name) {
        Ok(job) => Some(job),
        Err(_) if !config.sources.contains_key(name) && had_slots(store.as_ref(), name)? => None,
        Err(error) => return Err(error),
    };
    let subject = Subject {
        name,
        job: job.as_deref(),
    };
    let known = Known::read(store.as_ref(), subject, now, zone).map_err(Error::from)?;
    let mut answers = Vec::new();
    let mut more = 0;
    for (trigger, cron) in subject.crons() {
        let due = within(cron, &asked);
        more += due.len().saturating_sub(MOST);
        for due in due.into_iter().take(MOST) {
            answers.push(known.answer(trigger, cron, due).map_err(Error::from)?);
        }
    }
    if let Some(store) = &store {
        let teller = teller(&config.jobs).map(|job| job.name.as_str());
        let unplanned = known.unplanned(store, &asked, teller);
        answers.extend(unplanned.map_err(Error::from)?);
        answers.extend(
            known
                .of_earlier_triggers(store, &asked)
                .map_err(Error::from)?,
        );
    }
    answers.sort_by_key(|answer| answer.due);
    if arguments.json {
        outln!("{}", to_json(subject, &asked, &answers));
        return Ok(0);
    }
    if let Some(never) = asked.never {
        let next = shown(asked.from(), zone, zone);
        outln!(
            "{} never was: the clocks went on to {next}",
            never.format("%a %d %b %Y %H:%M")
        );
    }
    // Neighbours of which the same is to be said are one line.
    let alike = |one: &Answer, next: &Answer| {
        let runs = one.story.is_some() || next.story.is_some();
        !runs && (&one.trigger, &one.text, &one.among) == (&next.trigger, &next.text, &next.among)
    };
    for group in answers.chunk_by(alike) {
        let answer = &group[0];
        let first = shown(answer.due, answer.zone, zone);
        match group {
            [.., last] if group.len() > 1 => {
                let last = shown(last.due, last.zone, zone);
                let count = group.len();
                outln!(
                    "{count} slots from {first} to {last}: {}",
                    answer.words(count)
                );
            }
            _ => outln!("Slot {first}: {}", answer.words(1)),
        }
        if let Some(story) = &answer.story {
            outln!("  {}", run::line(context, story, zone));
        }
    }
    if more > 0 {
        outln!("and {more} more: ask for a time of the day");
    }
    if answers.is_empty() {
        nothing(subject, &asked, zone);
    }
    Ok(0)
}

/// What is asked about: a job, or the name of one that is no longer there.
#[derive(Clone, Copy)]
struct Subject<'a> {
    name: &'a str,
    job: Option<&'a Job>,
}

impl<'a> Subject<'a> {
    fn triggers(self) -> &'a [Trigger] {
        self.job.map_or(&[], |job| &job.triggers)
    }

    /// The cron triggers, those included that are switched off.
    fn crons(self) -> impl Iterator<Item = (&'a Trigger, &'a Cron)> {
        self.triggers()
            .iter()
            .filter_map(|trigger| match &trigger.kind {
                Kind::Cron(cron) => Some((trigger, cron)),
                _ => None,
            })
    }
}

fn had_slots(store: Option<&Store>, job: &str) -> Result<bool, Error> {
    let Some(store) = store else {
        return Ok(false);
    };
    let triggers = store.read_now(|reader| reader.slot_triggers(job));
    Ok(!triggers.map_err(Error::from)?.is_empty())
}

/// The due moments of a trigger that are asked about.
fn within(cron: &Cron, asked: &Asked) -> Vec<DateTime<Utc>> {
    let moments = Occurrences::new(&cron.entry, cron.timezone);
    let each = |(from, to): (DateTime<Utc>, DateTime<Utc>)| {
        let first = moments.next(from - TimeDelta::seconds(1));
        std::iter::successors(first, |due| moments.next(*due)).take_while(move |due| *due < to)
    };
    asked.windows.iter().copied().flat_map(each).collect()
}

/// Nothing was due: which field does not fit, and what is near.
fn nothing(subject: Subject<'_>, asked: &Asked, zone: Tz) {
    let when = shown(asked.from(), zone, zone);
    let mut any = false;
    for (_, cron) in subject.crons() {
        any = true;
        let moments = Occurrences::new(&cron.entry, cron.timezone);
        outln!("No slot at {when}: {}", answer::misfit(cron, asked));
        let near = |what: &str, due: Option<DateTime<Utc>>| {
            if let Some(due) = due {
                outln!("  the one {what} it is {}", shown(due, cron.timezone, zone));
            }
        };
        near("before", moments.previous(asked.from()));
        near("after", moments.next(asked.from()));
    }
    if !any {
        let name = subject.name;
        let waits = |one: &Trigger| matches!(one.kind, Kind::Calendar(_) | Kind::Reminder(_));
        let because = match subject.job {
            Some(job) if job.triggers.iter().any(waits) => {
                "none is known of an entry or a reminder".to_owned()
            }
            Some(_) => format!("`{name}` has no cron trigger"),
            None => format!("none of `{name}`, which is no longer there"),
        };
        outln!("No slot at {when}: {because}; `reveille history {name}` lists its runs");
    }
}

fn to_json(subject: Subject<'_>, asked: &Asked, answers: &[Answer]) -> Value {
    let time = |at: DateTime<Utc>, zone: Tz| {
        at.with_timezone(&zone)
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    };
    let slots = answers.iter().map(|answer| {
        json!({
            "trigger": answer.trigger,
            "due_at": time(answer.due, answer.zone),
            "state": answer.state,
            "text": answer.words(1),
            "run": answer.story.as_ref().map(|story| story.row.run),
        })
    });
    let mut found = json!({
        "job": subject.name,
        "asked": asked.windows.iter().map(|(from, to)| [time(*from, Tz::UTC), time(*to, Tz::UTC)]).collect::<Vec<_>>(),
        "slots": slots.collect::<Vec<_>>(),
    });
    if answers.is_empty() {
        let why: Vec<_> = subject
            .crons()
            .map(|(_, cron)| answer::misfit(cron, asked))
            .collect();
        found["why_not"] = json!(why);
    }
    found
}

/// The store of a folder where nothing ever ran is none.
type Kept<'a> = Option<&'a Store>;
