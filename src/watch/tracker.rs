//! Suspicions to settled versions: the core of one trigger. Pure; times are monotonic.
//!
//! A hint or a scan only makes a path suspect. Once nobody suspected it anew for the settle time, somebody looks at the file,
//! and what that look found decides: a version that was not handled is offered, and is handled once that was accepted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::known::Known;
use super::rest::Rest;
use super::verdict::{Answer, Cause, Found, Unknown, Verdict};
use super::version::Version;
use super::{Change, Grouping, Pace};

/// The files of one trigger.
#[derive(Debug)]
pub struct Tracker {
    pace: Pace,
    known: Known,
    suspects: BTreeMap<PathBuf, Suspect>,
    /// One entry for each suspect, no later than it is due: only the top is put right.
    queue: BinaryHeap<Reverse<(Duration, PathBuf)>>,
    /// When the first and the last of all suspects became one.
    together: Option<(Duration, Duration)>,
    /// Paths that are looked at, offered or written down.
    busy: HashMap<PathBuf, Busy>,
    /// What is remembered without an event, and is not written down.
    unsaved: BTreeMap<PathBuf, Option<Version>>,
    rest: Rest,
}

#[derive(Debug, Clone, Copy)]
struct Suspect {
    first: Duration,
    last: Duration,
    /// What a scan found since the last hint.
    seen: Option<Option<Version>>,
    cause: Cause,
}

#[derive(Debug, Clone, Copy)]
struct Busy {
    suspect: Option<Suspect>,
    offered: Option<Version>,
    again: Option<Duration>,
}

impl Tracker {
    /// With nothing known.
    pub fn new(pace: Pace) -> Self {
        Tracker {
            pace,
            known: Known::default(),
            suspects: BTreeMap::new(),
            queue: BinaryHeap::new(),
            together: None,
            busy: HashMap::new(),
            unsaved: BTreeMap::new(),
            rest: Rest::default(),
        }
    }

