//! A reminder as it is kept.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::job::CursorKey;
use crate::moment::Repeats;
use crate::store::{Reader, StoreError};
use crate::zone::Tz;

/// Whose reminders' positions are.
pub const OWNER: &str = "reminders";

/// Something that somebody is to be reminded of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reminder {
    /// Of what.
    pub text: String,
    /// When it is due; nothing once it was told and does not come again.
    pub due: Option<DateTime<Utc>>,
    /// The moment that was told last, where nobody said that it is done.
    pub told: Option<DateTime<Utc>>,
    /// What the clock said when it was told last.
    #[serde(default)]
    pub told_at: Option<DateTime<Utc>>,
    /// What comes again.
    pub repeats: Option<Repeats>,
    /// It does not come again at this moment or later.
    pub until: Option<DateTime<Utc>>,
    /// The chat that asked; the owner's where it was no chat.
    pub chat: Option<i64>,
    /// The topic of that chat.
    #[serde(default)]
    pub thread: Option<i64>,
    /// What that chat is called.
    #[serde(default)]
    pub title: String,
    /// Whose it is.
    pub person: String,
    /// What that person is called; nothing where nobody knows.
    #[serde(default)]
    pub name: String,
    /// Its recurrence is told in Spanish.
    pub spanish: bool,
}

/// Since when the clock was put back, and not only corrected.
const PUT_BACK: TimeDelta = TimeDelta::seconds(2);

/// How far back the last moment of what repeats is looked for, in hours.
const BACK: [i64; 5] = [1, 24, 31 * 24, 366 * 24, 5 * 366 * 24];

impl Reminder {
    /// As it is once its moment `due` was told at `now`.
    #[must_use]
    pub fn after(mut self, (due, now): (DateTime<Utc>, DateTime<Utc>), zone: Tz) -> Self {
        self.told = Some(due);
        self.told_at = Some(now);
        self.due = self.coming(due.max(now), zone);
        self
    }

    /// Its first moment after `after` by what it repeats, if any.
    pub fn coming(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let next = self.repeats.as_ref()?.next(after.with_timezone(&zone))?;
        let next = next.to_utc();
        self.until.is_none_or(|until| next < until).then_some(next)
    }

    /// The last of its moments until `now`, where `due` is one of them: those between are not told.
    pub fn latest(&self, due: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let before = |after| self.coming(after, zone).filter(|at| *at <= now);
        let ends = self.until.map_or(now, |until| now.min(until));
        // From near to far, so that what comes each minute is not gone through for a year.
        let near = BACK.iter().map(|hours| ends - TimeDelta::hours(*hours));
        let near = near.take_while(|from| *from > due);
        let first = near.filter_map(before).next().unwrap_or(due);
        let all = std::iter::successors(Some(first), |at| before(*at));
        all.last().unwrap_or(due)
    }

    /// As it is where the clock was put back since it was told: what it repeats comes as if that had not been so far ahead.
    pub fn put_back(&self, now: DateTime<Utc>, zone: Tz) -> Option<Self> {
        self.told_at.filter(|told| *told - now > PUT_BACK)?;
        let due = match &self.repeats {
            Some(_) => self.coming(now, zone),
            None => self.due,
        };
        Some(Reminder {
            due,
            told_at: Some(now),
            ..self.clone()
        })
    }

    /// Whether it was told before `oldest`, and does not come again.
    pub fn is_forgotten(&self, oldest: DateTime<Utc>) -> bool {
        let told = self.told_at.or(self.told);
        self.due.is_none() && told.is_none_or(|told| told < oldest)
    }

    /// How it comes again, in words.
    pub fn again(&self) -> Option<String> {
        let repeats = self.repeats.as_ref()?;
        Some(repeats.words(self.spanish))
    }
}

/// All reminders by their names, the next one first.
///
/// # Errors
/// The store cannot be read.
pub fn reminders(reader: &Reader<'_>) -> Result<Vec<(String, Reminder)>, StoreError> {
    let all = reader.cursors(OWNER, "", "")?.into_iter();
    let all = all.filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)));
    let mut all: Vec<(String, Reminder)> = all.collect();
    all.sort_by_key(|(_, reminder)| reminder.due.or(reminder.told));
    Ok(all)
}

/// The position of a reminder.
pub fn key(name: &str) -> CursorKey {
    CursorKey {
        owner: OWNER.to_owned(),
        step: String::new(),
        name: name.to_owned(),
    }
}
