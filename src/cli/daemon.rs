//! `reveille daemon`

mod door;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use self::door::Socket;
use super::context::Context;
use super::manager;
use super::moment::shown;
use super::socket::{Lent, overhear};
use crate::clock::{Clock, timeout};
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::engine::{
    Daemon, Engine, Found, Loaded, Metronome, Notice, Part, Patience, Ping, Reading, Stale,
    Timetable,
};
use crate::error::Error;
use crate::journal::{self, Level};
use crate::store::lock::{self, LockError, ProcessLock};
use crate::store::{self, Mode, Opened};
use crate::system::Machine;
use crate::thrift;
use crate::web::{Health, Listener, Web};

#[derive(Debug, Args)]
pub struct Arguments {}

pub(super) fn run(context: &Context, _: &Arguments) -> Result<u8, Error> {
    if !context.clock_is_real() {
        let what = "a daemon cannot live at a fixed time";
        return Err(Error::usage(what).hint("leave `--now` out"));
    }
    thrift::hasten();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bug(format!("cannot start: {error}")))?;
    let _only_one = runtime.block_on(only_one(context))?;
    let lock = ProcessLock::acquire(&context.state, context.clock.id());
    let lock = lock.map_err(Error::from)?;
    let (folder, zone) = (context.folder()?, context.system_zone);
    let (opened, found) = std::thread::scope(|scope| {
        let found = scope.spawn(|| Found::read(folder, zone));
        (context.opened(Mode::Threaded), found.join())
    });
    let opened = opened?;
    // The hook has said what it was.
    let found = found.map_err(|_| Error::bug("the folder could not be read to its end"))??;
    let reading = Reading::first(found, zone, &opened.store)?;
    runtime.block_on(live(context, opened, reading, lock.name()))?;
    Ok(0)
}

/// The lock of the one daemon on this state.
///
/// Of one that was killed, a child that was about to become another program may keep it for a moment, and the lock of its
/// runs with it: these would be nobody's until the next start.
async fn only_one(context: &Context) -> Result<ProcessLock, Error> {
    for _ in 0..20 {
        match lock::daemon(&context.state) {
            Err(LockError::Held { pid }) if lock::is_gone(pid) => {
                context.clock.sleep(Duration::from_millis(100)).await;
            }
            other => return other.map_err(Error::from),
        }
    }
    lock::daemon(&context.state).map_err(Error::from)
}

/// From the first word to the service manager to the last.
async fn live(
    context: &Context,
    opened: Opened,
    reading: Reading,
    lock: &str,
) -> Result<(), Error> {
    let store = opened.store;
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
        servers: Arc::default(),
        commands: Arc::default(),
        patience: Patience::Endless,
    };
    let mut daemon = Daemon::start(engine.clone()).await.map_err(Error::from)?;
    let timetable = Timetable::new(&engine, daemon.intake.clone(), Machine::default());
    let timetable = timetable.map_err(Error::from)?;
    let metronome = Metronome::start().await;
    let metronome = metronome.map_err(|error| Error::bug(format!("no metronome: {error}")))?;
    let (beat, coming) = (timetable.beat(), timetable.coming());
    let trusted = timetable.trusted();
    let (end, ended) = oneshot::channel::<()>();
    let timetable = tokio::spawn(timetable.run(metronome.second(), async {
        let _ = ended.await;
    }));
    let socket = Socket::open(Lent::new(&engine, daemon.intake.clone()));
    let every = manager::watchdog().map_or(PULSE, |limit| limit / 4);
    let (heart, health) = heart(&engine.clock, every * 3);
    let web = Web::new(&daemon, Arc::clone(&engine.clock), health);
    let web = Listener::open(web).await;
    let (shut, told) = oneshot::channel::<()>();
    let web = tokio::spawn(web.serve(async {
        let _ = told.await;
    }));
    // The last, so that its looking around takes nobody's time who is waited for.
    let lent = Lent::new(&engine, daemon.intake.clone());
    let verbs = Arc::new(move |words| overhear(lent.clone(), words).boxed());
    daemon.bring_events(verbs, &trusted);
    manager::ready();
    let frugal = tokio::spawn(frugal(Arc::clone(&engine.clock), daemon.intake.reloaded()));
    for store::Notice::SetAside { file, why } in opened.notices {
        daemon.alerts.tell(Notice::SetAside { file, why }).await;
    }
    daemon.alerts.folder(&reading.wrong, &reading.stale).await;
    let mut ping = Ping::new(Arc::clone(&context.clock), daemon.intake.reloaded());
    let parts = vec![Part::beating("the timetable", TIMETABLE, beat)];
    let intake = daemon.intake.clone();
    let pulse = tokio::spawn(daemon.pulse(parts).run(every, move || {
        manager::alive(&status(&intake.loaded(), *coming.borrow()));
        ping.alive();
        heart();
    }));
    loop {
        let told = tokio::select! {
            told = signals.next() => told,
            () = daemon.edited() => Told::Edited,
        };
        match told {
            Told::End => break,
            Told::Edited if is_as_read(&daemon).await => continue,
            Told::Edited | Told::Reload => {}
        }
        manager::reloading();
        if let Err(error) = reload(context, &daemon).await {
            journal::say(Level::Error, error);
        }
        manager::ready();
    }
    manager::stopping(END);
    let last_words = socket.map(Socket::close);
    drop(shut);
    let _ = web.await;
    drop(end);
    let _ = timetable.await;
    metronome.stop().await;
    daemon.stop().await;
    pulse.abort();
    frugal.abort();
    if let Some(last_words) = last_words {
        let _ = timeout(context.clock.as_ref(), LAST_WORDS, last_words).await;
    }
    Ok(())
}

