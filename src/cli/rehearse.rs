//! What a run found and said, kept beside its job, and the job tried with it again: `reveille record`, `reveille test`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_hand::engine;
use super::context::Context;
use super::out::outln;
use super::show::parse;
use crate::clock::SystemClock;
use crate::config::Job;
use crate::config::folder::Folder;
use crate::engine::{Deliver, Engine, Progress};
use crate::error::Error;
use crate::job::{Event, StepRecord, TriggerKind};
use crate::llm::{Recorded, Servers};
use crate::store::lock::ProcessLock;
use crate::store::{Mode, RunStory, Store, StoreError};

#[derive(Debug, Args)]
pub struct Record {
    /// The run's number, as 12 or #12
    run: String,

    /// What to call it; the moment of the run when left out
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Only this job's
    job: Option<String>,

    /// What comes out now is right: keep it
    #[arg(long)]
    update: bool,
}

/// What is kept of a run.
#[derive(Debug, Serialize, Deserialize)]
struct Recording {
    job: String,
    /// The run's moment, which is the clock of each test.
    at: DateTime<Utc>,
    event: EventOf,
    /// What the steps found that look at the world, by their ids.
    results: BTreeMap<String, Found>,
    /// What models said, by step, in their order.
    answers: BTreeMap<String, Vec<String>>,
    /// How the run ended, and what it would deliver.
    expected: Ended,
}

#[derive(Debug, Serialize, Deserialize)]
struct EventOf {
    kind: TriggerKind,
    payload: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    kind: String,
    end: String,
    result: Option<Value>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Ended {
    outcome: String,
    messages: Vec<Message>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Message {
    to: String,
    text: String,
}

/// What is done again in a test: all that looks at nothing but what other steps found.
fn is_done_again(kind: &str) -> bool {
    matches!(kind, "render" | "set" | "prompt")
}

/// The folder of the jobs; the examples inside the program have none.
fn jobs(folder: &Folder) -> Result<PathBuf, Error> {
    match folder {
        Folder::Disk(root) => Ok(root.join("jobs")),
        Folder::Embedded => Err(Error::usage("the built-in example keeps no recordings")
            .hint("`reveille init DIR` writes it into a folder")),
    }
}

pub(super) fn record(context: &Context, arguments: &Record) -> Result<u8, Error> {
    let (folder, _) = context.config()?;
    let run = parse(&arguments.run)?;
    let store = context.open_store(Mode::Inline)?;
    let story = store
        .read_now(|reader| reader.run(run))
        .map_err(Error::from)?;
    let story = story
        .ok_or(StoreError::UnknownRun(run))
        .map_err(Error::from)?;
    let recording = Recording::of(&story);
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => recording.at.format("%Y%m%d-%H%M%S").to_string(),
    };
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(is_plain) {
        let what = format!("`{name}` is no name for a recording");
        return Err(Error::usage(what).hint("letters, digits, - and _"));
    }
    let path = jobs(&folder)?.join(format!("{}.{name}.json", story.row.job));
    recording.write(&path)?;
    outln!("{}", path.display());
    Ok(0)
}

/// Keeps the newest run of a job.
pub(super) fn record_newest(context: &Context, job: &str) -> Result<(), Error> {
    let store = context.open_store(Mode::Inline)?;
    let rows = store
        .read_now(|reader| reader.jobs_last())
        .map_err(Error::from)?;
    let Some(row) = rows.into_iter().find(|row| row.job == job) else {
        return Ok(());
    };
    let arguments = Record {
        run: row.run.0.to_string(),
        name: None,
    };
    record(context, &arguments).map(|_| ())
}

impl Recording {
    fn of(story: &RunStory) -> Self {
        let mut results = BTreeMap::new();
        let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in &story.steps {
            if is_done_again(&step.kind) {
                let detail = step.detail.clone().unwrap_or_default();
                let said = answers.entry(step.id.clone()).or_default();
                for detail in detail["items"].as_array().unwrap_or(&vec![detail.clone()]) {
                    let each = ["answer", "second_answer", "third_answer", "fourth_answer"];
                    let each = each.into_iter().filter_map(|name| detail[name].as_str());
                    said.extend(each.map(str::to_owned));
                }
                continue;
            }
            let found = Found {
                kind: step.kind.clone(),
                end: step.end.to_owned(),
                result: step.result.clone(),
            };
            results.insert(step.id.clone(), found);
        }
        answers.retain(|_, said| !said.is_empty());
        let messages = story.deliveries.iter().map(|delivery| Message {
            to: delivery.message.kind.clone(),
            text: delivery.message.body.clone(),
        });
        let outcome = match &story.row.state {
            crate::job::RunState::Finished(outcome) => outcome.word(),
            _ => "under way",
        };
        Recording {
            job: story.row.job.clone(),
            at: story.row.started_at.unwrap_or(story.row.accepted_at),
            event: EventOf {
                kind: story.event.kind,
                payload: story.event.payload.clone(),
            },
            results,
            answers,
            expected: Ended {
                outcome: outcome.to_owned(),
                messages: messages.collect(),
            },
        }
    }

