//! Why Telegram did not do what was asked.

use std::sync::Arc;
use std::time::Duration;

use teloxide::{ApiError, RequestError};

use crate::net::NetError;

/// Why a request did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Too many; to be asked again after this time.
    Flood(Duration),
    /// The group has this number now.
    Migrated(i64),
    /// The token is not one of a bot, or no longer.
    Token,
    /// Somebody else asks for the bot's news, or they go to a webhook.
    Conflict {
        /// They go to a webhook.
        webhook: bool,
    },
    /// The text or its entities were not taken.
    Form(String),
    /// The message that was to be changed cannot be changed any more.
    Gone,
    /// It is so already.
    Unchanged,
    /// It will never be done, for this reason.
    Refused(String),
    /// The server failed: it may be done.
    Server(String),
    /// Not one byte left.
    Unreachable(String),
    /// Bytes left, and no answer came that can be read.
    Lost(String),
}

impl Failure {
    pub(super) fn of(error: RequestError, origin: &str) -> Self {
        match error {
            RequestError::RetryAfter(seconds) => Failure::Flood(seconds.duration()),
            RequestError::MigrateToChatId(chat) => Failure::Migrated(chat.0),
            RequestError::Api(error) => Failure::of_api(error),
            RequestError::Network(error) => match Arc::into_inner(error) {
                Some(error) => {
                    let error = NetError::of(origin, error);
                    match error.before_sending() {
                        true => Failure::Unreachable(error.to_string()),
                        false => Failure::Lost(error.to_string()),
                    }
                }
                None => Failure::Lost(format!("{origin}: the connection broke")),
            },
            RequestError::InvalidJson { .. } => Failure::Lost(format!(
                "{origin} answered with something that is not the Bot API"
            )),
            RequestError::Io(error) => Failure::Refused(error.to_string()),
        }
    }

    fn of_api(error: ApiError) -> Self {
        match &error {
            ApiError::InvalidToken => Failure::Token,
            ApiError::TerminatedByOtherGetUpdates => Failure::Conflict { webhook: false },
            ApiError::CantGetUpdates => Failure::Conflict { webhook: true },
            ApiError::CantParseEntities(_)
            | ApiError::MessageTextIsEmpty
            | ApiError::MessageIsTooLong => Failure::Form(error.to_string()),
            ApiError::MessageNotModified => Failure::Unchanged,
            ApiError::MessageToEditNotFound
            | ApiError::MessageCantBeEdited
            | ApiError::MessageIdInvalid => Failure::Gone,
            ApiError::BotBlocked => Failure::Refused("the person blocked the bot".to_owned()),
            ApiError::ChatNotFound => Failure::Refused(
                "Telegram does not know this chat: somebody there has to write to the bot first"
                    .to_owned(),
            ),
            ApiError::Unknown(said) => {
                let said = said.clone();
                let lower = said.to_ascii_lowercase();
                let refused = ["bad request", "forbidden", "unauthorized"];
                if lower.contains("entit") && lower.starts_with("bad request") {
                    Failure::Form(said)
                } else if lower.starts_with("conflict") {
                    Failure::Conflict {
                        webhook: lower.contains("webhook"),
                    }
                } else if refused.iter().any(|word| lower.starts_with(word)) {
                    Failure::Refused(said)
                } else {
                    Failure::Server(said)
                }
            }
            _ => Failure::Refused(error.to_string()),
        }
    }

    /// Why, for people.
    pub fn words(&self) -> String {
        match self {
            Failure::Flood(after) => format!(
                "Telegram wants to be asked again after {} s",
                after.as_secs()
            ),
            Failure::Migrated(chat) => format!("the group has become the chat {chat}"),
            Failure::Token => {
                "Telegram does not know the token of [telegram]: @BotFather has it (/mybots)"
                    .to_owned()
            }
            Failure::Conflict { webhook: false } => {
                "another program reads the messages of this bot".to_owned()
            }
            Failure::Conflict { webhook: true } => {
                "the messages of this bot go to a webhook".to_owned()
            }
            Failure::Unchanged => "the message says this already".to_owned(),
            Failure::Gone => "the message is not there any more".to_owned(),
            Failure::Form(why) | Failure::Refused(why) => why.clone(),
            Failure::Server(why) => format!("Telegram's server failed: {why}"),
            Failure::Unreachable(why) | Failure::Lost(why) => why.clone(),
        }
    }
}
