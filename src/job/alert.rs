//! Failures that the owner hears of once, and what he does not want to hear of.

use chrono::{DateTime, Utc};

use super::RunId;

/// A failure that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// A job's name, or what of the program itself.
    pub about: String,
    /// Why it failed the last time.
    pub reason: String,
    /// The newest run that failed so.
    pub run: Option<RunId>,
    /// How often it was seen.
    pub count: u32,
    /// When it was seen first.
    pub first_at: DateTime<Utc>,
    /// When it was seen last.
    pub last_at: DateTime<Utc>,
    /// When the owner last heard of it; `None` while a mute hid all of it.
    pub told_at: Option<DateTime<Utc>>,
}

/// What there is to say of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// The owner does not know of it yet.
    New,
    /// The owner knows, and it goes on.
    Still,
    /// It is over.
    Over,
}

/// What the owner does not want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// A job's name, a part of a reason, or either with `*` for anything.
    pub pattern: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

impl Mute {
    /// Whether it hides a failure, in any case of letters: its pattern is the name that it is about, or a part of the
    /// reason; one with `*` is the whole of one of them.
    pub fn hides(&self, about: &str, reason: &str) -> bool {
        let pattern = self.pattern.to_lowercase();
        let (about, reason) = (about.to_lowercase(), reason.to_lowercase());
        if pattern.contains('*') {
            return is_like(&about, &pattern) || is_like(&reason, &pattern);
        }
        about == pattern || reason.contains(&pattern)
    }
}

/// Whether `text` is what `pattern` says, where each `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, hides: bool) {
        let mute = Mute {
            pattern: pattern.to_owned(),
            since: DateTime::UNIX_EPOCH,
            until: DateTime::UNIX_EPOCH,
        };
        let found = mute.hides("backup-home", "step `copy`: no answer from NAS");
        assert_eq!(found, hides, "{pattern}");
    }

    #[test]
    fn a_mute_hides_by_name_or_by_reason() {
        check("backup-home", true);
        // Another job may have such a name.
        check("backup", false);
        check("no answer from nas", true);
        check("backup-*", true);
        check("*-home", true);
        check("*NAS", true);
        check("*copy*nas*", true);
        check("briefing", false);
        check("home-*", false);
        check("*copy", false);
        check("*nas*copy*", false);
    }
}
