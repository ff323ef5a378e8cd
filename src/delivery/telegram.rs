//! `telegram`: a message in a chat.

mod buttons;
mod target;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Making;
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::step::stays_inside;
use crate::template::TemplateError;

use target::File;
pub use target::Target;

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
    /// Buttons below the message: the words that a press says to the bot, or `Label -> words`.
    buttons: Option<Vec<At<String>>>,
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
    /// Words on buttons below the message; a press says them to the bot.
    pub buttons: Vec<String>,
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
        let files = [&self.photo, &self.document].into_iter().flatten();
        for file in files.filter(|file| !stays_inside(&file.value)) {
            let what = format!("`{}` leaves the workspace", file.value);
            scope.error(file.span.clone(), what, "write a path below the workspace");
        }
        if let (Some(_), Some(document)) = (&self.photo, &self.document) {
            let right = "take one out, or write a second [[deliver]]";
            scope.error(document.span.clone(), "a message has one file", right);
        }
        let buttons = buttons::resolve(scope, self.buttons);
        Some(Telegram {
            to,
            silent: self.silent.unwrap_or(false),
            stream: self.stream.unwrap_or(false),
            reply: self.reply.unwrap_or(false),
            edit: self.edit.unwrap_or(false),
            photo: self.photo.map(|path| scope.path(path)),
            document: self.document.map(|path| scope.path(path)),
            buttons,
        })
    }
}

impl Telegram {
    /// Where the message at `position` of the job goes.
    pub(super) fn target(
        &self,
        making: &Making<'_>,
        position: usize,
    ) -> Result<Target, TemplateError> {
        let chat = match self.to {
            Recipient::Origin => making.origin(),
            Recipient::Owner => None,
            Recipient::Chat(chat) => Some(chat),
        };
        let file = match (&self.photo, &self.document) {
            (Some(path), _) => Some((making.render("photo", path)?, true)),
            (None, Some(path)) => Some((making.render("document", path)?, false)),
            (None, None) => None,
        };
        Ok(Target {
            chat,
            thread: making.thread().filter(|_| self.to == Recipient::Origin),
            silent: self.silent,
            reply_to: making.message().filter(|_| self.reply),
            edits: None,
            ends: None,
            streams: self.stream,
            status: self
                .edit
                .then(|| format!("{}/{}", making.job.name, position + 1)),
            buttons: buttons::render(making, &self.buttons)?,
            file: file.map(|(path, photo)| File { path, photo }),
        })
    }
}
