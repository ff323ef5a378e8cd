//! From a message of the outbox into a chat.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::settings::TelegramSettings;
use crate::delivery::{Sending, Sent};
use crate::job::{DeliveryId, NewDelivery};
use crate::store::{DeliveryState, StoreError};
use crate::telegram::{
    self, Attached, Button, CAPTION, Chunk, Failure, LONGEST, Outgoing, render, split,
};
use crate::workspace::Workspace;

/// What sending takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// The chat; the owner's when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<i64>,
    /// The topic within it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<i64>,
    /// Without a sound.
    pub silent: bool,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// The message that it takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edits: Option<i64>,
    /// It takes the place of this message of the outbox, which is before it in its lane, once that has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<DeliveryId>,
    /// It takes the place of the last message with this name, which begins with the job's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// It may have grown before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub streams: bool,
    /// Below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
}

/// A file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Where it is.
    pub path: String,
    /// Shown as a picture.
    pub photo: bool,
}

/// The largest files that a bot may send, in bytes. Bot API, `sendPhoto` and `sendDocument`.
const PHOTO: u64 = 10 << 20;
const DOCUMENT: u64 = 50 << 20;

impl Target {
    /// The target of a message, if it goes to a chat.
    pub fn of(message: &NewDelivery) -> Option<Self> {
        let chats = message.kind == "telegram";
        chats.then(|| Target::deserialize(&message.target).ok())?
    }

    /// A message there.
    pub fn says(&self, text: String) -> NewDelivery {
        let target = serde_json::to_value(self).expect("a target is texts and numbers");
        NewDelivery::usual("telegram", &self.place(), target, text)
    }

    /// The chat, for people.
    pub fn place(&self) -> String {
        self.chat
            .map_or_else(|| "owner".to_owned(), |chat| chat.to_string())
    }

    /// The chat, where it is known by now.
    pub(in crate::delivery) fn goes_to(
        &self,
        settings: &TelegramSettings,
        sending: Sending<'_>,
    ) -> Option<i64> {
        let owner = || sending.channels.telegram.owner();
        self.chat.or(settings.owner).or_else(owner)
    }

    /// Sends the next message of a text; `progress` names those that arrived.
    pub(in crate::delivery) async fn send(
        mut self,
        body: &str,
        progress: &Value,
        settings: &TelegramSettings,
        sending: Sending<'_>,
    ) -> Sent {
        let Some(chat) = self.goes_to(settings, sending) else {
            return Sent::later("nobody is the bot's owner yet: `reveille telegram pair`");
        };
        let bot = sending
            .secrets
            .get(&settings.token)
            .and_then(|token| sending.channels.bot(&token, settings.api_url.as_deref()));
        let bot = match bot {
            Ok(bot) => bot,
            Err(why) => return Sent::later(why),
        };
        let mut numbers = numbers(progress);
        let first = numbers.is_empty();
        // What was found out with the first part holds for the others.
        let mut missing = progress["missing"].as_str().map(str::to_owned);
        let mut file = None;
        if first && let Some(attached) = &self.file {
            match attached.read(sending).await {
                Ok(read) => file = Some(read),
                Err(why) => missing = Some(why),
            }
        }
        let mut body = Cow::Borrowed(body);
        if let Some(why) = &missing {
            // Its words go out all the same.
            self.file = None;
            body.to_mut().push_str(&format!("\n\n_({why})_"));
        }
        let chunks = self.chunks(&body);
        let Some(chunk) = chunks.get(numbers.len()) else {
            return Sent::Delivered(Some(receipt(chat, &numbers, progress)));
        };
        let last = numbers.len() + 1 == chunks.len();
        let mut message = Outgoing {
            chat,
            thread: self.thread,
            chunk: chunk.clone(),
            silent: self.silent,
            reply_to: self.reply_to.filter(|_| first),
            edits: self.edits.filter(|_| first),
            buttons: match last {
                true => self.buttons.clone(),
                false => Vec::new(),
            },
            file,
        };
        if first && last && self.status.is_some() {
            message.edits = self.shown(chat, sending).await;
        }
        if first && let Some(id) = self.ends {
            match ended(id, sending).await {
                Ok(Some((chat, number))) => {
                    message.chat = chat;
                    message.edits = Some(number);
                }
                Ok(None) => return Sent::Delivered(None),
                Err(error) => return Sent::later(error),
            }
        }
        // Changed twice to the same is changed once.
        if progress["perhaps"] == true && message.edits.is_none() {
            message.chunk.mark_repeat(sending.settings.language);
        }
        let looks = message.chunk.entities.len();
        match telegram::send(&bot, &mut message).await {
            Ok(number) => {
                numbers.push(number);
                let mut receipt = receipt(message.chat, &numbers, progress);
                if message.chunk.entities.len() < looks {
                    receipt["plain"] = true.into();
                }
                if let Some(why) = missing {
                    receipt["missing"] = why.into();
                }
                match last {
                    false => Sent::Part(receipt),
                    true => Sent::Delivered(Some(receipt)),
                }
            }
            Err(failure) => {
                let reason = failure.words();
                match failure {
                    Failure::Flood(after) => {
                        sending.channels.telegram.hold(chat, after);
                        let after = Some(after);
                        Sent::Again { reason, after }
                    }
                    Failure::Refused(_)
                    | Failure::Form(_)
                    | Failure::Gone
                    | Failure::Unchanged
                    | Failure::Migrated(_) => Sent::Refused(reason),
                    Failure::Server(_) | Failure::Lost(_) => Sent::Unknown(reason),
                    // The owner can mend these.
                    Failure::Token | Failure::Conflict { .. } | Failure::Unreachable(_) => {
                        Sent::later(reason)
                    }
                }
            }
        }
    }

