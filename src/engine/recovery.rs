//! Runs whose process died: each gets an outcome.

use super::{Engine, EngineError};
use crate::job::RunId;
use crate::store::StoreError;

/// A run that another process left behind, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its number.
    pub run: RunId,
    /// Its job.
    pub job: String,
    /// What to tell the owner.
    pub reason: String,
}

/// Ends what dead processes left running as interrupted; a run by hand is not gone on with, for the person who
/// asked is not there any more.
///
/// # Errors
/// The store cannot be read or written.
pub async fn recover(engine: &Engine) -> Result<Vec<Left>, EngineError> {
    let mut left = Vec::new();
    for orphan in engine.store.recover().await? {
        let reason = match orphan.under_way() {
            Some(step) => format!(
                "the program stopped during step `{}`, which may have had its effect: look before you run it again",
                step.id
            ),
            None => "the program stopped under it".to_owned(),
        };
        match engine.store.interrupt(&orphan, &reason, Vec::new()).await {
            Ok(_) => left.push(Left {
                run: orphan.story.row.run,
                job: orphan.story.row.job.clone(),
                reason,
            }),
            // Another process was quicker.
            Err(StoreError::Taken { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}
