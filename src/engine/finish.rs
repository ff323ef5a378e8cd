//! The end of a run: its messages, its outcome, and both out of the house.

use std::time::Duration;

use serde_json::json;

use super::runner::{Deliver, Finished, UnderWay};
use super::{Engine, EngineError, Message, Observer, Progress};
use crate::delivery;
use crate::job::{DeliveryId, NewDelivery, Outcome, RunState, StepEnd, StepRecord};

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
        if good && deliver == Deliver::Send {
            self.update.cursors.append(&mut self.moved);
            self.update.deliveries = messages.clone();
        }
        self.update.state = Some(RunState::Finished(outcome.clone()));
        let ids = self.commit().await?;
        let mut unsent = Vec::new();
        match deliver {
            Deliver::Hold => messages.iter().for_each(|message| show(observer, message)),
            Deliver::Send => {
                for (id, message) in ids.into_iter().zip(&messages) {
                    let mut print = |text: &str| {
                        observer(Progress::Message(Message {
                            text,
                            meant_for: &message.kind,
                        }));
                    };
                    unsent.extend(self.engine.send(id, message, &mut print).await?);
                }
            }
        }
        observer(Progress::Finished(&outcome));
        Ok(Finished {
            run: self.run,
            outcome,
            unsent,
        })
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
