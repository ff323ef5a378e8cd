//! What is asked of the Bot API: teloxide's payloads, filled in from ours.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use teloxide::payloads::{
    AnswerCallbackQuery, DeleteWebhook, EditMessageText, GetFile, GetMe, GetUpdates,
    GetWebhookInfo, SendChatAction, SendDocument, SendMessage, SendPhoto, SetMyCommands,
    SetWebhook,
};
use teloxide::requests::{MultipartPayload, Payload};
use teloxide::types::{
    ChatId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, LinkPreviewOptions,
    MessageEntity, MessageEntityKind, MessageId, ReplyMarkup, ReplyParameters, ThreadId,
};

use super::{Chunk, Entity, Style};

/// One message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    /// The chat.
    pub chat: i64,
    /// The topic within it.
    pub thread: Option<i64>,
    /// Its words.
    pub chunk: Chunk,
    /// Without a sound.
    pub silent: bool,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// The message that it takes the place of.
    pub edits: Option<i64>,
    /// Below it.
    pub buttons: Vec<Button>,
    /// A file, which then has the words below it.
    pub file: Option<Attached>,
}

/// A button below a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What people read.
    pub text: String,
    /// What we hear of it, at most [`LONGEST_DATA`] bytes.
    pub data: String,
}

/// What a button says that stands for words is what somebody could have written.
pub const SAYS: char = '=';

impl Button {
    /// One whose press says `words`; `None` where they are too long for it.
    pub fn says(text: &str, words: &str) -> Option<Self> {
        let data = format!("{SAYS}{words}");
        (data.len() <= LONGEST_DATA).then(|| Button {
            text: text.to_owned(),
            data,
        })
    }
}

/// Bytes that a button may say. Bot API, `InlineKeyboardButton.callback_data`.
pub const LONGEST_DATA: usize = 64;

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Shown as a picture.
    pub photo: bool,
}

/// Words of buttons that stand side by side, in characters.
const ROW: usize = 36;

/// A payload of teloxide's, whose answer stays as it is: teloxide loses what it does not know.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Raw<P>(pub(super) P);

/// What the Bot API calls a payload; teloxide writes the first letter large, which not every server takes.
pub(super) trait Named {
    const NAMED: &'static str;
}

macro_rules! named {
    ($($payload:ident $name:literal),*) => {
        $(impl Named for $payload {
            const NAMED: &'static str = $name;
        })*
    };
}

named! {
    AnswerCallbackQuery "answerCallbackQuery",
    DeleteWebhook "deleteWebhook",
    EditMessageText "editMessageText",
    GetFile "getFile",
    GetMe "getMe",
    GetUpdates "getUpdates",
    GetWebhookInfo "getWebhookInfo",
    SendChatAction "sendChatAction",
    SendDocument "sendDocument",
    SendMessage "sendMessage",
    SendPhoto "sendPhoto",
    SetMyCommands "setMyCommands",
    SetWebhook "setWebhook"
}

impl<P: Named> Payload for Raw<P> {
    type Output = Value;
    const NAME: &'static str = P::NAMED;
}

impl<P: Named + MultipartPayload> MultipartPayload for Raw<P> {
    fn copy_files(&self, into: &mut dyn FnMut(InputFile)) {
        self.0.copy_files(into);
    }

    fn move_files(&mut self, into: &mut dyn FnMut(InputFile)) {
        self.0.move_files(into);
    }
}

/// `number` as teloxide has it; what is out of its range names nothing.
fn message(number: i64) -> Option<MessageId> {
    i32::try_from(number).ok().map(MessageId)
}

/// Every link preview is off.
fn no_preview() -> Option<LinkPreviewOptions> {
    serde_json::from_value(json!({ "is_disabled": true })).ok()
}

