//! What becomes of one message: who may write, what it is for.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::pairing::{Guess, Pairing};
use super::{Chats, Reader};
use crate::engine::{Loaded, Taken, conversation};
use crate::job::{Event, NewDelivery, TriggerKind};
use crate::journal::{self, Level};
use crate::telegram::intent::{Asked, Intents, Why, because, command};
use crate::telegram::own::is_own;
use crate::telegram::{Chat, Message, Person};
use crate::template::Locale;
use crate::trigger::Kind;

/// So many messages of one person are taken in so long.
const RATE: (usize, TimeDelta) = (20, TimeDelta::minutes(1));

/// Who may write, and what for; clones count the same.
#[derive(Clone)]
pub(super) struct Inbox {
    pub(super) loaded: Arc<Loaded>,
    intents: Arc<Intents>,
    /// When the last messages of each person were sent.
    recent: Arc<Mutex<HashMap<i64, VecDeque<DateTime<Utc>>>>>,
    strangers: Arc<AtomicU64>,
}

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Owner,
    User,
    Stranger,
}

impl Inbox {
    pub(super) fn new(chats: &Chats) -> Self {
        Inbox {
            loaded: chats.intake.loaded(),
            intents: Arc::default(),
            recent: Arc::default(),
            strangers: Arc::default(),
        }
    }

    pub(super) fn reload(&mut self, loaded: &Arc<Loaded>, intents: Intents) {
        (self.loaded, self.intents) = (Arc::clone(loaded), Arc::new(intents));
    }

    /// Deals with a message; all that it brings is on the disk when it returns.
    pub(super) async fn take(&self, chats: &Chats, message: Message, reader: &Reader) {
        let Some(from) = message.from.clone() else {
            return;
        };
        if self.pairs(chats, &message, &from).await {
            return;
        }
        match self.who(chats, &message.chat, &from) {
            Who::Stranger => self.count_stranger(),
            _ if self.is_too_much(&message, &from) => {
                self.notice_rate(chats, &message, &from).await;
            }
            who => self.known(chats, message, who, reader).await,
        }
    }

    pub(super) fn who(&self, chats: &Chats, chat: &Chat, from: &Person) -> Who {
        let Some(settings) = &self.loaded.settings.telegram else {
            return Who::Stranger;
        };
        let owner = settings.owner.or(chats.intake.outbox().owner());
        let who = match from.id {
            id if Some(id) == owner => Who::Owner,
            id if settings.users.contains(&id) => Who::User,
            _ => return Who::Stranger,
        };
        // In a group both count.
        let here = chat.private || settings.chats.contains(&chat.id);
        if here { who } else { Who::Stranger }
    }

    /// The code that somebody waits for, whoever says it; whether it was one that was waited for.
    async fn pairs(&self, chats: &Chats, message: &Message, from: &Person) -> bool {
        let Some(("pair", code)) = command(&message.text) else {
            return false;
        };
        if !message.chat.private || message.forwarded {
            return false;
        }
        // Whom the configuration names is the owner, whoever has a code.
        let settings = self.loaded.settings.telegram.as_ref();
        let named = settings.and_then(|settings| settings.owner);
        if named.is_some_and(|named| named != from.id) {
            return false;
        }
        match Pairing::guess(&chats.store, code, from.id, chats.clock.now()).await {
            Ok(Guess::Right) => {
                chats.intake.outbox().set_owner(Some(from.id));
                let hello = self.words(
                    "You are the owner of this Reveille now. /help says what I understand.",
                    "Ahora este Reveille es suyo. /help dice lo que entiendo.",
                );
                self.answer(chats, message, hello.to_owned()).await;
                true
            }
            Ok(Guess::Wrong) => {
                let said = format!("user {} said a wrong pairing code", from.id);
                journal::say(Level::Warning, said);
                true
            }
            Ok(Guess::NotAsked) => false,
            Err(error) => {
                journal::say(Level::Error, error);
                false
            }
        }
    }

    /// Dropped unread, and only counted.
    pub(super) fn count_stranger(&self) {
        let strangers = self.strangers.fetch_add(1, Ordering::Relaxed) + 1;
        if strangers.is_power_of_two() {
            let said = format!("{strangers} messages of strangers were dropped so far");
            journal::say(Level::Info, said);
        }
    }

