//! Messages that bring a file: written down as they came, so that nobody waits for the file but its own job.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::inbox::{Inbox, Who};
use super::{Chats, Reader, offset_key};
use crate::job::CursorKey;
use crate::journal::{self, Level};
use crate::telegram::{self, Message, News};

/// The names of what is held, before the update's number.
const HELD: &str = "held ";

fn key(bot: &str, update: i64) -> CursorKey {
    CursorKey {
        name: format!("{HELD}{update}"),
        ..offset_key(bot)
    }
}

/// What is being fetched; dropped, it ends, and another life begins it again.
pub(super) type Fetching = JoinSet<()>;

impl Chats {
    /// Holds the messages of `news` that bring a file from somebody who may, and gives the news without them.
    pub(super) async fn hold(
        self: &Arc<Self>,
        (inbox, reader): (&Inbox, &Reader),
        news: Vec<Value>,
        fetching: &mut Fetching,
    ) -> Vec<Value> {
        let mut rest = Vec::new();
        for update in news {
            let Some(message) = with_file(&update) else {
                rest.push(update);
                continue;
            };
            let from = message.from.as_ref();
            let may = |from| inbox.who(self, &message.chat, from) != Who::Stranger;
            let key = key(&reader.number, message.update);
            if from.is_some_and(may)
                && self
                    .intake
                    .remember(vec![(key, Some(update.clone()))])
                    .await
                    .is_ok()
            {
                self.fetch((inbox, reader), message, fetching);
            } else {
                rest.push(update);
            }
        }
        rest
    }

    /// Goes on with what an earlier life held.
    pub(super) async fn go_on(
        self: &Arc<Self>,
        (inbox, reader): (&Inbox, &Reader),
        fetching: &mut Fetching,
    ) {
        let number = reader.number.clone();
        let held = self
            .store
            .read(move |store| store.cursors("telegram", &number, HELD));
        match held.await {
            Ok(held) => {
                for message in held.iter().filter_map(|(_, update)| with_file(update)) {
                    self.fetch((inbox, reader), message, fetching);
                }
            }
            Err(error) => journal::say(Level::Warning, error),
        }
    }

    fn fetch(
        self: &Arc<Self>,
        (inbox, reader): (&Inbox, &Reader),
        message: Message,
        fetching: &mut Fetching,
    ) {
        // Those that ended meanwhile.
        while fetching.try_join_next().is_some() {}
        let (chats, inbox, reader) = (Arc::clone(self), inbox.clone(), reader.clone());
        fetching.spawn(async move {
            let key = key(&reader.number, message.update);
            inbox.take(&chats, message, &reader).await;
            if let Err(error) = chats.intake.remember(vec![(key, None)]).await {
                journal::say(Level::Warning, error);
            }
        });
    }
}

fn with_file(update: &Value) -> Option<Message> {
    match telegram::read(update) {
        News::Message(message) if message.file.is_some() => Some(*message),
        _ => None,
    }
}