/// Everything of a message but its file; the payloads of files have the same fields, and no trait for them.
macro_rules! with_words {
    ($message:ident, $payload:expr) => {{
        let mut payload = $payload;
        (payload.caption, payload.caption_entities) = $message.caption();
        payload.disable_notification = $message.silent.then_some(true);
        payload.reply_parameters = $message.reply();
        payload.message_thread_id = $message.thread();
        payload.reply_markup = $message.keyboard().map(ReplyMarkup::InlineKeyboard);
        payload
    }};
}

impl Outgoing {
    pub(super) fn new_text(&self) -> SendMessage {
        let mut payload = SendMessage::new(ChatId(self.chat), &self.chunk.text);
        payload.entities = Some(self.entities());
        payload.link_preview_options = no_preview();
        payload.disable_notification = self.silent.then_some(true);
        payload.reply_parameters = self.reply();
        payload.message_thread_id = self.thread();
        payload.reply_markup = self.keyboard().map(ReplyMarkup::InlineKeyboard);
        payload
    }

    /// `None` where the message that it takes the place of cannot be one.
    pub(super) fn new_words(&self) -> Option<EditMessageText> {
        let number = message(self.edits?)?;
        let mut payload = EditMessageText::new(ChatId(self.chat), number, &self.chunk.text);
        payload.entities = Some(self.entities());
        payload.link_preview_options = no_preview();
        payload.reply_markup = self.keyboard();
        Some(payload)
    }

    pub(super) fn photo(&self, file: &Attached) -> SendPhoto {
        with_words!(self, SendPhoto::new(ChatId(self.chat), input(file)))
    }

    pub(super) fn document(&self, file: &Attached) -> SendDocument {
        with_words!(self, SendDocument::new(ChatId(self.chat), input(file)))
    }

    fn entities(&self) -> Vec<MessageEntity> {
        self.chunk.entities.iter().filter_map(entity).collect()
    }

    fn caption(&self) -> (Option<String>, Option<Vec<MessageEntity>>) {
        let words = (!self.chunk.text.is_empty()).then(|| self.chunk.text.clone());
        let entities = words.as_ref().map(|_| self.entities());
        (words, entities)
    }

    fn reply(&self) -> Option<ReplyParameters> {
        let number = message(self.reply_to?)?;
        Some(ReplyParameters::new(number).allow_sending_without_reply())
    }

    fn thread(&self) -> Option<ThreadId> {
        message(self.thread?).map(ThreadId)
    }

    /// Side by side where they are short.
    fn keyboard(&self) -> Option<InlineKeyboardMarkup> {
        if self.buttons.is_empty() {
            return None;
        }
        let button = |button: &Button| InlineKeyboardButton::callback(&button.text, &button.data);
        let buttons = self.buttons.iter().map(button);
        let words: usize = self
            .buttons
            .iter()
            .map(|one| one.text.chars().count())
            .sum();
        Some(match words <= ROW {
            true => InlineKeyboardMarkup::new([buttons.collect::<Vec<_>>()]),
            false => InlineKeyboardMarkup::new(buttons.map(|button| [button])),
        })
    }
}

fn input(file: &Attached) -> InputFile {
    InputFile::memory(file.bytes.clone()).file_name(file.name.clone())
}

/// An entity as teloxide has it; `None` for an address that it does not take.
fn entity(entity: &Entity) -> Option<MessageEntity> {
    let kind = match &entity.style {
        Style::Bold => MessageEntityKind::Bold,
        Style::Italic => MessageEntityKind::Italic,
        Style::Strike => MessageEntityKind::Strikethrough,
        Style::Code => MessageEntityKind::Code,
        Style::Pre(language) => MessageEntityKind::Pre {
            language: language.clone(),
        },
        Style::Link(url) => MessageEntityKind::TextLink {
            url: url.parse().ok()?,
        },
        Style::Quote => MessageEntityKind::Blockquote,
    };
    Some(MessageEntity::new(
        kind,
        entity.start,
        entity.end - entity.start,
    ))
}
