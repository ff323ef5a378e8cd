//! One trigger at work: what it wants, what it knows, what is under way for it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::hints::Hint;
use super::memory::{Key, Mark, Remembered};
use super::pattern::Patterns;
use super::survey::{End, Scope, Seen};
use super::tracker::Tracker;
use super::verdict::{Cause, Unknown};
use super::{Pace, Wanted};

/// How often files are looked for where inotify is silent.
const POLL: Duration = Duration::from_secs(10);
/// A look around takes no more than one part in so many of the time.
const SHARE: u32 = 50;
/// After inotify lost hints, or something was mounted, a look around waits for so many times what the last one took.
const STORM: u32 = 5;
/// When what is remembered could not be read.
const AGAIN: Duration = Duration::from_secs(60);

/// One trigger at work.
#[derive(Debug)]
pub struct Post {
    /// Whose it is.
    pub key: Key,
    /// Which files it means.
    pub patterns: Arc<Patterns>,
    /// What it knows of them.
    pub tracker: Tracker,
    /// The newest look around.
    pub round: u64,
    /// Since when one is under way.
    pub surveying: Option<Duration>,
    /// What to look at next.
    pub wants: Option<Scope>,
    /// Before this no look around begins.
    pub not_before: Duration,
    /// Whether what was remembered was read.
    pub is_ready: bool,
    /// Whether a look at files is under way.
    pub is_looking: bool,
    /// Whether something is being written down.
    pub is_saving: bool,
    /// What the next starts know, and whether that is written down.
    pub mark: Mark,
    /// What is written down.
    pub saved: Option<Mark>,
    unknown: Unknown,
    notices: BTreeSet<String>,
    links: HashMap<PathBuf, PathBuf>,
    took: Duration,
    poll_at: Option<Duration>,
}

impl Post {
    /// A trigger that knows nothing, and wants to look around.
    pub fn new(key: Key, patterns: Patterns, pace: Pace) -> Self {
        Post {
            key,
            patterns: Arc::new(patterns),
            tracker: Tracker::new(pace),
            round: 0,
            surveying: None,
            wants: Some(Scope::All),
            not_before: Duration::ZERO,
            is_ready: false,
            is_looking: false,
            is_saving: false,
            mark: Mark::default(),
            saved: None,
            unknown: Unknown::Baseline,
            notices: BTreeSet::new(),
            links: HashMap::new(),
            took: Duration::ZERO,
            poll_at: None,
        }
    }

    /// Goes on with what the trigger is now. Files that only its new patterns mean were there before.
    pub fn change(&mut self, wanted: &Wanted, patterns: Patterns) {
        self.tracker.set_pace(wanted.pace.clone());
        if patterns.texts() != self.patterns.texts() {
            self.patterns = Arc::new(patterns);
            self.unknown = Unknown::Baseline;
            // A look at what the old ones meant is nobody's any more.
            self.round += 1;
            self.surveying = None;
            self.wants = Some(Scope::All);
            self.not_before = Duration::ZERO;
        }
    }

    /// Whether it has looked at everything that its patterns mean, and that is written down.
    pub fn has_looked(&self) -> bool {
        self.saved.as_ref() == Some(&self.mark) && self.mark.patterns == self.patterns.texts()
    }

    /// Wants to look around there.
    pub fn want(&mut self, scope: Scope) {
        self.wants = Some(match self.wants.take() {
            Some(wanted) => wanted.and(scope),
            None => scope,
        });
    }

    /// Wants to look around everywhere, but not all the time.
    pub fn want_all_soon(&mut self, now: Duration) {
        if self.wants != Some(Scope::All) {
            self.not_before = now + self.took * STORM;
        }
        self.want(Scope::All);
    }

    /// Takes in a hint for `path`.
    pub fn hint(&mut self, path: &Path, hint: Hint, now: Duration) {
        let cause = match hint.appeared {
            true => Cause::Appeared,
            false => Cause::Other,
        };
        if let Some(link) = self.links.get(path) {
            self.tracker.hint(link, cause, now);
        }
        if self.patterns.names(path) {
            self.tracker.hint(path, cause, now);
        }
        if !hint.folder && !hint.gone {
            return;
        }
        if self.patterns.leads_through(path) {
            self.want(Scope::All);
        } else if self.patterns.enters(path)
            && (hint.folder || !self.tracker.folders_below(path).is_empty())
        {
            self.want(Scope::Below(BTreeSet::from([path.to_owned()])));
        }
    }

