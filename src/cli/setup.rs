//! `reveille setup`: the first evening, from a bot's token to the briefing on the phone.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::init;
use super::out::{errln, outln};
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::net::{Client, Limits, Policy, Secret};
use crate::telegram::{Bot, Failure};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The bot's token, from @BotFather (/newbot); asked for when left out
    #[arg(long)]
    token: Option<String>,

    /// A calendar: its secret iCal address, or a file; asked for when left out, "" for the example
    #[arg(long)]
    calendar: Option<String>,

    /// When the briefing comes, as "07:00"; asked for when left out
    #[arg(long, value_name = "HH:MM")]
    at: Option<String>,

    /// Your numeric user id, where it is known: nobody has to pair then
    #[arg(long)]
    owner: Option<i64>,

    /// "en" or "es"; as it is when left out
    #[arg(long, value_parser = ["en", "es"])]
    language: Option<String>,

    /// The Bot API server, if it is not Telegram's own
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
}

const CONFIG: &str = "config/reveille.toml";
const BRIEFING: &str = "jobs/daily-briefing.toml";

pub(super) fn run(
    dir: Option<&Path>,
    state: Option<&Path>,
    arguments: &Arguments,
) -> Result<u8, Error> {
    let root = dir.map_or_else(default_folder, Path::to_path_buf);
    let token = token(arguments)?;
    let calendar = answer(
        arguments.calendar.as_deref(),
        "calendar",
        "Your calendar's secret iCal address, or a file (empty: the example)",
    )?;
    let at = loop {
        let typed = answer(
            arguments.at.as_deref(),
            "at",
            "When should the briefing come? [07:00]",
        )?;
        match cron(&typed) {
            Some(at) => break at,
            None if arguments.at.is_some() => {
                return Err(Error::usage(format!("`{typed}` is not a time of the day"))
                    .hint("write hours and minutes, as --at 07:00"));
            }
            None => errln!("`{typed}` is not a time of the day: write it as 07:00"),
        }
    };
    if !root.join("jobs").is_dir() {
        init::write_all(&root)?;
    }
    let mut secrets = vec![("TELEGRAM_TOKEN", token)];
    edit(&root.join(CONFIG), |text| {
        settings(text, arguments, &calendar)
    })?;
    if is_address(&calendar) {
        secrets.push(("HOME_CALENDAR", calendar));
    }
    edit(&root.join(BRIEFING), |text| {
        replace_line(text, "cron ", &format!("cron    = \"{at}\""))
    })?;
    keep(&root.join(".env"), &secrets)?;
    let context = Context::new(Some(root.clone()), state.map(Path::to_path_buf), None)?;
    context.config()?;
    outln!("The folder is {}.", root.display());
    if arguments.owner.is_none() {
        let paired = this(&root, state, &["telegram", "pair"])?;
        if paired != 0 {
            return Ok(paired);
        }
    }
    let sent = this(&root, state, &["run", "daily-briefing"])?;
    if sent == 0 {
        outln!(
            "The briefing is on its way to your phone, and comes each day while the daemon runs:"
        );
        outln!("  reveille --dir {} daemon      now, here", root.display());
        outln!("  reveille install --user        as a service");
    }
    Ok(sent)
}

/// Where a person's folder is.
fn default_folder() -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let config =
        std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    config.join("reveille")
}

/// A token that Telegram knows.
fn token(arguments: &Arguments) -> Result<String, Error> {
    loop {
        let token = answer(
            arguments.token.as_deref(),
            "token",
            "The bot's token, from @BotFather (/newbot)",
        )?;
        match check(&token, arguments.api_url.as_deref()) {
            Ok(name) => {
                outln!("The bot is @{name}.");
                return Ok(token);
            }
            Err(Failure::Token) if arguments.token.is_none() => {
                errln!("Telegram does not know this token; @BotFather shows it by /mybots.");
            }
            Err(Failure::Token) => {
                let what = "Telegram does not know this token";
                return Err(Error::usage(what).hint("@BotFather shows it by /mybots"));
            }
            Err(failure) => {
                return Err(Error::usage(failure.words()).hint("nothing was written; try it again"));
            }
        }
    }
}

