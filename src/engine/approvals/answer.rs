//! What becomes of an answer.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, NO, Question, Word, YES, questions, those};
use crate::config::Settings;
use crate::delivery::TelegramTarget;
use crate::engine::work::{Row, Work};
use crate::engine::{Deliver, Engine, EngineError, Intake, adopt};
use crate::job::{NewDelivery, RunState, StepEnd, StepRecord};
use crate::journal::{self, Level};
use crate::store::{Reader, RunUpdate, Told, Which};
use crate::template::Locale;

/// What an answer makes of the question: the step's result, and what its messages say from now on.
fn settled(
    question: &Question,
    word: Word,
    by: &str,
    settings: &Settings,
    now: DateTime<Utc>,
) -> RunUpdate {
    let at = now.with_timezone(&settings.timezone).format("%H:%M");
    let (mark, why) = match (settings.language, word) {
        (Locale::En, Word::Yes) => ("✅", format!("approved by {by}, {at}")),
        (Locale::En, Word::No) => ("❌", format!("denied by {by}, {at}")),
        (Locale::En, Word::Late) => ("⌛", "nobody answered in time".to_owned()),
        (Locale::Es, Word::Yes) => ("✅", format!("aprobado por {by}, {at}")),
        (Locale::Es, Word::No) => ("❌", format!("denegado por {by}, {at}")),
        (Locale::Es, Word::Late) => ("⌛", "nadie respondió a tiempo".to_owned()),
    };
    let took = (now - question.step.started_at).to_std();
    let step = StepRecord {
        end: StepEnd::Done(Value::Null).word(),
        result: Some(json!({ "approved": word == Word::Yes, "by": by, "why": why })),
        took: took.unwrap_or_default(),
        ..question.step.clone()
    };
    RunUpdate {
        state: Some(RunState::Queued),
        steps: vec![step],
        deliveries: shown(question, &format!("{mark} {why}")),
        ..RunUpdate::of(question.row.run)
    }
}

/// What the messages that asked say from now on, without their buttons.
fn shown(question: &Question, end: &str) -> Vec<NewDelivery> {
    let shown = question.messages.iter().map(|delivery| {
        let target = TelegramTarget {
            // It may be on its way still.
            ends: Some(delivery.id),
            ..TelegramTarget::default()
        };
        let body = &delivery.message.body;
        let words = body
            .rsplit_once("\n\n")
            .map_or(body.as_str(), |(words, _)| words);
        let mut edit = target.says(format!("{words}\n\n{end}"));
        // Behind the message that it changes.
        edit.lane.clone_from(&delivery.message.lane);
        edit
    });
    shown.collect()
}

impl Engine {
    /// Writes down an answer: the run is queued, and the messages that asked are to say so. `None` when the question is none any
    /// more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn answer(
        &self,
        question: &Question,
        word: Word,
        by: &str,
    ) -> Result<Option<Told>, EngineError> {
        let now = self.clock.now();
        let mut update = settled(question, word, by, &self.loaded.settings, now);
        self.loaded.secrets.scrub_update(&mut update);
        let recorded = match self.store.record(update.clone()).await {
            Ok(recorded) => recorded,
            Err(
                EngineError::StepRecorded { .. }
                | EngineError::AlreadyFinished(_)
                | EngineError::UnknownRun(_),
            ) => return Ok(None),
            Err(error) => return Err(error),
        };
        // What did not go out yet need not.
        for delivery in &question.messages {
            let _ = self.store.drop_deliveries(Which::One(delivery.id)).await;
        }
        Ok(Some(
            recorded
                .deliveries
                .into_iter()
                .zip(update.deliveries)
                .collect(),
        ))
    }
}

