//! News as they come: read from the JSON itself, so that what a library does not know yet costs no word of a message.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::raw::{Raw, RawPress};
use crate::moment::said;
use crate::zone::Tz;

/// A message that somebody wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The update's number.
    pub update: i64,
    /// The message's number in its chat.
    pub number: i64,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// Where.
    pub chat: Chat,
    /// Who; nobody where a channel speaks for itself.
    pub from: Option<Person>,
    /// Its text, or the words beside its file.
    pub text: String,
    /// Somebody else's words, passed on.
    pub forwarded: bool,
    /// The text that it answers.
    pub reply_to: Option<String>,
    /// A file came with it.
    pub file: Option<File>,
    /// The route that it is for, where its owner named one.
    pub route: Option<String>,
    /// Why a job got it.
    pub because: Option<String>,
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its number; groups have negative ones.
    pub id: i64,
    /// What it is called.
    pub title: String,
    /// Whether it is with one person.
    pub private: bool,
    /// The topic within it.
    pub thread: Option<i64>,
}

/// A person, or a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The number, which nobody else can have.
    pub id: i64,
    /// What they call themselves; anybody can call themselves so.
    pub name: String,
}

/// A file on Telegram's servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// By which it is fetched.
    pub id: String,
    /// As its sender called it, or what it is.
    pub name: String,
}

/// A button that somebody pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// The update's number.
    pub update: i64,
    /// By which it is answered.
    pub id: String,
    /// Who.
    pub from: Person,
    /// Where the message with the button is; nowhere where Telegram does not show it any more.
    pub chat: Option<Chat>,
    /// The number of that message.
    pub number: i64,
    /// What the button says to us.
    pub data: String,
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A message.
    Message(Box<Message>),
    /// A button was pressed.
    Press(Box<Press>),
    /// Something else, or something that cannot be read.
    Other,
}

/// The longest name of a file that is kept, in characters.
const MOST: usize = 80;

/// The number of an update, by which it is confirmed.
pub fn number(update: &Value) -> Option<i64> {
    update["update_id"].as_i64()
}

/// Reads an update.
pub fn read(update: &Value) -> News {
    let Some(number) = number(update) else {
        return News::Other;
    };
    if let Ok(raw) = RawPress::deserialize(&update["callback_query"]) {
        let (message, chat) = match raw.message {
            Some(message) => (message.message_id, Some(message.chat.into())),
            None => (0, None),
        };
        return News::Press(Box::new(Press {
            update: number,
            id: raw.id,
            from: raw.from.into(),
            chat,
            number: message,
            data: raw.data,
        }));
    }
    let Ok(raw) = Raw::deserialize(&update["message"]) else {
        return News::Other;
    };
    let answered = raw.quote.map(|quote| quote.text).or_else(|| {
        let answered = raw.reply_to_message?;
        answered.text.or(answered.caption)
    });
    let photo = raw.photo.unwrap_or_default().pop();
    let files = [
        (raw.document, "document"),
        (raw.voice, "voice.ogg"),
        (raw.audio, "audio.mp3"),
        (raw.video, "video.mp4"),
        (photo, "photo.jpg"),
    ];
    let file = files
        .into_iter()
        .find_map(|(file, name)| Some((file?, name)));
    News::Message(Box::new(Message {
        update: number,
        number: raw.message_id,
        at: DateTime::from_timestamp(raw.date, 0).unwrap_or_default(),
        chat: Chat {
            // Telegram numbers the threads of answers too, which are no topics.
            thread: raw.message_thread_id.filter(|_| raw.is_topic_message),
            ..raw.chat.into()
        },
        from: raw.from.map(Person::from),
        text: raw.text.or(raw.caption).unwrap_or_default(),
        forwarded: raw.forward_origin.is_some() || raw.forward_date.is_some(),
        reply_to: answered.filter(|text| !text.is_empty()),
        file: file.map(|(file, name)| File {
            id: file.file_id,
            name: file.file_name.unwrap_or_else(|| name.to_owned()),
        }),
        route: None,
        because: None,
    }))
}

impl File {
    /// A name for it within a folder, whatever its sender called it.
    pub fn safe_name(&self) -> String {
        let safe = self.name.chars().map(|c| match c {
            '.' | '-' | '_' => c,
            c if c.is_alphanumeric() => c,
            _ => '_',
        });
        let whole: Vec<char> = safe.collect();
        // Of a long one the beginning and the end, which says what it is.
        let cut = whole.len().saturating_sub(MOST);
        let head = whole.len().min(MOST / 2);
        let safe: String = whole[..head].iter().chain(&whole[head + cut..]).collect();
        match safe.trim_start_matches('.') {
            "" => "file".to_owned(),
            safe => safe.to_owned(),
        }
    }
}

impl Message {
    /// What templates see of it as `event`.
    pub fn payload(&self, args: &Value, zone: Tz) -> Value {
        let mut payload = json!({
            "text": self.text,
            "args": args,
            "chat": { "id": self.chat.id, "title": self.chat.title },
            "message": self.number,
            "forwarded": self.forwarded,
        });
        add_times(&mut payload, &self.text, self.at.with_timezone(&zone));
        if let Some(from) = &self.from {
            payload["user"] = json!({ "id": from.id, "name": from.name });
        }
        if let Some(thread) = self.chat.thread {
            payload["chat"]["thread"] = thread.into();
        }
        if let Some(because) = &self.because {
            payload["because"] = because.as_str().into();
        }
        if let Some(route) = &self.route {
            payload["route"] = route.as_str().into();
        }
        if let Some(reply_to) = &self.reply_to {
            payload["reply_to"] = reply_to.as_str().into();
        }
        payload
    }
}

