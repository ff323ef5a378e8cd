//! From a message of the outbox out of the house.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{console, email, file, journal, telegram, webhook};
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::secrets::Secrets;
use crate::job::{DeliveryId, NewDelivery};
use crate::journal::Level;
use crate::net::{Client, Limits, Policy, Secret};
use crate::store::Store;
use crate::telegram::{Bot, Post};

/// What every kind goes out by, shared by all messages: connections are kept for the next one.
#[derive(Debug)]
pub struct Channels {
    /// The state folder.
    pub(super) state: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    /// Its hosts are those that the owner typed, and it follows no redirect.
    pub(super) http: Client,
    /// The way out to chats.
    pub telegram: Post,
}

impl Channels {
    /// Nothing is built or connected yet.
    pub fn new(state: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let http = Client::new(Policy::typed(), Limits::default(), Arc::clone(&clock));
        let telegram = Post::new(Arc::clone(&clock));
        Channels {
            state,
            clock,
            http,
            telegram,
        }
    }

    /// The bot with this token.
    ///
    /// # Errors
    /// The address of its server is none.
    pub fn bot(&self, token: &Secret, server: Option<&str>) -> Result<Bot, String> {
        let bot = self.telegram.bot(token, server, &self.http);
        bot.map_err(|error| error.to_string())
    }
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A person, who reads what has no other way out.
    Hand,
    /// The daemon.
    Daemon,
}

/// What is sent with.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// Connections.
    pub channels: &'a Channels,
    /// The configuration of now.
    pub settings: &'a Settings,
    /// Where secrets are read.
    pub secrets: &'a Secrets,
    /// What was sent before.
    pub store: &'a Store,
    /// Who sends.
    pub by: By,
}

/// The terminal, or the log.
pub type Say<'a> = dyn FnMut(Said<'_>) + Send + 'a;

/// What goes to the program's own streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// A job's words.
    Console {
        /// The job.
        job: &'a str,
        /// The text.
        text: &'a str,
    },
    /// The program's words to its owner.
    Journal {
        /// How much they matter.
        level: Level,
        /// The text.
        text: &'a str,
    },
    /// A message whose channel is not configured.
    Instead {
        /// The text.
        text: &'a str,
    },
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// The other side has it; what it gave as proof.
    Delivered(Option<Value>),
    /// The other side has a part of it, and the rest follows at once; what is known so far.
    Part(Value),
    /// It has it not, and may take it later.
    Again {
        /// Why not.
        reason: String,
        /// When the other side wants to be asked again.
        after: Option<Duration>,
    },
    /// Bytes left, and no answer came: it may have it.
    Unknown(String),
    /// It will never take it.
    Refused(String),
}

impl Sent {
    /// Why it did not arrive.
    pub(super) fn reason(&mut self) -> Option<&mut String> {
        match self {
            Sent::Delivered(_) | Sent::Part(_) => None,
            Sent::Again { reason, .. } | Sent::Unknown(reason) | Sent::Refused(reason) => {
                Some(reason)
            }
        }
    }

    pub(super) fn later(reason: impl ToString) -> Self {
        Sent::Again {
            reason: reason.to_string(),
            after: None,
        }
    }
}

/// Where a message goes, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The terminal, or the daemon's log.
    Console(console::Target),
    /// A file.
    File(file::Target),
    /// A request.
    Webhook(webhook::Target),
    /// A letter.
    Email(email::Target),
    /// A chat.
    Telegram(telegram::Target),
    /// The log of the service.
    Journal(journal::Target),
}

