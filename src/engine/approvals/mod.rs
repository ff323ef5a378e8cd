//! Runs that wait for the owner's word: whom they ask, and what becomes of the answer.
//!
//! A button says a token that holds for one question of one run: a number that nobody can guess, and a digest of what is asked.
//! The row that waits for it is the only truth, so a press that comes twice, late, or after a restart finds either that row or
//! nothing.

mod answer;

use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::finish::Out;
use super::outbox::Row as OutboxRow;
use super::runner::UnderWay;
use super::sorry::{Asker, asker};
use super::{EngineError, Observer, Progress};
use crate::config::Settings;
use crate::delivery::{TelegramTarget, to_owner};
use crate::job::{NewDelivery, RunId, RunState, StepRecord, Wait};
use crate::journal::{self, Level};
use crate::store::{Delivery, Reader, RunRow, RunStory, StoreError};
use crate::telegram::Button;
use crate::template::Locale;

pub(super) use answer::expire;

/// What the buttons of a question say, before its token.
const YES: char = '+';
const NO: char = '-';

/// A run that waits for a word.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The run.
    pub row: RunRow,
    /// The step that asks, as it is written down.
    pub step: StepRecord,
    /// What its buttons say.
    pub token: String,
    /// What is asked, of whom.
    pub asked: Asked,
    /// The chat of somebody else who asked for it.
    guest: Option<TelegramTarget>,
    /// The messages that asked.
    messages: Vec<Delivery>,
}

/// What is asked, of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What is to be done.
    pub asks: String,
    /// Later than this the answer is no.
    pub until: DateTime<Utc>,
    /// Whose word counts in chats, by their number there; `None` where nobody was the owner yet.
    #[serde(default)]
    pub of: Option<i64>,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It shall be done.
    Yes,
    /// It shall not.
    No,
    /// Nobody said anything.
    Late,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It counts.
    Taken(Word),
    /// It came too late: the answer is no.
    Late,
    /// The question was answered before, or its run has ended.
    Gone,
    /// It is somebody else's to answer.
    NotYours,
}

/// The runs that wait for a word, the oldest first.
///
/// # Errors
/// The store cannot be read.
pub fn questions(reader: &Reader<'_>) -> Result<Vec<Question>, StoreError> {
    those(reader, |_| true)
}

/// The questions whose tokens are `wanted`: of these the whole story is read.
fn those(reader: &Reader<'_>, wanted: impl Fn(&str) -> bool) -> Result<Vec<Question>, StoreError> {
    let mut found = Vec::new();
    for row in reader.active()? {
        if matches!(&row.state, RunState::Waiting(Wait::Token(token)) if wanted(token))
            && let Some(story) = reader.run(row.run)?
        {
            found.extend(Question::of(story));
        }
    }
    Ok(found)
}

impl Question {
    /// The question that a run waits with.
    pub(super) fn of(story: RunStory) -> Option<Self> {
        let RunState::Waiting(Wait::Token(token)) = &story.row.state else {
            return None;
        };
        let mut steps = story.steps.into_iter().rev();
        let step = steps.find(|step| step.end == "wait")?;
        let asked: Asked = Asked::deserialize(step.detail.as_ref()?).ok()?;
        let mut messages = story.deliveries;
        messages.retain(|delivery| {
            let target = TelegramTarget::of(&delivery.message);
            let buttons = target.map(|target| target.buttons).unwrap_or_default();
            let mut data = buttons.iter().map(|button| button.data.get(1..));
            data.any(|data| data == Some(token))
        });
        let asker = asker(&story.event.seen());
        let guest = asker.filter(|asker| Some(asker.user) != asked.of);
        Some(Question {
            guest: guest.map(|guest| guest.chat),
            token: token.clone(),
            asked,
            step,
            messages,
            row: story.row,
        })
    }

    /// Whether the token is of this question, as it is written down.
    fn is_sound(&self) -> bool {
        let nonce = self.token.get(..NONCE).unwrap_or_default();
        let bound = token(nonce, &self.row.job_hash, self.row.run, &self.asked.asks);
        self.token == bound
    }
}

/// Letters of a number that nobody can guess, and of the digest behind it.
const NONCE: usize = 32;
const DIGEST: usize = 24;

