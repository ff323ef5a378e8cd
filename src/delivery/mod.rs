//! Where results go. One file a kind: its keys, checked, and its way out; `send` is the outbox's one caller of them.

mod console;
mod destination;
mod email;
mod file;
mod journal;
mod owner;
mod prepare;
mod send;
mod telegram;
mod webhook;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::value::{At, ClockTime, QuietHours, Span};
use crate::job::OnUnknown;

pub use console::Console;
pub use destination::Destination;
pub use email::Email;
pub use file::File;
pub use owner::to_owner;
pub use prepare::{Making, prepare, streams};
pub use send::{
    By, Channels, Said, Say, Sending, Sent, Target, is_for_terminal, place, send, spacing,
    tells_repeats, turn,
};
pub use telegram::{Target as TelegramTarget, Telegram};
pub use webhook::Webhook;

/// Keys that every delivery shares.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// What is sent: a template. Nothing is sent when it renders empty.
    pub text: At<String>,
    /// An expression; nothing is sent unless it is true.
    pub when: Option<At<String>>,
    /// Held back in these hours.
    pub quiet: Option<QuietHours>,
    /// Sent in quiet hours all the same.
    pub urgent: Option<bool>,
    /// Gathered until this time of the day into one message.
    pub digest: Option<ClockTime>,
    /// Given up when it could not be sent within this time.
    pub within: Option<Span>,
    /// What happens when it is not known whether it arrived.
    pub on_unknown: Option<OnUnknown>,
    /// Adds who worded it and where.
    pub from: Option<bool>,
}

/// The names of the keys of [`Common`].
pub const COMMON: &[&str] = &[
    "text",
    "when",
    "quiet",
    "urgent",
    "digest",
    "within",
    "on_unknown",
    "from",
];

/// One way that a result goes out.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What is sent, a template.
    pub text: String,
    /// Send only when this expression is true.
    pub when: Option<String>,
    /// Held back in these hours.
    pub quiet: Option<QuietHours>,
    /// Sent in quiet hours all the same.
    pub urgent: bool,
    /// Gathered until this time of the day.
    pub digest: Option<ClockTime>,
    /// Given up after this time.
    pub within: Option<Duration>,
    /// When it is not known whether it arrived.
    pub on_unknown: OnUnknown,
    /// Adds who worded it and where.
    pub from: bool,
    /// Where to.
    pub kind: Kind,
}

kinds! {
    /// The kinds of delivery.
    Kind, Authored {
        "telegram" => Telegram(telegram),
        "console" => Console(console),
        "file" => File(file),
        "webhook" => Webhook(webhook),
        "email" => Email(email),
    }
}
