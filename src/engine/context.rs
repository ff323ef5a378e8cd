//! What a step of a job may use.

use super::Engine;
use crate::config::{Job, Settings};
use crate::job::RunId;
use crate::llm::Reach;
use crate::step::{Context, Kind, Step};
use crate::template::{Roots, Templates};
use crate::trigger;

impl Engine {
    /// What `step` of `job` may use, where templates see `scope`.
    pub fn context<'c>(
        &'c self,
        job: &'c Job,
        step: &'c Step,
        templates: &'c Templates,
        (run, scope): (RunId, &'c Roots),
    ) -> Context<'c> {
        Context {
            clock: &self.clock,
            settings: &self.loaded.settings,
            folder: &self.loaded.folder,
            secrets: &self.loaded.secrets,
            store: &self.store,
            servers: &self.servers,
            accounts: &self.loaded.accounts,
            templates,
            scope,
            state: &self.state,
            job: &job.name,
            budget: &job.budget,
            run,
            step: &step.id,
            reach: reach(job, &self.loaded.settings),
            limit: step.timeout,
            owner: None,
            resumed: None,
            grows: None,
        }
    }
}

/// Home, when the job, a step of it or a calendar that it reads is for home only.
pub(super) fn reach(job: &Job, settings: &Settings) -> Reach {
    let calendars = || {
        let private = settings.calendars.iter();
        private.filter(|source| source.local_only)
    };
    let private = job.steps.iter().any(|step| match &step.kind {
        _ if step.local_only => true,
        Kind::Calendar(calendar) => calendars().any(|source| calendar.reads(&source.name)),
        Kind::Agent(agent) => agent.reads_calendars() && calendars().next().is_some(),
        _ => false,
    });
    let ahead = job.triggers.iter().any(|trigger| match &trigger.kind {
        trigger::Kind::Calendar(calendar) => calendars().any(|source| calendar.reads(&source.name)),
        _ => false,
    });
    if private || ahead || job.local_only {
        Reach::Home
    } else {
        Reach::Anywhere
    }
}
