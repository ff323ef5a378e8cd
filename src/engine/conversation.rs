//! What was said in a chat lately, so that a question may follow another: its words and the answers, until an hour has passed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::EngineError;
use super::context::reach;
use super::runner::UnderWay;
use crate::config::{Job, Settings};
use crate::job::{CursorKey, Moved, NewDelivery};
use crate::llm::Reach;
use crate::store::Store;

/// A conversation ends after so long a silence.
const SILENCE: TimeDelta = TimeDelta::hours(1);

/// So many words of it are remembered, the newest, each of so many characters at most.
const TURNS: usize = 20;
const LONGEST: usize = 1000;

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    /// `person` or `answer`.
    who: String,
    text: String,
    at: DateTime<Utc>,
    /// It reaches no model that is not at home.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    home: bool,
}

fn key(chat: i64) -> CursorKey {
    CursorKey {
        owner: "telegram".to_owned(),
        step: "conversation".to_owned(),
        name: chat.to_string(),
    }
}

/// The conversation that a chat belongs to: the owner's own with the bot is the one that he has on the terminal.
fn window(chat: i64, owner: Option<i64>) -> i64 {
    if Some(chat) == owner { 0 } else { chat }
}

/// What was said in `chat` before `now`, and is not over.
async fn turns(store: &Store, chat: i64, now: DateTime<Utc>) -> Result<Vec<Turn>, EngineError> {
    let known = store.read(move |store| store.cursor(&key(chat))).await?;
    let turns: Vec<Turn> = known
        .and_then(|known| serde_json::from_value(known).ok())
        .unwrap_or_default();
    let last = turns.last().map(|turn| turn.at);
    let over = last.is_none_or(|last| now - last > SILENCE);
    Ok(if over { Vec::new() } else { turns })
}

fn with(
    mut turns: Vec<Turn>,
    who: &str,
    (text, home): (&str, bool),
    at: DateTime<Utc>,
) -> Vec<Turn> {
    turns.push(Turn {
        home,
        who: who.to_owned(),
        text: text.chars().take(LONGEST).collect(),
        at,
    });
    let most = turns.len().saturating_sub(TURNS);
    turns.drain(..most);
    turns
}

/// Whether what is said to a job, and what it answers, reaches no model that is not at home.
pub fn stays_at_home(job: &Job, settings: &Settings) -> bool {
    reach(job, settings) == Reach::Home
}

/// Somebody says something in `chat`: what templates see as `event.conversation`, and what is remembered with it.
///
/// # Errors
/// The store cannot be read.
pub async fn said(
    store: &Store,
    (chat, owner): (i64, Option<i64>),
    (text, home): (&str, bool),
    now: DateTime<Utc>,
) -> Result<(Value, Moved), EngineError> {
    let chat = window(chat, owner);
    let before = turns(store, chat, now).await?;
    let seen = before.iter();
    let seen = seen.map(|turn| json!({ "who": turn.who, "text": turn.text, "home": turn.home }));
    let seen = seen.collect();
    let after = with(before, "person", (text, home), now);
    Ok((seen, (key(chat), Some(json!(after)))))
}

/// Forgets what was said lately to somebody: the owner, or somebody else by number.
///
/// # Errors
/// The store cannot be written.
pub async fn forget(store: &Store, person: &str) -> Result<(), EngineError> {
    let chat = person.parse().unwrap_or(0);
    store.remember(vec![(key(chat), None)]).await?;
    Ok(())
}

impl UnderWay<'_> {
    /// The answers that go to where the question came from, remembered with it.
    pub(super) async fn answered(
        &self,
        messages: &[NewDelivery],
    ) -> Result<Option<Moved>, EngineError> {
        let event = self.roots.get("event").cloned().unwrap_or_default();
        let (Some(chat), Value::Array(_)) = (event["chat"]["id"].as_i64(), &event["conversation"])
        else {
            return Ok(None);
        };
        let here = |message: &&NewDelivery| {
            message.kind == "console" || message.target["chat"].as_i64() == Some(chat)
        };
        // Who worded it is no part of what was said.
        let by = self.worded.as_ref().map(|by| format!("\n\n_{by}_"));
        let texts = messages.iter().filter(here).map(|message| {
            let body = message.body.as_str();
            by.as_ref()
                .and_then(|by| body.strip_suffix(by.as_str()))
                .unwrap_or(body)
        });
        let text = texts.collect::<Vec<_>>().join("\n\n");
        if text.is_empty() {
            return Ok(None);
        }
        let now = self.engine.clock.now();
        let home = stays_at_home(self.job, &self.engine.loaded.settings);
        let chat = window(chat, self.owner()?);
        let before = turns(&self.engine.store, chat, now).await?;
        let after = with(before, "answer", (&text, home), now);
        Ok(Some((key(chat), Some(json!(after)))))
    }
}
