//! The way out to chats: one connection, who the owner is, and how often Telegram wants to be asked.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Bot, Failure, Outgoing};
use crate::clock::Clock;
use crate::net::{self, NetError, Secret};

/// Sends a message, in whatever form Telegram takes it: to the number that a group has now, and plain where its looks are not
/// taken.
///
/// # Errors
/// Every [`Failure`] but `Migrated`.
pub async fn send(bot: &Bot, message: &mut Outgoing) -> Result<i64, Failure> {
    let mut tried = bot.send(message).await;
    if let Err(Failure::Gone) = tried {
        message.edits = None;
        tried = bot.send(message).await;
    }
    if let Err(Failure::Migrated(chat)) = tried {
        message.chat = chat;
        tried = bot.send(message).await;
    }
    if let Err(Failure::Form(_)) = tried {
        message.chunk.entities.clear();
        if !message.chunk.text.chars().any(char::is_alphanumeric) {
            message.chunk.text.push('…');
        }
        tried = bot.send(message).await;
    }
    tried
}

/// From one message of a chat to the next, and over all chats. Bot API, FAQ: about one a second and 30 a second.
const CHAT: Duration = Duration::from_secs(1);
const ALL: Duration = Duration::from_millis(34);

/// So many messages a group takes in a minute.
const GROUP: (usize, Duration) = (20, Duration::from_secs(60));

/// The way out to chats; one for a process.
pub struct Post {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The bot as its token and its server make it.
    bot: Option<(String, Option<String>, Bot)>,
    owner: Option<i64>,
    /// By the monotonic clock: no message to anybody before.
    all: Duration,
    /// The same for each chat.
    chats: HashMap<i64, Duration>,
    /// When the last messages to each group went out.
    groups: HashMap<i64, VecDeque<Duration>>,
}

impl Post {
    /// Nothing is built or connected yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Post {
            clock,
            inner: Mutex::default(),
        }
    }

    /// The bot with this token on this server.
    ///
    /// # Errors
    /// The address of the server is none.
    pub fn bot(
        &self,
        token: &Secret,
        server: Option<&str>,
        http: &net::Client,
    ) -> Result<Bot, NetError> {
        let mut inner = self.inner();
        if let Some((known, at, bot)) = &inner.bot
            && known == token.expose()
            && at.as_deref() == server
        {
            return Ok(bot.clone());
        }
        let bot = Bot::new(token, server, http, Arc::clone(&self.clock))?;
        let server = server.map(str::to_owned);
        inner.bot = Some((token.expose().to_owned(), server, bot.clone()));
        Ok(bot)
    }

    /// The person who paired.
    pub fn owner(&self) -> Option<i64> {
        self.inner().owner
    }

    /// From now on this is the owner.
    pub fn set_owner(&self, owner: Option<i64>) {
        self.inner().owner = owner;
    }

    /// Waits until a message may go to this chat, and counts it.
    ///
    /// Once the chat itself may have one, its moment among all chats is booked: nobody else wakes for it, and who wakes late
    /// delays nobody.
    pub async fn turn(&self, chat: i64) {
        loop {
            let wait = self.inner().wait(chat, self.clock.monotonic());
            match wait {
                Wait::Look(wait) => self.clock.sleep(wait).await,
                Wait::Booked(Duration::ZERO) => return,
                Wait::Booked(wait) => return self.clock.sleep(wait).await,
            }
        }
    }

    /// Telegram wants no message to this chat for so long.
    pub fn hold(&self, chat: i64, wait: Duration) {
        let until = self.clock.monotonic() + wait;
        self.inner().chats.insert(chat, until);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

/// How long a message has to wait.
enum Wait {
    /// So long for its chat; then it looks again.
    Look(Duration),
    /// So long for the others, and then it goes out.
    Booked(Duration),
}

impl Inner {
    /// How long a message to this chat has to wait; where it is only for the others, its moment is booked.
    fn wait(&mut self, chat: i64, now: Duration) -> Wait {
        let (most, window) = GROUP;
        let mut earliest = self.chats.get(&chat).copied().unwrap_or_default();
        // Groups have negative numbers.
        if chat < 0
            && let Some(sent) = self.groups.get(&chat)
            && sent.len() >= most
        {
            earliest = earliest.max(sent[sent.len() - most] + window);
        }
        if earliest > now {
            return Wait::Look(earliest - now);
        }
        let at = self.all.max(now);
        self.all = at + ALL;
        self.chats.retain(|_, until| *until > now);
        self.chats.insert(chat, at + CHAT);
        if chat < 0 {
            let sent = self.groups.entry(chat).or_default();
            sent.retain(|at| *at + window > now);
            sent.push_back(at);
        }
        Wait::Booked(at - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of so many messages to these chats goes out, in milliseconds.
    fn times(chats: &[i64]) -> Vec<u128> {
        let (mut inner, mut now) = (Inner::default(), Duration::from_secs(1000));
        let mut times = Vec::new();
        for chat in chats {
            let at = loop {
                match inner.wait(*chat, now) {
                    Wait::Look(wait) => now += wait,
                    Wait::Booked(wait) => break now + wait,
                }
            };
            times.push((at - Duration::from_secs(1000)).as_millis());
        }
        times
    }

    #[test]
    fn the_limits_of_telegram_are_kept() {
        assert_eq!(times(&[1, 1, 1]), [0, 1000, 2000]);
        assert_eq!(times(&[1, 2, 3]), [0, 34, 68]);
        let group = times(&[-5; 22]);
        assert_eq!((group[19], group[20], group[21]), (19_000, 60_000, 61_000));
    }
}
