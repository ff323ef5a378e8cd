//! `telegram`: a message in a chat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Making;
use crate::config::resolve::Scope;
use crate::config::value::At;

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
        }
    }
}

impl Target {
    pub(super) fn place(&self) -> String {
        self.chat
            .map_or_else(|| "owner".to_owned(), |chat| chat.to_string())
    }
}
