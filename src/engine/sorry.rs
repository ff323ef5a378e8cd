//! What a person who asked in a chat hears of a run that did not do it: there, and each time.

use super::runner::UnderWay;
use super::{EngineError, chats};
use crate::delivery::{SAYS, TelegramTarget};
use crate::job::{NewDelivery, Outcome, TriggerKind};
use crate::telegram::Button;
use crate::template::Locale;

/// A failure in words, and whether the owner hears of it by them.
pub(super) struct Sorry {
    pub(super) message: NewDelivery,
    pub(super) owner_hears: bool,
}

impl UnderWay<'_> {
    /// The owner's number in chats.
    pub(super) fn owner(&self) -> Result<Option<i64>, EngineError> {
        let settings = &self.engine.loaded.settings;
        let owner = settings
            .telegram
            .as_ref()
            .and_then(|telegram| telegram.owner);
        match owner {
            Some(owner) => Ok(Some(owner)),
            None => chats::owner(&self.engine.store),
        }
    }

    /// What to say of an end where somebody asked; `None` where nobody did, or who asked knows.
    pub(super) fn sorry(&self, outcome: &Outcome) -> Result<Option<Sorry>, EngineError> {
        let settings = &self.engine.loaded.settings;
        if self.kind != TriggerKind::Telegram || settings.telegram.is_none() {
            return Ok(None);
        }
        let owner = self.owner()?;
        let event = self.roots.get("event").cloned().unwrap_or_default();
        // Only the owner has a run done again, for whatever event.
        let here = event["kind"] == "telegram";
        let owner_hears = !here || event["user"]["id"].as_i64() == owner;
        let (job, run) = (&self.job.name, self.run.0);
        let (explain, retry) = match settings.language {
            Locale::En => ("Explain", "Retry"),
            Locale::Es => ("Explicar", "Reintentar"),
        };
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
        let button = |text: &str, verb: &str| Button {
            text: text.to_owned(),
            data: format!("{SAYS}/{verb} {run}"),
        };
        let target = TelegramTarget {
            chat: event["chat"]["id"].as_i64().filter(|_| here),
            thread: event["chat"]["thread"].as_i64().filter(|_| here),
            buttons: match owner_hears {
                true => vec![button(explain, "show"), button(retry, "retry")],
                false => Vec::new(),
            },
            ..TelegramTarget::default()
        };
        Ok(Some(Sorry {
            message: target.says(format!("`{job}` {words}")),
            owner_hears,
        }))
    }
}
