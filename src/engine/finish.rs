//! The end of a run: its messages, its outcome, and both out of the house.

use std::time::Duration;

use serde_json::json;

use super::run::{Deliver, Finished};
use super::runner::UnderWay;
use super::{Engine, EngineError, Message, Observer, Progress};
use crate::delivery;
use crate::job::{
    DeliveryId, Event, NewDelivery, Outcome, RunState, StepEnd, StepRecord, TriggerKind,
};
use crate::store::{Accepted, Follow};

impl UnderWay<'_> {
    pub(super) async fn finish(
        mut self,
        outcome: Outcome,
        deliver: Deliver,
        observer: &mut Observer<'_>,
    ) -> Result<Finished, EngineError> {
        let (outcome, mut messages) = match outcome {
            Outcome::Ok => self.messages(),
            other => (other, Vec::new()),
        };
        let outcome = self.engine.loaded.secrets.scrub_outcome(outcome);
        for message in &mut messages {
            self.engine.loaded.secrets.scrub_message(message);
        }
        let good = matches!(outcome, Outcome::Ok | Outcome::NothingToSay(_));
        if good && deliver != Deliver::Hold {
            self.update.cursors.append(&mut self.moved);
            self.update.deliveries.clone_from(&messages);
        }
        self.update.state = Some(RunState::Finished(outcome.clone()));
        for step in &mut self.update.steps {
            step.moved.clear();
        }
        self.update.events = self.following(&outcome);
        let jobs = self.update.events.iter();
        let jobs: Vec<String> = jobs.map(|follow| follow.event.job.clone()).collect();
        let recorded = self.commit().await?;
        let follow = recorded.runs.iter().zip(jobs);
        let follow = follow.filter_map(|(accepted, job)| match accepted {
            Accepted::New(run) => Some((*run, job)),
            Accepted::Duplicate(_) => None,
        });
        let mut finished = Finished {
            run: self.run,
            outcome,
            unsent: Vec::new(),
            left: Vec::new(),
            follow: follow.collect(),
        };
        let ids = recorded.deliveries.into_iter();
        match deliver {
            Deliver::Hold => messages.iter().for_each(|message| show(observer, message)),
            Deliver::Leave if self.event.kind != TriggerKind::Hand => {
                finished.left = ids.zip(messages).collect();
            }
            Deliver::Leave | Deliver::Send => {
                for (id, message) in ids.zip(&messages) {
                    if deliver == Deliver::Leave && !delivery::is_for_terminal(message) {
                        finished.left.push((id, message.clone()));
                        continue;
                    }
                    let mut print = |text: &str| {
                        observer(Progress::Message(Message {
                            text,
                            meant_for: &message.kind,
                        }));
                    };
                    finished
                        .unsent
                        .extend(self.engine.send(id, message, &mut print).await?);
                }
            }
        }
        observer(Progress::Finished(&finished.outcome));
        Ok(finished)
    }

    /// The events of the jobs that wait for an end like this one.
    fn following(&self, outcome: &Outcome) -> Vec<Follow> {
        let Some(seat) = self.seat else {
            return Vec::new();
        };
        let engine = self.engine;
        let latest = seat.queue().latest.borrow().clone();
        let payload = json!({ "job": self.job.name, "run": self.run, "outcome": outcome.word() });
        let waiting = latest.after(&self.job.name, outcome).into_iter();
        let follow = waiting.map(|(job, trigger)| Follow {
            event: Event {
                id: engine.clock.id(),
                job: job.name.clone(),
                kind: TriggerKind::After,
                dedupe_key: Some(format!("after:{}:{}:{trigger}", self.run.0, job.name)),
                payload: payload.clone(),
                at: engine.clock.now(),
            },
            job_hash: job.hash.clone(),
            version: seat.queue().unkept(&latest, job),
            uuid: engine.clock.id(),
        });
        follow.collect()
    }

    /// The texts of all deliveries; what renders empty is not sent, and the run says so.
    fn messages(&mut self) -> (Outcome, Vec<NewDelivery>) {
        let mut messages = Vec::new();
        let context = (&self.roots).into();
        for (index, delivery) in self.job.deliveries.iter().enumerate() {
            let prepared = delivery::prepare(delivery, &self.templates, &context);
            match prepared {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => {
                    let position = self.job.steps.len() + index;
                    let record = StepRecord {
                        position: u32::try_from(position).unwrap_or(u32::MAX),
                        id: format!("deliver{}", index + 1),
                        kind: delivery.kind.word().to_owned(),
                        attempt: 1,
                        end: StepEnd::Skipped.word(),
                        result: None,
                        error: None,
                        detail: Some(
                            json!({ "why": "it rendered empty, or its `when` was false" }),
                        ),
                        started_at: self.engine.clock.now(),
                        took: Duration::ZERO,
                        moved: Vec::new(),
                    };
                    self.update.steps.push(record);
                }
                Err(error) => {
                    let reason = format!("delivery to {}: {error}", delivery.kind.word());
                    return (Outcome::Failed(reason), Vec::new());
                }
            }
        }
        if messages.is_empty() && !self.job.deliveries.is_empty() {
            let why = "every delivery rendered empty".to_owned();
            return (Outcome::NothingToSay(why), messages);
        }
        (Outcome::Ok, messages)
    }
}

impl Engine {
    /// Sends a message of the outbox and writes down what became of it; gives the reason where it was not sent.
    pub(super) async fn send(
        &self,
        id: DeliveryId,
        message: &NewDelivery,
        print: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Option<String>, EngineError> {
        match delivery::send(message, &self.state, print).await {
            Ok(receipt) => {
                self.store.delivered(id, receipt).await?;
                Ok(None)
            }
            Err(mut reason) => {
                self.loaded.secrets.scrub(&mut reason);
                self.store.delivery_failed(id, &reason).await?;
                Ok(Some(format!("{}: {reason}", message.kind)))
            }
        }
    }
}

fn show(observer: &mut Observer<'_>, message: &NewDelivery) {
    let text = &message.body;
    observer(Progress::Message(Message {
        text,
        meant_for: &message.kind,
    }));
}
