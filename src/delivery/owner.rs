//! What the program itself tells its owner.

use serde_json::json;

use crate::config::Settings;
use crate::config::settings::Notify;
use crate::job::NewDelivery;
use crate::journal::Level;

/// A message from the program to its owner, to the place where he wants to hear.
pub fn to_owner(notify: Notify, settings: &Settings, text: &str) -> NewDelivery {
    match notify {
        Notify::Journal => {
            NewDelivery::usual("journal", "", json!({ "level": Level::Error }), text)
        }
        Notify::Console => NewDelivery::usual("console", "", json!({ "job": "reveille" }), text),
        Notify::Telegram => NewDelivery::usual("telegram", "owner", json!({}), text),
        Notify::Email => {
            let to = settings.email.as_ref().map(|email| email.to.as_str());
            let to = to.unwrap_or_default();
            let subject = text.lines().next().unwrap_or_default();
            let target = json!({ "to": [to], "subject": format!("Reveille: {subject}") });
            NewDelivery::usual("email", to, target, text)
        }
    }
}