impl Intake {
    /// Answers a question; the run goes on.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn answer(
        &self,
        question: &Question,
        word: Word,
        by: &str,
    ) -> Result<Answer, EngineError> {
        let queue = &self.queue;
        let engine = Engine {
            loaded: self.loaded(),
            ..queue.engine.clone()
        };
        let late = engine.clock.now() >= question.asked.until;
        let word = if late { Word::Late } else { word };
        let Some(told) = engine
            .patiently(|| engine.answer(question, word, by))
            .await?
        else {
            return Ok(Answer::Gone);
        };
        queue.outbox.offer(told);
        let row = &question.row;
        let (deliver, follower) = match queue.follower(row.run) {
            Some((deliver, follower)) => (deliver, Some(follower)),
            None => (Deliver::Leave, None),
        };
        match adopt::job(&engine, row).await? {
            Some(job) => queue.push_again(Work {
                run: row.run,
                job,
                loaded: Arc::clone(&engine.loaded),
                kind: row.trigger,
                row: Row::Kept(None),
                deliver,
                follower,
            }),
            None => adopt::skip(queue, row).await?,
        }
        Ok(match word {
            Word::Late => Answer::Late,
            word => Answer::Taken(word),
        })
    }

    /// Stops a run that waits for a word, and says so where it was asked for.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(in crate::engine) async fn withdraw(&self, question: Question) -> Result<(), EngineError> {
        self.queue.engine.cancel(question.row.run).await?;
        let end = match self.loaded().settings.language {
            Locale::En => "⏹ the run was stopped",
            Locale::Es => "⏹ la ejecución se detuvo",
        };
        let mut messages = shown(&question, end);
        let told = |guest: TelegramTarget| guest.says(format!("`{}`: {end}", question.row.job));
        messages.extend(question.guest.clone().map(told));
        self.queue.outbox.say(messages).await
    }

    /// Answers the question that this button is of; what is refused is said in the journal.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn press(
        &self,
        data: &str,
        (user, name): (i64, &str),
    ) -> Result<Option<Answer>, EngineError> {
        let word = match data.chars().next() {
            Some(YES) => Word::Yes,
            Some(NO) => Word::No,
            _ => return Ok(None),
        };
        let token = data[1..].to_owned();
        let read = move |reader: &Reader<'_>| those(reader, |known| known == token);
        let asked = self.queue.engine.store.read(read).await?;
        let question = asked.first();
        let answer = match question {
            Some(question) if !question.is_sound() => Answer::Gone,
            Some(question) if question.asked.of.is_some_and(|of| of != user) => Answer::NotYours,
            Some(question) => {
                let by = if name.is_empty() { "?" } else { name };
                self.answer(question, word, by).await?
            }
            None => Answer::Gone,
        };
        let run = question.map_or_else(String::new, |question| {
            format!(" for run {}", question.row.run)
        });
        match answer {
            Answer::Taken(_) => {}
            Answer::Late => {
                journal::say(Level::Info, format!("user {user} answered too late{run}"))
            }
            Answer::Gone => {
                let said = format!(
                    "user {user} pressed a button whose question is answered or was never asked"
                );
                journal::say(Level::Warning, said);
            }
            Answer::NotYours => {
                let said = format!("user {user} pressed a button{run} that is somebody else's");
                journal::say(Level::Warning, said);
            }
        }
        Ok(Some(answer))
    }
}

/// However far away the end of a question is, the clock on the wall is looked at so often.
const LOOK: Duration = Duration::from_secs(60);

/// Ends questions that nobody answered in time; dropped, it ends.
pub(in crate::engine) async fn expire(intake: Intake) {
    let queue = Arc::clone(&intake.queue);
    let engine = &queue.engine;
    loop {
        let asked = engine.store.read(questions).await;
        let asked = asked.unwrap_or_else(|error| {
            journal::say(Level::Warning, error);
            Vec::new()
        });
        let now = engine.clock.now();
        // Nobody asks: nothing to look at until somebody does.
        let mut wait = (!asked.is_empty()).then_some(LOOK);
        for question in &asked {
            match (question.asked.until - now).to_std() {
                Ok(left) if !left.is_zero() => wait = wait.min(Some(left)),
                _ => {
                    if let Err(error) = intake.answer(question, Word::Late, "").await {
                        journal::say(Level::Error, error);
                    }
                }
            }
        }
        match wait {
            None => queue.asked.notified().await,
            Some(wait) => tokio::select! {
                () = queue.asked.notified() => {}
                () = engine.clock.sleep(wait) => {}
            },
        }
    }
}
