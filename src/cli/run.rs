//! `reveille run JOB`

use std::io::{ErrorKind, Write};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::by_hand::{ByHand, by_hand, engine, told_to_end};
use super::context::Context;
use super::out::{calm, errln};
use super::spinner::Spinner;
use crate::clock::timeout;
use crate::config::Job;
use crate::engine::{self, Deliver, Engine, Finished, Late, Message, Progress};
use crate::error::Error;
use crate::job::{Event, Outcome, RunId};
use crate::store::lock::ProcessLock;
use crate::store::{CheckState, Mode, Retention, StoreError};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    by_hand: ByHand,

    /// Print what would be delivered, send nothing, and leave remembered positions where they are
    #[arg(long)]
    no_deliver: bool,

    /// The result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let job = context.job(&config, &folder, &arguments.by_hand.job)?;
    let event = by_hand(context, &job, &arguments.by_hand.set)?;
    let lock = ProcessLock::acquire(&context.state, context.clock.id());
    let lock = lock.map_err(Error::from)?;
    let store = context.open_store(Mode::Threaded)?;
    let engine = engine(context, folder, config, store, lock.name());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bug(format!("cannot start: {error}")))?;
    let deliver = if arguments.no_deliver {
        Deliver::Hold
    } else {
        Deliver::Send
    };
    let mut printed = Printed::new(arguments.json);
    let finished = runtime.block_on(async {
        let whole = async {
            tell_of_the_dead(context, &engine).await?;
            if deliver == Deliver::Send {
                send_left(context, &engine).await?;
            }
            execute(context, &engine, &job, event, deliver, &mut printed).await
        };
        let finished = whole.await;
        tend(context, &engine).await;
        finished
    })?;
    printed.end(&finished);
    for unsent in finished.unsent.iter().chain(&printed.failed) {
        errln!("{}: not delivered: {unsent}", context.paint.error("error"));
    }
    if !finished.kept.is_empty() {
        let kept = finished.kept.join(", ");
        let said = format!("kept in the outbox for the daemon or a later run: {kept}");
        errln!("{}", context.paint.faint(&said));
    }
    Ok(match finished.outcome {
        Outcome::Ok | Outcome::NothingToSay(_)
            if finished.unsent.is_empty() && printed.failed.is_none() =>
        {
            0
        }
        _ => 1,
    })
}

async fn tell_of_the_dead(context: &Context, engine: &Engine) -> Result<(), Error> {
    for left in engine::recover(engine).await.map_err(Error::from)? {
        let warning = context.paint.warning("warning");
        errln!(
            "{warning}: run {} of `{}` was interrupted: {}",
            left.run,
            left.job,
            left.reason
        );
    }
    Ok(())
}

/// What dead processes had not sent goes out; what of it is for the terminal goes to stderr, for stdout is this run's.
async fn send_left(context: &Context, engine: &Engine) -> Result<(), Error> {
    let warning = context.paint.warning("warning");
    let mut tell = |late: Late<'_>| {
        let Late { run, job, message } = late;
        match run {
            Some(run) => errln!("{warning}: run {run} of `{job}` had not said:"),
            None => errln!("{warning}: not said so far:"),
        }
        errln!("{}", calm(message.text));
    };
    let unsent = engine::send_left(engine, &mut tell).await;
    for unsent in unsent.map_err(Error::from)? {
        errln!("{}: not delivered: {unsent}", context.paint.error("error"));
    }
    Ok(())
}

