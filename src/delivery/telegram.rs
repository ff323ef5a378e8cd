//! `telegram`: a message in a chat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use serde_json::{Value, json};

use super::{Making, Sending, Sent};
use crate::config::resolve::Scope;
use crate::config::settings::TelegramSettings;
use crate::config::value::At;
use crate::telegram::{self, Failure, LONGEST, Outgoing, render, split};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `origin` (who asked, else the owner), `owner`, or a numeric chat id.
    telegram: At<String>,
    /// Without a sound.
    silent: Option<bool>,
    /// The message grows as the model writes.
    stream: Option<bool>,
    /// Answers the message that asked.
    reply: Option<bool>,
    /// One message that is updated in place.
    edit: Option<bool>,
    /// A file of the workspace, sent as a picture.
    photo: Option<At<String>>,
    /// A file of the workspace, sent as a document.
    document: Option<At<String>>,
    /// Words on buttons below the message.
    buttons: Option<Vec<String>>,
}

/// Who gets a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The chat that the event came from, else the owner.
    Origin,
    /// The owner.
    Owner,
    /// A chat, by its numeric id.
    Chat(i64),
}

/// A message in a chat.
#[derive(Debug, Clone)]
pub struct Telegram {
    /// Who gets it.
    pub to: Recipient,
    /// Without a sound.
    pub silent: bool,
    /// The message grows as the model writes.
    pub stream: bool,
    /// Answers the message that asked.
    pub reply: bool,
    /// One message that is updated in place.
    pub edit: bool,
    /// A file of the workspace, sent as a picture.
    pub photo: Option<String>,
    /// A file of the workspace, sent as a document.
    pub document: Option<String>,
    /// Words on buttons below the message.
    pub buttons: Vec<String>,
}

/// What sending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The chat; the owner's when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<i64>,
    /// Without a sound.
    #[serde(default)]
    pub silent: bool,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Telegram> {
        let to = match self.telegram.value.as_str() {
            "origin" => Recipient::Origin,
            "owner" => Recipient::Owner,
            other => match other.parse() {
                Ok(chat) => Recipient::Chat(chat),
                Err(_) => {
                    let what = format!("`{other}` is not somebody to write to");
                    let right = "write \"origin\", \"owner\" or the number of a chat";
                    scope.error(self.telegram.span, what, right);
                    return None;
                }
            },
        };
        // `stream` loses nothing: the message comes whole.
        let later = [
            ("edit", self.edit == Some(true)),
            ("photo", self.photo.is_some()),
            ("document", self.document.is_some()),
            ("buttons", self.buttons.is_some()),
        ];
        for (key, _) in later.into_iter().filter(|(_, typed)| *typed) {
            let what =
                format!("this version sends the message, and takes no notice of `{key}` yet");
            scope.warning(
                self.telegram.span.clone(),
                what,
                "leave it, for a later version, or take it out",
            );
        }
        Some(Telegram {
            to,
            silent: self.silent.unwrap_or(false),
            stream: self.stream.unwrap_or(false),
            reply: self.reply.unwrap_or(false),
            edit: self.edit.unwrap_or(false),
            photo: self.photo.map(|path| scope.path(path)),
            document: self.document.map(|path| scope.path(path)),
            buttons: self.buttons.unwrap_or_default(),
        })
    }
}

impl Telegram {
    pub(super) fn target(&self, making: &Making<'_>) -> Target {
        Target {
            chat: match self.to {
                Recipient::Origin => making.origin(),
                Recipient::Owner => None,
                Recipient::Chat(chat) => Some(chat),
            },
            silent: self.silent,
            reply_to: making.message().filter(|_| self.reply),
        }
    }
}

impl Target {
    pub(super) fn place(&self) -> String {
        self.chat
            .map_or_else(|| "owner".to_owned(), |chat| chat.to_string())
    }

    /// Sends the next message of a text; `progress` names those that arrived.
    pub(super) async fn send(
        self,
        body: &str,
        progress: &Value,
        settings: &TelegramSettings,
        sending: Sending<'_>,
    ) -> Sent {
        let post = &sending.channels.telegram;
        let Some(chat) = self.chat.or(settings.owner).or(post.owner()) else {
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
        let chunks = split(&render(body), LONGEST - telegram::REPEAT_LONGEST);
        let Some(chunk) = chunks.get(numbers.len()) else {
            return Sent::Delivered(Some(receipt(chat, &numbers)));
        };
        let mut message = Outgoing {
            chat,
            chunk: chunk.clone(),
            silent: self.silent,
            reply_to: self.reply_to.filter(|_| numbers.is_empty()),
        };
        if progress["perhaps"] == true {
            message.chunk.mark_repeat(sending.settings.language);
        }
        post.turn(chat).await;
        match telegram::send(&bot, &mut message).await {
            Ok(number) => {
                numbers.push(number);
                let receipt = receipt(message.chat, &numbers);
                match numbers.len() < chunks.len() {
                    true => Sent::Part(receipt),
                    false => Sent::Delivered(Some(receipt)),
                }
            }
            Err(failure) => {
                let reason = failure.words();
                match failure {
                    Failure::Flood(after) => {
                        post.hold(chat, after);
                        let after = Some(after);
                        Sent::Again { reason, after }
                    }
                    Failure::Refused(_) | Failure::Form(_) | Failure::Migrated(_) => {
                        Sent::Refused(reason)
                    }
                    Failure::Server(_) | Failure::Lost(_) => Sent::Unknown(reason),
                    // The owner can mend these.
                    Failure::Token | Failure::Conflict { .. } | Failure::Unreachable(_) => {
                        Sent::later(reason)
                    }
                }
            }
        }
    }
}

/// The messages that arrived.
fn numbers(progress: &Value) -> Vec<i64> {
    let numbers = progress["messages"].as_array().into_iter().flatten();
    numbers.filter_map(Value::as_i64).collect()
}

fn receipt(chat: i64, messages: &[i64]) -> Value {
    json!({ "chat": chat, "messages": messages })
}
