//! The folder that a user keeps: `config/reveille.toml`, `jobs/*.toml`, `prompts/*.md`. The only I/O of the
//! configuration.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::Source;
use super::examples::EXAMPLES;
use super::stamp::Stamp;
use crate::error::Error;

/// Where the jobs are.
#[derive(Debug, Clone)]
pub enum Folder {
    /// A folder on the disk.
    Disk(PathBuf),
    /// The examples inside the binary.
    Embedded,
}

/// The name of the configuration file, relative to the folder.
pub const SETTINGS: &str = "config/reveille.toml";

/// The largest job file, prompt or configuration that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// The text files of a folder.
#[derive(Debug)]
pub struct Texts {
    /// `config/reveille.toml`, where there is one.
    pub settings: Option<Arc<Source>>,
    /// Jobs by name.
    pub jobs: BTreeMap<String, Arc<Source>>,
    /// Prompts by file name.
    pub prompts: BTreeMap<String, Arc<Source>>,
    /// Files that could not be read as text, each with what is wrong.
    pub unreadable: Vec<(Arc<Source>, String)>,
    /// What was seen of these files, and of `.env`.
    pub stamp: Stamp,
}

/// The file with secrets, relative to the folder.
pub const DOTENV: &str = ".env";

impl Folder {
    /// The folder: `--dir`, else the current one if it has `jobs/`, else XDG config or `/etc/reveille`, else
    /// the examples.
    ///
    /// # Errors
    /// `--dir` names a folder without `jobs/`.
    pub fn find(dir: Option<&Path>) -> Result<Self, Error> {
        if let Some(dir) = dir {
            if dir.join("jobs").is_dir() {
                return Ok(Folder::Disk(dir.to_owned()));
            }
            let what = format!("{} has no folder `jobs`", dir.display());
            let hint = format!(
                "`reveille init {}` writes a working example there",
                dir.display()
            );
            return Err(Error::usage(what).hint(hint));
        }
        let places = [
            Some(PathBuf::new()),
            Folder::own(),
            Some(PathBuf::from("/etc/reveille")),
        ];
        let found = places
            .into_iter()
            .flatten()
            .find(|place| place.join("jobs").is_dir());
        Ok(found.map_or(Folder::Embedded, Folder::Disk))
    }

