//! Who asked for a run in a chat, and what they hear of one that did not do it: there, and each time.

use serde_json::Value;

use super::alerts::buttons;
use super::queue::Seat;
use super::runner::UnderWay;
use super::{EngineError, chats};
use crate::delivery::TelegramTarget;
use crate::job::{NewDelivery, Outcome, TriggerKind};
use crate::template::Locale;

/// A failure in words, and whether the owner hears of it by them.
pub(super) struct Sorry {
    pub(super) message: NewDelivery,
    pub(super) owner_hears: bool,
}

/// Somebody who asked in a chat.
pub(super) struct Asker {
    /// Their number.
    pub(super) user: i64,
    /// What they call themselves.
    pub(super) name: String,
    /// Where they are answered.
    pub(super) chat: TelegramTarget,
}

/// Who asked by an event that templates see as this; `None` for what is no message.
pub(super) fn asker(event: &Value) -> Option<Asker> {
    let message = event["kind"] == "telegram";
    let user = event["user"]["id"].as_i64().filter(|_| message)?;
    Some(Asker {
        user,
        name: event["user"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        chat: TelegramTarget {
            chat: event["chat"]["id"].as_i64(),
            thread: event["chat"]["thread"].as_i64(),
            ..TelegramTarget::default()
        },
    })
}

impl UnderWay<'_> {
    /// Who asked in a chat.
    pub(super) fn asker(&self) -> Option<Asker> {
        self.roots.get("event").and_then(asker)
    }

    /// The owner's number in chats.
    pub(super) fn owner(&self) -> Result<Option<i64>, EngineError> {
        let settings = &self.engine.loaded.settings;
        let named = settings.telegram.as_ref().and_then(|chats| chats.owner);
        match (named, self.seat.map(Seat::queue)) {
            (Some(owner), _) => Ok(Some(owner)),
            (None, Some(queue)) => Ok(queue.outbox.owner()),
            // A person waits at a terminal, and nobody else.
            (None, None) => chats::owner(&self.engine.store),
        }
    }

    /// What to say of an end where somebody asked; `None` where nobody did, or who asked knows.
    pub(super) fn sorry(&self, outcome: &Outcome) -> Result<Option<Sorry>, EngineError> {
        let settings = &self.engine.loaded.settings;
        if self.kind != TriggerKind::Telegram || settings.telegram.is_none() {
            return Ok(None);
        }
        let owner = self.owner()?;
        let asker = self.asker();
        // Only the owner has a run done again, for whatever event.
        let owner_hears = asker.as_ref().is_none_or(|asker| Some(asker.user) == owner);
        let words = match (outcome, settings.language) {
            (Outcome::Failed(reason), Locale::En) => format!("failed: {reason}"),
            (Outcome::Failed(reason), Locale::Es) => format!("falló: {reason}"),
            // Whoever is the owner did it himself.
            _ if owner_hears => return Ok(None),
            (Outcome::Cancelled, Locale::En) => "was stopped".to_owned(),
            (Outcome::Cancelled, Locale::Es) => "se detuvo".to_owned(),
            (Outcome::NothingToSay(_), Locale::En) if self.denied => {
                "is not done: it was not approved".to_owned()
            }
            (Outcome::NothingToSay(_), Locale::Es) if self.denied => {
                "no se hace: no se aprobó".to_owned()
            }
            _ => return Ok(None),
        };
        let mut target = asker.map(|asker| asker.chat).unwrap_or_default();
        if owner_hears {
            target.buttons = buttons(settings.language, self.run, None);
        }
        Ok(Some(Sorry {
            message: target.says(format!("`{}` {words}", self.job.name)),
            owner_hears,
        }))
    }
}
