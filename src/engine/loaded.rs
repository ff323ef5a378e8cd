//! One reading of the user's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::config::stamp::Stamp;
use crate::config::{Config, Job, Settings};
use crate::job::Outcome;
use crate::step::Accounts;
use crate::store::Version;
use crate::trigger::{self, On};

/// One reading of the user's folder. It is swapped whole; a run keeps the one that it began with.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub settings: Settings,
    /// Where it was read.
    pub folder: Folder,
    /// What `.env`, the environment and credentials hold.
    pub secrets: Secrets,
    /// The jobs that are right, by name.
    pub jobs: BTreeMap<String, Arc<Job>>,
    /// Accounts of Google that were asked already.
    pub accounts: Accounts,
    /// What was seen of the folder's files.
    pub stamp: Stamp,
    /// For a job that others wait for, their names.
    followers: BTreeMap<String, BTreeSet<String>>,
}

impl Loaded {
    /// What a configuration holds once its texts are let go; beside it a warning for each secret that others may read.
    pub fn new(folder: Folder, config: Config) -> (Self, Vec<String>) {
        let (secrets, warning) = Secrets::load(&folder);
        let mut warnings = Vec::from_iter(warning);
        warnings.extend(secrets.learn(config.secrets()));
        let loaded = Loaded {
            settings: config.settings,
            stamp: config.stamp,
            accounts: Accounts::default(),
            folder,
            secrets,
            followers: followers(&config.jobs),
            jobs: config.jobs,
        };
        (loaded, warnings)
    }

    /// Goes on with a job as it was.
    pub(super) fn keep(&mut self, job: Arc<Job>) {
        self.jobs.insert(job.name.clone(), job);
        self.followers = followers(&self.jobs);
    }

    /// The jobs that wait for such an end of a run of `name`, each with its trigger's id.
    pub fn after(&self, name: &str, outcome: &Outcome) -> Vec<(&Arc<Job>, &str)> {
        let good = matches!(outcome, Outcome::Ok | Outcome::NothingToSay(_));
        let bad = matches!(outcome, Outcome::Failed(_) | Outcome::Interrupted(_));
        let Some(names) = self.followers.get(name) else {
            return Vec::new();
        };
        let triggers = names.iter().filter_map(|name| self.jobs.get(name));
        let triggers = triggers.flat_map(|job| job.triggers.iter().map(move |one| (job, one)));
        let waiting = triggers.filter(|(job, trigger)| match &trigger.kind {
            trigger::Kind::After(after) if after.job == name => {
                let counts = match after.on {
                    On::Success => good,
                    On::Failure => bad,
                    On::Any => good || bad,
                };
                counts && trigger.enabled && job.enabled
            }
            _ => false,
        });
        waiting
            .map(|(job, trigger)| (job, trigger.id.as_str()))
            .collect()
    }

    /// The texts of `job`, read again; `None` when they were edited since it was loaded, or hold a secret, which no row does.
    pub fn version(&self, job: &Job) -> Option<Version> {
        let mut unreadable = Vec::new();
        let mut text = |relative: String| {
            let source = self.folder.source(&relative, &mut unreadable)?;
            let (text, mut scrubbed) = (source.text.clone(), source.text.clone());
            self.secrets.scrub(&mut scrubbed);
            (scrubbed == text).then_some(text)
        };
        let version = Version {
            hash: job.hash.clone(),
            job: job.name.clone(),
            text: text(format!("jobs/{}.toml", job.name))?,
            prompts: job
                .prompts
                .iter()
                .map(|name| Some((name.clone(), text(format!("prompts/{name}"))?)))
                .collect::<Option<_>>()?,
        };
        let hash = Job::hash_of(&version.text, version.prompts.iter().map(|(_, text)| text));
        (hash == job.hash).then_some(version)
    }

    /// The job as it was when a run began with it; `None` where it does not fit the configuration any more.
    pub fn pinned(&self, version: &Version) -> Option<Arc<Job>> {
        match self.jobs.get(&version.job) {
            Some(job) if job.hash == version.hash => Some(Arc::clone(job)),
            _ => Config::one_job(version, &self.settings, self.jobs.keys().cloned()).map(Arc::new),
        }
    }
}

fn followers(jobs: &BTreeMap<String, Arc<Job>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut followers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for job in jobs.values() {
        for trigger in &job.triggers {
            if let trigger::Kind::After(after) = &trigger.kind {
                let of_job = followers.entry(after.job.clone()).or_default();
                of_job.insert(job.name.clone());
            }
        }
    }
    followers
}
