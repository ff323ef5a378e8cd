//! A call of a webhook, over HTTP or by hand, and the events that it becomes.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Map, Value};

use super::doors;
use crate::clock::Clock;
use crate::engine::{EngineError, Intake, Loaded, Taken};
use crate::job::{Event, TriggerKind};
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
        let Call {
            name,
            body,
            headers,
            id,
        } = self;
        let payload = [
            ("name", Value::String(name.clone())),
            ("body", body.clone()),
            ("headers", Value::Object(headers.clone())),
        ];
        let payload = payload.map(|(field, value)| (field.to_owned(), value));
        Event {
            id: clock.id(),
            job: job.to_owned(),
            kind: TriggerKind::Webhook,
            dedupe_key: id.as_ref().map(|id| format!("webhook:{name}:{job}:{id}")),
            payload: Value::Object(payload.into_iter().collect()),
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
pub async fn raise<'j>(
    intake: &Intake,
    clock: &Arc<dyn Clock>,
    call: &Call,
    jobs: &[&'j str],
) -> Result<Vec<(&'j str, Accepted)>, EngineError> {
    let take = async |job: &&'j str| {
        let event = call.event(job, clock.as_ref());
        let taken = intake.take(Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        });
        Ok(taken.await?.map(|accepted| (*job, accepted)))
    };
    let taken = match jobs {
        [job] => vec![take(job).await],
        jobs => join_all(jobs.iter().map(take)).await,
    };
    let accepted: Result<Vec<_>, EngineError> = taken.into_iter().collect();
    Ok(accepted?.into_iter().flatten().collect())
}

/// The names of all webhooks.
pub fn names(loaded: &Loaded) -> Vec<&str> {
    let names: BTreeSet<_> = doors::webhooks(loaded)
        .map(|(_, webhook)| webhook.name.as_str())
        .collect();
    names.into_iter().collect()
}