/// What the buttons of a question say: it holds for this text, of this run, of the job as it was.
fn token(nonce: &str, job_hash: &str, run: RunId, asks: &str) -> String {
    let whole = format!("{nonce}\n{job_hash}\n{}\n{asks}", run.0);
    let digest = digest(&SHA256, whole.as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    let hex: String = hex.collect();
    format!("{nonce}{}", &hex[..DIGEST])
}

impl UnderWay<'_> {
    /// Writes down that the last step waits for a word, with the messages that ask for it, and lets the run go.
    pub(super) async fn ask(
        &mut self,
        nonce: &str,
        observer: &mut Observer<'_>,
    ) -> Result<(), EngineError> {
        let settings = &self.engine.loaded.settings;
        let owner = self.owner()?;
        let asker = self.asker();
        let step = self.update.steps.last_mut().expect("the step that asks");
        let detail = step.detail.clone().unwrap_or_default();
        let mut asked = Asked::deserialize(&detail).expect("what the step left");
        asked.of = owner;
        // An agent's step goes on from what else is there.
        let detail = step.detail.get_or_insert_default();
        detail["of"] = owner.into();
        let token = token(nonce, &self.job.hash, self.run, &asked.asks);
        let whose = (self.job.name.as_str(), self.run);
        let messages = messages(settings, whose, &asked, &token, asker);
        self.update.deliveries.clone_from(&messages);
        self.update.state = Some(RunState::Waiting(Wait::Token(token)));
        let recorded = self.commit().await?;
        let left = recorded.deliveries.into_iter().zip(messages);
        observer(Progress::Asks {
            asks: &asked.asks,
            until: asked.until,
        });
        match self.seat {
            Some(seat) => {
                seat.queue().outbox.offer(left.collect());
                seat.queue().asked.notify_one();
            }
            None => {
                for (id, message) in left {
                    let row = OutboxRow::new(id, message, self.engine.clock.now());
                    let sent = Box::pin(self.engine.send(row, &mut |_| ())).await?;
                    if let Out::Waits(why) | Out::Unsent(why) = sent {
                        journal::say(Level::Warning, format!("the question was not sent: {why}"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// A text that shows what it holds and nothing else: what is said yes to has no looks.
fn literal(text: &str) -> String {
    let escaped = text.chars().flat_map(|c| {
        // CommonMark, "Backslash escapes".
        let escape = c.is_ascii_punctuation().then_some('\\');
        escape.into_iter().chain([c])
    });
    escaped.collect()
}

/// What asks the owner: a message with buttons, or words where he hears of failures.
fn messages(
    settings: &Settings,
    (job, run): (&str, RunId),
    asked: &Asked,
    token: &str,
    asker: Option<Asker>,
) -> Vec<NewDelivery> {
    let until = asked
        .until
        .with_timezone(&settings.timezone)
        .format("%H:%M");
    let asks = literal(&asked.asks);
    let (head, until, yes, no) = match settings.language {
        Locale::En => ("asks", format!("until {until}"), "Approve", "Deny"),
        Locale::Es => (
            "pregunta",
            format!("hasta las {until}"),
            "Aprobar",
            "Denegar",
        ),
    };
    if settings.telegram.is_none() {
        let hint = format!("reveille approvals approve {}", run.0);
        let text = format!("{job} {run} {head} ({until}): {}\n{hint}", asked.asks);
        let places = settings.notify.iter();
        return places
            .map(|place| to_owner(*place, settings, &text))
            .collect();
    }
    let button = |mark: &str, text: &str, says: char| Button {
        text: format!("{mark} {text}"),
        data: format!("{says}{token}"),
    };
    // Where the owner asked for it; else in his own chat, with whoever did.
    let (mut target, by) = match (asker, settings.language) {
        (Some(asker), _) if Some(asker.user) == asked.of => (asker.chat, String::new()),
        (Some(asker), language) => {
            let by = match language {
                Locale::En => "for",
                Locale::Es => "por",
            };
            let by = format!(" {by} {} ({})", literal(&asker.name), asker.user);
            (TelegramTarget::default(), by)
        }
        (None, _) => (TelegramTarget::default(), String::new()),
    };
    target.buttons = vec![button("✅", yes, YES), button("❌", no, NO)];
    let text = format!("**{job}** {run} {head}{by}:\n\n{asks}\n\n{until}");
    let mut message = target.says(text);
    // What nobody can answer any more need not arrive.
    message.expires_at = Some(asked.until);
    vec![message]
}