    /// Counted by when they were sent: a backlog is no flood.
    fn is_too_much(&self, message: &Message, from: &Person) -> bool {
        let (most, window) = RATE;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let times = recent.entry(from.id).or_default();
        times.retain(|at| message.at - *at < window);
        times.push_back(message.at);
        times.len() > most
    }

    async fn notice_rate(&self, chats: &Chats, message: &Message, from: &Person) {
        let first = {
            let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent
                .get(&from.id)
                .is_some_and(|times| times.len() == RATE.0 + 1)
        };
        if first {
            let slower = self.words(
                "That is more than I can take: 20 messages a minute. I pass over the next ones.",
                "Es más de lo que puedo atender: 20 mensajes por minuto. Los siguientes los paso por alto.",
            );
            self.answer(chats, message, slower.to_owned()).await;
        }
    }

    async fn known(&self, chats: &Chats, mut message: Message, who: Who, reader: &Reader) {
        let typed = |text: &str| {
            command(text).map(|(name, rest)| (name.to_ascii_lowercase(), rest.to_owned()))
        };
        let mut typed = typed(&message.text);
        if let Some((route, rest)) = &typed
            && who == Who::Owner
            && !message.forwarded
            && self.is_route(route, rest)
        {
            message.route = Some(route.clone());
            message.text.clone_from(rest);
            typed = None;
        }
        if typed.is_some() && message.forwarded {
            let no = self.words(
                "A command that is passed on is not carried out.",
                "Una orden reenviada no se ejecuta.",
            );
            return self.answer(chats, &message, no.to_owned()).await;
        }
        if message.text.is_empty() && message.file.is_none() {
            let no = self.words(
                "I understand texts and files.",
                "Entiendo textos y archivos.",
            );
            return self.answer(chats, &message, no.to_owned()).await;
        }
        if !self.is_for_us(&message.text, reader).await {
            return;
        }
        let asked = Asked {
            text: &message.text,
            file: message.file.is_some(),
        };
        let claims = self.intents.of(asked);
        let claimed = claims.first();
        // A job's own command comes before ours.
        let by_command = claimed.is_some_and(|found| matches!(found.why, Why::Command(_)));
        if let Some((name, rest)) = &typed
            && !by_command
            && self.own(chats, &message, who, (name, rest), reader).await
        {
            return;
        }
        if let Some((name, _)) = typed.as_ref().filter(|_| !by_command) {
            let (english, spanish) = match is_own(name) {
                true => ("is the owner's command", "es una orden del dueño"),
                false => (
                    "is no command: /help lists them",
                    "no es una orden: /help las enumera",
                ),
            };
            let no = format!("/{name} {}", self.words(english, spanish));
            return self.answer(chats, &message, no).await;
        }
        if claimed.is_some_and(|found| !self.may(who, &message, &found.job)) {
            let no = self.words("That is not for you.", "Eso no le corresponde.");
            return self.answer(chats, &message, no.to_owned()).await;
        }
        let Some(found) = claimed else {
            let sorry = self.words(
                "No job takes this message. /jobs lists them, /help says what I understand.",
                "Ninguna tarea recoge este mensaje. /jobs las enumera, /help dice lo que entiendo.",
            );
            return self.answer(chats, &message, sorry.to_owned()).await;
        };
        if self.is_too_old(&found.job, &found.trigger, &message, chats.clock.now()) {
            return journal::say(
                Level::Info,
                format!("a message for `{}` was older than its `max_age`", found.job),
            );
        }
        message.because = because(&claims);
        self.start(chats, &message, &found.job, &found.args, reader)
            .await;
    }

    /// Whether `/NAME words` says by which route the words are to be answered: a job's command and ours come before it.
    fn is_route(&self, name: &str, rest: &str) -> bool {
        let asked = Asked {
            text: &format!("/{name}"),
            file: false,
        };
        let is_free = || {
            let found = self.intents.of(asked);
            let why = found.first().map(|found| &found.why);
            !matches!(why, Some(Why::Command(_))) && !is_own(name)
        };
        !rest.is_empty() && self.loaded.settings.routes.contains_key(name) && is_free()
    }

