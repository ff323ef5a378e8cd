//! What a process that died left: each of its runs gets an outcome, each message goes out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::finish::Out;
use super::following::Ended;
use super::outbox::Row;
use super::queue::Queue;
use super::{Engine, EngineError, Message};
use crate::job::{DeliveryId, OnUnknown, Outcome, RunId, RunState, TriggerKind};
use crate::store::{Delivery, DeliveryState, Orphan, RunUpdate, Settled, StoreError};

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
    /// The run that it speaks for; none for what the program itself has to say.
    pub run: Option<RunId>,
    /// Its job.
    pub job: &'a str,
    /// What it says.
    pub message: Message<'a>,
}

/// Ends what people's dead processes left running as interrupted: it is not gone on with, for the person who asked is not
/// there any more. What a daemon left is for the next daemon, which may go on with it.
///
/// # Errors
/// The store cannot be read or written.
pub async fn recover(engine: &Engine) -> Result<Vec<Left>, EngineError> {
    let mut orphans = engine.store.recover().await?;
    orphans.retain(|orphan| orphan.story.row.trigger == TriggerKind::Hand);
    interrupt(engine, orphans).await
}

pub(super) async fn interrupt(
    engine: &Engine,
    orphans: Vec<Orphan>,
) -> Result<Vec<Left>, EngineError> {
    let mut left = Vec::new();
    for orphan in orphans {
        let reason = reason(&orphan);
        left.extend(end(engine, None, orphan, reason).await?);
    }
    Ok(left)
}

/// Why a run that is not gone on with ends.
pub(super) fn reason(orphan: &Orphan) -> String {
    match orphan.story.under_way() {
        Some(step) => format!(
            "the program stopped during step `{}`, which may have had its effect: look before you run it again",
            step.id
        ),
        None => "the program stopped under it".to_owned(),
    }
}

/// Ends one as interrupted, with what follows from that; `None` when another process was quicker, or has forgotten it since.
pub(super) async fn end(
    engine: &Engine,
    queue: Option<&Arc<Queue>>,
    orphan: Orphan,
    reason: String,
) -> Result<Option<Left>, EngineError> {
    let (run, job) = (orphan.story.row.run, orphan.story.row.job.clone());
    let outcome = Outcome::Interrupted(reason.clone());
    let ended = Ended {
        run,
        job: &job,
        kind: orphan.story.row.trigger,
        outcome: &outcome,
    };
    let following = engine.following(queue, ended);
    let mut update = RunUpdate {
        state: Some(RunState::Finished(outcome.clone())),
        ..RunUpdate::of(run)
    };
    following.add_to(&mut update);
    match engine.store.interrupt(&orphan, update).await {
        Ok(mut recorded) => {
            following.committed(&mut recorded);
            Ok(Some(Left { run, job, reason }))
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
    let mut left = LeftOver {
        engine,
        failed: Vec::new(),
        stuck: BTreeSet::new(),
        gathering: BTreeSet::new(),
    };
    let mut after = DeliveryId::default();
    loop {
        let page = engine.store.unsent(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for delivery in page {
            left.take(delivery, tell).await?;
        }
    }
    for lane in std::mem::take(&mut left.gathering) {
        while let Some((id, _)) = engine.store.gather(&lane, &engine.lock).await? {
            if let Some(whole) = engine.store.read(move |reader| reader.delivery(id)).await? {
                left.send(whole, tell).await?;
            }
        }
    }
    Ok(left.failed)
}

/// So many messages are read at once.
const PAGE: usize = 100;

/// What is left, on its way out.
struct LeftOver<'a> {
    engine: &'a Engine,
    failed: Vec<String>,
    /// Lanes whose next message waits for its next try: what follows it waits too.
    stuck: BTreeSet<String>,
    /// Lanes that gather, and are due.
    gathering: BTreeSet<String>,
}

impl LeftOver<'_> {
    async fn take(
        &mut self,
        delivery: Delivery,
        tell: &mut (dyn FnMut(Late<'_>) + Send),
    ) -> Result<(), EngineError> {
        let (engine, lane) = (self.engine, &delivery.message.lane);
        let once = delivery.message.policy.on_unknown == OnUnknown::Park;
        if once && delivery.state == DeliveryState::Sending {
            let why =
                "the program stopped while it was sent: it may have arrived; see `reveille outbox`";
            match engine
                .store
                .settle(delivery.id, Settled::Parked(why.to_owned()))
                .await
            {
                Ok(()) => {
                    let kind = &delivery.message.kind;
                    self.tell_failed(&delivery, &format!("{kind}: {why}"));
                }
                Err(StoreError::NotPending(_)) => {}
                Err(error) => return Err(error),
            }
            return Ok(());
        }
        let now = engine.clock.now();
        if self.stuck.contains(lane) || Row::from(delivery.clone()).ready_at(now) > now {
            self.stuck.insert(lane.clone());
            return Ok(());
        }
        match engine.store.adopt_delivery(&delivery, &engine.lock).await {
            Ok(()) => {}
            // Another process was quicker.
            Err(StoreError::NotPending(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
        if delivery.message.policy.digest.is_some() {
            self.gathering.insert(lane.clone());
            return Ok(());
        }
        self.send(delivery, tell).await
    }

    async fn send(
        &mut self,
        delivery: Delivery,
        tell: &mut (dyn FnMut(Late<'_>) + Send),
    ) -> Result<(), EngineError> {
        let (run, job) = (delivery.run, delivery.job.as_deref().unwrap_or_default());
        let meant_for = &delivery.message.kind;
        let mut print = |text: &str| {
            let message = Message { text, meant_for };
            tell(Late { run, job, message });
        };
        let row = Row::from(delivery.clone());
        match self.engine.send(row, &mut print).await? {
            Out::Sent | Out::Kept(_) => {}
            Out::Unsent(reason) => self.tell_failed(&delivery, &reason),
            Out::Waits(reason) => {
                self.stuck.insert(delivery.message.lane.clone());
                self.tell_failed(&delivery, &reason);
            }
        }
        Ok(())
    }

    fn tell_failed(&mut self, delivery: &Delivery, reason: &str) {
        let whose = match (delivery.run, &delivery.job) {
            (Some(run), Some(job)) => format!("run {run} of `{job}`: "),
            _ => String::new(),
        };
        self.failed.push(format!("{whose}{reason}"));
    }
}
