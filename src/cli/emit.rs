//! `reveille emit NAME`

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value};

use super::context::Context;
use super::out::{self, errln, outln};
use crate::config::suggest::did_you_mean;
use crate::engine::Loaded;
use crate::error::Error;
use crate::store::{Accepted, Along, Mode, Start};
use crate::web::{Call, raise};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The webhook's name
    name: String,

    /// What is sent, as JSON or text; @FILE sends a file, - what is piped in
    #[arg(long, default_value = "", hide_default_value = true)]
    data: String,

    /// Sends it as text, even where it begins as JSON does
    #[arg(long)]
    text: bool,

    /// What the sender calls this delivery: a second one with the same name is the same
    #[arg(long)]
    id: Option<String>,
}

/// The most that is sent, in bytes.
const MOST: u64 = 1 << 20;

impl Arguments {
    /// The file that is sent, for whoever typed this to read.
    pub(super) fn file(&self) -> Option<&Path> {
        self.data.strip_prefix('@').map(Path::new)
    }

    fn bytes(&self) -> Result<Vec<u8>, Error> {
        let read = match (self.data.as_str(), self.file()) {
            ("-", _) => out::read_stdin(MOST + 1),
            (_, Some(file)) => out::read_file(file, MOST + 1),
            (text, None) => return Ok(text.as_bytes().to_vec()),
        };
        let cannot = |error| Error::usage(format!("cannot read what is to be sent: {error}"));
        let bytes = read.map_err(cannot)?;
        if bytes.len() as u64 > MOST {
            return Err(Error::usage("more than 1 MiB cannot be sent"));
        }
        Ok(bytes)
    }

    /// What jobs see. Who begins with a brace or a bracket means JSON: a mistake in it is told, and not sent as text.
    fn body(&self, bytes: &[u8]) -> Result<Value, Error> {
        let text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
        if self.text {
            return Ok(text());
        }
        match serde_json::from_slice(bytes) {
            Ok(value) => Ok(value),
            Err(wrong) if matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]) => {
                Err(self.no_json(&wrong))
            }
            Err(_) => Ok(text()),
        }
    }

    /// The words of `wrong` end with its line and its column.
    fn no_json(&self, wrong: &serde_json::Error) -> Error {
        let from = match (self.data.as_str(), self.file()) {
            ("-", _) => "what is piped in".to_owned(),
            (_, Some(file)) => file.display().to_string(),
            (_, None) => "--data".to_owned(),
        };
        let what = format!("{from} begins as JSON does and is none: {wrong}");
        Error::usage(what).hint("correct it there; --text sends it as text")
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    if arguments.id.as_ref().is_some_and(|id| id.trim().is_empty()) {
        let hint = "two deliveries with the same id are one; leave `--id` out where there is none";
        return Err(Error::usage("--id is empty").hint(hint));
    }
    if !context.clock_is_real() {
        return Err(Error::usage("an event happens now").hint("leave `--now` out"));
    }
    let bytes = arguments.bytes()?;
    let call = Call {
        name: arguments.name.clone(),
        body: arguments.body(&bytes)?,
        headers: Map::new(),
        id: arguments.id.clone(),
    };
    let Some(lent) = &context.lent else {
        return write_down(context, &call, bytes.len());
    };
    let loaded = lent.intake.loaded();
    let jobs = jobs(&call, &loaded, bytes.len())?;
    let raised = context.block_on(raise(&lent.intake, &lent.clock, &call, &jobs))?;
    for (job, accepted) in raised? {
        tell(job, accepted);
    }
    Ok(0)
}

/// Without a daemon the events are kept, with runs that wait for it.
fn write_down(context: &Context, call: &Call, size: usize) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let (loaded, _) = Loaded::new(folder, config);
    let jobs = jobs(call, &loaded, size)?;
    let store = context.open_store(Mode::Inline)?;
    for name in jobs {
        let job = &loaded.jobs[name];
        let mut event = call.event(name, context.clock.as_ref());
        loaded.secrets.scrub_value(&mut event.payload);
        let along = Along {
            version: loaded.version(job),
            ..Along::default()
        };
        let accepted = store.accept_along(event, &job.hash, Start::Queued, along);
        tell(name, context.block_on(accepted)??);
    }
    errln!("no daemon runs: what waits begins with its next start");
    Ok(0)
}

fn tell(job: &str, accepted: Accepted) {
    match accepted {
        Accepted::New(run) => outln!("{run} {job}"),
        Accepted::Paused(run) => outln!("{run} {job} (skipped: it is paused)"),
        Accepted::Duplicate(run) => outln!("{run} {job} (it was sent before)"),
    }
}

/// The jobs that take it.
fn jobs<'l>(call: &Call, loaded: &'l Loaded, size: usize) -> Result<Vec<&'l str>, Error> {
    let named = call.jobs(loaded);
    if named.is_empty() {
        let names = crate::web::names(loaded);
        let near = did_you_mean(&call.name, names.iter().copied());
        let hint = match (near.is_empty(), names.is_empty()) {
            (false, _) => near,
            (true, false) => format!("webhooks: {}", names.join(", ")),
            (true, true) => format!(
                "a job has one with `[[trigger]]`, `webhook = \"{}\"`",
                call.name
            ),
        };
        let what = format!("no job has a webhook `{}`", call.name);
        return Err(Error::usage(what).hint(hint));
    }
    let fits = |(_, most): &&(&str, u64)| size as u64 <= *most;
    let fitting: Vec<&str> = named.iter().filter(fits).map(|(job, _)| *job).collect();
    if fitting.is_empty() {
        let what = format!(
            "{size} bytes are more than the webhook `{}` takes",
            call.name
        );
        return Err(Error::usage(what).hint("its `max_bytes` says how many it takes"));
    }
    Ok(fitting)
}
