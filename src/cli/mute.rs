//! `reveille mute PATTERN --for 7d`, `reveille unmute PATTERN`

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::json;

use super::context::Context;
use super::moment::{coming, shown};
use super::out::{errln, outln};
use crate::config::value::Span;
use crate::error::Error;
use crate::job::Mute;
use crate::store::Mode;
use crate::zone::Tz;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A job, a part of a failure's reason, or either with `*` for anything; none lists what is muted
    pattern: Option<String>,

    /// For so long, as 12h or 7d
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    length: Option<String>,

    /// Until then, as "tomorrow 7:00" or "2026-11-27"
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// List what is muted
    #[arg(long, conflicts_with_all = ["pattern", "length", "until"])]
    list: bool,

    /// The list as JSON
    #[arg(long, conflicts_with_all = ["pattern", "length", "until"])]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Unmute {
    /// As it was muted
    pattern: String,
}

/// Hides failures from the owner for a while: they are counted, and told with the first one after it.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (_, config) = context.config()?;
    let zone = config.settings.timezone;
    let Some(pattern) = &arguments.pattern else {
        return list(context, zone, arguments.json);
    };
    if pattern.trim().is_empty() {
        let hint = "name a job, or what failures say; `*` is all of them";
        return Err(Error::usage("there is nothing to mute").hint(hint));
    }
    let now = context.clock.now();
    let until = match (&arguments.length, &arguments.until) {
        (Some(length), _) => after(now, length)?,
        (None, Some(until)) => coming(until, now, zone)?,
        (None, None) => {
            let what = format!("how long is `{pattern}` to be muted?");
            return Err(Error::usage(what).hint("say it with --for 7d or --until \"2026-11-27\""));
        }
    };
    if until <= now {
        return Err(Error::usage("that moment is over").hint("give one to come"));
    }
    let store = context.open_store(Mode::Inline)?;
    context.block_on(store.mute(pattern.clone(), until))??;
    let until = shown(until, zone, zone);
    let what = if config.sources.contains_key(pattern) {
        format!("`{pattern}` is muted")
    } else {
        format!("failures like `{pattern}` are muted")
    };
    outln!(
        "{what} until {until}: what fails meanwhile is counted, and told with the first failure after it"
    );
    Ok(0)
}

/// Takes a mute back.
pub(super) fn unmute(context: &Context, arguments: &Unmute) -> Result<u8, Error> {
    let pattern = &arguments.pattern;
    let muted = match context.existing_store()? {
        Some(store) => context.block_on(store.unmute(pattern.clone()))??,
        None => false,
    };
    if !muted {
        let what = format!("`{pattern}` was not muted");
        return Err(Error::usage(what).hint("`reveille mute --list` shows what is"));
    }
    outln!("`{pattern}` is heard of again");
    Ok(0)
}

fn list(context: &Context, zone: Tz, json: bool) -> Result<u8, Error> {
    let now = context.clock.now();
    let mutes = match context.existing_store()? {
        Some(store) => store
            .read_now(|reader| reader.mutes(now))
            .map_err(Error::from)?,
        None => Vec::new(),
    };
    if json {
        outln!(
            "{}",
            mutes.iter().map(to_json).collect::<serde_json::Value>()
        );
        return Ok(0);
    }
    if mutes.is_empty() {
        errln!("nothing is muted");
    }
    let width = mutes.iter().map(|mute| mute.pattern.chars().count()).max();
    let width = width.unwrap_or(0);
    for mute in &mutes {
        outln!(
            "{:width$}  until {}",
            mute.pattern,
            shown(mute.until, zone, zone)
        );
    }
    Ok(0)
}

fn to_json(mute: &Mute) -> serde_json::Value {
    json!({
        "pattern": mute.pattern,
        "since": mute.since.to_rfc3339(),
        "until": mute.until.to_rfc3339(),
    })
}

fn after(now: DateTime<Utc>, length: &str) -> Result<DateTime<Utc>, Error> {
    let length = Span::parse(length).map_err(|(what, right)| Error::usage(what).hint(right))?;
    let length = TimeDelta::from_std(length.0).ok();
    let until = length.and_then(|length| now.checked_add_signed(length));
    until.ok_or_else(|| Error::usage("that is longer than time lasts"))
}