    /// Goes on with another pace; no suspect is lost.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
        self.queue.clear();
        for (path, suspect) in &self.suspects {
            let entry = (self.pace.due(suspect.first, suspect.last), path.clone());
            self.queue.push(Reverse(entry));
        }
    }

    /// A version that was handled before.
    pub fn remember(&mut self, path: &Path, version: Version) {
        self.known.set(path, Some(version));
    }

    /// The version that was handled.
    pub fn known(&self, path: &Path) -> Option<Version> {
        self.known.get(path)
    }

    /// Something happened at `path`.
    pub fn hint(&mut self, path: &Path, cause: Cause, now: Duration) {
        self.suspect(path, None, cause, now);
    }

    /// A scan found this at `path`.
    pub fn scanned(
        &mut self,
        path: &Path,
        found: Option<Version>,
        unknown: Unknown,
        now: Duration,
    ) {
        let known = self.known.get(path);
        let suspect = self.suspects.get(path);
        // A name that appeared while the first scan was under way came after the trigger.
        let is_new = suspect.is_some_and(|suspect| suspect.cause == Cause::Appeared)
            || self.busy.contains_key(path);
        if let (None, Some(version), Unknown::Baseline, false) = (known, found, unknown, is_new) {
            self.known.set(path, Some(version));
            self.unsaved.insert(path.to_owned(), Some(version));
        } else if known != found || suspect.is_some() || self.busy.contains_key(path) {
            self.suspect(path, Some(found), Cause::Other, now);
        }
    }

    /// A scan found these files in `folder`, and no others that `names` means.
    pub fn scanned_folder(
        &mut self,
        folder: &Path,
        files: &BTreeMap<PathBuf, Version>,
        unknown: Unknown,
        names: impl Fn(&Path) -> bool,
        now: Duration,
    ) {
        for path in self.within(folder) {
            match (files.contains_key(&path), names(&path)) {
                (true, _) => {}
                (false, true) => self.scanned(&path, None, unknown, now),
                (false, false) => self.forget(&path),
            }
        }
        for (path, version) in files {
            self.scanned(path, Some(*version), unknown, now);
        }
    }

    /// The folders with files that are known or may become so, at `top` and below it.
    pub fn folders_below(&self, top: &Path) -> Vec<PathBuf> {
        let mut folders = self.known.folders_below(top);
        let busy = self.busy.keys().filter_map(|path| path.parent());
        for folder in busy.filter(|folder| folder.starts_with(top)) {
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
        folders
    }

    /// The files right in `folder` that are known, or may become so.
    pub fn within(&self, folder: &Path) -> Vec<PathBuf> {
        let mut files = self.known.within(folder);
        let busy = self
            .busy
            .keys()
            .filter(|path| path.parent() == Some(folder));
        files.extend(busy.filter(|path| self.known.get(path).is_none()).cloned());
        files
    }

    /// Nobody wants to hear of `path` any more.
    pub fn forget(&mut self, path: &Path) {
        self.known.set(path, None);
        self.suspects.remove(path);
        self.unsaved.insert(path.to_owned(), None);
    }

    /// When there is something to do next; `None` while nothing is suspect and nothing was refused.
    pub fn due(&self) -> Option<Duration> {
        let settled = match (self.pace.grouping, self.together) {
            (Grouping::Each, _) => self.queue.peek().map(|Reverse((due, _))| *due),
            (Grouping::Together, Some((first, last))) => Some(self.pace.due(first, last)),
            (Grouping::Together, None) => None,
        };
        settled.max(self.rest.until())
    }

    /// Up to `most` settled paths to look at, which are nobody else's until [`Tracker::looked`] and [`Tracker::answered`].
    pub fn take(&mut self, most: usize, now: Duration) -> Vec<PathBuf> {
        let mut taken = Vec::new();
        if self.is_resting(now) {
            return taken;
        }
        match self.pace.grouping {
            Grouping::Each => self.take_each(most, now, &mut taken),
            Grouping::Together => {
                let due = self
                    .together
                    .map(|(first, last)| self.pace.due(first, last));
                if due.is_some_and(|due| due <= now) {
                    taken.extend(self.suspects.keys().take(most).cloned());
                }
            }
        }
        for path in &taken {
            let suspect = self.suspects.remove(path);
            let busy = Busy {
                suspect,
                offered: None,
                again: None,
            };
            self.busy.insert(path.clone(), busy);
        }
        if self.suspects.is_empty() {
            self.together = None;
            self.queue.clear();
        }
        taken
    }

    fn take_each(&mut self, most: usize, now: Duration, taken: &mut Vec<PathBuf>) {
        while taken.len() < most
            && let Some(Reverse((due, _))) = self.queue.peek()
            && *due <= now
            && let Some(Reverse((_, path))) = self.queue.pop()
        {
            let Some(suspect) = self.suspects.get(&path) else {
                continue;
            };
            match self.pace.due(suspect.first, suspect.last) {
                due if due > now => self.queue.push(Reverse((due, path))),
                // Twice, where it was forgotten and came again.
                _ if taken.contains(&path) => {}
                _ => taken.push(path),
            }
        }
    }

    /// What a look at a path that was taken found.
    pub fn looked(&mut self, path: &Path, found: Found, now: Duration) -> Verdict {
        let known = self.known.get(path);
        let Some(busy) = self.busy.get_mut(path) else {
            return Verdict::Wait;
        };
        let version = match found {
            Found::File(version) => Some(version),
            Found::Nothing => None,
            Found::Unknown => {
                self.free(path);
                return Verdict::Wait;
            }
        };
        if let Some(suspect) = busy.suspect
            && suspect.seen.is_some_and(|seen| seen != version)
            && now < suspect.first + self.pace.most()
        {
            // It moved since the scan, and nobody gave a hint: a file system that gives none.
            let seen = Some(version);
            self.busy.remove(path);
            self.put_back(
                path,
                Suspect {
                    last: now,
                    seen,
                    ..suspect
                },
            );
            return Verdict::Wait;
        }
        busy.offered = version;
        let change = match (known, version) {
            (known, version) if known == version => {
                self.free(path);
                return Verdict::Wait;
            }
            (None, _) => Change::Created,
            (_, Some(_)) => Change::Changed,
            (_, None) => Change::Removed,
        };
        match self.pace.on.contains(&change) {
            true => Verdict::Tell(change),
            false => Verdict::Remember,
        }
    }

    /// What became of a path that was offered, or written down.
    pub fn answered(&mut self, path: &Path, answer: Answer, now: Duration) {
        let Some(busy) = self.busy.get(path).copied() else {
            return;
        };
        match (answer, busy.suspect) {
            (Answer::Accepted, _) => {
                self.known.set(path, busy.offered);
                self.unsaved.remove(path);
                self.rest = Rest::default();
                self.free(path);
            }
            (Answer::Refused, suspect) => {
                self.rest(now);
                self.free(path);
                if let Some(suspect) = suspect.filter(|_| !self.suspects.contains_key(path)) {
                    self.put_back(
                        path,
                        Suspect {
                            seen: None,
                            ..suspect
                        },
                    );
                }
            }
        }
    }

    /// Up to `most` versions that are remembered without an event, to be written down and [`Tracker::answered`].
    pub fn take_unsaved(&mut self, most: usize, now: Duration) -> Vec<(PathBuf, Option<Version>)> {
        if self.is_resting(now) {
            return Vec::new();
        }
        let free = self
            .unsaved
            .iter()
            .filter(|(path, _)| !self.busy.contains_key(*path));
        let taken: Vec<_> = free
            .take(most)
            .map(|(path, version)| (path.clone(), *version))
            .collect();
        for (path, offered) in &taken {
            let busy = Busy {
                suspect: None,
                offered: *offered,
                again: None,
            };
            self.busy.insert(path.clone(), busy);
        }
        taken
    }

    /// How many versions are not written down.
    pub fn unsaved(&self) -> usize {
        self.unsaved.len()
    }

    /// How many files one event tells of.
    pub fn grouping(&self) -> Grouping {
        self.pace.grouping
    }

    /// Something was refused: nothing is offered for a while.
    pub fn rest(&mut self, now: Duration) {
        self.rest.begin(now);
    }

    /// Whether nothing is offered, for a refusal.
    pub fn is_resting(&self, now: Duration) -> bool {
        !self.rest.is_over(now)
    }

    fn free(&mut self, path: &Path) {
        let again = self.busy.remove(path).and_then(|busy| busy.again);
        if let Some(at) = again {
            self.suspect(path, None, Cause::Other, at);
        }
    }

    fn suspect(&mut self, path: &Path, seen: Option<Option<Version>>, cause: Cause, now: Duration) {
        if let Some(busy) = self.busy.get_mut(path) {
            busy.again = Some(now);
            return;
        }
        if let Some(suspect) = self.suspects.get_mut(path) {
            // A scan that finds what the hint told of tells nothing new.
            let moved = match (seen, suspect.seen) {
                (None, _) => true,
                (Some(found), Some(seen)) => found != seen,
                (Some(_), None) => false,
            };
            suspect.seen = seen;
            if cause == Cause::Appeared {
                suspect.cause = cause;
            }
            if moved {
                suspect.last = now;
                self.together = self.together.map(|(first, last)| (first, last.max(now)));
            }
            return;
        }
        let suspect = Suspect {
            first: now,
            last: now,
            seen,
            cause,
        };
        self.put_back(path, suspect);
    }

    fn put_back(&mut self, path: &Path, suspect: Suspect) {
        let Suspect { first, last, .. } = suspect;
        self.together = match self.together {
            Some((earliest, latest)) => Some((earliest.min(first), latest.max(last))),
            None => Some((first, last)),
        };
        if self.pace.grouping == Grouping::Each {
            let entry = (self.pace.due(first, last), path.to_owned());
            self.queue.push(Reverse(entry));
        }
        self.suspects.insert(path.to_owned(), suspect);
    }
}