    /// The messages of a text: a file has what fits below it, or nothing, and the whole text after it.
    fn chunks(&self, body: &str) -> Vec<Chunk> {
        let rich = render(body);
        let room = telegram::REPEAT_LONGEST;
        if self.file.is_none() {
            return split(&rich, LONGEST - room);
        }
        let mut below = split(&rich, CAPTION - room);
        match below.len() {
            0 | 1 => {
                below.resize(1, Chunk::default());
                below
            }
            _ => {
                let mut chunks = vec![Chunk::default()];
                chunks.extend(split(&rich, LONGEST - room));
                chunks
            }
        }
    }

    /// The number of the message that this one takes the place of, where it is known.
    async fn shown(&self, chat: i64, sending: Sending<'_>) -> Option<i64> {
        let name = self.status.clone()?;
        let job = name.split('/').next()?.to_owned();
        let last = sending
            .store
            .read(move |reader| reader.last_receipt(&job, "status", &name))
            .await;
        let last = last.ok()??;
        let number = last["messages"].as_array()?.last()?.as_i64();
        number.filter(|_| last["chat"] == chat)
    }
}

/// Chat and number of a message of the outbox, if it arrived: what never did needs no end.
async fn ended(id: DeliveryId, sending: Sending<'_>) -> Result<Option<(i64, i64)>, StoreError> {
    let store = sending.store;
    let Some(delivery) = store.read(move |reader| reader.delivery(id)).await? else {
        return Ok(None);
    };
    let DeliveryState::Sent { receipt, .. } = delivery.state else {
        return Ok(None);
    };
    let receipt = receipt.unwrap_or_default();
    let chat = receipt["chat"].as_i64();
    Ok(chat.zip(numbers(&receipt).last().copied()))
}

impl File {
    async fn read(&self, sending: Sending<'_>) -> Result<Attached, String> {
        let most = if self.photo { PHOTO } else { DOCUMENT };
        let workspace = Workspace::new(sending.channels.state.join("workspace"));
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || workspace.read(&path, most)).await;
        let bytes = match read {
            Ok(read) => read.map_err(|error| error.to_string())?,
            Err(bug) => return Err(format!("a bug: {bug}")),
        };
        let name = self.path.rsplit('/').next().unwrap_or_default();
        Ok(Attached {
            name: name.to_owned(),
            bytes,
            photo: self.photo,
        })
    }
}

/// The messages that arrived.
fn numbers(progress: &Value) -> Vec<i64> {
    let numbers = progress["messages"].as_array().into_iter().flatten();
    numbers.filter_map(Value::as_i64).collect()
}

/// What is known of a message: its numbers, and whether a part of it went out without its looks.
fn receipt(chat: i64, messages: &[i64], before: &Value) -> Value {
    let mut receipt = json!({ "chat": chat, "messages": messages });
    if before["plain"] == true {
        receipt["plain"] = true.into();
    }
    receipt
}