impl Target {
    /// Reads the target of a message.
    ///
    /// # Errors
    /// One that another version wrote, in words for the owner.
    pub fn of(message: &NewDelivery) -> Result<Self, String> {
        fn read<T: DeserializeOwned>(message: &NewDelivery) -> Result<T, String> {
            T::deserialize(&message.target).map_err(|error| {
                format!("another version of the program wrote this message: {error}")
            })
        }
        match message.kind.as_str() {
            // An older version wrote no job to it.
            "console" if message.target.is_null() => {
                Ok(Target::Console(console::Target { job: String::new() }))
            }
            "console" => read(message).map(Target::Console),
            "file" => read(message).map(Target::File),
            "webhook" => read(message).map(Target::Webhook),
            "email" => read(message).map(Target::Email),
            "telegram" => read(message).map(Target::Telegram),
            "journal" => read(message).map(Target::Journal),
            other => Err(format!("this version cannot send to `{other}`")),
        }
    }
}

/// The least time from one message of a lane to the next.
pub fn spacing(kind: &str) -> Duration {
    match kind {
        // 30 letters a minute: more looks like a flood to the servers that people have.
        "email" => Duration::from_secs(2),
        _ => Duration::ZERO,
    }
}

/// Whether a message of this kind says so where it may be sent a second time.
pub fn tells_repeats(kind: &str) -> bool {
    kind == "telegram"
}

/// Waits until the other side wants a message of this kind, and counts it. Small, for hundreds may wait here; what follows is not.
pub async fn turn(message: &NewDelivery, sending: Sending<'_>) {
    let chat = match (&sending.settings.telegram, Target::of(message)) {
        (Some(settings), Ok(Target::Telegram(target))) => target.goes_to(settings, sending),
        _ => None,
    };
    if let Some(chat) = chat {
        sending.channels.telegram.turn(chat).await;
    }
}

/// Sends one message of the outbox, or the next part of it, once, whose [`turn`] it is. Beside its number is what is known of it.
pub async fn send(
    (id, progress): (DeliveryId, &Value),
    message: &NewDelivery,
    sending: Sending<'_>,
    say: &mut Say<'_>,
) -> Sent {
    let body = &message.body;
    let target = match Target::of(message) {
        Ok(target) => target,
        Err(why) => return Sent::Refused(why),
    };
    match target {
        Target::Console(target) => target.send(body, say),
        Target::Journal(target) => target.send(body, say),
        Target::File(target) => target.send(body, sending).await,
        Target::Webhook(target) => target.send(body, sending).await,
        Target::Email(target) => match &sending.settings.email {
            // On the heap: every other message would hold room for it.
            Some(settings) => Box::pin(target.send(id, body, settings, sending)).await,
            None => instead(
                message,
                "no [email] in config/reveille.toml",
                (sending.by, say),
            ),
        },
        Target::Telegram(target) => match &sending.settings.telegram {
            Some(settings) => Box::pin(target.send(body, progress, settings, sending)).await,
            None => instead(
                message,
                "no [telegram] in config/reveille.toml",
                (sending.by, say),
            ),
        },
    }
}

/// Where a message goes, for people: a path, an address, `owner`.
pub fn place(message: &NewDelivery) -> String {
    let target = Target::of(message);
    match target {
        Ok(Target::File(target)) => target.path,
        Ok(Target::Webhook(target)) => target.url.to_string(),
        Ok(Target::Email(target)) => target.to.join(", "),
        Ok(Target::Telegram(target)) => target.place(),
        Ok(Target::Console(_) | Target::Journal(_)) | Err(_) => message.kind.clone(),
    }
}

/// Whether a message has no way out but the terminal of the person who asked.
pub fn is_for_terminal(message: &NewDelivery, settings: &Settings) -> bool {
    match message.kind.as_str() {
        "console" => true,
        "telegram" => settings.telegram.is_none(),
        "email" => settings.email.is_none(),
        _ => false,
    }
}

/// What a person started is printed where it has no other way out.
fn instead(message: &NewDelivery, why: &str, (by, say): (By, &mut Say<'_>)) -> Sent {
    match by {
        By::Hand => {
            say(Said::Instead {
                text: &message.body,
            });
            Sent::Delivered(Some(json!({ "printed_instead_of": message.kind })))
        }
        By::Daemon => Sent::Refused(why.to_owned()),
    }
}
