//! The webhooks of all jobs, by name, with what opens them.

use std::collections::HashMap;
use std::sync::Arc;

use super::lock::Lock;
use crate::config::Job;
use crate::engine::Loaded;
use crate::journal::{self, Level};
use crate::trigger::{Kind, Webhook};

/// One job's webhook.
#[derive(Debug)]
pub(super) struct Door {
    /// The job that it starts.
    pub(super) job: String,
    /// What opens it.
    pub(super) lock: Lock,
    /// The largest body taken, in bytes.
    pub(super) max_bytes: usize,
}

/// All webhooks of one reading of the folder.
#[derive(Debug)]
pub(super) struct Doors {
    by_name: HashMap<String, Arc<[Door]>>,
    /// Names under which the listener may be called.
    pub(super) hosts: Vec<String>,
}

/// The webhooks that are switched on, each with its job.
pub(super) fn webhooks(loaded: &Loaded) -> impl Iterator<Item = (&Arc<Job>, &Webhook)> {
    let jobs = loaded.jobs.values().filter(|job| job.enabled);
    jobs.flat_map(|job| {
        let triggers = job.triggers.iter().filter(|trigger| trigger.enabled);
        triggers.filter_map(move |trigger| match &trigger.kind {
            Kind::Webhook(webhook) => Some((job, webhook)),
            _ => None,
        })
    })
}

impl Doors {
    /// Reads the secrets; a door whose secret cannot be read stays shut, and that is said.
    pub(super) fn of(loaded: &Loaded) -> Self {
        let mut by_name: HashMap<String, Vec<Door>> = HashMap::new();
        for (job, webhook) in webhooks(loaded) {
            let lock = Lock::of(webhook, &loaded.secrets).unwrap_or_else(|why| {
                let what = format!("nobody can call the webhook of `{}`: {why}", job.name);
                journal::say(Level::Error, what);
                Lock::Broken
            });
            let door = Door {
                job: job.name.clone(),
                lock,
                max_bytes: usize::try_from(webhook.max_bytes).unwrap_or(usize::MAX),
            };
            by_name.entry(webhook.name.clone()).or_default().push(door);
        }
        let shared = by_name
            .into_iter()
            .map(|(name, doors)| (name, doors.into()));
        Doors {
            by_name: shared.collect(),
            hosts: loaded.settings.web.hosts.clone(),
        }
    }

    /// Those with this name.
    pub(super) fn named(&self, name: &str) -> Option<Arc<[Door]>> {
        self.by_name.get(name).cloned()
    }
}
