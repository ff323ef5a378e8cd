//! From the files that people write to the jobs that run.
//!
//! [`folder`] reads; all the rest is pure: [`read`] gives authored structures with every error found,
//! [`settings`] and [`job_file`] resolve them, [`diagnostic`] shows what is wrong.

mod circles;
mod clashes;
mod conceal;
pub mod diagnostic;
pub mod examples;
pub mod folder;
pub mod job_file;
mod job_steps;
mod literal;
mod many;
pub mod prompt_file;
pub mod read;
pub mod resolve;
pub mod schema;
pub mod secret;
pub mod secrets;
pub mod settings;
pub mod stamp;
pub mod suggest;
mod told;
pub mod value;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delivery;
use crate::store::Version;
use crate::template::Templates;
use crate::trigger;
use crate::zone::Tz;
use diagnostic::{Diagnostic, Severity, Source};
use folder::Texts;
use resolve::World;
use secret::SecretRef;
use stamp::Stamp;

pub use clashes::intents;
pub use job_file::Job;
pub use settings::Settings;
pub use told::teller;

/// Everything that was read, and everything wrong with it.
#[derive(Debug)]
pub struct Config {
    /// The settings; where they are wrong, what of them is right.
    pub settings: Settings,
    /// Jobs that are right, by name.
    pub jobs: BTreeMap<String, Arc<Job>>,
    /// The files of the jobs, right or wrong.
    pub sources: BTreeMap<String, Arc<Source>>,
    /// What is wrong, in the order of files and places.
    pub problems: Vec<Diagnostic>,
    /// What was seen of the files.
    pub stamp: Stamp,
}

impl Config {
    /// Resolves the texts of a folder; `system_zone` is for one that names none. Pure.
    pub fn resolve(texts: Texts, system_zone: Tz) -> Config {
        let mut problems = Vec::new();
        for (source, why) in &texts.unreadable {
            problems.push(Diagnostic::error(source, 0..0, why.clone()));
        }
        let settings = match &texts.settings {
            Some(source) => settings::resolve(source, system_zone, &mut problems),
            None => Settings::new(system_zone),
        };
        let world = World {
            settings,
            prompts: texts.prompts,
            jobs: texts.jobs.keys().cloned().collect(),
        };
        // The present moment does not matter: nothing that depends on it is checked.
        let (language, zone) = (world.settings.language, world.settings.timezone);
        let checker = Templates::new(language, zone, chrono::DateTime::UNIX_EPOCH);
        let mut jobs = BTreeMap::new();
        for (name, job, mut found) in many::each_job(&texts.jobs, &world, &checker) {
            problems.append(&mut found);
            jobs.extend(job.map(|job| (name.clone(), Arc::new(job))));
        }
        if let Some(source) = &texts.settings {
            clashes::unknown(&world.settings, source, &texts.jobs, &mut problems);
        }
        let circles = circles::find(&jobs, &texts.jobs, &mut problems);
        let clashes = clashes::find(&jobs, &texts.jobs, &mut problems);
        jobs.retain(|name, _| !circles.contains(name) && !clashes.contains(name));
        told::untold(&jobs, &texts.jobs, &mut problems);
        sort(&mut problems);
        Config {
            settings: world.settings,
            jobs,
            sources: texts.jobs,
            problems,
            stamp: texts.stamp,
        }
    }

    /// A job of texts that were kept; `None` where they do not fit the settings. Pure.
    pub fn one_job(
        version: &Version,
        settings: &Settings,
        jobs: impl Iterator<Item = String>,
    ) -> Option<Job> {
        let (language, zone) = (settings.language, settings.timezone);
        let prompts = version.prompts.iter();
        let world = World {
            settings: settings.clone(),
            prompts: prompts
                .map(|(name, text)| (name.clone(), Source::new(name, text)))
                .collect(),
            jobs: jobs.collect(),
        };
        let checker = Templates::new(language, zone, chrono::DateTime::UNIX_EPOCH);
        let source = Source::new(format!("jobs/{}.toml", version.job), &*version.text);
        job_file::resolve(&version.job, &source, &world, &checker, &mut Vec::new())
    }

    /// Where the secrets are kept that the settings and the jobs name.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let triggers = self.jobs.values().flat_map(|job| &job.triggers);
        let tokens = triggers.flat_map(|trigger| match &trigger.kind {
            trigger::Kind::Webhook(webhook) => [webhook.token.as_ref(), webhook.hmac.as_ref()],
            _ => [None, None],
        });
        let deliveries = self.jobs.values().flat_map(|job| &job.deliveries);
        let sent = deliveries.flat_map(|delivery| match &delivery.kind {
            delivery::Kind::Webhook(webhook) => webhook.secrets(),
            _ => [None, None],
        });
        let named = self.settings.secrets().chain(tokens.flatten());
        named.chain(sent.flatten())
    }

    /// How many findings stop something from loading.
    pub fn errors(&self) -> usize {
        let errors = self.problems.iter();
        errors
            .filter(|found| found.severity == Severity::Error)
            .count()
    }

    /// What is wrong with one file.
    pub fn problems_of<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = &'a Diagnostic> {
        let path = &source.path;
        self.problems
            .iter()
            .filter(move |found| found.source.path == *path)
    }
}

/// By file and place; what two jobs find in one prompt is said once.
fn sort(problems: &mut Vec<Diagnostic>) {
    problems.sort_by(|a, b| {
        let key = |found: &Diagnostic| (found.span.start, found.span.end);
        (&a.source.path, key(a), &a.message).cmp(&(&b.source.path, key(b), &b.message))
    });
    problems.dedup();
}