    /// Where a person keeps the folder: `$XDG_CONFIG_HOME/reveille`, else `~/.config/reveille`.
    pub fn own() -> Option<PathBuf> {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| home.map(|home| home.join(".config")));
        config.map(|config| config.join("reveille"))
    }

    /// How people see a file of the folder.
    pub fn shown(&self, relative: &str) -> String {
        match self {
            Folder::Disk(root) => root.join(relative).display().to_string(),
            Folder::Embedded => format!("(example) {relative}"),
        }
    }

    /// The path of a file that the configuration names: relative to the folder, or absolute.
    ///
    /// `None` inside the binary.
    pub fn path(&self, relative: &str) -> Option<PathBuf> {
        match self {
            Folder::Disk(root) => Some(root.join(relative)),
            Folder::Embedded if Path::new(relative).is_absolute() => Some(PathBuf::from(relative)),
            Folder::Embedded => None,
        }
    }

    /// A file of the examples, for a folder inside the binary.
    pub fn embedded(&self, relative: &str) -> Option<&'static str> {
        let mut examples = EXAMPLES.iter();
        match self {
            Folder::Disk(_) => None,
            Folder::Embedded => examples
                .find(|(name, _)| *name == relative)
                .map(|(_, text)| *text),
        }
    }

    /// Reads every text file of the folder.
    ///
    /// # Errors
    /// `jobs/` or `prompts/` cannot be listed.
    pub fn read(&self) -> Result<Texts, Error> {
        let mut texts = Texts {
            settings: None,
            jobs: BTreeMap::new(),
            prompts: BTreeMap::new(),
            unreadable: Vec::new(),
            stamp: Stamp::default(),
        };
        texts.settings = self.seen(SETTINGS, &mut texts);
        for file in self.list("jobs", "toml")? {
            if let Some(source) = self.seen(&format!("jobs/{file}.toml"), &mut texts) {
                texts.jobs.insert(file, source);
            }
        }
        for file in self.list("prompts", "md")? {
            let name = format!("{file}.md");
            if let Some(source) = self.seen(&format!("prompts/{name}"), &mut texts) {
                texts.prompts.insert(name, source);
            }
        }
        self.add(DOTENV, &mut texts.stamp);
        Ok(texts)
    }

    /// The stamp that reading would give, without reading.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub fn stamp(&self) -> Result<Stamp, Error> {
        let mut stamp = Stamp::default();
        self.add(SETTINGS, &mut stamp);
        for (under, ending) in [("jobs", "toml"), ("prompts", "md")] {
            for file in self.list(under, ending)? {
                self.add(&format!("{under}/{file}.{ending}"), &mut stamp);
            }
        }
        self.add(DOTENV, &mut stamp);
        Ok(stamp)
    }

    fn add(&self, relative: &str, stamp: &mut Stamp) {
        if let Folder::Disk(root) = self {
            let path = root.join(relative);
            // Whoever writes a file sets its time; whoever renames one over it makes it another.
            let version = |seen: fs::Metadata| {
                let (seconds, nanoseconds) = (seen.mtime(), seen.mtime_nsec());
                [seen.size() as i64, seen.ino() as i64, seconds, nanoseconds]
            };
            stamp.add(&path, fs::metadata(&path).ok().map(version));
        }
    }

    /// A text file, which is looked at before it is read: a later edit is another stamp.
    fn seen(&self, relative: &str, texts: &mut Texts) -> Option<Arc<Source>> {
        self.add(relative, &mut texts.stamp);
        self.source(relative, &mut texts.unreadable)
    }

    /// The stems of the files in a sub-folder with this ending, sorted.
    fn list(&self, under: &str, ending: &str) -> Result<Vec<String>, Error> {
        let root = match self {
            Folder::Disk(root) => root.join(under),
            Folder::Embedded => {
                let stem = |name: &str| {
                    let file = name.strip_prefix(under)?.strip_prefix('/')?;
                    Some(file.strip_suffix(ending)?.strip_suffix('.')?.to_owned())
                };
                return Ok(EXAMPLES.iter().filter_map(|(name, _)| stem(name)).collect());
            }
        };
        let failed =
            |error: io::Error| Error::usage(format!("cannot list {}: {error}", root.display()));
        let entries = match fs::read_dir(&root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut stems = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let hidden = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
            if !hidden && path.extension().is_some_and(|found| found == ending) {
                stems.extend(
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned()),
                );
            }
        }
        stems.sort();
        Ok(stems)
    }

    /// One text file of the folder; what is wrong with it goes to `unreadable`.
    pub fn source(
        &self,
        relative: &str,
        unreadable: &mut Vec<(Arc<Source>, String)>,
    ) -> Option<Arc<Source>> {
        let shown = self.shown(relative);
        let Folder::Disk(root) = self else {
            return self.embedded(relative).map(|text| Source::new(shown, text));
        };
        match read_text(&root.join(relative)) {
            Ok(text) => Some(Source::new(shown, text)),
            Err(Unreadable::Missing) => None,
            Err(Unreadable::Because(why)) => {
                unreadable.push((Source::new(shown, ""), why));
                None
            }
        }
    }
}

enum Unreadable {
    Missing,
    Because(String),
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    let because = |why: String| Unreadable::Because(why);
    let size = match fs::metadata(path) {
        // To open a pipe would be to wait for somebody at its other end.
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            return Err(because("this is no regular file".to_owned()));
        }
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // As a disk that is not there leaves it.
            return Err(match fs::symlink_metadata(path) {
                Ok(_) => because("this is a link to a file that is not there".to_owned()),
                Err(_) => Unreadable::Missing,
            });
        }
        Err(error) => return Err(because(format!("cannot read this file: {error}"))),
    };
    if size > MAX_FILE {
        return Err(because(format!(
            "this file has {} MiB, and 4 are the most",
            size >> 20
        )));
    }
    let bytes =
        fs::read(path).map_err(|error| because(format!("cannot read this file: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        because(format!("this is not a text file: byte {at} is not UTF-8"))
    })?;
    // As editors on Windows write it: a mark at the beginning, and line ends of two characters.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}
