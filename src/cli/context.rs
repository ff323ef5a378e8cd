//! What every command starts from: the folder, the state, the clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use tokio::runtime::Handle;

use super::out::{self, errln};
use super::paint::Paint;
use crate::clock::{self, Clock, SystemClock};
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::config::folder::{Folder, SETTINGS};
use crate::config::settings;
use crate::config::suggest::did_you_mean;
use crate::config::{Config, Job};
use crate::engine::{Engine, Intake};
use crate::error::Error;
use crate::store::{Mode, Opened, Store, StoreError};
use crate::zone::Tz;

const MEND: &str = "mend the file, then `reveille check`";

/// What a daemon lends to the verbs that come through its socket.
#[derive(Debug, Clone)]
pub struct Lent {
    /// The folder that it runs.
    pub folder: Folder,
    /// Where its database is.
    pub state: PathBuf,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its database, open.
    pub store: Store,
    /// The way into it.
    pub intake: Intake,
    /// Since when it runs.
    pub since: DateTime<Utc>,
}

impl Lent {
    /// What `engine` has, and the way into it.
    pub fn new(engine: &Engine, intake: Intake) -> Self {
        let folder = match &engine.loaded.folder {
            // Those who type are elsewhere.
            Folder::Disk(root) => {
                let root = Path::new(".").join(root);
                Folder::Disk(std::fs::canonicalize(&root).unwrap_or(root))
            }
            Folder::Embedded => Folder::Embedded,
        };
        Lent {
            folder,
            state: engine.state.clone(),
            clock: Arc::clone(&engine.clock),
            store: engine.store.clone(),
            intake,
            since: engine.clock.now(),
        }
    }
}

/// What every command starts from.
pub struct Context {
    /// Where the jobs are; `Err` where `--dir` names a folder without any.
    dir: Option<PathBuf>,
    /// Where the database is.
    pub state: PathBuf,
    /// The clock, fixed by `--now`.
    pub clock: Arc<dyn Clock>,
    fixed: bool,
    /// The zone of the machine.
    pub system_zone: Tz,
    /// Whether and how stderr and stdout are coloured.
    pub paint: Paint,
    /// From where paths lead that the person typed; empty: from where the process is.
    from: PathBuf,
    /// Inside a daemon.
    pub lent: Option<Lent>,
}

impl Context {
    pub(super) fn new(
        dir: Option<PathBuf>,
        state: Option<PathBuf>,
        now: Option<String>,
    ) -> Result<Self, Error> {
        let system_zone = clock::system_zone();
        let fixed = now.is_some();
        let clock = match now {
            Some(text) => {
                let zone = configured_zone(dir.as_deref()).unwrap_or(system_zone);
                SystemClock::fixed(parse_time(&text, zone)?)
            }
            None => SystemClock::default(),
        };
        Ok(Context {
            dir,
            state: absolute(state.unwrap_or_else(default_state)),
            clock: Arc::new(clock),
            fixed,
            system_zone,
            paint: Paint::of(out::terminal()),
            from: PathBuf::new(),
            lent: None,
        })
    }

    /// For a verb inside a daemon, typed by somebody whose current folder is `from`.
    pub(super) fn lent(lent: Lent, from: PathBuf) -> Self {
        Context {
            dir: None,
            state: lent.state.clone(),
            clock: Arc::clone(&lent.clock),
            fixed: false,
            system_zone: clock::system_zone(),
            paint: Paint::of(out::terminal()),
            from,
            lent: Some(lent),
        }
    }

