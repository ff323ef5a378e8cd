//! What is remembered of a trigger's files between starts: positions named by the trigger, and the path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::version::{self, Version};
use crate::hash::fnv1a;
use crate::job::CursorKey;
use crate::store::{CursorChange, Store, StoreError};

/// The step's place in the keys: no step of a job has a watch's positions.
const STEP: &str = "watch";
/// The most positions of one commit.
pub const CHUNK: usize = 1000;

/// Whose positions they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The job's name.
    pub job: String,
    /// The trigger's id.
    pub trigger: String,
}

/// What tells later that a first look was taken, and of what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// The patterns that were looked at.
    pub patterns: Vec<String>,
    /// Where the file systems of the bases were mounted.
    pub mounts: BTreeMap<PathBuf, PathBuf>,
}

/// What was remembered.
#[derive(Debug, Default)]
pub struct Remembered {
    /// `None` before the first look was finished.
    pub mark: Option<Mark>,
    /// Handled versions.
    pub files: Vec<(PathBuf, Version)>,
}

impl Key {
    /// Reads what is remembered. Blocks on the disk.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(&self, store: &Store) -> Result<Remembered, StoreError> {
        let rows = store.read_now(|reader| reader.cursors(&self.job, STEP, &self.prefix()))?;
        let mut remembered = Remembered::default();
        for (name, value) in rows {
            match name.split_once(' ') {
                Some((_, path)) => remembered.files.extend(
                    Version::from_value(&value).map(|version| (version::path(path), version)),
                ),
                None => remembered.mark = Mark::from_value(&value),
            }
        }
        Ok(remembered)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn forget(&self, store: &Store) -> Result<(), StoreError> {
        let rows = store.read_now(|reader| reader.cursors(&self.job, STEP, &self.prefix()))?;
        for chunk in rows.chunks(CHUNK) {
            let changes = chunk
                .iter()
                .map(|(name, _)| (self.cursor(name.clone()), None));
            store.remember(changes.collect()).await?;
        }
        Ok(())
    }

    /// The change that remembers a handled version.
    pub fn change(&self, path: &Path, version: Option<Version>) -> CursorChange {
        let name = format!("{} {}", self.prefix(), version::text(path));
        (self.cursor(name), version.map(Version::to_value))
    }

    /// The change that remembers a mark.
    pub fn mark(&self, mark: &Mark) -> CursorChange {
        (self.cursor(self.prefix()), Some(mark.to_value()))
    }

    /// A hash of the id: the paths of derived ids are long, and stand before each file's.
    fn prefix(&self) -> String {
        format!("{:016x}", fnv1a(self.trigger.as_bytes()))
    }

    fn cursor(&self, name: String) -> CursorKey {
        CursorKey {
            owner: self.job.clone(),
            step: STEP.to_owned(),
            name,
        }
    }
}

impl Mark {
    fn to_value(&self) -> Value {
        let mounts = self.mounts.iter();
        let mounts: Vec<_> = mounts
            .map(|(base, point)| [version::text(base), version::text(point)])
            .collect();
        json!({ "patterns": self.patterns, "mounts": mounts })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let patterns = value["patterns"].as_array()?.iter().map(text);
        let mounts = value["mounts"].as_array()?.iter();
        let mounts = mounts.map(|pair| {
            let (base, point) = (pair[0].as_str()?, pair[1].as_str()?);
            Some((version::path(base), version::path(point)))
        });
        Some(Mark {
            patterns: patterns.collect::<Option<_>>()?,
            mounts: mounts.collect::<Option<_>>()?,
        })
    }
}
