//! A message that grows in a chat while a model writes: typing at once, then one message that is changed as the text grows.
//!
//! What it shows meanwhile is a sight, as exact as the model is; the message that the run's outcome commits takes its place. Its
//! number is written down as soon as it has one, so that another life goes on with it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::runner::UnderWay;
use super::{Deliver, Engine, EngineError, Outbox};
use crate::config::Job;
use crate::delivery::{self, Kind, Making, TelegramTarget};
use crate::job::{CursorKey, Moved, NewDelivery, RunId};
use crate::step::Step;
use crate::telegram::{self, Bot, Failure, LONGEST, Outgoing, render, split};
use crate::template::{Locale, Roots, Templates};

/// How long Telegram shows that somebody types, less a little. Bot API, `sendChatAction`: 5 seconds or less.
const TYPING: Duration = Duration::from_millis(4500);

/// A message that grows.
pub(super) struct Draft {
    /// Which delivery of the job it will be.
    index: usize,
    target: TelegramTarget,
    chat: i64,
    bot: Bot,
    outbox: Outbox,
    /// Its number, once it has one.
    number: Option<i64>,
    /// What it shows.
    shown: String,
    /// Telegram did not take it: the message comes whole, at the end.
    broken: bool,
}

/// Where the number of a run's draft is remembered.
fn key(run: RunId) -> CursorKey {
    CursorKey {
        owner: "telegram".to_owned(),
        step: "draft".to_owned(),
        name: run.0.to_string(),
    }
}

impl Draft {
    /// Whether the job has a delivery that grows.
    pub(super) fn is_wanted(job: &Job) -> bool {
        let mut deliveries = job.deliveries.iter();
        deliveries.any(|delivery| matches!(&delivery.kind, Kind::Telegram(chat) if chat.stream))
    }

    /// The first delivery of the job that grows, if it goes to a chat that can be reached; says there that something is written.
    pub(super) async fn begin(run: &UnderWay<'_>) -> Result<Option<Self>, EngineError> {
        let Some(seat) = run.seat.filter(|_| run.deliver != Deliver::Hold) else {
            return Ok(None);
        };
        let outbox = seat.queue().outbox.clone();
        let making = run.engine.making(run.job, &run.templates, &run.roots, None);
        let mut indices = 0..run.job.deliveries.len();
        let found = indices.find_map(|index| Some((index, delivery::streams(&making, index)?)));
        let loaded = &run.engine.loaded;
        let (Some((index, target)), Some(settings)) = (found, &loaded.settings.telegram) else {
            return Ok(None);
        };
        let bot = loaded.secrets.get(&settings.token);
        let bot = bot.and_then(|token| outbox.bot(&token, settings.api_url.as_deref()));
        let chat = target.chat.or(settings.owner).or(outbox.owner());
        let (Ok(bot), Some(chat)) = (bot, chat) else {
            return Ok(None);
        };
        let remembered = key(run.run);
        let known: Option<Value> = run
            .engine
            .store
            .read(move |store| store.cursor(&remembered))
            .await?;
        let known = known.filter(|known| known["chat"] == chat);
        let typing = bot.clone();
        tokio::spawn(async move { typing.types(chat).await });
        Ok(Some(Draft {
            index,
            target,
            chat,
            bot,
            outbox,
            number: known.and_then(|known| known["message"].as_i64()),
            shown: String::new(),
            broken: false,
        }))
    }

    /// Shows what `step` has said so far, until it says no more.
    pub(super) async fn follow(
        &mut self,
        run: &UnderWay<'_>,
        step: &Step,
        grown: &mut watch::Receiver<String>,
    ) -> Result<(), EngineError> {
        let clock = run.engine.clock.as_ref();
        while !self.broken {
            let silent = self.number.is_none();
            tokio::select! {
                changed = grown.changed() => if changed.is_err() {
                    return Ok(());
                },
                () = clock.sleep(TYPING), if silent => {
                    self.broken = self.bot.types(self.chat).await.is_err();
                    continue;
                }
            }
            if self.says(run, step, &grown.borrow()).is_none() {
                continue;
            }
            tokio::select! {
                () = self.outbox.turn(self.chat) => {}
                () = ended(grown.clone()) => return Ok(()),
            }
            let text = self.says(run, step, &grown.borrow_and_update());
            if let Some(text) = text.filter(|text| *text != self.shown) {
                self.show(run, text).await?;
            }
        }
        Ok(())
    }

    /// The message as it would be if this were all.
    fn says(&self, run: &UnderWay<'_>, step: &Step, said: &str) -> Option<String> {
        let said = said.trim();
        let mut roots = run.roots.clone();
        roots.insert(step.id.clone(), Value::from(said));
        let making = run.engine.making(run.job, &run.templates, &roots, None);
        let made = delivery::prepare(&making, self.index).ok().flatten()?;
        let mut body = made.body;
        run.engine.loaded.secrets.scrub(&mut body);
        (!said.is_empty()).then_some(body)
    }

    async fn show(&mut self, run: &UnderWay<'_>, text: String) -> Result<(), EngineError> {
        let chunks = split(&render(&text), LONGEST - telegram::REPEAT_LONGEST);
        let Some(chunk) = chunks.into_iter().next() else {
            return Ok(());
        };
        let mut message = Outgoing {
            chat: self.chat,
            thread: self.target.thread,
            chunk,
            silent: self.target.silent,
            reply_to: self.target.reply_to,
            edits: self.number,
            ..Outgoing::default()
        };
        match telegram::send(&self.bot, &mut message).await {
            Ok(number) => {
                self.shown = text;
                if self.number.replace(number) != Some(number) {
                    let place = json!({ "chat": self.chat, "message": number });
                    run.engine
                        .store
                        .remember(vec![(key(run.run), Some(place))])
                        .await?;
                }
            }
            Err(Failure::Flood(wait)) => self.outbox.hold(self.chat, wait),
            Err(_) => self.broken = true,
        }
        Ok(())
    }

    /// Its place is the delivery's from now on; a run that says nothing in it says so there.
    pub(super) fn settle(
        &self,
        run: RunId,
        language: Locale,
        messages: &mut Vec<NewDelivery>,
    ) -> Option<Moved> {
        let number = self.number?;
        let place = self.target.place();
        let mine = messages.iter_mut().find(|message| {
            let target = TelegramTarget::of(message);
            target.is_some_and(|target| target.streams && target.place() == place)
        });
        match mine {
            Some(message) => message.target["edits"] = number.into(),
            None => {
                let end = match language {
                    Locale::En => "_(it stopped here)_",
                    Locale::Es => "_(aquí se detuvo)_",
                };
                let target = TelegramTarget {
                    chat: Some(self.chat),
                    edits: Some(number),
                    ..TelegramTarget::default()
                };
                messages.push(target.says(format!("{}\n\n{end}", self.shown)));
            }
        }
        Some((key(run), None))
    }
}

/// Completes when nothing more is said.
async fn ended(mut grown: watch::Receiver<String>) {
    while grown.changed().await.is_ok() {}
}

impl Engine {
    /// What the messages of `job` are made of.
    pub(super) fn making<'m>(
        &'m self,
        job: &'m Job,
        templates: &'m Templates,
        roots: &'m Roots,
        worded: Option<&'m str>,
    ) -> Making<'m> {
        Making {
            job,
            settings: &self.loaded.settings,
            now: self.clock.now(),
            templates,
            roots,
            worded,
        }
    }
}
