//! Looks at real files: renamed, truncated, copied, grown.

mod cost;
mod once;
mod result;
mod rotation;
mod window;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;

use super::{Cancel, LogGlob, Look, Memory, Reading, Surroundings, read};

/// A step that looks at files of a folder and commits what each look asks to remember.
struct Step {
    folder: TempDir,
    look: Look,
    now: DateTime<Utc>,
    cursors: BTreeMap<String, Value>,
    own: Vec<PathBuf>,
}

impl Step {
    fn new(globs: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().display().to_string();
        let globs = globs
            .iter()
            .map(|glob| LogGlob::new(&format!("{root}/{glob}")).expect("valid"));
        Step {
            look: Look::at(globs.collect()),
            folder,
            now: "2026-11-20T20:00:00Z".parse().expect("a time"),
            cursors: BTreeMap::new(),
            own: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(name))
            .expect("opened");
        file.write_all(text.as_ref()).expect("written");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    fn copytruncate(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).expect("copied");
        self.truncate(from);
    }

    fn truncate(&self, name: &str) {
        let file = OpenOptions::new().write(true).open(self.path(name));
        file.and_then(|file| file.set_len(0)).expect("truncated");
    }

    /// A look whose run failed: nothing is remembered.
    fn look_only(&self) -> Reading {
        let memory = Memory::load(self.cursors.clone());
        let never = AtomicBool::new(false);
        let around = Surroundings {
            now: self.now,
            zone: crate::zone::Tz::named("Europe/Madrid").unwrap(),
            own: &self.own,
            cancel: Cancel(&never),
        };
        read(&self.look, &memory, around).expect("not cancelled")
    }

    /// A look whose run was committed, half an hour after the last.
    fn look(&mut self) -> Reading {
        self.now += TimeDelta::minutes(30);
        let reading = self.look_only();
        for (name, value) in reading.changes.clone() {
            match value {
                Some(value) => self.cursors.insert(name, value),
                None => self.cursors.remove(&name),
            };
        }
        reading
    }

    fn check(&mut self, expected: &[&str]) -> Reading {
        let reading = self.look();
        let texts: Vec<_> = reading.lines.iter().map(|told| &told.text).collect();
        assert_eq!(texts, expected, "{:?}", reading.files);
        reading
    }
}

fn notes(reading: &Reading) -> String {
    serde_json::to_string(&reading.files).expect("JSON")
}
