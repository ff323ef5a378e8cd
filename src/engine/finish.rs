//! The end of a run: its messages, its outcome, and both out of the house.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::following::Ended;
use super::outbox::{Row, judge};
use super::queue::Seat;
use super::run::{Deliver, Finished};
use super::runner::UnderWay;
use super::{Engine, EngineError, Message, Observer, Progress, chats};
use crate::delivery::{self, By, Channels, Said, Sending, Sent};
use crate::job::{NewDelivery, Outcome, RunState, StepEnd, StepRecord};
use crate::step::remind;
use crate::store::Settled;

impl UnderWay<'_> {
    pub(super) async fn finish(
        mut self,
        outcome: Outcome,
        observer: &mut Observer<'_>,
    ) -> Result<Finished, EngineError> {
        let deliver = self.deliver;
        let (outcome, mut messages) = match outcome {
            Outcome::Ok => self.messages(),
            other => (other, Vec::new()),
        };
        let outcome = self.engine.loaded.secrets.scrub_outcome(outcome);
        let language = self.engine.loaded.settings.language;
        let draft = self.draft.take();
        let draft = draft.and_then(|draft| draft.settle(self.run, language, &mut messages));
        let sorry = match deliver {
            Deliver::Hold => None,
            _ => self.sorry(&outcome)?,
        };
        let owner_hears = sorry.as_ref().is_some_and(|sorry| sorry.owner_hears);
        messages.extend(sorry.map(|sorry| sorry.message));
        for message in &mut messages {
            self.engine.loaded.secrets.scrub_message(message);
        }
        let good = matches!(outcome, Outcome::Ok | Outcome::NothingToSay(_));
        if good && deliver != Deliver::Hold {
            self.update.cursors.append(&mut self.moved);
            let answered = self.answered(&messages).await?;
            self.update.cursors.extend(answered);
        }
        if deliver != Deliver::Hold {
            // Without a good end that is at most a word about it, where somebody asked.
            self.update.deliveries.clone_from(&messages);
        }
        self.update.cursors.extend(draft);
        self.update.state = Some(RunState::Finished(outcome.clone()));
        for step in &mut self.update.steps {
            step.moved.clear();
        }
        let ended = Ended {
            run: self.run,
            job: &self.job.name,
            kind: self.kind,
            outcome: &outcome,
        };
        let mut following = self.engine.following(self.seat.map(Seat::queue), ended);
        if deliver == Deliver::Hold || owner_hears {
            following = following.unheard();
        }
        following.add_to(&mut self.update);
        let mut cursors = self.update.cursors.iter();
        let reminds = cursors.any(|(key, _)| key.owner == remind::OWNER);
        let mut recorded = self.commit().await?;
        if let Some(seat) = self.seat.filter(|_| reminds) {
            seat.queue().reminded.notify_one();
        }
        following.committed(&mut recorded);
        let mut finished = Finished {
            run: self.run,
            outcome,
            unsent: Vec::new(),
            kept: Vec::new(),
            left: Vec::new(),
        };
        let ids = recorded.deliveries.into_iter();
        let settings = &self.engine.loaded.settings;
        match deliver {
            Deliver::Hold => messages.iter().for_each(|message| show(observer, message)),
            Deliver::Leave => {
                finished.left = ids.zip(messages).collect();
            }
            Deliver::Attend | Deliver::Send => {
                for (id, message) in ids.zip(&messages) {
                    if deliver == Deliver::Attend && !delivery::is_for_terminal(message, settings) {
                        finished.left.push((id, message.clone()));
                        continue;
                    }
                    let mut print = |text: &str| {
                        observer(Progress::Message(Message {
                            text,
                            meant_for: &message.kind,
                        }));
                    };
                    let row = Row::new(id, message.clone(), self.engine.clock.now());
                    // On the heap: a daemon's runs come here rarely, and each would hold room for it.
                    match Box::pin(self.engine.send(row, &mut print)).await? {
                        Out::Sent => {}
                        Out::Kept(_) if deliver == Deliver::Attend => {
                            finished.left.push((id, message.clone()));
                        }
                        Out::Kept(until) => finished.kept.push(until),
                        Out::Waits(why) | Out::Unsent(why) => finished.unsent.push(why),
                    }
                }
            }
        }
        observer(Progress::Finished(&finished.outcome));
        Ok(finished)
    }

    /// The texts of all deliveries; what renders empty is not sent, and the run says so.
    fn messages(&mut self) -> (Outcome, Vec<NewDelivery>) {
        let mut messages = Vec::new();
        let making = self.engine.making(
            self.job,
            &self.templates,
            &self.roots,
            self.worded.as_deref(),
        );
        for (index, delivery) in self.job.deliveries.iter().enumerate() {
            let prepared = delivery::prepare(&making, index);
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

/// What became of a message of a run by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Out {
    /// It is settled, and well.
    Sent,
    /// It stays in the outbox until its time has come.
    Kept(String),
    /// It was not sent, for this reason, and is tried again.
    Waits(String),
    /// It was not sent, for this reason.
    Unsent(String),
}

impl Engine {
    /// Sends a message of the outbox and writes down what became of it.
    pub(super) async fn send(
        &self,
        mut row: Row,
        print: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Out, EngineError> {
        let now = self.clock.now();
        let kind = row.message.kind.clone();
        let due = row.ready_at(now);
        if due > now || row.message.policy.digest.is_some() {
            let due = due.with_timezone(&self.loaded.settings.timezone);
            let due = due.format("%a %d %b %Y %H:%M");
            return Ok(Out::Kept(format!("{kind}: {due}")));
        }
        let settled = loop {
            let settled = match row.expired(self.clock.now()) {
                Some(expired) => expired,
                None => {
                    if row.is_marked() {
                        self.store.sending(row.id).await?;
                    }
                    let sent = self.send_once(&row, print).await;
                    judge(&row, sent, self.clock.now())
                }
            };
            self.store.settle(row.id, settled.clone()).await?;
            match settled {
                Settled::Part(progress) => row = row.after(progress),
                settled => break settled,
            }
        };
        Ok(match settled {
            Settled::Sent(_) | Settled::Part(_) => Out::Sent,
            Settled::Failed(reason) => Out::Unsent(format!("{kind}: {reason}")),
            Settled::Parked(reason) => {
                Out::Unsent(format!("{kind}: {reason}; see `reveille outbox`"))
            }
            Settled::Again(_, reason) | Settled::Perhaps(_, reason) => Out::Waits(format!(
                "{kind}: {reason}; it stays in the outbox for the daemon or a later run"
            )),
        })
    }

    async fn send_once(&self, row: &Row, print: &mut (dyn FnMut(&str) + Send)) -> Sent {
        let channels = Channels::new(self.state.clone(), Arc::clone(&self.clock));
        if row.message.kind == "telegram" {
            channels
                .telegram
                .set_owner(chats::owner(&self.store).ok().flatten());
        }
        let sending = Sending {
            channels: &channels,
            settings: &self.loaded.settings,
            secrets: &self.loaded.secrets,
            store: &self.store,
            by: By::Hand,
        };
        let mut say = |said: Said<'_>| match said {
            Said::Console { text, .. } | Said::Journal { text, .. } | Said::Instead { text } => {
                print(text);
            }
        };
        delivery::turn(&row.message, sending).await;
        let mut sent =
            delivery::send((row.id, &row.progress), &row.message, sending, &mut say).await;
        if let Sent::Again { reason, .. } | Sent::Unknown(reason) | Sent::Refused(reason) =
            &mut sent
        {
            self.loaded.secrets.scrub(reason);
        }
        sent
    }
}

fn show(observer: &mut Observer<'_>, message: &NewDelivery) {
    let text = &message.body;
    observer(Progress::Message(Message {
        text,
        meant_for: &message.kind,
    }));
}
