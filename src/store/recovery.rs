//! Runs that a process left behind when it died.

use super::history::RunStory;
use super::{Reader, StoreError};
use crate::job::{RunState, StepRecord};

/// A run whose process is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Orphan {
    /// Everything that is known of it.
    pub story: RunStory,
    /// The lock name of the process that is gone.
    pub owner: String,
}

impl RunStory {
    /// The step with effects that is under way: whether its effect happened is not known.
    pub fn under_way(&self) -> Option<&StepRecord> {
        self.steps.iter().rfind(|step| step.end == "started")
    }
}

impl Reader<'_> {
    /// The runs that are executed, or held while they back off, by processes whose lock is free, the oldest first.
    pub fn orphans(&self, is_free: impl Fn(&str) -> bool) -> Result<Vec<Orphan>, StoreError> {
        let mut orphans = Vec::new();
        for row in self.active()? {
            if matches!(row.state, RunState::Running | RunState::Waiting(_))
                && let Some(owner) = row.owner
                && is_free(&owner)
                && let Some(story) = self.run(row.run)?
            {
                orphans.push(Orphan { story, owner });
            }
        }
        Ok(orphans)
    }
}
