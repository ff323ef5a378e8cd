//! Texts that were too long for one message, put together again.

use std::time::Duration;

use serde_json::Value;

use crate::telegram::{Message, News, read};

/// How long the parts of a text take that was too long for one message.
pub(super) const PARTS: Duration = Duration::from_secs(1);

/// Telegram's programs split a text there, or at a space shortly before.
const SPLIT: std::ops::RangeInclusive<usize> = 3_900..=4_096;

/// Whether the last message is the beginning of a longer text.
pub(super) fn goes_on(news: &[Value]) -> bool {
    let last = news.last().map(read);
    matches!(last, Some(News::Message(message)) if SPLIT.contains(&units(&message)))
}

fn units(message: &Message) -> usize {
    message.text.encode_utf16().count()
}

/// Puts together what Telegram's programs split.
pub(super) fn joined(messages: Vec<Message>) -> Vec<Message> {
    let mut joined: Vec<Message> = Vec::new();
    // The length of the last part of each whole, in UTF-16 units.
    let mut parts: Vec<usize> = Vec::new();
    for message in messages {
        let whole = joined
            .iter()
            .rposition(|known| known.chat.id == message.chat.id);
        if let Some(place) = whole {
            let known = &mut joined[place];
            let follows = SPLIT.contains(&parts[place])
                && known.from == message.from
                && message.file.is_none()
                && !message.text.is_empty()
                && (0..=2).contains(&(message.at - known.at).num_seconds());
            if follows {
                // One that is full was split within a line.
                if parts[place] < *SPLIT.end() {
                    known.text.push('\n');
                }
                parts[place] = units(&message);
                known.text.push_str(&message.text);
                known.at = message.at;
                continue;
            }
        }
        parts.push(units(&message));
        joined.push(message);
    }
    joined
}
