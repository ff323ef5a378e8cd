//! `reveille setup`: the first evening, from a bot's token to the briefing on the phone.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{NaiveTime, Timelike};
use clap::Args;

use super::context::Context;
use super::init;
use super::out::{errln, outln};
use super::program;
use crate::clock::{Clock, SystemClock};
use crate::config::folder::{DOTENV, Folder, SETTINGS};
use crate::error::Error;
use crate::net::{Client, Limits, Policy, Secret};
use crate::telegram::{Bot, Failure};
use crate::workspace::Workspace;

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

const BRIEFING: &str = "jobs/daily-briefing.toml";

pub(super) fn run(
    dir: Option<&Path>,
    state: Option<&Path>,
    arguments: &Arguments,
) -> Result<u8, Error> {
    let root = dir.map(Path::to_path_buf).or_else(Folder::own);
    let root = root.unwrap_or_else(|| PathBuf::from("."));
    if let Some(typed) = &arguments.at
        && cron(typed).is_none()
    {
        let what = format!("`{typed}` is not a time of the day");
        return Err(Error::usage(what).hint("write hours and minutes, as --at 07:00"));
    }
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
            None => errln!("`{typed}` is not a time of the day: write it as 07:00"),
        }
    };
    if !calendar.is_empty() && !is_address(&calendar) && !root.join(&calendar).is_file() {
        let what = format!(
            "there is no calendar file {}",
            root.join(&calendar).display()
        );
        return Err(Error::usage(what).hint("nothing was written; give an address, or a file"));
    }
    if !root.join("jobs").is_dir() {
        init::write_all(&root)?;
    }
    let mut secrets = vec![("TELEGRAM_TOKEN", token)];
    edit(&root, SETTINGS, |text| settings(text, arguments, &calendar))?;
    if !calendar.is_empty() && !is_named(&root, &calendar) {
        let shown = root.join(SETTINGS);
        errln!(
            "The calendars in {} are as they were; name yours there.",
            shown.display()
        );
    }
    if is_address(&calendar) {
        secrets.push(("HOME_CALENDAR", calendar));
    }
    edit(&root, BRIEFING, |text| {
        replace_line(text, "cron ", &format!("cron    = \"{at}\""))
    })?;
    keep(&root, &secrets)?;
    let context = Context::new(Some(root.clone()), state.map(Path::to_path_buf), None)?;
    context.config()?;
    outln!("The folder is {}.", root.display());
    if arguments.owner.is_none() {
        let paired = program::run(Some(&root), state, &["telegram", "pair"])?;
        if paired != 0 {
            return Ok(paired);
        }
    }
    let sent = program::run(Some(&root), state, &["run", "daily-briefing"])?;
    if sent == 0 {
        outln!(
            "The briefing is on its way to your phone, and comes each day while the daemon runs:"
        );
        let elsewhere = dir.is_some() || state.is_some();
        let state = state.map_or_else(String::new, |state| format!(" --state {}", state.display()));
        let folder = root.display();
        outln!("  reveille --dir {folder}{state} daemon      now, here");
        // A service has the folder of its user.
        if !elsewhere {
            outln!("  reveille install --user        as a service");
        }
    }
    Ok(sent)
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
    runtime.block_on(bot.name())
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
    let at = NaiveTime::parse_from_str(typed, "%H:%M").ok()?;
    Some(format!("{} {} * * *", at.minute(), at.hour()))
}

/// Whether the configuration names this calendar now.
fn is_named(root: &Path, calendar: &str) -> bool {
    let text = fs::read_to_string(root.join(SETTINGS)).unwrap_or_default();
    text.lines().any(|line| line == source(calendar))
}

/// The line that names a calendar.
fn source(calendar: &str) -> String {
    if is_address(calendar) {
        return "ics.env = \"HOME_CALENDAR\"".to_owned();
    }
    let path = serde_json::to_string(calendar).unwrap_or_default();
    format!("ics   = {path}")
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
        let source = source(calendar);
        text = replace_line(&text, "ics   = \"config/calendar.ics\"", &source);
    }
    let has = |text: &str, section: &str| text.lines().any(|line| line.trim() == section);
    let known = has(&text, "[telegram]");
    if let Some(owner) = arguments.owner.filter(|_| known) {
        text = text
            .lines()
            .filter(|line| !line.starts_with("owner "))
            .fold(String::new(), |text, line| match line.trim() {
                "[telegram]" => format!("{text}{line}\nowner = {owner}\n"),
                _ => format!("{text}{line}\n"),
            });
    }
    if !known {
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

fn edit(root: &Path, file: &str, change: impl FnOnce(&str) -> String) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::usage(format!(
            "cannot change {}: {error}",
            root.join(file).display()
        ))
    };
    let text = fs::read_to_string(root.join(file)).map_err(|error| failed(&error))?;
    let written = Workspace::new(root).write(file, change(&text).as_bytes());
    written.map_err(|error| failed(&error))
}

/// Writes secrets beside those that are there, for nobody else to read.
fn keep(root: &Path, secrets: &[(&str, String)]) -> Result<(), Error> {
    let path = root.join(DOTENV);
    let failed = |error: &dyn std::fmt::Display| {
        Error::usage(format!("cannot write {}: {error}", path.display()))
    };
    let before = fs::read_to_string(&path).unwrap_or_default();
    let kept = before.lines().filter(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        !secrets.iter().any(|(known, _)| *known == name)
    });
    let mut text: String = kept.map(|line| format!("{line}\n")).collect();
    for (name, value) in secrets {
        text.push_str(&format!("{name}={value}\n"));
    }
    // A new file is private; one that is there keeps its mode.
    if path.exists() {
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&path, private).map_err(|error| failed(&error))?;
    }
    let written = Workspace::new(root).write(DOTENV, text.as_bytes());
    written.map_err(|error| failed(&error))
}
