//! What Telegram sends, as far as it matters here.

use serde::Deserialize;
use serde_json::Value;

use super::{Chat, Person};

#[derive(Deserialize)]
pub(super) struct Raw {
    pub message_id: i64,
    #[serde(default)]
    pub date: i64,
    pub chat: RawChat,
    pub from: Option<RawPerson>,
    pub text: Option<String>,
    pub caption: Option<String>,
    pub forward_origin: Option<Value>,
    pub forward_date: Option<i64>,
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    pub reply_to_message: Option<Answered>,
    pub quote: Option<Quote>,
    pub document: Option<RawFile>,
    pub voice: Option<RawFile>,
    pub audio: Option<RawFile>,
    pub video: Option<RawFile>,
    /// The same picture in several sizes, the largest last.
    pub photo: Option<Vec<RawFile>>,
}

#[derive(Deserialize)]
pub(super) struct RawPress {
    pub id: String,
    pub from: RawPerson,
    pub message: Option<Pressed>,
    #[serde(default)]
    pub data: String,
}

#[derive(Deserialize)]
pub(super) struct Pressed {
    pub message_id: i64,
    pub chat: RawChat,
}

#[derive(Deserialize)]
pub(super) struct RawChat {
    pub id: i64,
    #[serde(rename = "type", default)]
    pub kind: String,
    pub title: Option<String>,
    pub first_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawPerson {
    pub id: i64,
    #[serde(default)]
    pub first_name: String,
    pub last_name: Option<String>,
}

impl From<RawChat> for Chat {
    fn from(raw: RawChat) -> Self {
        Chat {
            id: raw.id,
            private: raw.kind == "private",
            title: raw.title.or(raw.first_name).unwrap_or_default(),
            thread: None,
        }
    }
}

impl From<RawPerson> for Person {
    fn from(raw: RawPerson) -> Self {
        let name = [raw.first_name, raw.last_name.unwrap_or_default()].join(" ");
        Person {
            id: raw.id,
            name: name.trim().to_owned(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Answered {
    pub text: Option<String>,
    pub caption: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Quote {
    pub text: String,
}

#[derive(Deserialize)]
pub(super) struct RawFile {
    pub file_id: String,
    pub file_name: Option<String>,
}
