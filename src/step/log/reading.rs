//! The result of a look: what templates see.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::memory::{Change, Memory, Novelty, PatternMemory, pattern_change};
use super::tally::{Group, Tally};
use super::{Choice, Only};

/// What a look found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reading {
    /// The patterns told, the latest last; empty when there is nothing to tell.
    pub lines: Vec<Told>,
    /// The same as text, one pattern a line: `3× message`.
    pub text: String,
    /// Lines that match.
    pub count: u64,
    /// Lines read.
    pub total: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Each file or unit, and what became of it.
    pub files: Vec<Source>,
    /// Paths and patterns that name no file.
    pub missing: Vec<String>,
    /// Patterns left out because of `max_lines` or the size of the text.
    pub omitted: u64,
    /// Matching lines of patterns that `only` passes over.
    pub known: u64,
    /// Matching lines beyond the bound on patterns.
    pub other: u64,
    /// Lines longer than 64 KiB, of which the beginning counts.
    pub cut: u64,
    /// Matching lines with bytes that are not UTF-8.
    pub replaced: u64,
    /// What to remember once the run's outcome is committed.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

/// Lines alike but for numbers, ids and times.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// The latest of the lines, at most 2 KiB of it.
    pub text: String,
    /// How many.
    pub count: u64,
    /// The times of the earliest and the latest, where the lines have times.
    pub first: Option<DateTime<Utc>>,
    /// See `first`.
    pub last: Option<DateTime<Utc>>,
    /// What they have in common: `#` for numbers and ids, `<path>` for paths, `<*>` for other parameters.
    pub pattern: String,
    /// The file or unit of the latest.
    pub file: String,
    /// Never seen before, or not for 30 days; false when the step does not remember patterns.
    pub new: bool,
    /// At least 10 lines, and more than 4 times the usual rate.
    pub surging: bool,
}

/// A file or unit of a choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// A path, a pattern that names nothing, or a unit.
    pub path: String,
    /// What became of it.
    #[serde(flatten)]
    pub state: SourceState,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum SourceState {
    /// It was read.
    Read {
        /// Complete lines.
        lines: u64,
        /// Bytes.
        bytes: u64,
        /// Bytes passed over: before a first look's end, or beyond `max_bytes`.
        skipped: u64,
        /// What may have been missed and why.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    },
    /// There is none.
    Missing {
        /// What may have been missed and why.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    },
    /// It cannot be read.
    Unreadable {
        /// Why, and what to do about it.
        reason: String,
    },
}

impl Reading {
    /// Fills in what the tally gathered, under `choice`'s limits.
    pub fn tell(&mut self, tally: Tally<'_>, choice: &Choice, memory: &Memory, now: DateTime<Utc>) {
        let (groups, totals) = tally.finish();
        self.count = totals.count;
        self.replaced = totals.replaced;
        self.other = totals.other;
        let hours = memory.hours_since_look(now);
        let mut told = Vec::new();
        let mut remembered = Vec::new();
        for (group, template) in groups {
            let known = memory.patterns.get(&group.id);
            let novelty = match known {
                Some(pattern) => pattern.judge(group.count, now, hours),
                None => Novelty::New,
            };
            if choice.remembers() {
                let pattern = match known {
                    Some(pattern) => pattern.again(template.clone(), group.count, now),
                    None => PatternMemory::first(template.clone(), group.count, now, hours),
                };
                remembered.push((group.id.clone(), pattern));
            }
            let wanted = match novelty {
                _ if !choice.remembers() => true,
                Novelty::New => choice.only.contains(&Only::New),
                Novelty::Surging => choice.only.contains(&Only::Surging),
                Novelty::Known => false,
            };
            if wanted {
                told.push(self.told(group, template, novelty, choice));
            } else {
                self.known += group.count;
            }
        }
        self.omitted = trim(&mut told, choice);
        self.text = told
            .iter()
            .map(Told::as_text)
            .collect::<Vec<_>>()
            .join("\n");
        self.lines = told;
        self.remember(remembered, memory);
    }

    fn told(&self, group: Group, pattern: String, novelty: Novelty, choice: &Choice) -> Told {
        let file = self.files.get(group.source);
        Told {
            text: group.example,
            count: group.count,
            first: group.first,
            last: group.last,
            pattern,
            file: file.map_or_else(String::new, |file| file.path.clone()),
            new: choice.remembers() && novelty == Novelty::New,
            surging: choice.remembers() && novelty == Novelty::Surging,
        }
    }

    fn remember(&mut self, patterns: Vec<(String, PatternMemory)>, memory: &Memory) {
        let added = patterns
            .iter()
            .filter(|(id, _)| !memory.patterns.contains_key(id));
        let seen = |id: &str| patterns.iter().any(|(known, _)| known == id);
        for id in memory.too_many(added.count(), seen) {
            self.changes.push(pattern_change(&id, None));
        }
        // Of more patterns than are remembered at all, the latest.
        let surplus = patterns.len().saturating_sub(super::memory::MAX_PATTERNS);
        let latest = patterns.iter().skip(surplus);
        self.changes
            .extend(latest.map(|(id, pattern)| pattern_change(id, Some(pattern))));
    }

    /// A result as it may look, for checking templates.
    pub fn example(now: DateTime<Utc>) -> Self {
        let told = Told {
            text: "Nov 20 20:04:01 pi app[812]: error: disk full".to_owned(),
            count: 3,
            first: Some(now),
            last: Some(now),
            pattern: "pi app[#]: error: disk full".to_owned(),
            file: "/var/log/app.log".to_owned(),
            new: true,
            surging: false,
        };
        let read = SourceState::Read {
            lines: 120,
            bytes: 9_000,
            skipped: 0,
            note: None,
        };
        Reading {
            text: told.as_text(),
            lines: vec![told],
            count: 3,
            total: 120,
            bytes: 9_000,
            files: vec![Source {
                path: "/var/log/app.log".to_owned(),
                state: read,
            }],
            missing: vec!["/var/log/gone.log".to_owned()],
            ..Reading::default()
        }
    }
}

impl Told {
    fn as_text(&self) -> String {
        match self.count {
            1 => self.text.clone(),
            count => format!("{count}× {}", self.text),
        }
    }
}

/// Keeps the latest that fit and returns how many do not.
fn trim(told: &mut Vec<Told>, choice: &Choice) -> u64 {
    let mut room = choice.max_text;
    let fits = |told: &&Told| {
        room = room.saturating_sub(told.text.len() + 1);
        room > 0
    };
    let kept = told
        .iter()
        .rev()
        .take(choice.max_lines)
        .take_while(fits)
        .count();
    let omitted = told.len() - kept;
    told.drain(..omitted);
    omitted as u64
}
