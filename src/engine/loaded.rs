//! One reading of the user's folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::config::{Config, Job, Settings};
use crate::store::Version;

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
}

impl Loaded {
    /// What a configuration holds once its texts are let go; beside it a warning for each secret that others may read.
    pub fn new(folder: Folder, config: Config) -> (Self, Vec<String>) {
        let (secrets, warning) = Secrets::load(&folder);
        let mut warnings = Vec::from_iter(warning);
        warnings.extend(secrets.learn(config.secrets()));
        let loaded = Loaded {
            settings: config.settings,
            folder,
            secrets,
            jobs: config.jobs,
        };
        (loaded, warnings)
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