/// Adds what a text says of time, seen from a moment, to what templates see as `event`.
pub fn add_times(payload: &mut Value, text: &str, now: DateTime<Tz>) {
    let said = said(text, now);
    payload["when"] = said.start.map(|start| start.to_rfc3339()).into();
    payload["until"] = said.end.map(|end| end.to_rfc3339()).into();
    let days = |(first, count): (NaiveDate, u32)| {
        let last = first + Days::new(u64::from(count.saturating_sub(1)));
        json!({ "first": first.to_string(), "last": last.to_string(), "count": count })
    };
    payload["days"] = said.range.map(days).into();
    payload["repeats"] = said
        .repeats
        .map(|repeats| repeats.words(said.spanish))
        .into();
    payload["rest"] = said.rest.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: Value) -> Option<Message> {
        let mut update = json!({
            "update_id": 7,
            "message": { "message_id": 3, "date": 1_763_618_400, "chat": { "id": 5, "type": "private", "first_name": "Ana" },
                         "from": { "id": 5, "is_bot": false, "first_name": "Ana", "last_name": "B", "username": "owner" } },
        });
        for (key, value) in fields.as_object().unwrap() {
            update["message"][key] = value.clone();
        }
        match read(&update) {
            News::Message(message) => Some(*message),
            News::Press(_) | News::Other => None,
        }
    }

    #[test]
    fn a_message_is_read() {
        let read = message(
            json!({ "text": "hello", "reply_to_message": { "message_id": 1, "text": "before" } }),
        )
        .unwrap();
        assert_eq!(
            (read.update, read.number, read.text.as_str()),
            (7, 3, "hello")
        );
        assert_eq!(read.from.as_ref().unwrap().name, "Ana B");
        assert_eq!(read.payload(&Value::Null, Tz::UTC)["reply_to"], "before");
        assert!(read.chat.private && !read.forwarded);
    }

    #[test]
    fn what_a_message_says_of_time_is_told() {
        let madrid = Tz::named("Europe/Madrid").unwrap();
        let times = |text: &str| {
            // Thursday 20 November 2025, 7:00 in Madrid.
            let payload = message(json!({ "text": text }))
                .unwrap()
                .payload(&Value::Null, madrid);
            ["when", "until", "days", "repeats", "rest"].map(|key| payload[key].clone())
        };
        assert_eq!(
            times("cena mañana de 9 a 11 de la noche con Ana"),
            [
                json!("2025-11-21T21:00:00+01:00"),
                json!("2025-11-21T23:00:00+01:00"),
                json!({ "first": "2025-11-21", "last": "2025-11-21", "count": 1 }),
                Value::Null,
                json!("cena con Ana"),
            ]
        );
        assert_eq!(
            times("remind me every Monday at 8 to take out the bins"),
            [
                json!("2025-11-24T08:00:00+01:00"),
                Value::Null,
                Value::Null,
                json!("every Monday at 08:00"),
                json!("remind me to take out the bins"),
            ]
        );
        let nothing = [
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            json!("hello"),
        ];
        assert_eq!(times("hello"), nothing);
    }

    #[test]
    fn what_is_not_known_yet_costs_no_word() {
        let entities = json!([{ "type": "of_the_future", "offset": 0, "length": 5, "new": {} }]);
        let read = message(json!({ "text": "hello", "entities": entities, "something_new": [1] }))
            .unwrap();
        assert_eq!(read.text, "hello");
    }

    #[test]
    fn files_come_with_their_words() {
        let photo = json!([{ "file_id": "small" }, { "file_id": "large", "file_size": 9 }]);
        let read = message(json!({ "caption": "look", "photo": photo })).unwrap();
        assert_eq!(
            (read.text.as_str(), read.file.unwrap().id.as_str()),
            ("look", "large")
        );
    }

    #[test]
    fn a_file_has_a_name_that_leads_nowhere() {
        let name = |name: &str| {
            File {
                id: String::new(),
                name: name.to_owned(),
            }
            .safe_name()
        };
        assert_eq!(name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(name("informe año.pdf"), "informe_año.pdf");
        let long = name(&format!("{}.txt", "a".repeat(400)));
        assert_eq!((long.len(), long.ends_with("a.txt")), (80, true));
        assert_eq!(
            (name("..."), name("a\u{202e}b")),
            ("file".to_owned(), "a_b".to_owned())
        );
    }

    #[test]
    fn a_press_is_read() {
        let chat = json!({ "id": 5, "type": "private", "first_name": "Ana" });
        let mut pressed = json!({ "id": "77", "from": { "id": 5, "first_name": "Ana" }, "chat_instance": "1",
                                  "message": { "message_id": 3, "date": 0, "chat": chat }, "data": "+x" });
        let press =
            |pressed: &Value| match read(&json!({ "update_id": 8, "callback_query": pressed })) {
                News::Press(press) => *press,
                other => panic!("{other:?}"),
            };
        let whole = press(&pressed);
        assert_eq!(
            (whole.from.id, whole.number, whole.data.as_str()),
            (5, 3, "+x")
        );
        assert!(whole.chat.is_some_and(|chat| chat.private));
        pressed["message"].take();
        assert_eq!(press(&pressed).chat, None);
    }

    #[test]
    fn other_news_are_only_confirmed() {
        assert_eq!(
            read(&json!({ "update_id": 8, "edited_message": {} })),
            News::Other
        );
        assert_eq!(
            read(&json!({ "update_id": 8, "message": { "text": "no chat" } })),
            News::Other
        );
        assert_eq!(number(&json!({ "update_id": 8, "message": 5 })), Some(8));
    }
}