/// Gives memory back once a start or a reload has settled, and pages of the program that nobody needed for a while.
async fn frugal(clock: Arc<dyn Clock>, mut reloaded: watch::Receiver<Arc<Loaded>>) {
    loop {
        clock.sleep(SETTLED).await;
        let _ = tokio::task::spawn_blocking(thrift::trim).await;
        loop {
            let _ = tokio::task::spawn_blocking(thrift::unmap).await;
            match timeout(clock.as_ref(), UNUSED, reloaded.changed()).await {
                Ok(Ok(())) => break,
                // The daemon ends.
                Ok(Err(_)) => return,
                Err(_) => {}
            }
        }
    }
}

/// Pages that were not needed for so long are given back: whoever waits for news of Telegram wakes each 25 s, and for a moment.
const UNUSED: Duration = Duration::from_secs(5);

/// After this time a start or a reload has settled.
const SETTLED: Duration = Duration::from_secs(3);

/// What is called while everything moves, and what tells when it was not called for longer than `allowed`.
fn heart(clock: &Arc<dyn Clock>, allowed: Duration) -> (impl Fn() + Send + use<>, Health) {
    let last = Arc::new(watch::Sender::new(clock.monotonic()));
    let (beats, clocks) = (Arc::clone(&last), [Arc::clone(clock), Arc::clone(clock)]);
    let [now, then] = clocks;
    let beat = move || {
        beats.send_replace(now.monotonic());
    };
    let health = move || match then.monotonic().saturating_sub(*last.borrow()) {
        since if since <= allowed => Ok(()),
        since => Err(format!("nothing has moved for {} s", since.as_secs())),
    };
    (beat, Arc::new(health))
}

/// How long clients have to hear the end of what the daemon did for them.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often it is looked whether everything moves, where no watchdog wants to know.
const PULSE: Duration = Duration::from_secs(30);

/// The timetable looks each second; one look may take long where much is due.
const TIMETABLE: Duration = Duration::from_secs(60);

/// Within this time it ends, whatever is under way.
const END: Duration = Duration::from_secs(50);

/// What `systemctl status` shows.
fn status(loaded: &Loaded, coming: Option<DateTime<Utc>>) -> String {
    let zone = loaded.settings.timezone;
    let next = coming.map(|coming| format!(", the next start is {}", shown(coming, zone, zone)));
    format!("{} jobs{}", loaded.jobs.len(), next.unwrap_or_default())
}

/// Whether the files are those that were read last: a start hears of edits that were made before it.
async fn is_as_read(daemon: &Daemon) -> bool {
    let loaded = daemon.intake.loaded();
    let look = move || {
        loaded
            .folder
            .stamp()
            .is_ok_and(|stamp| stamp == loaded.stamp)
    };
    tokio::task::spawn_blocking(look).await.unwrap_or(false)
}

/// Takes the user's folder in again: what loads as it is now, what does not as it was.
async fn reload(context: &Context, daemon: &Daemon) -> Result<(), Error> {
    let before = daemon.intake.loaded();
    let (folder, zone) = (context.folder()?, context.system_zone);
    let reading = tokio::task::spawn_blocking(move || Reading::again(folder, zone, &before));
    match reading.await.map_err(Error::bug)?? {
        Ok(reading) => {
            tell(&reading);
            daemon.store().remember(reading.remember).await?;
            daemon.reload(reading.loaded);
            daemon.alerts.folder(&reading.wrong, &reading.stale).await;
        }
        Err(wrong) => {
            explain(&wrong);
            daemon.alerts.folder(&wrong, &[Stale::Settings]).await;
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
    // Errors are told to the owner, once.
    for found in wrong
        .iter()
        .filter(|found| found.severity == Severity::Warning)
    {
        journal::say(Level::Warning, found.render(&renderer));
    }
}

/// What a daemon is told by signals.
enum Told {
    Edited,
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
