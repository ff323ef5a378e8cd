//! Signs of life: given only while the parts of the daemon really move.

mod ping;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Engine;
use crate::clock::{self, Clock};
use crate::journal::{self, Level};
use crate::store::Store;

pub use ping::Ping;

/// How long the store may take to answer; a statement waits 10 s for another process's transaction.
const STORE: Duration = Duration::from_secs(20);

/// Looks whether everything moves.
pub struct Pulse {
    clock: Arc<dyn Clock>,
    store: Store,
    parts: Vec<Part>,
}

/// A part beside the store.
pub struct Part {
    name: &'static str,
    allowed: Duration,
    /// For how long it has not moved, where it should have.
    still: Box<dyn Fn(Duration) -> Duration + Send + Sync>,
}

/// A part that does not move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} stands still: {why}")]
pub struct StandsStill {
    /// Its name.
    pub part: &'static str,
    /// What was seen of it.
    pub why: String,
}

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulse").finish_non_exhaustive()
    }
}

impl Part {
    /// A part that gives the time of its last move, by the monotonic clock, at least each `allowed`.
    pub fn beating(name: &'static str, allowed: Duration, beat: watch::Receiver<Duration>) -> Self {
        Part {
            name,
            allowed,
            still: Box::new(move |now| now.saturating_sub(*beat.borrow())),
        }
    }

    /// A part that may rest; what it is doing it does since the monotonic time that `since` gives, for `allowed` at most.
    pub fn working(
        name: &'static str,
        allowed: Duration,
        since: impl Fn() -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        Part {
            name,
            allowed,
            still: Box::new(move |now| {
                since().map_or(Duration::ZERO, |since| now.saturating_sub(since))
            }),
        }
    }
}

impl Pulse {
    /// A look at the store and these parts.
    pub fn new(engine: &Engine, parts: Vec<Part>) -> Self {
        Pulse {
            clock: Arc::clone(&engine.clock),
            store: engine.store.clone(),
            parts,
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// The first part that stands still.
    pub async fn look(&self) -> Result<(), StandsStill> {
        let now = self.clock.monotonic();
        for part in &self.parts {
            let still = (part.still)(now);
            if still > part.allowed {
                return Err(StandsStill {
                    part: part.name,
                    why: format!("nothing for {} s", still.as_secs()),
                });
            }
        }
        let answer = clock::timeout(self.clock.as_ref(), STORE, self.store.answer()).await;
        let why = match answer {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        let part = "the store";
        Err(StandsStill { part, why })
    }

    /// Looks each `every`, and calls `alive` when everything moves; what does not is said once.
    pub async fn run(self, every: Duration, mut alive: impl FnMut() + Send) {
        let mut last = None;
        loop {
            let still = self.look().await.err();
            match &still {
                None => {
                    if last.is_some() {
                        journal::say(Level::Info, "everything moves again");
                    }
                    alive();
                }
                Some(still) if last.as_ref() != Some(&still.part) => {
                    journal::say(Level::Error, format!("no sign of life is given: {still}"));
                }
                Some(_) => {}
            }
            last = still.map(|still| still.part);
            self.clock.sleep(every).await;
        }
    }
}
