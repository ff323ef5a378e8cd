//! What a process that died left: each of its runs gets an outcome, each message goes out.

use super::{Engine, EngineError, Message};
use crate::job::{NewDelivery, Outcome, RunId};
use crate::store::{Orphan, StoreError};

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

/// A message for the terminal of a run whose process died before anybody is known to have read it.
#[derive(Debug, Clone, Copy)]
pub struct Late<'a> {
    /// The run that it speaks for.
    pub run: RunId,
    /// Its job.
    pub job: &'a str,
    /// What it says.
    pub message: Message<'a>,
}

/// Ends what dead processes left running as interrupted; a run by hand is not gone on with, for the person who
/// asked is not there any more.
///
/// # Errors
/// The store cannot be read or written.
pub async fn recover(engine: &Engine) -> Result<Vec<Left>, EngineError> {
    let orphans = engine.store.recover().await?;
    interrupt(engine, orphans).await
}

pub(super) async fn interrupt(
    engine: &Engine,
    orphans: Vec<Orphan>,
) -> Result<Vec<Left>, EngineError> {
    let mut left = Vec::new();
    for orphan in orphans {
        let reason = match orphan.story.under_way() {
            Some(step) => format!(
                "the program stopped during step `{}`, which may have had its effect: look before you run it again",
                step.id
            ),
            None => "the program stopped under it".to_owned(),
        };
        left.extend(end(engine, orphan, reason).await?);
    }
    Ok(left)
}

/// Ends one as interrupted; `None` when another process was quicker, or has forgotten it since.
pub(super) async fn end(
    engine: &Engine,
    orphan: Orphan,
    reason: String,
) -> Result<Option<Left>, EngineError> {
    let row = &orphan.story.row;
    let alerts = engine.alerts.as_ref();
    let news = alerts.and_then(|alerts| {
        let outcome = Outcome::Interrupted(reason.clone());
        alerts.of_run(&row.job, row.trigger, row.run, &outcome)
    });
    let interrupted = news.as_ref().map(|of_run| of_run.news.clone());
    match engine.store.interrupt(&orphan, &reason, interrupted).await {
        Ok(told) => {
            if let (Some(alerts), Some(news)) = (alerts, &news) {
                alerts.committed(news, told);
            }
            Ok(Some(Left {
                run: orphan.story.row.run,
                job: orphan.story.row.job,
                reason,
            }))
        }
        Err(StoreError::Taken(_) | StoreError::AlreadyFinished(_) | StoreError::UnknownRun(_)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Sends what dead processes had committed and perhaps not sent: at least once, so it can come a second time. Gives
/// what could not be sent, each with the reason.
///
/// # Errors
/// The store cannot be read or written.
pub async fn send_left(
    engine: &Engine,
    tell: &mut (dyn FnMut(Late<'_>) + Send),
) -> Result<Vec<String>, EngineError> {
    let mut failed = Vec::new();
    for delivery in engine.store.unsent().await? {
        match engine.store.adopt_delivery(&delivery, &engine.lock).await {
            Ok(()) => {}
            // Another process was quicker.
            Err(StoreError::NotPending(_)) => continue,
            Err(error) => return Err(error),
        }
        let (run, job, meant_for) = (delivery.run, &delivery.job, &delivery.kind);
        let mut print = |text: &str| {
            let message = Message { text, meant_for };
            tell(Late { run, job, message });
        };
        let message = NewDelivery {
            kind: delivery.kind.clone(),
            target: delivery.target,
            body: delivery.body,
        };
        if let Some(reason) = engine.send(delivery.id, &message, &mut print).await? {
            failed.push(format!("run {run} of `{job}`: {reason}"));
        }
    }
    Ok(failed)
}
