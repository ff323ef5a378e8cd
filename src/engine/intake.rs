//! Where triggers bring what happened.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Engine, EngineError, Loaded};
use crate::job::{Event, SlotClaim};
use crate::store::{Accepted, Along, CursorChange, Start};

/// Something that happened to a job, and what becomes true with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What happened.
    pub event: Event,
    /// The due moment that its run has from now on.
    pub slot: Option<SlotClaim>,
    /// Positions that move past it.
    pub cursors: Vec<CursorChange>,
}

/// Where triggers bring what happened; clones are the same place.
#[derive(Debug, Clone)]
pub struct Intake {
    engine: Engine,
    loaded: watch::Receiver<Arc<Loaded>>,
}

impl Intake {
    /// The newest reading of the user's folder.
    pub fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.borrow())
    }

    /// Hears of each new reading.
    pub fn reloaded(&self) -> watch::Receiver<Arc<Loaded>> {
        self.loaded.clone()
    }

    /// Writes down what happened, with its run; the run then begins by itself. On the disk when it returns.
    ///
    /// # Errors
    /// The store cannot be written: nothing of it is true, and the trigger brings it again.
    ///
    /// `None` when the job is not there any more.
    pub async fn take(&self, taken: Taken) -> Result<Option<Accepted>, EngineError> {
        let loaded = self.loaded();
        let Some(job) = loaded.jobs.get(&taken.event.job) else {
            return Ok(None);
        };
        let along = Along {
            slot: taken.slot,
            cursors: taken.cursors,
            version: loaded.version(job),
        };
        let store = &self.engine.store;
        let accepted = store.accept_along(taken.event, &job.hash, Start::Queued, along);
        accepted.await.map(Some)
    }
}
