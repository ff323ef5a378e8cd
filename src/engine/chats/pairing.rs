//! The first contact: a code that is shown on the machine and typed on the phone.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::job::CursorKey;
use crate::store::{Store, StoreError};

/// How long a code holds.
const HOLDS: TimeDelta = TimeDelta::minutes(10);

/// How often it may be guessed.
const TRIES: u32 = 5;

/// A code that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Six digits.
    pub code: String,
    /// Until when.
    pub until: DateTime<Utc>,
    /// How many guesses are left.
    pub tries: u32,
}

/// What becomes of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// It is the code.
    Right,
    /// It is not.
    Wrong,
    /// Nobody waits for one.
    NotAsked,
}

fn key(name: &str) -> CursorKey {
    CursorKey {
        owner: "telegram".to_owned(),
        step: String::new(),
        name: name.to_owned(),
    }
}

/// The person who paired.
///
/// # Errors
/// The store cannot be read.
pub fn owner(store: &Store) -> Result<Option<i64>, StoreError> {
    store.read_now(|reader| reader.cursor_as(&key("owner")))
}

impl Pairing {
    /// Begins: `dice` is a number that nobody can guess.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn begin(store: &Store, dice: u128, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let pairing = Pairing {
            code: format!("{:06}", dice % 1_000_000),
            until: now + HOLDS,
            tries: TRIES,
        };
        store
            .remember(vec![(key("pairing"), Some(json!(pairing)))])
            .await?;
        Ok(pairing)
    }

    /// Whether any code is waited for.
    pub(super) async fn is_asked(store: &Store, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let known = store.read(|reader| reader.cursor_as::<Pairing>(&key("pairing")));
        Ok(known.await?.is_some_and(|known| known.until > now))
    }

    /// Whether this code is still waited for.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn is_open(&self, store: &Store) -> Result<bool, StoreError> {
        let asked: Option<Pairing> = store.read_now(|reader| reader.cursor_as(&key("pairing")))?;
        Ok(asked.is_some_and(|asked| asked.code == self.code))
    }

    /// It is waited for no longer; gives who said it, if anybody did.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn ended(&self, store: &Store) -> Result<Option<i64>, StoreError> {
        if self.is_open(store)? {
            store.remember(vec![(key("pairing"), None)]).await?;
        }
        let paired: Option<(String, i64)> =
            store.read_now(|reader| reader.cursor_as(&key("paired")))?;
        Ok(paired
            .filter(|(code, _)| *code == self.code)
            .map(|(_, user)| user))
    }

    /// Somebody says a code; the right one makes them the owner, in one commit.
    pub(super) async fn guess(
        store: &Store,
        said: &str,
        user: i64,
        now: DateTime<Utc>,
    ) -> Result<Guess, StoreError> {
        let asked: Option<Pairing> = store
            .read(|reader| reader.cursor_as(&key("pairing")))
            .await?;
        let Some(mut asked) = asked.filter(|asked| asked.until >= now && asked.tries > 0) else {
            return Ok(Guess::NotAsked);
        };
        if asked.code == said.trim() {
            let owner = (key("owner"), Some(user.into()));
            let by = (key("paired"), Some(json!([asked.code, user])));
            store
                .remember(vec![(key("pairing"), None), owner, by])
                .await?;
            return Ok(Guess::Right);
        }
        asked.tries -= 1;
        let left = (asked.tries > 0).then(|| json!(asked));
        store.remember(vec![(key("pairing"), left)]).await?;
        Ok(Guess::Wrong)
    }
}
