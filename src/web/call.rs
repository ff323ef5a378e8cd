//! A call of a webhook, over HTTP or by hand, and the events that it becomes.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::doors;
use crate::clock::Clock;
use crate::engine::{EngineError, Intake, Loaded, Taken};
use crate::job::{Event, RunId, TriggerKind};
use crate::store::Accepted;

/// What was sent to a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The webhook's name.
    pub name: String,
    /// What was sent: JSON as what it holds, else text.
    pub body: Value,
    /// Those that templates may see.
    pub headers: Map<String, Value>,
    /// What the sender calls this delivery; a second one with the same name is the same.
    pub id: Option<String>,
}

impl Call {
    /// The event of one job.
    pub fn event(&self, job: &str, clock: &dyn Clock) -> Event {
        let Call { name, id, .. } = self;
        Event {
            id: clock.id(),
            job: job.to_owned(),
            kind: TriggerKind::Webhook,
            dedupe_key: id.as_ref().map(|id| format!("webhook:{name}:{job}:{id}")),
            payload: json!({ "name": name, "body": self.body, "headers": self.headers }),
            at: clock.now(),
        }
    }

    /// The jobs whose webhook has this name, each with the largest body that it takes, in bytes.
    pub fn jobs<'l>(&self, loaded: &'l Loaded) -> Vec<(&'l str, u64)> {
        doors::webhooks(loaded)
            .filter(|(_, webhook)| webhook.name == self.name)
            .map(|(job, webhook)| (job.name.as_str(), webhook.max_bytes))
            .collect()
    }
}

/// Brings a call to its jobs: each event is committed when it returns. What it gave each job: a run, new or known.
///
/// # Errors
/// Some event could not be written: those of other jobs may be, and the sender calls again.
pub async fn raise(
    intake: &Intake,
    clock: &Arc<dyn Clock>,
    call: &Call,
    jobs: &[&str],
) -> Result<Vec<Accepted>, EngineError> {
    let take = |job: &&str| {
        let event = call.event(job, clock.as_ref());
        intake.take(Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        })
    };
    let taken = match jobs {
        [job] => vec![take(job).await],
        jobs => join_all(jobs.iter().map(take)).await,
    };
    let accepted: Result<Vec<_>, _> = taken.into_iter().collect();
    Ok(accepted?.into_iter().flatten().collect())
}

/// The runs' numbers.
pub(super) fn numbers(accepted: &[Accepted]) -> Vec<RunId> {
    accepted.iter().map(|accepted| accepted.run()).collect()
}
