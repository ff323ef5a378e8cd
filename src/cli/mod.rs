//! The command line: one file a command.

mod approvals;
mod ask;
mod auth;
mod backup;
mod by_hand;
mod cancel;
mod chat;
mod check;
mod context;
mod daemon;
mod doctor;
mod emit;
mod follow;
mod history;
mod init;
mod install;
mod jobs;
mod known;
mod ledger;
mod manager;
mod memory;
mod models;
mod moment;
mod mute;
mod next;
mod out;
mod outbox;
mod paint;
mod pause;
mod plan;
mod program;
mod rehearse;
mod replay;
mod run;
mod schema;
mod setup;
mod show;
pub mod socket;
mod spinner;
mod stats;
mod status;
mod telegram;
mod why;
mod wipe;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// Jobs for the small computer at home: cron, files and messages start them, steps gather facts, a model words them
/// where words are needed.
#[derive(Debug, Parser)]
#[command(
    name = "reveille",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// The folder with config/, jobs/ and prompts/ (default: here if it has jobs/, else ~/.config/reveille or
    /// /etc/reveille, else the built-in example)
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The folder with the database and the workspace (default: $STATE_DIRECTORY, else ~/.local/state/reveille)
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Pretend that it is this time, as "2026-10-24 07:00"
    #[arg(long, global = true, value_name = "TIME")]
    now: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a job now, by hand
    Run(run::Arguments),
    /// Ask what you would ask the bot, and have the answer here
    Ask(ask::Arguments),
    /// The same line by line, with editing and history
    Chat(chat::Arguments),
    /// Run the jobs by themselves, until it is told to end
    Daemon(daemon::Arguments),
    /// Run a job again for the event of an earlier run
    Replay(replay::Arguments),
    /// Keep what a run found and said beside its job
    Record(rehearse::Record),
    /// Try the jobs with what was kept: does the same come out?
    Test(rehearse::Test),
    /// Stop a run
    Cancel(cancel::Arguments),
    /// Show what a run would do, with the exact prompt; nothing with effects is executed
    Plan(plan::Arguments),
    /// Check the configuration and all jobs, and explain every mistake
    Check(check::Arguments),
    /// List the jobs
    Jobs(jobs::Arguments),
    /// List coming moments
    Next(next::Arguments),
    /// Explain what happened to a job at a moment, past or coming
    Why(why::Arguments),
    /// Let the triggers of a job rest
    Pause(pause::Arguments),
    /// End the rest of a job
    Resume(pause::ResumeArguments),
    /// Send something to a webhook, without HTTP
    Emit(emit::Arguments),
    /// List past runs
    History(history::Arguments),
    /// Tell the whole story of a run
    Show(show::Arguments),
    /// Show how everything stands: daemon, jobs, runs, outbox, alerts, clock, disk
    Status(status::Arguments),
    /// Who may write to the bot
    Telegram(telegram::Arguments),
    /// Sign in to Google, and see how the accounts are
    Auth(auth::Arguments),
    /// Hear nothing of a job's failures, or of failures like these, for a while
    Mute(mute::Arguments),
    /// Hear of them again
    Unmute(mute::Unmute),
    /// List runs that wait for your word, and give it
    Approvals(approvals::Arguments),
    /// List messages that are not delivered, send them again, or drop them
    Outbox(outbox::Arguments),
    /// List the models and how they are, try them, fetch one
    Models(models::Arguments),
    /// Show what models took: calls, tokens, time, money
    Stats(stats::Arguments),
    /// Show what models cost today, this month and in all, and the caps
    Cost,
    /// Give out the ledger of calls
    Export(ledger::ExportArguments),
    /// What is remembered of you
    Memory(memory::Arguments),
    /// Forget the conversation, or what is remembered
    Forget(memory::Forget),
    /// Write everything that is known into a folder, as text
    ExportMe(wipe::ExportMe),
    /// Make away with everything that is known
    Wipe(wipe::Wipe),
    /// The first evening: a bot, its owner, a calendar, and the briefing on the phone
    Setup(setup::Arguments),
    /// Write a working example folder
    Init(init::Arguments),
    /// Say what this machine can and cannot promise, and what to do about it
    Doctor(doctor::Arguments),
    /// Make it a service of systemd, and explain each thing that is done
    Install(install::Arguments),
    /// Write the JSON Schemas of the job file and the configuration
    Schema(schema::Arguments),
    /// Copy the database to a file, while it is in use
    Backup(backup::Arguments),
}