async fn execute(
    context: &Context,
    engine: &Engine,
    job: &Job,
    event: Event,
    deliver: Deliver,
    printed: &mut Printed,
) -> Result<Finished, Error> {
    let mut spinner = Spinner::new(context.paint);
    let mut run: Option<RunId> = None;
    let mut observer = |progress: Progress<'_>| match progress {
        Progress::Accepted(id) => run = Some(id),
        Progress::Message(message) => {
            spinner.pause();
            printed.message(message);
        }
        other => spinner.show(&other),
    };
    let ended = tokio::select! {
        finished = engine.run(job, event, deliver, &mut observer) => Some(finished),
        () = told_to_end() => None,
    };
    spinner.clear();
    match ended {
        Some(finished) => {
            let finished = finished.map_err(Error::from)?;
            say(context, &finished);
            Ok(finished)
        }
        None => {
            let run = run.ok_or_else(|| Error::job("stopped"))?;
            let said = match engine.cancel(run).await {
                Ok(None) => format!("run {run} was cancelled"),
                Ok(Some(step)) => format!(
                    "run {run} was cancelled during step `{step}`, which may have had its effect"
                ),
                Err(StoreError::AlreadyFinished(_)) => {
                    format!("run {run} had ended; what it had not sent goes out with the next one")
                }
                Err(error) => return Err(error.into()),
            };
            Err(Error::job(said))
        }
    }
}

/// What did not end well, or said nothing, in one line on stderr.
fn say(context: &Context, finished: &Finished) {
    let run = finished.run;
    match &finished.outcome {
        Outcome::Ok => {}
        Outcome::NothingToSay(_) => {
            let said = format!("run {run}: nothing to say");
            errln!("{}", context.paint.faint(&said));
        }
        outcome => {
            let reason = outcome.reason().unwrap_or_default();
            errln!(
                "{}: run {run} {}: {reason}",
                context.paint.error("error"),
                outcome.word()
            );
            errln!("hint: {}", hint(run, reason));
        }
    }
}

fn hint(run: RunId, reason: &str) -> String {
    let missing = reason
        .split("`event.args.")
        .nth(1)
        .and_then(|rest| rest.split('`').next());
    match missing {
        Some(name) => format!("give it with `--set {name}=VALUE`"),
        None => format!("`reveille show {}` tells the whole story", run.0),
    }
}

/// What a run says on stdout: its messages, or, as JSON, all of it at the end.
struct Printed {
    json: Option<Vec<Value>>,
    /// Why a message could not be printed.
    failed: Option<String>,
}

impl Printed {
    fn new(json: bool) -> Self {
        Printed {
            json: json.then(Vec::new),
            failed: None,
        }
    }

    fn message(&mut self, message: Message<'_>) {
        match &mut self.json {
            Some(messages) => {
                messages.push(json!({ "to": message.meant_for, "text": message.text }))
            }
            None => self.line(&calm(message.text)),
        }
    }

    fn end(&mut self, finished: &Finished) {
        if let Some(messages) = self.json.take() {
            let all = json!({
                "run": finished.run,
                "outcome": finished.outcome.word(),
                "reason": finished.outcome.reason(),
                "messages": messages,
                "unsent": finished.unsent,
            });
            self.line(&all.to_string());
        }
    }

    fn line(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        match written {
            // A closed pipe is the reader's word that it has enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.failed = Some(format!("stdout: {error}"));
            }
            _ => {}
        }
    }
}

/// How long a person waits for a look for damage.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is due now and then: old runs go, and a look for damage is waited for.
async fn tend(context: &Context, engine: &Engine) {
    // Under `--now` nothing is old.
    if context.clock_is_real() {
        let retention = Retention {
            age: engine.loaded.settings.keep_for,
            count: engine.loaded.settings.keep_runs,
        };
        if let Err(error) = engine.store.retain(retention).await {
            errln!(
                "{}: old runs were not removed: {error}",
                context.paint.warning("warning")
            );
        }
    }
    // A look at a large database goes on at the next start.
    let looked = timeout(engine.clock.as_ref(), PATIENCE, engine.store.check_ended()).await;
    if let Ok(CheckState::Damaged(found)) = looked {
        errln!(
            "{}: the database is damaged ({found}); it is set aside at the next start",
            context.paint.error("error")
        );
    }
}