    /// Whether a command is not another bot's, in a chat with several.
    async fn is_for_us(&self, text: &str, reader: &Reader) -> bool {
        let first = text.split_whitespace().next().unwrap_or_default();
        let Some((_, bot)) = first
            .strip_prefix('/')
            .and_then(|first| first.split_once('@'))
        else {
            return true;
        };
        match reader.bot.name().await {
            Ok(name) => name.eq_ignore_ascii_case(bot),
            // Rather twice than never.
            Err(_) => true,
        }
    }

    /// Whether this person may start the job.
    pub(super) fn may(&self, who: Who, message: &Message, job: &str) -> bool {
        who == Who::Owner
            || message
                .from
                .as_ref()
                .is_some_and(|from| self.has(from.id, job))
    }

    /// Whether the job is not kept from this user.
    pub(super) fn has(&self, user: i64, job: &str) -> bool {
        let settings = self.loaded.settings.telegram.as_ref();
        let limited = settings.and_then(|settings| settings.jobs.get(&user));
        limited.is_none_or(|jobs| jobs.iter().any(|name| name.value == job))
    }

    fn is_too_old(&self, job: &str, trigger: &str, message: &Message, now: DateTime<Utc>) -> bool {
        let job = self.loaded.jobs.get(job);
        let trigger = job.and_then(|job| job.triggers.iter().find(|known| known.id == trigger));
        let max_age = trigger.and_then(|trigger| match &trigger.kind {
            Kind::Telegram(telegram) => telegram.max_age,
            _ => None,
        });
        let max_age = max_age.and_then(|age| TimeDelta::from_std(age).ok());
        max_age.is_some_and(|age| now - message.at > age)
    }

    /// Brings a message to a job.
    pub(super) async fn start(
        &self,
        chats: &Chats,
        message: &Message,
        job: &str,
        args: &Value,
        reader: &Reader,
    ) {
        let mut payload = message.payload(args, self.loaded.settings.timezone);
        if let Some(file) = &message.file {
            match chats.keep(reader, message.update, file).await {
                Ok(kept) => payload["file"] = kept,
                Err(why) => {
                    let sorry = self.words(
                        "The file could not be taken",
                        "No se pudo recoger el archivo",
                    );
                    return self.answer(chats, message, format!("{sorry}: {why}")).await;
                }
            }
        }
        let now = chats.clock.now();
        let named = self.loaded.settings.telegram.as_ref();
        let owner = named.and_then(|settings| settings.owner);
        let owner = owner.or(chats.intake.outbox().owner());
        let chat = (message.chat.id, owner);
        let settings = &self.loaded.settings;
        let known = self.loaded.jobs.get(job);
        let home = known.is_some_and(|job| conversation::stays_at_home(job, settings));
        let said = (message.text.as_str(), home);
        let said = conversation::said(&chats.store, chat, said, now).await;
        let cursors = match said {
            Ok((before, moved)) => {
                payload["conversation"] = before;
                vec![moved]
            }
            Err(error) => {
                journal::say(Level::Warning, error);
                Vec::new()
            }
        };
        let event = Event {
            id: chats.clock.id(),
            job: job.to_owned(),
            kind: TriggerKind::Telegram,
            dedupe_key: Some(format!(
                "telegram:{}:{}:{job}",
                reader.number, message.update
            )),
            payload,
            at: message.at,
        };
        let taken = Taken {
            event,
            slot: None,
            cursors,
        };
        if let Err(error) = chats.intake.bring(&taken).await {
            journal::say(
                Level::Error,
                format!("a message was not brought to `{job}`: {error}"),
            );
        }
    }

    /// The language of the program's own words.
    pub(super) fn language(&self) -> Locale {
        self.loaded.settings.language
    }

    pub(super) fn words(&self, english: &'static str, spanish: &'static str) -> &'static str {
        match self.language() {
            Locale::En => english,
            Locale::Es => spanish,
        }
    }

    /// Puts an answer of the program itself into the outbox.
    pub(super) async fn answer(&self, chats: &Chats, message: &Message, text: String) {
        let chat = message.chat.id;
        let answer = NewDelivery::usual(
            "telegram",
            &chat.to_string(),
            json!({ "chat": chat }),
            &text,
        );
        if let Err(error) = chats.intake.outbox().say(vec![answer]).await {
            journal::say(
                Level::Error,
                format!("an answer was not written down: {error}"),
            );
        }
    }
}
