//! A look around: which files there are now. Watches each folder before it lists it, so that nothing falls between.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::folders::{Folders, Owner, Unwatched};
use super::ground::{self, Ground};
use super::hints::Ear;
use super::look::is_absence;
use super::memory::Remembered;
use super::pattern::{Patterns, way};
use super::version::Version;

/// How much is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// These folders, and what lies below them.
    Below(BTreeSet<PathBuf>),
}

impl Scope {
    /// Both.
    pub fn and(self, other: Scope) -> Scope {
        match (self, other) {
            (Scope::Below(mut some), Scope::Below(more)) => {
                some.extend(more);
                Scope::Below(some)
            }
            _ => Scope::All,
        }
    }
}

/// One part of what there is, in the order of seeing.
#[derive(Debug)]
pub enum Seen {
    /// What was remembered, before a trigger's first look.
    Remembered(Remembered),
    /// It could not be read.
    Forgotten(String),
    /// The files that are meant right in a folder.
    Folder(PathBuf, BTreeMap<PathBuf, Version>),
    /// One file, or none.
    File(PathBuf, Option<Version>),
    /// That was all.
    End(End),
}

/// What a look around tells when it is over.
#[derive(Debug, Default)]
pub struct End {
    /// Folders whose files were told.
    pub visited: HashSet<PathBuf>,
    /// Files that were told by themselves.
    pub singles: HashSet<PathBuf>,
    /// What cannot be seen now: its files count as they did.
    pub unseen: Vec<PathBuf>,
    /// What the owner should know.
    pub notices: BTreeSet<String>,
    /// Whether changes may go unheard.
    pub is_silent: bool,
    /// Where the file systems of the bases are mounted.
    pub mounts: BTreeMap<PathBuf, PathBuf>,
    /// Files that links lead to, by the file: their folders are watched, under their own paths.
    pub links: HashMap<PathBuf, PathBuf>,
}

/// One look around.
#[derive(Debug)]
pub struct Survey {
    /// Who looks.
    pub owner: Owner,
    /// For the how-manieth time.
    pub round: u64,
    /// At what.
    pub patterns: Arc<Patterns>,
    /// At how much of it.
    pub scope: Scope,
    /// Where the file systems of the bases were mounted the last time.
    pub mounts: BTreeMap<PathBuf, PathBuf>,
    /// What inotify watches.
    pub folders: Arc<Mutex<Folders>>,
    /// Who hears.
    pub sees: mpsc::Sender<(Owner, u64, Seen)>,
    /// What was found so far.
    pub end: End,
}

/// Nobody wants to know any more.
struct Stopped;

impl Survey {
    /// Looks around. Blocks on the disk, and while the listener has much to do.
    pub fn run(mut self) {
        let done = match self.scope.clone() {
            Scope::All => self.all(),
            Scope::Below(tops) => tops.into_iter().try_for_each(|top| self.below(top)),
        };
        if done.is_ok() {
            let end = std::mem::take(&mut self.end);
            let _ = self.tell(Seen::End(end));
        }
    }

    fn tell(&self, seen: Seen) -> Result<(), Stopped> {
        let seen = (self.owner, self.round, seen);
        self.sees.blocking_send(seen).map_err(|_| Stopped)
    }

    fn all(&mut self) -> Result<(), Stopped> {
        let patterns = Arc::clone(&self.patterns);
        let literals: HashSet<&Path> = patterns.literals().collect();
        for base in patterns.bases() {
            if let Some(point) = self.mounts.get(base).cloned()
                && ground::is_away(&point)
            {
                self.unsee(
                    base,
                    format!(
                        "nothing is mounted at {}; its files are looked at once it is",
                        point.display()
                    ),
                );
                self.end.mounts.insert(base.to_owned(), point);
                self.watch_way(base);
                continue;
            }
            self.watch_way(base);
            if let Some(point) = ground::mount_point(base) {
                self.end.mounts.insert(base.to_owned(), point);
            }
            match fs::metadata(base) {
                Ok(found) if found.is_dir() => self.below(base.to_owned())?,
                Ok(found) if literals.contains(base) => self.single(base, Some(&found))?,
                Ok(_) => {}
                Err(error) if !is_absence(&error) => self.unsee(base, unreadable(base, &error)),
                Err(_) if literals.contains(base) => self.single(base, None)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Watches the folders that lead to a base, as far as they are there: that is how a path is heard of once it appears.
    fn watch_way(&mut self, base: &Path) {
        for next in way(base) {
            let (Some(folder), Some(name)) = (next.parent(), next.file_name()) else {
                continue;
            };
            match Ground::of(folder) {
                Ok(ground) => self.watch(folder, ground, Ear::name(name)),
                Err(_) => return,
            }
        }
    }

    fn watch(&mut self, folder: &Path, ground: Ground, ear: Ear) {
        if ground.is_silent() {
            self.end.is_silent = true;
            return;
        }
        let owner = (self.owner, self.round);
        let mut folders = self.folders.lock().expect("nothing that holds it panics");
        match folders.watch(folder, ground, ear, owner) {
            // What cannot be read is told by who lists it; a folder on the way need not be.
            Ok(()) | Err(Unwatched::Io(_)) => {}
            Err(limit) => {
                self.end.is_silent = true;
                let text = format!("{limit}; until then files are looked for every few seconds");
                self.end.notices.insert(text);
            }
        }
    }

    fn single(&mut self, path: &Path, found: Option<&fs::Metadata>) -> Result<(), Stopped> {
        self.end.singles.insert(path.to_owned());
        let ground = Ground::of(folder_of(path));
        let version = match (found, ground) {
            (Some(metadata), Ok(ground)) if metadata.is_file() => Some(ground.version(metadata)),
            _ => None,
        };
        if let Ok(target) = fs::canonicalize(path)
            && target.parent()
                != path
                    .parent()
                    .and_then(|folder| folder.canonicalize().ok())
                    .as_deref()
            && let Ok(ground) = Ground::of(folder_of(&target))
        {
            let name = target.file_name().unwrap_or_default();
            self.watch(folder_of(&target), ground, Ear::name(name));
            self.end.links.insert(target, path.to_owned());
        }
        self.tell(Seen::File(path.to_owned(), version))
    }

    /// Looks at `top` and the folders below it that the patterns enter. Links are not followed, so that it ends.
    fn below(&mut self, top: PathBuf) -> Result<(), Stopped> {
        let mut stack = vec![top];
        while let Some(folder) = stack.pop() {
            if !self.patterns.enters(&folder) || !self.end.visited.insert(folder.clone()) {
                continue;
            }
            if let Err(error) = self.list(&folder, &mut stack)? {
                self.end.visited.remove(&folder);
                if !is_absence(&error) {
                    self.unsee(&folder, unreadable(&folder, &error));
                }
            }
        }
        Ok(())
    }

    fn list(&mut self, folder: &Path, stack: &mut Vec<PathBuf>) -> Result<io::Result<()>, Stopped> {
        let ground = match Ground::of(folder) {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        self.watch(folder, ground, Ear::Everything);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(error)),
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Ok(Err(error)),
            };
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                stack.push(path);
            } else if self.patterns.names(&path) {
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_file() => {
                        files.insert(path, ground.version(&metadata));
                    }
                    Ok(_) => {}
                    Err(error) if is_absence(&error) => {}
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        self.tell(Seen::Folder(folder.to_owned(), files))?;
        Ok(Ok(()))
    }

    fn unsee(&mut self, path: &Path, notice: String) {
        self.end.unseen.push(path.to_owned());
        self.end.notices.insert(notice);
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot look at {}: {error}", path.display())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
