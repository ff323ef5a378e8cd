//! `reveille approvals`

use chrono::{SecondsFormat, TimeDelta};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::by_hand::engine;
use super::context::Context;
use super::history::short;
use super::out::{calm, errln, outln};
use super::show::parse;
use crate::engine::{Answer, Question, Word, questions};
use crate::error::Error;
use crate::store::Mode;
use crate::store::lock::ProcessLock;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,

    /// The list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Let a run go on
    Approve(Meant),
    /// End a run
    Deny(Meant),
}

#[derive(Debug, Args)]
struct Meant {
    /// The run's number, as 12 or #12
    run: String,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    match &arguments.what {
        None => list(context, arguments.json),
        Some(What::Approve(meant)) => answer(context, &meant.run, Word::Yes),
        Some(What::Deny(meant)) => answer(context, &meant.run, Word::No),
    }
}

fn asked(context: &Context) -> Result<Vec<Question>, Error> {
    Ok(match context.existing_store()? {
        Some(store) => store.read_now(questions)?,
        None => Vec::new(),
    })
}

fn list(context: &Context, as_json: bool) -> Result<u8, Error> {
    let asked = asked(context)?;
    if as_json {
        outln!("{}", Value::Array(asked.iter().map(row_json).collect()));
        return Ok(0);
    }
    if asked.is_empty() {
        errln!("no run waits for a word");
        return Ok(0);
    }
    let now = context.clock.now();
    for question in &asked {
        let left = (question.asked.until - now).max(TimeDelta::zero());
        let left = short(left.to_std().unwrap_or_default());
        let asks = &question.asked.asks;
        outln!(
            "{}  {}  for {left} more",
            question.row.run,
            question.row.job
        );
        for line in calm(asks).lines() {
            outln!("    {line}");
        }
    }
    let run = match &asked[..] {
        [only] => only.row.run.0.to_string(),
        _ => "RUN".to_owned(),
    };
    errln!("hint: `reveille approvals approve {run}` or `reveille approvals deny {run}`");
    Ok(0)
}

fn row_json(question: &Question) -> Value {
    json!({
        "run": question.row.run,
        "job": question.row.job,
        "step": question.step.id,
        "asks": question.asked.asks,
        "until": question.asked.until.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

fn answer(context: &Context, run: &str, word: Word) -> Result<u8, Error> {
    let run = parse(run)?;
    let asked = asked(context)?;
    let Some(question) = asked.into_iter().find(|question| question.row.run == run) else {
        let what = format!("run {run} does not wait for a word");
        return Err(Error::usage(what).hint("`reveille approvals` lists the runs that do"));
    };
    let by = "the terminal";
    let answer = match &context.lent {
        Some(lent) => context.block_on(lent.intake.answer(&question, word, by))??,
        None if context.clock.now() >= question.asked.until => Answer::Late,
        None => {
            let (folder, config) = context.config()?;
            let lock = ProcessLock::acquire(&context.state, context.clock.id());
            let lock = lock.map_err(Error::from)?;
            let store = context.open_store(Mode::Threaded)?;
            let engine = engine(context, folder, config, store, lock.name());
            let told = context.block_on(engine.answer(&question, word, by))??;
            told.map_or(Answer::Gone, |_| Answer::Taken(word))
        }
    };
    match answer {
        Answer::Taken(word) => {
            let done = match (word, &context.lent) {
                (Word::Yes, Some(_)) => "approved: it goes on",
                (Word::Yes, None) => "approved: it goes on when the daemon runs",
                _ => "denied",
            };
            outln!("run {run} is {done}");
            Ok(0)
        }
        Answer::Late => Err(Error::job(format!(
            "run {run} asked until a while ago: it is too late"
        ))),
        Answer::Gone | Answer::NotYours => {
            Err(Error::job(format!("run {run} was answered meanwhile")))
        }
    }
}
