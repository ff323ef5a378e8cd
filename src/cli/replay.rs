//! `reveille replay RUN`

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::follow::Asked;
use super::run::{self, How};
use super::show::parse;
use crate::config::Job;
use crate::error::Error;
use crate::job::{StepRecord, TriggerKind};
use crate::step::Kind;
use crate::store::{Mode, RunStory, StoreError};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The run's number, as 12 or #12
    run: String,

    /// Begin with this step; those before it keep the results of that run
    #[arg(long, value_name = "STEP")]
    from: Option<String>,

    #[command(flatten)]
    how: How,
}

/// Runs the job as it is now for the event of an earlier run.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let run = parse(&arguments.run)?;
    let story = context.open_store(Mode::Inline)?;
    let story = story.read_now(|reader| reader.run(run))?;
    let story = story.ok_or(StoreError::UnknownRun(run))?;
    let job = context.job(&config, &folder, &story.row.job)?;
    let steps = match &arguments.from {
        Some(from) => recorded(&story, &job, from)?,
        None => Vec::new(),
    };
    let event = story.event.again(context.clock.id(), TriggerKind::Hand);
    let asked = Asked { job, event, steps };
    run::execute(context, folder, config, asked, &arguments.how)
}

/// The results of the steps before `from`.
fn recorded(story: &RunStory, job: &Job, from: &str) -> Result<Vec<StepRecord>, Error> {
    let Some(begin) = job.steps.iter().position(|step| step.id == from) else {
        let ids: Vec<&str> = job.steps.iter().map(|step| step.id.as_str()).collect();
        let what = format!("`{}` has no step `{from}`", job.name);
        return Err(Error::usage(what).hint(format!("steps: {}", ids.join(", "))));
    };
    let before = job.steps[..begin].iter().zip(0..);
    let records = before.map(|(step, position)| {
        let kind = step.kind.word();
        let known = story.steps.iter().rfind(|record| {
            let ended = matches!(record.end, "done" | "skipped");
            record.id == step.id && record.kind == kind && ended
        });
        if let Kind::Approve(_) = step.kind {
            let what = format!(
                "what `{}` was answered was for run {} alone",
                step.id, story.row.run
            );
            return Err(Error::usage(what).hint(format!("begin with `--from {}`", step.id)));
        }
        let Some(known) = known else {
            let run = story.row.run;
            let what = format!(
                "run {run} has no result of `{}`, which stands before `{from}`",
                step.id
            );
            return Err(Error::usage(what).hint(format!("begin with `--from {}`", step.id)));
        };
        Ok(StepRecord {
            position,
            attempt: 1,
            detail: Some(json!({ "from": story.row.run })),
            moved: Vec::new(),
            ..known.clone()
        })
    });
    records.collect()
}
