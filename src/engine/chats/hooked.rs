//! News that Telegram brings to the daemon's own address.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::held::Fetching;
use super::inbox::Inbox;
use super::parts;
use super::{Chats, Reader, offset_key};
use crate::engine::Loaded;
use crate::job::CursorKey;
use crate::journal::{self, Level};
use crate::telegram::{self, Failure, hook};

/// One piece of news, as it was brought; whoever brings it hears when all of it is on the disk.
#[derive(Debug)]
pub struct Brought {
    /// The update.
    pub update: Value,
    /// Dropped without a word, it is not kept.
    pub kept: oneshot::Sender<()>,
}

/// How often it is looked whether Telegram still knows the address and can reach it.
const LOOK: Duration = Duration::from_secs(60);

/// So much news is dealt with at once.
const MOST: usize = 100;

/// Numbers of updates that are remembered, to know those that are brought again.
const KNOWN: usize = 1000;

/// What is heard of the address.
pub(super) struct Hooked {
    pub(super) news: mpsc::Receiver<Brought>,
    known: VecDeque<i64>,
}

impl Hooked {
    pub(super) fn new(news: mpsc::Receiver<Brought>) -> Self {
        Hooked {
            news,
            known: VecDeque::new(),
        }
    }
}

fn key(bot: &str) -> CursorKey {
    CursorKey {
        name: "webhook".to_owned(),
        ..offset_key(bot)
    }
}

impl Chats {
    /// Has Telegram bring its news to `url`, and deals with what comes until there is a look to be had again.
    pub(super) async fn hear(
        self: &Arc<Self>,
        (reader, url): (&Reader, &str),
        inbox: &Inbox,
        reloaded: &mut watch::Receiver<Arc<Loaded>>,
        (hooked, fetching): (&mut Hooked, &mut Fetching),
    ) -> Result<(), Failure> {
        self.hook(reader, url).await?;
        let look = self.clock.sleep(LOOK);
        let mut look = std::pin::pin!(look);
        loop {
            let first = tokio::select! {
                first = hooked.news.recv() => first,
                _ = reloaded.changed() => {
                    reloaded.mark_changed();
                    return Ok(());
                }
                () = &mut look => return Ok(()),
            };
            let Some(first) = first else {
                return std::future::pending().await;
            };
            let mut brought = vec![first];
            while brought.len() < MOST
                && let Ok(next) = hooked.news.try_recv()
            {
                brought.push(next);
            }
            let last = brought.last().map(|last| last.update.clone());
            if parts::goes_on(last.as_slice()) {
                // The rest of a long text is on its way.
                let rest = self.clock.sleep(parts::PARTS);
                let mut rest = std::pin::pin!(rest);
                while brought.len() < MOST {
                    tokio::select! {
                        next = hooked.news.recv() => match next {
                            Some(next) => brought.push(next),
                            None => break,
                        },
                        () = &mut rest => break,
                    }
                }
            }
            // Brought beside each other, they may come in any order.
            brought.sort_by_key(|brought| telegram::number(&brought.update));
            let (mut news, mut kept) = (Vec::new(), Vec::new());
            for Brought { update, kept: tell } in brought {
                let number = telegram::number(&update);
                let is_new = number.is_some_and(|number| !hooked.known.contains(&number));
                if let Some(number) = number.filter(|_| is_new) {
                    hooked.known.push_back(number);
                    news.push(update);
                }
                kept.push(tell);
            }
            let most = hooked.known.len().saturating_sub(KNOWN);
            hooked.known.drain(..most);
            let news = self.hold((inbox, reader), news, fetching).await;
            self.take(inbox, &news, reader).await;
            for kept in kept {
                // Whoever brought it may be gone.
                let _ = kept.send(());
            }
        }
    }

    /// Sees to it that Telegram knows the address.
    async fn hook(&self, reader: &Reader, url: &str) -> Result<(), Failure> {
        let remembered = key(&reader.number);
        let known = self
            .store
            .read(move |store| store.cursor(&remembered))
            .await;
        let known = matches!(known, Ok(Some(known)) if known["url"] == url);
        match reader.bot.webhook().await? {
            Some(there) if known && there.url == url => {
                let since = there.trouble_at.map(|at| self.clock.now() - at);
                let lately = TimeDelta::from_std(LOOK * 2).unwrap_or_default();
                match there
                    .trouble
                    .filter(|_| since.is_some_and(|since| since < lately))
                {
                    Some(why) => Err(Failure::Server(format!(
                        "it cannot bring news to {url}: {why}"
                    ))),
                    None => Ok(()),
                }
            }
            _ => {
                reader
                    .bot
                    .set_webhook(url, &hook::secret(&reader.token))
                    .await?;
                journal::say(
                    Level::Info,
                    format!("Telegram brings its news to {url} from now on"),
                );
                let place = json!({ "url": url });
                let _ = self
                    .store
                    .remember(vec![(key(&reader.number), Some(place))])
                    .await;
                Ok(())
            }
        }
    }

    /// Takes back an address that this program had given, where news are asked for again; whether it was one.
    pub(super) async fn unhook(&self, reader: &Reader) -> bool {
        let remembered = key(&reader.number);
        let known = self
            .store
            .read(move |store| store.cursor(&remembered))
            .await;
        let Ok(Some(known)) = known else {
            return false;
        };
        let ours = match reader.bot.webhook().await {
            Ok(there) => there.is_some_and(|there| known["url"] == there.url),
            Err(_) => false,
        };
        if !ours || reader.bot.delete_webhook().await.is_err() {
            return false;
        }
        let _ = self.store.remember(vec![(key(&reader.number), None)]).await;
        journal::say(Level::Info, "Telegram is asked for its news again");
        true
    }
}
