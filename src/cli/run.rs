//! `reveille run JOB`

use std::io::{IsTerminal, Read, Write};
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::out::{errln, outln};
use super::spinner::Spinner;
use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::config::{Config, Job};
use crate::engine::{self, Deliver, Engine, Finished, Progress};
use crate::error::Error;
use crate::job::{Event, Outcome, RunId, TriggerKind};
use crate::store::lock::ProcessLock;
use crate::store::{CheckState, Mode, Retention};

/// Which job a person starts, and with what.
#[derive(Debug, Args)]
pub struct ByHand {
    /// The job's name
    pub job: String,

    /// A value that templates see as `event.args.KEY`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

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
    let hash = job_hash(&config, &arguments.by_hand.job);
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
    let finished = runtime.block_on(async {
        tell_of_the_dead(context, &engine).await?;
        let finished = execute(
            context,
            &engine,
            &job,
            &hash,
            event,
            deliver,
            arguments.json,
        )
        .await;
        tend(context, &engine).await;
        finished
    })?;
    if arguments.json {
        print_json(&finished);
    }
    for unsent in &finished.unsent {
        errln!("{}: not delivered: {unsent}", context.paint.error("error"));
    }
    Ok(exit_code(&finished))
}

/// The event of a run by hand.
pub(super) fn by_hand(context: &Context, job: &Job, set: &[String]) -> Result<Event, Error> {
    let mut args = Map::new();
    for pair in set {
        let Some((key, value)) = pair.split_once('=') else {
            let what = format!("`--set {pair}` has no `=`");
            return Err(Error::usage(what).hint("write it as --set key=value"));
        };
        args.insert(key.to_owned(), Value::String(value.to_owned()));
    }
    let stdin = if job.reads_stdin {
        read_stdin()?
    } else {
        String::new()
    };
    Ok(Event {
        id: context.clock.id(),
        job: job.name.clone(),
        kind: TriggerKind::Hand,
        dedupe_key: None,
        payload: json!({ "args": args, "stdin": stdin }),
        at: context.clock.now(),
    })
}

/// The most that a job may be given on stdin.
const MAX_STDIN: u64 = 1 << 20;

fn read_stdin() -> Result<String, Error> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    let read = stdin.lock().take(MAX_STDIN + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::usage(format!("cannot read stdin: {error}")))?;
    if bytes.len() as u64 > MAX_STDIN {
        let hint = "give the job less, as with `head -c 1M`";
        return Err(Error::usage("stdin holds more than 1 MiB").hint(hint));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a run is pinned to: the text of the job file.
fn job_hash(config: &Config, name: &str) -> String {
    let text = config.sources.get(name).map_or("", |source| &source.text);
    format!("{:016x}", fnv1a(text.as_bytes()))
}

/// FNV-1a, 64 bits: tells versions of a file apart, nothing more.
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

pub(super) fn engine(
    context: &Context,
    folder: Folder,
    config: Config,
    store: crate::store::Store,
    lock: &str,
) -> Engine {
    let (secrets, warning) = Secrets::load(&folder);
    for warning in warning.into_iter().chain(secrets.learn(config.secrets())) {
        errln!("{}: {warning}", context.paint.warning("warning"));
    }
    Engine {
        clock: Arc::clone(&context.clock),
        settings: config.settings,
        folder,
        secrets,
        store,
        state: context.state.clone(),
        lock: lock.to_owned(),
    }
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

async fn execute(
    context: &Context,
    engine: &Engine,
    job: &Job,
    hash: &str,
    event: Event,
    deliver: Deliver,
    quiet: bool,
) -> Result<Finished, Error> {
    let mut spinner = Spinner::new(context.paint);
    let mut run: Option<RunId> = None;
    let mut observer = |progress: Progress<'_>| match progress {
        Progress::Accepted(id) => run = Some(id),
        Progress::Message(_) if quiet => {}
        Progress::Message(message) => {
            spinner.pause();
            print_message(message.text);
        }
        other => spinner.show(&other),
    };
    let ended = tokio::select! {
        finished = engine.run(job, hash, event, deliver, &mut observer) => Some(finished),
        _ = tokio::signal::ctrl_c() => None,
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
            engine.cancel(run).await.map_err(Error::from)?;
            Err(Error::job(format!("run {run} was cancelled")))
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

fn print_message(text: &str) {
    // A closed pipe is the reader's word that it has enough.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn print_json(finished: &Finished) {
    let result = json!({
        "run": finished.run,
        "outcome": finished.outcome.word(),
        "reason": finished.outcome.reason(),
        "unsent": finished.unsent,
    });
    outln!("{result}");
}

fn exit_code(finished: &Finished) -> u8 {
    match finished.outcome {
        Outcome::Ok | Outcome::NothingToSay(_) if finished.unsent.is_empty() => 0,
        _ => 1,
    }
}

/// What is due now and then: old runs go, and a look for damage is waited for.
async fn tend(context: &Context, engine: &Engine) {
    let retention = Retention {
        age: engine.settings.keep_for,
        count: engine.settings.keep_runs,
    };
    if let Err(error) = engine.store.retain(retention).await {
        errln!(
            "{}: old runs were not removed: {error}",
            context.paint.warning("warning")
        );
    }
    if let CheckState::Damaged(found) = engine.store.check_ended().await {
        errln!(
            "{}: the database is damaged ({found}); it is set aside at the next start",
            context.paint.error("error")
        );
    }
}