fn check(token: &str, server: Option<&str>) -> Result<String, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let http = Client::new(Policy::typed(), Limits::default(), Arc::clone(&clock));
    let bot = Bot::new(&Secret::new(token), server, &http, clock);
    let bot = bot.map_err(|error| Failure::Refused(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::Refused(error.to_string()))?;
    runtime.block_on(bot.me()).map(|(_, name)| name)
}

/// What was given as a flag, else what a person types.
fn answer(given: Option<&str>, flag: &str, question: &str) -> Result<String, Error> {
    if let Some(given) = given {
        return Ok(given.trim().to_owned());
    }
    if !io::stdin().is_terminal() {
        return Err(
            Error::usage(format!("--{flag} is missing, and nobody can be asked"))
                .hint("`reveille setup --help`"),
        );
    }
    let mut out = io::stdout().lock();
    let asked = write!(out, "{question}: ").and_then(|()| out.flush());
    let mut line = String::new();
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut line));
    match read {
        Ok(0) | Err(_) => Err(Error::usage("nobody answers")),
        Ok(_) => Ok(line.trim().to_owned()),
    }
}

/// A time of the day as a cron entry; seven for nothing.
fn cron(typed: &str) -> Option<String> {
    let typed = if typed.is_empty() { "07:00" } else { typed };
    let (hour, minute) = typed.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| format!("{minute} {hour} * * *"))
}

fn is_address(calendar: &str) -> bool {
    ["http://", "https://", "webcal://"]
        .iter()
        .any(|scheme| calendar.starts_with(scheme))
}

/// The configuration with what was asked for; what somebody wrote there already stays.
fn settings(text: &str, arguments: &Arguments, calendar: &str) -> String {
    let mut text = text.to_owned();
    if let Some(language) = &arguments.language {
        text = replace_line(&text, "language ", &format!("language = \"{language}\""));
    }
    if !calendar.is_empty() {
        let source = match is_address(calendar) {
            true => "ics.env = \"HOME_CALENDAR\"".to_owned(),
            false => format!(
                "ics   = {}",
                serde_json::to_string(calendar).unwrap_or_default()
            ),
        };
        text = replace_line(&text, "ics   = \"config/calendar.ics\"", &source);
    }
    let has = |text: &str, section: &str| text.lines().any(|line| line.trim() == section);
    if !has(&text, "[telegram]") {
        text.push_str("\n[telegram]\ntoken.env = \"TELEGRAM_TOKEN\"\n");
        if let Some(owner) = arguments.owner {
            text.push_str(&format!("owner = {owner}\n"));
        }
        if let Some(url) = &arguments.api_url {
            text.push_str(&format!("api_url = \"{url}\"\n"));
        }
    }
    if !has(&text, "[owner]") {
        text.push_str("\n[owner]\nnotify = [\"telegram\"]\n");
    }
    text
}

/// The first line that begins so becomes another one.
fn replace_line(text: &str, begins: &str, new: &str) -> String {
    let mut done = false;
    let lines = text.lines().map(|line| {
        if !done && line.starts_with(begins) {
            done = true;
            return new;
        }
        line
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

fn edit(path: &Path, change: impl FnOnce(&str) -> String) -> Result<(), Error> {
    let failed =
        |error: io::Error| Error::usage(format!("cannot change {}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(failed)?;
    replace(path, &change(&text), 0o644).map_err(failed)
}

/// Writes secrets beside those that are there, for nobody else to read.
fn keep(path: &Path, secrets: &[(&str, String)]) -> Result<(), Error> {
    let before = fs::read_to_string(path).unwrap_or_default();
    let kept = before.lines().filter(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        !secrets.iter().any(|(known, _)| *known == name)
    });
    let mut text: String = kept.map(|line| format!("{line}\n")).collect();
    for (name, value) in secrets {
        text.push_str(&format!("{name}={value}\n"));
    }
    replace(path, &text, 0o600)
        .map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))
}

/// Whole or not at all.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Runs a verb of this program, on the same folder; gives its exit code.
fn this(root: &Path, state: Option<&Path>, words: &[&str]) -> Result<u8, Error> {
    let program =
        std::env::current_exe().map_err(|error| Error::bug(format!("no program: {error}")))?;
    let mut command = Command::new(program);
    command.arg("--dir").arg(root);
    if let Some(state) = state {
        command.arg("--state").arg(state);
    }
    let status = command.args(words).status();
    let status = status.map_err(|error| Error::bug(format!("cannot start itself: {error}")))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}
