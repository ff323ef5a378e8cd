//! What a `log` step remembers between runs, and what makes a pattern news.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FileCursor;

/// A pattern that was not seen for so long is new again.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(30);
/// The time constant of the average rate, in hours: a week, so that weekday and weekend both count.
const MEMORY_HOURS: f64 = 7.0 * 24.0;
/// The fewest lines that are a surge.
const SURGE_LINES: u64 = 10;
/// A surge is more than so many times what is usual.
const SURGE_FACTOR: f64 = 4.0;
/// The shortest stretch that a rate is taken over, in hours: a burst right after a look is not a rate.
const LEAST_HOURS: f64 = 0.25;
/// How many patterns one step remembers; those not seen for longest go.
pub const MAX_PATTERNS: usize = 2_000;

const FILE: &str = "file:";
const PATTERN: &str = "pattern:";
const LOOKED: &str = "looked";
const JOURNAL: &str = "journal";

/// Everything one step remembers, read from its cursors.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// By path.
    pub files: BTreeMap<String, FileCursor>,
    /// By the hash of the line that founded the pattern.
    pub patterns: BTreeMap<String, PatternMemory>,
    /// The last look; `None` before the first.
    pub looked: Option<Looked>,
    /// Where reading the journal ended.
    pub journal: Option<JournalCursor>,
}

/// When and at what a step looked last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: DateTime<Utc>,
    /// Globs it looked at: a file of these that appears later is read from its start.
    pub globs: Vec<String>,
}

/// Where reading the journal ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalCursor {
    /// journald's own `__CURSOR`.
    pub cursor: String,
    /// When that entry was written, for when journald no longer knows the cursor.
    pub at: DateTime<Utc>,
}

/// What is remembered of one pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatternMemory {
    /// The template, as general as it has become.
    pub template: String,
    /// Lines in all.
    pub count: u64,
    /// The run that saw it first.
    pub first_seen: DateTime<Utc>,
    /// The run that saw it last.
    pub last_seen: DateTime<Utc>,
    /// Since when it was watched for: the look before the first sight.
    watched_from: DateTime<Utc>,
    /// Lines per hour, weighed by age (an average with exponential decay) as of `last_seen`.
    rate: f64,
}

/// Whether a pattern is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// Never seen, or not for 30 days.
    New,
    /// At least 10 lines, and more than 4 times the usual rate.
    Surging,
    /// As ever.
    Known,
}

/// One change to what is remembered: `None` forgets the name.
pub type Change = (String, Option<Value>);

impl Memory {
    /// Reads the cursors of one step; a value that is not understood is as if it were not there.
    pub fn load(entries: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut memory = Memory::default();
        for (name, value) in entries {
            if let Some(path) = name.strip_prefix(FILE) {
                let cursor = serde_json::from_value(value).ok();
                memory
                    .files
                    .extend(cursor.map(|cursor| (path.to_owned(), cursor)));
            } else if let Some(id) = name.strip_prefix(PATTERN) {
                let pattern = serde_json::from_value(value).ok();
                memory
                    .patterns
                    .extend(pattern.map(|pattern| (id.to_owned(), pattern)));
            } else if name == LOOKED {
                memory.looked = serde_json::from_value(value).ok();
            } else if name == JOURNAL {
                memory.journal = serde_json::from_value(value).ok();
            }
        }
        memory
    }

    /// How long ago the last look was, in hours; an hour before the first look.
    pub fn hours_since_look(&self, now: DateTime<Utc>) -> f64 {
        self.looked
            .as_ref()
            .map_or(1.0, |looked| hours(now - looked.at))
            .max(LEAST_HOURS)
    }

    /// The patterns to forget when `added` new ones come: the oldest beyond [`MAX_PATTERNS`], but none of `kept`.
    pub fn too_many(&self, added: usize, kept: impl Fn(&str) -> bool) -> Vec<String> {
        let excess = (self.patterns.len() + added).saturating_sub(MAX_PATTERNS);
        let mut oldest: Vec<_> = self
            .patterns
            .iter()
            .filter(|(id, _)| !kept(id))
            .map(|(id, pattern)| (pattern.last_seen, id))
            .collect();
        oldest.sort();
        oldest
            .into_iter()
            .take(excess)
            .map(|(_, id)| id.clone())
            .collect()
    }
}

impl PatternMemory {
    /// What is remembered after `count` lines in the first look that saw the pattern.
    pub fn first(template: String, count: u64, now: DateTime<Utc>, hours_watched: f64) -> Self {
        let milliseconds = (hours_watched * 3_600_000.0) as i64;
        PatternMemory {
            template,
            count,
            first_seen: now,
            last_seen: now,
            watched_from: now - TimeDelta::milliseconds(milliseconds),
            rate: count as f64 / MEMORY_HOURS,
        }
    }

    /// What is remembered after `count` more lines.
    pub fn again(&self, template: String, count: u64, now: DateTime<Utc>) -> Self {
        PatternMemory {
            template,
            count: self.count + count,
            first_seen: self.first_seen,
            last_seen: now,
            watched_from: self.watched_from,
            rate: self.rate * self.decay(now) + count as f64 / MEMORY_HOURS,
        }
    }

    /// Whether `count` lines in the last `hours_watched` are news.
    pub fn judge(&self, count: u64, now: DateTime<Utc>, hours_watched: f64) -> Novelty {
        if now - self.last_seen > FORGOTTEN_AFTER {
            return Novelty::New;
        }
        let usual = self.usual_rate(now) * hours_watched;
        if count >= SURGE_LINES && count as f64 > SURGE_FACTOR * usual {
            return Novelty::Surging;
        }
        Novelty::Known
    }

    /// Lines per hour; a young average is corrected for the time before it began.
    fn usual_rate(&self, now: DateTime<Utc>) -> f64 {
        let age = hours(now - self.watched_from).max(LEAST_HOURS);
        self.rate * self.decay(now) / (1.0 - (-age / MEMORY_HOURS).exp())
    }

    fn decay(&self, now: DateTime<Utc>) -> f64 {
        (-hours(now - self.last_seen).max(0.0) / MEMORY_HOURS).exp()
    }
}

/// The change that remembers a file's cursor.
pub fn file_change(path: &str, cursor: Option<&FileCursor>) -> Change {
    (format!("{FILE}{path}"), cursor.map(to_value))
}

/// The change that remembers a pattern.
pub fn pattern_change(id: &str, pattern: Option<&PatternMemory>) -> Change {
    (format!("{PATTERN}{id}"), pattern.map(to_value))
}

/// The change that remembers the look itself.
pub fn looked_change(looked: &Looked) -> Change {
    (LOOKED.to_owned(), Some(to_value(looked)))
}

/// The change that remembers the place in the journal.
pub fn journal_change(cursor: &JournalCursor) -> Change {
    (JOURNAL.to_owned(), Some(to_value(cursor)))
}

fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("plain structures with string keys become JSON")
}

fn hours(delta: TimeDelta) -> f64 {
    delta.num_milliseconds() as f64 / 3_600_000.0
}
