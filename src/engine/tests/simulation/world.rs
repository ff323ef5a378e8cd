//! One small world: a folder of jobs, what happens to it, and several lives of a daemon on it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::jobs::{self, HOOK, Plan, TAIL};
use super::rng::Rng;
use super::stage::{Stage, on_stage};
use crate::clock::{Clock, TestClock};
use crate::config::Config;
use crate::config::folder::Folder;
use crate::engine::Loaded;
use crate::job::RunId;
use crate::system::Machine;

/// What somebody brought, by its key: the run that it has, as far as anybody was told.
pub(super) type Offers = Arc<Mutex<BTreeMap<String, Option<RunId>>>>;

/// A world that a seed fixes.
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) folder: TempDir,
    pub(super) clock: Arc<TestClock>,
    pub(super) plans: BTreeMap<String, Plan>,
    pub(super) offers: Offers,
    /// The runs that people were told of when they asked for one.
    pub(super) asked: Arc<Mutex<Vec<RunId>>>,
    /// Complete lines of the log.
    pub(super) lines: u64,
    /// Places for runs.
    pub(super) places: usize,
    /// Tells of each second, as the metronome does.
    pub(super) second: Arc<Notify>,
    /// Moments up to this one have to be accounted for.
    pub(super) until: DateTime<Utc>,
    edits: u32,
    partial: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let folder = tempfile::tempdir_in(memory()).expect("a folder");
        let log = folder.path().join("app.log");
        std::fs::write(&log, "").expect("it is written");
        let plans = jobs::plans(&mut rng, &log.display().to_string());
        let start = *rng.pick(&[
            "2026-11-20T06:00:00Z",
            "2027-10-30T22:00:00Z",
            "2027-03-27T22:30:00Z",
            "2027-04-03T13:00:00Z",
        ]);
        let start: DateTime<Utc> = start.parse().expect("a time");
        let places = 1 + usize::try_from(rng.below(5)).expect("it is small");
        let world = World {
            rng,
            folder,
            clock: Arc::new(TestClock::at(start)),
            plans,
            offers: Arc::default(),
            asked: Arc::default(),
            lines: 0,
            places,
            second: Arc::default(),
            until: start,
            edits: 0,
            partial: false,
        };
        world.write(
            "config/reveille.toml",
            &format!("[defaults]\ntimezone = \"Europe/Madrid\"\n\n[limits]\nruns = {places}\n"),
        );
        // Its clock is set by the network, and goes wrong all the same.
        world.write("root/run/systemd/timesync/synchronized", "");
        for (name, plan) in &world.plans {
            world.write(&format!("jobs/{name}.toml"), &plan.text);
        }
        world
    }

    /// The machine that it is on.
    pub(super) fn machine(&self) -> Machine {
        Machine::below(self.folder.path().join("root"))
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// How many files of its state this process has open.
    pub(super) fn open(&self) -> usize {
        let files = std::fs::read_dir("/proc/self/fd").expect("descriptors");
        let places = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        places
            .filter(|place| place.starts_with(self.state()))
            .count()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        std::fs::write(path, text).expect("it is written");
    }

    /// The folder as it is read now.
    pub(super) fn load(&self) -> Loaded {
        let folder = Folder::Disk(self.folder.path().to_owned());
        let texts = folder.read().expect("it can be read");
        let config = Config::resolve(texts, crate::zone::Tz::UTC);
        assert_eq!(config.problems, [], "{:#?}", self.plans);
        Loaded::new(folder, config).0
    }

    /// Somebody edits a job, and it does the same.
    pub(super) fn edit(&mut self) {
        self.edits += 1;
        let names: Vec<_> = self.plans.keys().cloned().collect();
        let name = self.rng.pick(&names).clone();
        let text = format!("# edit {}\n{}", self.edits, self.plans[&name].text);
        self.write(&format!("jobs/{name}.toml"), &text);
    }

    /// The log grows, and its last line may not be whole yet.
    pub(super) fn grow(&mut self) {
        let mut text = String::new();
        for _ in 0..=self.rng.below(5) {
            text += if self.partial {
                "went wrong\n"
            } else {
                "error: it went wrong\n"
            };
            self.partial = false;
            self.lines += 1;
        }
        if self.rng.percent(30) {
            self.partial = true;
            text += "error: it ";
        }
        self.append(&text);
    }

    /// Its last line becomes whole.
    pub(super) fn complete(&mut self) {
        if std::mem::take(&mut self.partial) {
            self.lines += 1;
            self.append("is whole\n");
        }
    }

    fn append(&self, text: &str) {
        let log = OpenOptions::new()
            .append(true)
            .open(self.folder.path().join("app.log"));
        log.and_then(|mut log| log.write_all(text.as_bytes()))
            .expect("it is written");
    }

    /// The key of something that happens now: a new one, or one that was there before.
    pub(super) fn key(&mut self) -> (String, &'static str) {
        let job = if self.rng.percent(70) { HOOK } else { TAIL };
        let count = self.offers.lock().expect("nobody panicked").len() as u64;
        let number = if self.rng.percent(15) {
            self.rng.below(count)
        } else {
            count
        };
        let offers = self.offers.lock().expect("nobody panicked");
        let known = offers
            .keys()
            .find(|key| key.ends_with(&format!(" {number}")));
        match known {
            Some(key) => (key.clone(), job_of(key)),
            None => (format!("{job} {number}"), job),
        }
    }

    /// Time goes on to the next moment for which somebody waits, but not by more than `most`.
    pub(super) fn pass(&self, most: Duration) -> Duration {
        let next = self.clock.next_wake().unwrap_or(most).min(most);
        self.clock.advance(next);
        self.second.notify_one();
        next
    }

    /// Somebody sets the clock.
    pub(super) fn step_clock(&mut self) {
        let seconds = i64::try_from(self.rng.below(6 * 3600)).expect("it is small") - 3 * 3600;
        self.clock
            .set_wall(self.clock.now() + TimeDelta::seconds(seconds));
        self.second.notify_one();
    }

    pub(super) fn open_stage(&mut self) {
        let rng = Rng::new(self.rng.next());
        Stage::set(Some(Stage::new(rng)));
    }

    pub(super) fn begin_life(&mut self, calm: bool) {
        let dies_in = (!calm && self.rng.percent(70))
            .then(|| 1 + u32::try_from(self.rng.below(250)).expect("it is small"));
        on_stage(|stage| {
            stage.begin_life(dies_in);
            stage.calm = calm;
            stage.full = false;
        });
    }
}

/// The job that a key is for.
pub(super) fn job_of(key: &str) -> &'static str {
    if key.starts_with(TAIL) { TAIL } else { HOOK }
}

/// A folder in memory where there is one: a simulation writes more than it needs to keep.
fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}
