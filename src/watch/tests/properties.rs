//! The core in any order of writes, lost hints, scans, refusals and crashes: each version that settles is handled once, and
//! in the end what is remembered is what is there.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::watch::tracker::Tracker;
use crate::watch::verdict::{Answer, Cause, Found, Unknown, Verdict};
use crate::watch::version::Version;

const SETTLE: Duration = Duration::from_secs(2);
const FILES: usize = 4;

#[derive(Debug, Clone)]
enum Deed {
    /// A file gets this content, or goes; inotify says so or not.
    Put(usize, Option<u64>, bool),
    Scan,
    Pass(u64),
    /// Settled files are looked at, and offered.
    Look,
    /// The oldest offer is answered.
    Answer(Answer),
    /// Everything that is not on the disk is lost.
    Crash,
    /// Another reading of the job.
    Reload(bool),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let content = prop_oneof![1 => Just(None), 3 => (1..6u64).prop_map(Some)];
    let deed = prop_oneof![
        6 => (0..FILES, content, any::<bool>()).prop_map(|(file, content, heard)| Deed::Put(file, content, heard)),
        2 => Just(Deed::Scan),
        4 => (0..3000u64).prop_map(Deed::Pass),
        4 => Just(Deed::Look),
        3 => Just(Deed::Answer(Answer::Accepted)),
        1 => Just(Deed::Answer(Answer::Refused)),
        1 => Just(Deed::Crash),
        1 => any::<bool>().prop_map(Deed::Reload),
    ];
    prop::collection::vec(deed, 0..80)
}

/// The world around a tracker.
struct World {
    tracker: Tracker,
    now: Duration,
    grouping: Grouping,
    files: BTreeMap<PathBuf, Version>,
    /// What is on the disk.
    remembered: BTreeMap<PathBuf, Version>,
    offers: Vec<(PathBuf, Change, Option<Version>)>,
    told: Vec<(PathBuf, Change, Option<Version>)>,
}

impl World {
    fn new() -> Self {
        let grouping = Grouping::Each;
        World {
            tracker: Tracker::new(pace(grouping)),
            now: Duration::ZERO,
            grouping,
            files: BTreeMap::new(),
            remembered: BTreeMap::new(),
            offers: Vec::new(),
            told: Vec::new(),
        }
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Put(file, content, heard) => {
                let path = PathBuf::from(format!("/in/{file}"));
                let cause = match self.files.contains_key(&path) {
                    true => Cause::Other,
                    false => Cause::Appeared,
                };
                match content {
                    Some(content) => {
                        self.files.insert(path.clone(), Version::numbered(content));
                    }
                    None => {
                        self.files.remove(&path);
                    }
                }
                if heard {
                    self.tracker.hint(&path, cause, self.now);
                }
            }
            Deed::Scan => {
                let folder = Path::new("/in");
                self.tracker
                    .scanned_folder(folder, &self.files, Unknown::News, |_| true, self.now);
            }
            Deed::Pass(millis) => self.now += Duration::from_millis(millis),
            Deed::Look => self.look(),
            Deed::Answer(answer) => self.answer(answer),
            Deed::Crash => {
                self.offers.clear();
                self.tracker = Tracker::new(pace(self.grouping));
                for (path, version) in &self.remembered {
                    self.tracker.remember(path, *version);
                }
                self.act(Deed::Scan);
            }
            Deed::Reload(together) => {
                self.grouping = match together {
                    true => Grouping::Together,
                    false => Grouping::Each,
                };
                self.tracker.set_pace(pace(self.grouping));
            }
        }
    }

    fn look(&mut self) {
        for path in self.tracker.take(2, self.now) {
            assert!(
                !self.offers.iter().any(|offer| offer.0 == path),
                "offered twice at once"
            );
            let version = self.files.get(&path).copied();
            let found = version.map_or(Found::Nothing, Found::File);
            if let Verdict::Tell(change) = self.tracker.looked(&path, found, self.now) {
                self.offers.push((path, change, version));
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        if self.offers.is_empty() {
            return;
        }
        let (path, change, version) = self.offers.remove(0);
        if answer == Answer::Accepted {
            let before = match version {
                Some(version) => self.remembered.insert(path.clone(), version),
                None => self.remembered.remove(&path),
            };
            let expected = match (before, version) {
                (None, Some(_)) => Change::Created,
                (Some(before), Some(after)) if before != after => Change::Changed,
                (Some(_), None) => Change::Removed,
                same => panic!("told again: {same:?}"),
            };
            assert_eq!(change, expected);
            self.told.push((path.clone(), change, version));
        }
        self.tracker.answered(&path, answer, self.now);
    }

    /// A last scan, and everything that follows from it.
    fn end(&mut self) {
        self.act(Deed::Scan);
        for _ in 0..200 {
            self.now += SETTLE * 100;
            self.look();
            self.answer(Answer::Accepted);
        }
        assert_eq!(self.remembered, self.files);
        assert_eq!(self.tracker.due().filter(|due| *due > self.now), None);
        let told = self.told.len();
        self.act(Deed::Crash);
        self.now += SETTLE * 100;
        self.look();
        assert_eq!((self.offers.len(), self.told.len()), (0, told));
    }
}

fn pace(grouping: Grouping) -> Pace {
    Pace {
        settle: SETTLE,
        on: vec![Change::Created, Change::Changed, Change::Removed],
        grouping,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_settled_version_is_handled_once(deeds in deeds()) {
        let mut world = World::new();
        for deed in deeds {
            world.act(deed);
        }
        world.end();
    }
}