/// Executes the command line; gives the exit code.
///
/// # Errors
/// What stops the command, with a hint and the exit code that it means.
pub fn run(cli: Cli) -> Result<u8, Error> {
    if cli.command.is_the_daemons()
        && let Some(code) = socket::through(&cli)?
    {
        return Ok(code);
    }
    if let Command::Setup(arguments) = &cli.command {
        return setup::run(cli.dir.as_deref(), cli.state.as_deref(), arguments);
    }
    if let Command::Chat(_) = &cli.command {
        return chat::run(cli.dir.as_deref(), cli.state.as_deref());
    }
    let context = context::Context::new(cli.dir, cli.state, cli.now)?;
    execute(&context, &cli.command)
}

fn execute(context: &context::Context, command: &Command) -> Result<u8, Error> {
    match command {
        Command::Run(arguments) => run::run(context, arguments),
        Command::Ask(arguments) => ask::run(context, arguments),
        Command::Daemon(arguments) => daemon::run(context, arguments),
        Command::Replay(arguments) => replay::run(context, arguments),
        Command::Record(arguments) => rehearse::record(context, arguments),
        Command::Test(arguments) => rehearse::test(context, arguments),
        Command::Cancel(arguments) => cancel::run(context, arguments),
        Command::Plan(arguments) => plan::run(context, arguments),
        Command::Check(arguments) => check::run(context, arguments),
        Command::Jobs(arguments) => jobs::run(context, arguments),
        Command::Next(arguments) => next::run(context, arguments),
        Command::Why(arguments) => why::run(context, arguments),
        Command::Pause(arguments) => pause::pause(context, arguments),
        Command::Resume(arguments) => pause::resume(context, arguments),
        Command::Emit(arguments) => emit::run(context, arguments),
        Command::History(arguments) => history::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Status(arguments) => status::run(context, arguments),
        Command::Telegram(arguments) => telegram::run(context, arguments),
        Command::Auth(arguments) => auth::run(context, arguments),
        Command::Mute(arguments) => mute::run(context, arguments),
        Command::Unmute(arguments) => mute::unmute(context, arguments),
        Command::Approvals(arguments) => approvals::run(context, arguments),
        Command::Outbox(arguments) => outbox::run(context, arguments),
        Command::Models(arguments) => models::run(context, arguments),
        Command::Stats(arguments) => stats::run(context, arguments),
        Command::Cost => ledger::cost(context),
        Command::Export(arguments) => ledger::export(context, arguments),
        Command::Memory(arguments) => memory::run(context, arguments),
        Command::Forget(arguments) => memory::forget(context, arguments),
        Command::ExportMe(arguments) => wipe::export_me(context, arguments),
        Command::Wipe(arguments) => wipe::wipe(context, arguments),
        Command::Setup(arguments) => setup::run(None, None, arguments),
        Command::Chat(_) => chat::run(None, None),
        Command::Init(arguments) => init::run(arguments),
        Command::Doctor(arguments) => doctor::run(context, arguments),
        Command::Install(arguments) => install::run(arguments),
        Command::Schema(arguments) => schema::run(context, arguments),
        Command::Backup(arguments) => backup::run(context, arguments),
    }
}

impl Command {
    /// Whether a daemon that runs does it: whatever asks for the state or the jobs.
    fn is_the_daemons(&self) -> bool {
        match self {
            Command::Ask(_)
            | Command::Replay(_)
            | Command::Cancel(_)
            | Command::Plan(_)
            | Command::Check(_)
            | Command::Jobs(_)
            | Command::Next(_)
            | Command::Why(_)
            | Command::Pause(_)
            | Command::Resume(_)
            | Command::Emit(_)
            | Command::History(_)
            | Command::Show(_)
            | Command::Status(_)
            | Command::Telegram(_)
            | Command::Mute(_)
            | Command::Unmute(_)
            | Command::Approvals(_)
            | Command::Outbox(_)
            | Command::Doctor(_)
            | Command::Memory(_)
            | Command::Forget(_)
            | Command::Cost
            | Command::Backup(_) => true,
            // Whoever signs in has the browser.
            Command::Auth(arguments) => arguments.is_status(),
            // Who fetches one sees how far it is.
            Command::Models(arguments) => !arguments.pulls(),
            // The same for what is kept of a run.
            Command::Run(arguments) => !arguments.record,
            // Whoever types it makes the file, with his own rights.
            Command::Export(arguments) => arguments.output.is_none(),
            Command::Stats(arguments) => arguments.plot.is_none(),
            Command::Daemon(_)
            | Command::Setup(_)
            | Command::ExportMe(_)
            | Command::Record(_)
            | Command::Test(_)
            | Command::Wipe(_)
            | Command::Chat(_)
            | Command::Init(_)
            | Command::Install(_)
            | Command::Schema(_) => false,
        }
    }
}
