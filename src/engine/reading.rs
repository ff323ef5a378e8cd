//! Reading the user's folder in a daemon: what does not load keeps its last good version.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::Loaded;
use crate::config::diagnostic::{Diagnostic, Severity, Source};
use crate::config::folder::{Folder, SETTINGS};
use crate::config::{Config, Job};
use crate::error::Error;
use crate::job::CursorKey;
use crate::store::{CursorChange, Store};
use crate::zone::Tz;

/// What came of reading the folder.
#[derive(Debug)]
pub struct Reading {
    /// What is to be used.
    pub loaded: Loaded,
    /// What is wrong with the files, and what others may read of the secrets.
    pub wrong: Vec<Diagnostic>,
    /// Secrets that others may read.
    pub warnings: Vec<String>,
    /// The jobs that do not load: those that run on as they were, and those that cannot.
    pub stale: Vec<Stale>,
    /// What the store has to remember of it.
    pub remember: Vec<CursorChange>,
}

/// What is in the user's folder, with what of it is right.
#[derive(Debug)]
pub struct Found {
    folder: Folder,
    /// The configuration's text.
    own: Option<Arc<Source>>,
    /// Jobs whose files cannot be read.
    unreadable: Vec<String>,
    config: Config,
}

impl Found {
    /// Reads the folder.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn read(folder: Folder, zone: Tz) -> Result<Self, Error> {
        let texts = folder.read()?;
        let unreadable = texts.unreadable.iter();
        let unreadable = unreadable.filter_map(|(source, _)| job_of(&source.path));
        Ok(Found {
            unreadable: unreadable.collect(),
            own: texts.settings.clone(),
            config: Config::resolve(texts, zone),
            folder,
        })
    }
}

/// A file that does not load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// The job runs on as it was.
    Kept(String),
    /// No good version of the job is known.
    Out(String),
    /// The configuration goes on as it was.
    Settings,
}

impl Reading {
    /// The first reading of a life, of what is in the folder: last good versions come from the store.
    ///
    /// # Errors
    /// The folder cannot be listed, or its configuration does not load and never did.
    pub fn first(found: Found, zone: Tz, store: &Store) -> Result<Self, Error> {
        let Found {
            folder,
            own,
            unreadable,
            mut config,
        } = found;
        let mut stale = Vec::new();
        let key = settings_key();
        let remembered = store.read_now(|reader| reader.cursor(&key))?;
        if settings_are_wrong(&config, &folder) {
            let Some(Value::String(text)) = remembered.clone() else {
                let told = Error::usage("the configuration does not load");
                return Err(told.hint("mend the file, then `reveille check`"));
            };
            let mut again = folder.read()?;
            again.settings = Some(Source::new(folder.shown(SETTINGS), text));
            let problems = config.problems;
            config = Config::resolve(again, zone);
            config.problems = problems;
            stale.push(Stale::Settings);
        }
        let last = |name: &str, loaded: &Loaded| {
            let version = store.read_now(|reader| reader.last_version(name));
            loaded.pinned(&version.ok()??)
        };
        let own = own.filter(|_| stale.is_empty());
        let mut reading = Reading::whole(folder, (config, unreadable), own, stale, last);
        // A commit less at each start.
        let known = |(_, text): &CursorChange| *text == remembered;
        reading.remember.retain(|change| !known(change));
        Ok(reading)
    }

    /// A later reading: last good versions are those in use; `Err` when the configuration does not load, so that all
    /// goes on as it was.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn again(
        folder: Folder,
        zone: Tz,
        before: &Loaded,
    ) -> Result<Result<Self, Vec<Diagnostic>>, Error> {
        let Found {
            folder,
            own,
            unreadable,
            config,
        } = Found::read(folder, zone)?;
        if settings_are_wrong(&config, &folder) {
            return Ok(Err(config.problems));
        }
        let last = |name: &str, _: &Loaded| before.jobs.get(name).map(Arc::clone);
        let texts = (config, unreadable);
        Ok(Ok(Reading::whole(folder, texts, own, Vec::new(), last)))
    }

    fn whole(
        folder: Folder,
        (mut config, unreadable): (Config, Vec<String>),
        own: Option<Arc<Source>>,
        mut stale: Vec<Stale>,
        last: impl Fn(&str, &Loaded) -> Option<Arc<Job>>,
    ) -> Self {
        let wrong = std::mem::take(&mut config.problems);
        let names: Vec<String> = config.sources.keys().cloned().chain(unreadable).collect();
        let (mut loaded, warnings) = Loaded::new(folder, config);
        for name in names {
            if loaded.jobs.contains_key(&name) {
                continue;
            }
            match last(&name, &loaded) {
                Some(job) => {
                    loaded.keep(job);
                    stale.push(Stale::Kept(name));
                }
                None => stale.push(Stale::Out(name)),
            }
        }
        let mut remember = Vec::new();
        if let Some(own) = own {
            let mut scrubbed = own.text.clone();
            loaded.secrets.scrub(&mut scrubbed);
            // One that holds a secret in plain is not written down.
            let text = (scrubbed == own.text).then_some(Value::String(scrubbed));
            remember.push((settings_key(), text));
        }
        Reading {
            remember,
            loaded,
            wrong,
            warnings,
            stale,
        }
    }
}

/// The job that a file of the folder is of.
fn job_of(path: &str) -> Option<String> {
    let path = Path::new(path);
    let of_job = path.parent()?.file_name()? == "jobs";
    of_job.then(|| Some(path.file_stem()?.to_str()?.to_owned()))?
}

fn settings_are_wrong(config: &Config, folder: &Folder) -> bool {
    let path = folder.shown(SETTINGS);
    let mut errors = config.problems.iter();
    errors.any(|found| found.severity == Severity::Error && found.source.path == path)
}

fn settings_key() -> CursorKey {
    CursorKey {
        owner: "daemon".to_owned(),
        step: String::new(),
        name: "settings".to_owned(),
    }
}
