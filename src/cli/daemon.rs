//! `reveille daemon`

mod door;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use self::door::Socket;
use super::context::Context;
use super::socket::Lent;
use crate::clock::timeout;
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::engine::{Daemon, Engine, Metronome, Patience, Reading, Stale, Timetable};
use crate::error::Error;
use crate::journal::{self, Level};
use crate::store::lock::{self, ProcessLock};
use crate::store::{Mode, Store};
use crate::system::Machine;

#[derive(Debug, Args)]
pub struct Arguments {}

pub(super) fn run(context: &Context, _: &Arguments) -> Result<u8, Error> {
    if !context.clock_is_real() {
        let what = "a daemon cannot live at a fixed time";
        return Err(Error::usage(what).hint("leave `--now` out"));
    }
    let _only_one = lock::daemon(&context.state).map_err(Error::from)?;
    let lock = ProcessLock::acquire(&context.state, context.clock.id());
    let lock = lock.map_err(Error::from)?;
    let store = context.open_store(Mode::Threaded)?;
    let reading = Reading::first(context.folder()?, context.system_zone, &store)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bug(format!("cannot start: {error}")))?;
    runtime.block_on(live(context, store, reading, lock.name()))?;
    Ok(0)
}

/// From the first word to the service manager to the last.
async fn live(context: &Context, store: Store, reading: Reading, lock: &str) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    tell(&reading);
    store.remember(reading.remember).await?;
    let engine = Engine {
        clock: Arc::clone(&context.clock),
        loaded: Arc::new(reading.loaded),
        store,
        state: context.state.clone(),
        lock: lock.to_owned(),
        alerts: None,
        patience: Patience::Endless,
    };
    let daemon = Daemon::start(engine.clone()).await.map_err(Error::from)?;
    let timetable = Timetable::new(&engine, daemon.intake.clone(), Machine::default());
    let timetable = timetable.await.map_err(Error::from)?;
    let metronome = Metronome::start().await;
    let metronome = metronome.map_err(|error| Error::bug(format!("no metronome: {error}")))?;
    let (end, ended) = oneshot::channel::<()>();
    let timetable = tokio::spawn(timetable.run(metronome.second(), async {
        let _ = ended.await;
    }));
    let socket = Socket::open(Lent::new(&engine, daemon.intake.clone()));
    tell_manager(&[NotifyState::Ready]);
    while let Told::Reload = signals.next().await {
        if let Err(error) = reload(context, &daemon).await {
            journal::say(Level::Error, error);
        }
    }
    tell_manager(&[NotifyState::Stopping]);
    let last_words = socket.map(Socket::close);
    drop(end);
    let _ = timetable.await;
    metronome.stop().await;
    daemon.stop().await;
    if let Some(last_words) = last_words {
        let _ = timeout(context.clock.as_ref(), LAST_WORDS, last_words).await;
    }
    Ok(())
}

/// How long clients have to hear the end of what the daemon did for them.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Takes the user's folder in again: what loads as it is now, what does not as it was.
async fn reload(context: &Context, daemon: &Daemon) -> Result<(), Error> {
    let before = daemon.intake.loaded();
    match Reading::again(context.folder()?, context.system_zone, &before)? {
        Ok(reading) => {
            tell(&reading);
            daemon.store().remember(reading.remember).await?;
            daemon.reload(reading.loaded);
        }
        Err(wrong) => {
            explain(&wrong);
            let said = "the configuration does not load: all goes on as it was";
            journal::say(Level::Error, said);
        }
    }
    Ok(())
}

/// What a reading of the folder found.
fn tell(reading: &Reading) {
    explain(&reading.wrong);
    for warning in &reading.warnings {
        journal::say(Level::Warning, warning);
    }
    for stale in &reading.stale {
        let said = match stale {
            Stale::Kept(job) => format!("`{job}` does not load: it goes on as it was"),
            Stale::Out(job) => format!("`{job}` does not load, and is not run"),
            Stale::Settings => "the configuration does not load: it goes on as it was".to_owned(),
        };
        journal::say(Level::Error, said);
    }
    let jobs = reading.loaded.jobs.len();
    journal::say(Level::Info, format!("{jobs} jobs are loaded"));
}

fn explain(wrong: &[Diagnostic]) {
    let renderer = annotate_snippets::Renderer::plain();
    for found in wrong {
        let level = match found.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        journal::say(level, found.render(&renderer));
    }
}

/// What the service manager is told; nothing where there is none.
fn tell_manager(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        journal::say(
            Level::Warning,
            format!("cannot tell the service manager: {error}"),
        );
    }
}

/// What a daemon is told by signals.
enum Told {
    Reload,
    End,
}

struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let of = |kind| {
            signal(kind).map_err(|error| Error::bug(format!("cannot hear signals: {error}")))
        };
        Ok(Signals {
            hangup: of(SignalKind::hangup())?,
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.hangup.recv() => Told::Reload,
            _ = self.interrupt.recv() => Told::End,
            _ = self.terminate.recv() => Told::End,
        }
    }
}
