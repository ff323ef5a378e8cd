//! `reveille daemon`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::by_hand::engine;
use super::context::Context;
use super::out::errln;
use super::socket::{self, Lent, Place};
use crate::clock::timeout;
use crate::config::diagnostic::Severity;
use crate::config::folder::SETTINGS;
use crate::engine::{Daemon, Engine, Loaded, Patience};
use crate::error::Error;
use crate::journal::{self, Level};
use crate::store::Mode;
use crate::store::lock::{self, ProcessLock};

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
    let (folder, config) = context.config()?;
    let settings = folder.shown(SETTINGS);
    let wrong = config
        .problems
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let renderer = context.paint.renderer();
    let mut stops = false;
    for found in wrong {
        stops |= found.source.path == settings;
        errln!("{}\n", found.render(&renderer));
    }
    if stops {
        let hint = "mend the file, then `reveille check`";
        return Err(Error::usage("the configuration does not load").hint(hint));
    }
    let store = context.open_store(Mode::Threaded)?;
    let engine = Engine {
        patience: Patience::Endless,
        ..engine(context, folder, config, store, lock.name())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bug(format!("cannot start: {error}")))?;
    runtime.block_on(live(context, engine))?;
    Ok(0)
}

/// From the first word to the service manager to the last.
async fn live(context: &Context, engine: Engine) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let daemon = Daemon::start(engine.clone()).await.map_err(Error::from)?;
    let socket = Socket::open(Lent::new(&engine, daemon.intake.clone()));
    tell_manager(&[NotifyState::Ready]);
    journal::say(
        Level::Info,
        format!("{} jobs are loaded", daemon.jobs().len()),
    );
    while let Told::Reload = signals.next().await {
        reload(context, &daemon);
    }
    tell_manager(&[NotifyState::Stopping]);
    let last_words = socket.map(Socket::close);
    daemon.stop().await;
    if let Some(last_words) = last_words {
        let _ = timeout(context.clock.as_ref(), LAST_WORDS, last_words).await;
    }
    Ok(())
}

/// How long clients have to hear the end of what the daemon did for them.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves those who type.
struct Socket {
    close: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Socket {
    /// `None`, and said, where there can be none: the jobs run all the same.
    fn open(lent: Lent) -> Option<Self> {
        let runtime = std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
        let place = match Place::take(&lent.state, runtime.as_deref()) {
            Ok(place) => place,
            Err(error) => {
                let what = "commands cannot reach this daemon: there is no socket";
                journal::say(Level::Error, format!("{what}: {error}"));
                return None;
            }
        };
        let (close, closed) = oneshot::channel();
        let clock = Arc::clone(&lent.clock);
        let verb = move |request, output| socket::answer(&lent, request, &output);
        let serving = tokio::spawn(socket::serve(place, clock, verb, async {
            let _ = closed.await;
        }));
        Some(Socket { close, serving })
    }

    /// Lets nobody in any more; the task ends with the last client.
    fn close(self) -> JoinHandle<()> {
        drop(self.close);
        self.serving
    }
}

/// Takes the user's folder in again: whole, or not at all.
fn reload(context: &Context, daemon: &Daemon) {
    match context.config() {
        Ok((folder, config)) if config.errors() == 0 => {
            let (loaded, warnings) = Loaded::new(folder, config);
            for warning in warnings {
                journal::say(Level::Warning, warning);
            }
            daemon.reload(loaded);
            journal::say(
                Level::Info,
                format!("{} jobs are loaded", daemon.jobs().len()),
            );
        }
        Ok((_, config)) => {
            let said = format!(
                "{} errors: the last good version goes on; `reveille check` explains them",
                config.errors()
            );
            journal::say(Level::Error, said);
        }
        Err(error) => journal::say(Level::Error, error),
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