    /// Waits for what a verb does: on this thread, in a daemon among its own work.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        if self.lent.is_some() {
            return Ok(Handle::current().block_on(work));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| Error::bug(format!("cannot start: {error}")))?;
        Ok(runtime.block_on(work))
    }

    /// Where a path leads that the person typed.
    pub fn place(&self, typed: &Path) -> PathBuf {
        self.from.join(typed)
    }

    /// Whether the time is the machine's, and not one given with `--now`.
    pub fn clock_is_real(&self) -> bool {
        !self.fixed
    }

    /// The folder of the jobs.
    pub fn folder(&self) -> Result<Folder, Error> {
        match &self.lent {
            Some(lent) => Ok(lent.folder.clone()),
            None => Folder::find(self.dir.as_deref()),
        }
    }

    /// The configuration and all jobs, with what is wrong with them.
    pub fn config(&self) -> Result<(Folder, Config), Error> {
        let folder = self.folder()?;
        let config = Config::resolve(folder.read()?, self.system_zone);
        Ok((folder, config))
    }

    /// One job that is right; what is wrong with it or with the configuration is printed.
    pub fn job(&self, config: &Config, folder: &Folder, name: &str) -> Result<Arc<Job>, Error> {
        let Some(source) = config.sources.get(name) else {
            return Err(no_such_job(config, folder, name));
        };
        let settings = folder.shown(SETTINGS);
        let stops = |found: &&Diagnostic| {
            found.severity == Severity::Error && found.source.path == settings
        };
        let wrong: Vec<_> = config.problems.iter().filter(stops).collect();
        match config.jobs.get(name) {
            Some(job) if wrong.is_empty() => Ok(Arc::clone(job)),
            Some(_) => {
                self.explain(wrong);
                Err(Error::usage("the configuration does not load").hint(MEND))
            }
            None => {
                // A job's mistakes may lie in its prompts too.
                let others = |found: &&Diagnostic| {
                    let path = &found.source.path;
                    *path == source.path || !config.sources.values().any(|job| job.path == *path)
                };
                self.explain(config.problems.iter().filter(others).collect());
                Err(Error::usage(format!("the job `{name}` does not load")).hint(MEND))
            }
        }
    }

    /// A job as the daemon has it, also where its file does not load any more: what fires can be asked about and paused. Without a
    /// daemon, as [`Context::job`].
    pub fn known_job(
        &self,
        config: &Config,
        folder: &Folder,
        name: &str,
    ) -> Result<Arc<Job>, Error> {
        let lent = self.lent.as_ref().map(|lent| lent.intake.loaded());
        match lent.and_then(|loaded| loaded.jobs.get(name).cloned()) {
            Some(job) => Ok(job),
            None => self.job(config, folder, name),
        }
    }

    /// All jobs, likewise.
    pub fn known_jobs(&self, config: &Config) -> Vec<Arc<Job>> {
        match &self.lent {
            Some(lent) => lent.intake.loaded().jobs.values().cloned().collect(),
            None => config.jobs.values().cloned().collect(),
        }
    }

    /// Shows what is wrong.
    fn explain(&self, findings: Vec<&Diagnostic>) {
        let renderer = self.paint.renderer();
        for found in findings {
            errln!("{}\n", found.render(&renderer));
        }
    }

    /// The database, made if it is not there; what there is to say of it goes to stderr.
    pub fn open_store(&self, mode: Mode) -> Result<Store, Error> {
        if let Some(lent) = &self.lent {
            return Ok(lent.store.clone());
        }
        Ok(self.opened(mode)?.store)
    }

    /// [`Context::open_store`], with what there is to say of it.
    pub fn opened(&self, mode: Mode) -> Result<Opened, Error> {
        let opened = self.open_once(mode)?;
        let store = &opened.store;
        // A look at what every command needs: damage there is set aside now, and not by the command after this one.
        match store.read_now(|reader| reader.active()) {
            Err(StoreError::Damaged(_)) => {
                let looked = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .map(|runtime| runtime.block_on(store.check_ended()));
                drop(looked);
                drop(opened);
                self.open_once(mode)
            }
            _ => Ok(opened),
        }
    }

    fn open_once(&self, mode: Mode) -> Result<Opened, Error> {
        let opened =
            Store::open(&self.state, Arc::clone(&self.clock), mode).map_err(Error::from)?;
        for notice in &opened.notices {
            errln!("{}: {notice}", self.paint.warning("warning"));
        }
        Ok(opened)
    }

    /// The database, for commands that only read: `None` where nothing ever ran.
    pub fn existing_store(&self) -> Result<Option<Store>, Error> {
        if self.lent.is_none() && !self.state.join(crate::store::FILE).exists() {
            if self.state.exists() && !self.state.is_dir() {
                let what = format!("{} is no folder", self.state.display());
                return Err(Error::usage(what).hint("--state names the folder of the database"));
            }
            return Ok(None);
        }
        self.open_store(Mode::Inline).map(Some)
    }
}

/// There is no such job, and which one may be meant.
pub(super) fn no_such_job(config: &Config, folder: &Folder, name: &str) -> Error {
    let near = did_you_mean(name, config.sources.keys().map(String::as_str));
    let names: Vec<_> = config.sources.keys().map(String::as_str).collect();
    let hint = if near.is_empty() {
        format!("jobs: {}", names.join(", "))
    } else {
        near
    };
    let what = format!("there is no job `{name}` in {}", folder.shown("jobs"));
    Error::usage(what).hint(hint)
}

/// Programs are started in the workspace, from where a relative path would lead elsewhere.
pub(super) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// `$STATE_DIRECTORY` (systemd), else `$XDG_STATE_HOME/reveille`, else `~/.local/state/reveille`.
pub(super) fn default_state() -> PathBuf {
    if let Some(folder) = std::env::var_os("STATE_DIRECTORY") {
        return PathBuf::from(folder);
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    std::env::var_os("XDG_STATE_HOME")
        .map_or_else(|| home.join(".local/state"), PathBuf::from)
        .join(Path::new("reveille"))
}

/// The zone that the configuration names, if it names one.
fn configured_zone(dir: Option<&Path>) -> Option<Tz> {
    let texts = Folder::find(dir).ok()?.read().ok()?;
    let settings = texts.settings?;
    Some(settings::resolve(&settings, clock::system_zone(), &mut Vec::new()).timezone)
}

/// A time as people type it, in `zone` unless it says another.
fn parse_time(text: &str, zone: Tz) -> Result<DateTime<Utc>, Error> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let formats = [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
    ];
    let local = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(date.and_time(NaiveTime::MIN))
        });
    let time = local.and_then(|local| zone.from_local_datetime(&local).earliest());
    time.map(|time| time.to_utc()).ok_or_else(|| {
        Error::usage(format!("`{text}` is not a time"))
            .hint("write it as \"2026-10-24 07:00\" or \"2026-10-24T07:00:00+02:00\"")
    })
}
