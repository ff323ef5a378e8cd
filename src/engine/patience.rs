//! Writing to a store that may have no room for a while.

use std::time::Duration;

use super::{Engine, EngineError};
use crate::journal::{self, Level};

/// Whether a full or locked disk is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A person waits for an answer: the error is told at once.
    None,
    /// Somebody may free some space: nothing is given up.
    Endless,
}

/// The first and the longest wait for space.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

impl EngineError {
    /// Whether the same write may succeed later.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            EngineError::Full
                | EngineError::Locked
                | EngineError::Disk(_)
                | EngineError::ReadOnly(_)
                | EngineError::File { .. }
        )
    }
}

impl Engine {
    /// Does `write` until it succeeds or fails for good, where this process has the patience for it.
    pub(super) async fn patiently<T, F>(&self, write: impl Fn() -> F) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, EngineError>>,
    {
        let mut wait = WAITS.0;
        let mut waited_for = None;
        loop {
            match write().await {
                Err(error) if self.patience == Patience::Endless && error.may_pass() => {
                    if wait == WAITS.0 {
                        let said = format!("{error}: waiting until it can be written");
                        journal::say(Level::Warning, said);
                        if let Some(alerts) = &self.alerts {
                            alerts.no_room(self.clock.now());
                        }
                    }
                    waited_for = Some(error);
                    self.clock.sleep(wait).await;
                    wait = (wait * 2).min(WAITS.1);
                }
                other => {
                    if let (Some(reason), Some(alerts)) = (&waited_for, &self.alerts) {
                        alerts.room(self.clock.now(), reason);
                    }
                    return other;
                }
            }
        }
    }
}