    /// Takes in a part of the newest look around; notices that are new, and whether it is over.
    pub fn see(&mut self, seen: Seen, now: Duration) -> (Vec<String>, Option<End>) {
        match seen {
            Seen::Remembered(remembered) => self.remember(remembered),
            Seen::Forgotten(why) => {
                self.surveying = None;
                self.wants = Some(Scope::All);
                self.not_before = now + AGAIN;
                let text = format!("cannot read which files were seen before: {why}");
                return (self.notice(BTreeSet::from([text])), None);
            }
            Seen::Folder(folder, files) => {
                let patterns = Arc::clone(&self.patterns);
                let names = |path: &Path| patterns.names(path);
                self.tracker
                    .scanned_folder(&folder, &files, self.unknown, names, now);
            }
            Seen::File(path, found) => self.tracker.scanned(&path, found, self.unknown, now),
            Seen::End(mut end) => {
                let notices = std::mem::take(&mut end.notices);
                return (self.notice(notices), Some(end));
            }
        }
        (Vec::new(), None)
    }

    fn remember(&mut self, remembered: Remembered) {
        self.is_ready = true;
        let patterns = self.patterns.texts();
        if let Some(mark) = remembered.mark {
            if mark.patterns == patterns {
                self.unknown = Unknown::News;
            }
            self.mark = mark.clone();
            self.saved = Some(mark);
        }
        for (path, version) in remembered.files {
            self.tracker.remember(&path, version);
        }
    }

    /// A look around at `scope` is over.
    pub fn end(&mut self, end: &End, scope: &Scope, now: Duration) {
        match scope {
            Scope::All => self.sweep(Path::new("/"), end, now),
            Scope::Below(tops) => tops.iter().for_each(|top| self.sweep(top, end, now)),
        }
        let took = self.surveying.take().map(|since| now.saturating_sub(since));
        if *scope == Scope::All {
            self.unknown = Unknown::News;
            self.took = took.unwrap_or_default();
            self.links.clone_from(&end.links);
            self.mark = Mark {
                patterns: self.patterns.texts(),
                mounts: end.mounts.clone(),
            };
            self.poll_at = None;
        }
        if end.is_silent {
            self.poll_at = Some(now + POLL.max(self.took * SHARE));
        }
    }

    /// What is known at `top` and below, and was not seen, is gone; or nobody wants to hear of it any more.
    fn sweep(&mut self, top: &Path, end: &End, now: Duration) {
        let unseen = |path: &Path| end.unseen.iter().any(|unseen| path.starts_with(unseen));
        for folder in self.tracker.folders_below(top) {
            if end.visited.contains(&folder) || unseen(&folder) {
                continue;
            }
            for path in self.tracker.within(&folder) {
                if !self.patterns.names(&path) {
                    self.tracker.forget(&path);
                } else if !end.singles.contains(&path) && !unseen(&path) {
                    self.tracker.scanned(&path, None, self.unknown, now);
                }
            }
        }
    }

    /// The notices that were not there the last time.
    fn notice(&mut self, notices: BTreeSet<String>) -> Vec<String> {
        let new = notices.difference(&self.notices).cloned().collect();
        self.notices = notices;
        new
    }

    /// Asks for a look around where inotify is silent.
    pub fn poll(&mut self, now: Duration) {
        if self.poll_at.is_some_and(|at| at <= now) {
            self.poll_at = None;
            self.want(Scope::All);
        }
    }

    /// When it has something to do next, after `now`; what is due already waits for something under way.
    pub fn wakes(&self, now: Duration) -> Option<Duration> {
        let survey = match (&self.wants, self.surveying) {
            (Some(_), None) => Some(self.not_before),
            _ => None,
        };
        [self.tracker.due(), survey, self.poll_at]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }
}
