//! A run that a person starts: its event, its engine, what stops it.

use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::context::Context;
use super::out::{self, errln};
use crate::config::folder::Folder;
use crate::config::settings::Settings;
use crate::config::{Config, Job};
use crate::engine::{Engine, Loaded, Patience};
use crate::error::Error;
use crate::job::{Event, TriggerKind};

/// Which job a person starts, and with what.
#[derive(Debug, Args)]
pub struct ByHand {
    /// The job's name
    pub job: String,

    /// A value that templates see as `event.args.KEY`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    #[command(flatten)]
    pub whom: Whom,
}

/// Whom steps ask that ask a model, in place of what the job says.
#[derive(Debug, Args)]
pub struct Whom {
    /// A route of the configuration
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    route: Option<String>,

    /// A model of the configuration
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl Whom {
    /// Writes it into the payload of an event.
    pub(super) fn tell(&self, settings: &Settings, payload: &mut Value) -> Result<(), Error> {
        let routes = settings.routes.keys();
        let models = settings.models.keys();
        known("route", self.route.as_ref(), routes.collect(), payload)?;
        known("model", self.model.as_ref(), models.collect(), payload)
    }
}

fn known(
    kind: &str,
    name: Option<&String>,
    all: Vec<&String>,
    payload: &mut Value,
) -> Result<(), Error> {
    let Some(name) = name else {
        return Ok(());
    };
    if !all.contains(&name) {
        let names: Vec<&str> = all.into_iter().map(String::as_str).collect();
        let error = Error::usage(format!("there is no {kind} `{name}`"));
        return Err(match names.is_empty() {
            true => error.hint(format!("config/reveille.toml has no [{kind}s.NAME]")),
            false => error.hint(format!("{kind}s: {}", names.join(", "))),
        });
    }
    payload[kind] = name.as_str().into();
    Ok(())
}

/// The event of a run by hand.
pub(super) fn by_hand(
    context: &Context,
    settings: &Settings,
    job: &Job,
    by_hand: &ByHand,
) -> Result<Event, Error> {
    let mut args = Map::new();
    for pair in &by_hand.set {
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
    let mut payload = json!({ "args": args, "stdin": stdin });
    by_hand.whom.tell(settings, &mut payload)?;
    Ok(Event {
        id: context.clock.id(),
        job: job.name.clone(),
        kind: TriggerKind::Hand,
        dedupe_key: None,
        payload,
        at: context.clock.now(),
    })
}

/// The most that a job may be given on stdin.
const MAX_STDIN: u64 = 1 << 20;

fn read_stdin() -> Result<String, Error> {
    let bytes = out::read_stdin(MAX_STDIN + 1)
        .map_err(|error| Error::usage(format!("cannot read stdin: {error}")))?;
    if bytes.len() as u64 > MAX_STDIN {
        let hint = "give the job less, as with `head -c 1M`";
        return Err(Error::usage("stdin holds more than 1 MiB").hint(hint));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn engine(
    context: &Context,
    folder: Folder,
    config: Config,
    store: crate::store::Store,
    lock: &str,
) -> Engine {
    let (loaded, warnings) = Loaded::new(folder, config);
    for warning in warnings {
        errln!("{}: {warning}", context.paint.warning("warning"));
    }
    Engine {
        clock: Arc::clone(&context.clock),
        loaded: Arc::new(loaded),
        store,
        state: context.state.clone(),
        lock: lock.to_owned(),
        patience: Patience::None,
        alerts: None,
        servers: Arc::default(),
        commands: Arc::default(),
    }
}

/// Completes when somebody wants the verb to end: Ctrl-C, a closed terminal, `kill`, systemd; in the daemon, a client that
/// hangs up.
pub(super) async fn told_to_end() {
    if let Some(client) = out::client() {
        return client.hung_up().await;
    }
    let (mut hangup, mut terminate) = match (
        signal(SignalKind::hangup()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(hangup), Ok(terminate)) => (hangup, terminate),
        // Then the system's own way of ending has to do.
        _ => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
    }
}
