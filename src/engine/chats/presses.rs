//! What becomes of a button that was pressed.

use super::inbox::{Inbox, Who};
use super::{Chats, Reader};
use crate::engine::{Answer, Word};
use crate::journal::{self, Level};
use crate::telegram::{Message, Press, SAYS};

impl Inbox {
    /// Deals with a press; all that it brings is on the disk when it returns.
    pub(super) async fn press(&self, chats: &Chats, press: Press, reader: &Reader) {
        let who = match &press.chat {
            Some(chat) => self.who(chats, chat, &press.from),
            None => Who::Stranger,
        };
        if who == Who::Stranger {
            return self.count_stranger();
        }
        let words = match press.data.strip_prefix(SAYS) {
            Some(text) => {
                self.says(chats, &press, text, reader).await;
                ""
            }
            None => self.answers(chats, &press).await,
        };
        // Too late for the person who waits for it, it is nobody's.
        let _ = reader.bot.pressed(&press.id, words).await;
    }

    /// As if the person had written what the button says.
    async fn says(&self, chats: &Chats, press: &Press, text: &str, reader: &Reader) {
        let Some(chat) = &press.chat else {
            return;
        };
        let message = Message {
            update: press.update,
            number: press.number,
            at: chats.clock.now(),
            chat: chat.clone(),
            from: Some(press.from.clone()),
            text: text.to_owned(),
            forwarded: false,
            reply_to: None,
            file: None,
            route: None,
            because: None,
        };
        self.take(chats, message, reader).await;
    }

    async fn answers(&self, chats: &Chats, press: &Press) -> &'static str {
        let by = (press.from.id, press.from.name.as_str());
        match chats.intake.press(&press.data, by).await {
            Ok(Some(Answer::Taken(Word::Yes))) => self.words("Approved", "Aprobado"),
            Ok(Some(Answer::Taken(_))) => self.words("Denied", "Denegado"),
            Ok(Some(Answer::Late)) => self.words("Too late", "Demasiado tarde"),
            Ok(Some(Answer::NotYours)) => {
                self.words("This is not yours to answer", "No le toca responder")
            }
            Ok(Some(Answer::Gone) | None) => {
                self.words("This is not asked any more", "Esto ya no se pregunta")
            }
            Err(error) => {
                journal::say(
                    Level::Error,
                    format!("a press was not written down: {error}"),
                );
                self.words("It could not be written down", "No se pudo anotar")
            }
        }
    }
}