    fn write(&self, path: &Path) -> Result<(), Error> {
        let text = format!("{:#}\n", json!(self));
        fs::write(path, text)
            .map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))
    }

    /// The results that the job's steps begin with, as it is now.
    fn steps(&self, job: &Job) -> Result<Vec<StepRecord>, String> {
        let mut records = Vec::new();
        for (step, position) in job.steps.iter().zip(0..) {
            let kind = step.kind.word();
            if is_done_again(kind) {
                continue;
            }
            let found = self
                .results
                .get(&step.id)
                .filter(|found| found.kind == kind);
            let end = match found.map(|found| found.end.as_str()) {
                Some("done") => "done",
                Some("skipped") => "skipped",
                // Steps behind the one that ended the run have nothing.
                Some(_) | None if self.expected.outcome != "ok" => break,
                _ => {
                    return Err(format!(
                        "step `{}` has no recorded result: record a run of the job as it is now",
                        step.id
                    ));
                }
            };
            records.push(StepRecord {
                position,
                id: step.id.clone(),
                kind: kind.to_owned(),
                attempt: 1,
                end,
                result: found.and_then(|found| found.result.clone()),
                error: None,
                detail: None,
                started_at: self.at,
                took: std::time::Duration::ZERO,
                moved: Vec::new(),
            });
        }
        Ok(records)
    }

    fn recorded(&self) -> Recorded {
        let each = self.answers.iter();
        each.map(|(step, said)| (step.clone(), said.iter().cloned().collect()))
            .collect()
    }
}

pub(super) fn test(context: &Context, arguments: &Test) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let place = jobs(&folder)?;
    let mut paths: Vec<PathBuf> = fs::read_dir(&place)
        .map_err(|error| Error::usage(format!("cannot read {}: {error}", place.display())))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    paths.sort();
    let (mut ran, mut wrong) = (0, 0);
    for path in paths {
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| Error::usage(format!("cannot read {shown}: {error}")))?;
        let mut recording: Recording = serde_json::from_str(&text)
            .map_err(|error| Error::usage(format!("{shown} is no recording: {error}")))?;
        if arguments
            .job
            .as_ref()
            .is_some_and(|job| *job != recording.job)
        {
            continue;
        }
        ran += 1;
        let Some(job) = config.jobs.get(&recording.job) else {
            wrong += 1;
            outln!(
                "{shown}: {}",
                context
                    .paint
                    .outcome("its job does not load: `reveille check` says why")
            );
            continue;
        };
        match context.block_on(once(context, &recording, job))? {
            Ok(ended) if ended == recording.expected => outln!("{shown}: ok"),
            Ok(ended) if arguments.update => {
                recording.expected = ended;
                recording.write(&path)?;
                outln!("{shown}: updated");
            }
            Ok(ended) => {
                wrong += 1;
                outln!("{shown}: {}", context.paint.outcome("differs"));
                difference(&recording.expected, &ended);
            }
            Err(why) => {
                wrong += 1;
                outln!("{shown}: {}", context.paint.outcome(&why));
            }
        }
    }
    if ran == 0 {
        outln!("there is no recording");
        super::out::errln!("hint: `reveille record RUN` keeps one beside its job");
    }
    Ok(u8::from(wrong > 0))
}

/// Lines of the one that the other has not.
fn difference(expected: &Ended, now: &Ended) {
    if expected.outcome != now.outcome {
        outln!(
            "  it ended as {}, and now as {}",
            expected.outcome,
            now.outcome
        );
    }
    let most = expected.messages.len().max(now.messages.len());
    for place in 0..most {
        let [before, after] = [expected, now].map(|ended| {
            let message = ended.messages.get(place);
            let text = message.map_or(String::new(), |message| {
                format!("to {}:\n{}", message.to, message.text)
            });
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        for line in before.iter().filter(|line| !after.contains(line)) {
            outln!("  - {line}");
        }
        for line in after.iter().filter(|line| !before.contains(line)) {
            outln!("  + {line}");
        }
    }
}

/// Runs the job as it is now with what was recorded, in a state of its own that nothing is left of.
async fn once(context: &Context, recording: &Recording, job: &Arc<Job>) -> Result<Ended, String> {
    let steps = recording.steps(job)?;
    let state = std::env::temp_dir().join(format!("reveille-test-{}", context.clock.id().simple()));
    fs::create_dir(&state).map_err(|error| format!("cannot make {}: {error}", state.display()))?;
    let ended = inside(context, recording, job, steps, &state).await;
    let _ = fs::remove_dir_all(&state);
    ended.map_err(|error| error.to_string())
}

async fn inside(
    context: &Context,
    recording: &Recording,
    job: &Arc<Job>,
    steps: Vec<StepRecord>,
    state: &Path,
) -> Result<Ended, Error> {
    let clock = Arc::new(SystemClock::fixed(recording.at));
    let (folder, config) = context.config()?;
    let lock = ProcessLock::acquire(state, context.clock.id()).map_err(Error::from)?;
    let opened = Store::open(state, clock.clone(), Mode::Inline).map_err(Error::from)?;
    let engine = Engine {
        clock,
        state: state.to_path_buf(),
        servers: Arc::new(Servers::rehearsing(recording.recorded())),
        ..engine(context, folder, config, opened.store, lock.name())
    };
    let event = Event {
        id: context.clock.id(),
        job: recording.job.clone(),
        kind: recording.event.kind,
        dedupe_key: None,
        payload: recording.event.payload.clone(),
        at: recording.at,
    };
    let mut ended = Ended::default();
    let mut observer = |progress: Progress<'_>| {
        if let Progress::Message(message) = progress {
            ended.messages.push(Message {
                to: message.meant_for.to_owned(),
                text: message.text.to_owned(),
            });
        }
    };
    let ran = engine
        .run(job, event, steps, Deliver::Hold, &mut observer)
        .await;
    let finished = ran.map_err(Error::from)?;
    ended.outcome = finished
        .map_or("under way", |finished| finished.outcome.word())
        .to_owned();
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_or_looks_at_the_world_is_not_done_again() {
        for kind in crate::step::WORDS {
            let plain = ["render", "set", "prompt"].contains(kind);
            assert_eq!(is_done_again(kind), plain, "{kind}");
        }
    }
}
