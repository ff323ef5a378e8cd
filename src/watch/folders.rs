//! The folders that inotify watches: each once, whatever paths lead to it and however many triggers want it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{Config, ErrorKind, INotifyWatcher, RecursiveMode, Watcher};

use super::ground::Ground;
use super::hints::{Ear, Hints};

/// The most folders that are watched. Our own scan opens each, which inotify tells of too: half of its usual queue, so that a
/// scan never makes it overflow.
pub const MOST: usize = 8192;

/// Who wants to hear of a folder.
pub type Owner = u64;

/// The folders that are watched.
#[derive(Debug)]
pub struct Folders {
    hints: Arc<Hints>,
    watcher: Option<INotifyWatcher>,
    most: usize,
    /// By the path that inotify was given.
    watched: BTreeMap<PathBuf, Watched>,
    by_identity: HashMap<(u64, u64), PathBuf>,
    /// By each path that leads to them.
    ways: BTreeMap<PathBuf, Way>,
}

#[derive(Debug)]
struct Watched {
    identity: (u64, u64),
    ways: Vec<PathBuf>,
    /// Whether inotify is sure to watch it still: it stops by itself where a folder goes, and says so or not.
    sure: bool,
}

#[derive(Debug)]
struct Way {
    watched: PathBuf,
    owners: Vec<(Owner, u64)>,
}

/// Why a folder is not watched.
#[derive(Debug, thiserror::Error)]
pub enum Unwatched {
    /// No more folders can be watched.
    #[error(
        "this machine lets a user watch no more folders; raise fs.inotify.max_user_watches with sysctl"
    )]
    SystemLimit,
    /// So many are watched that looking around is cheaper.
    #[error("{0} folders are watched, and that is the most")]
    OwnLimit(usize),
    /// There is no inotify.
    #[error(
        "this machine gives no more inotify instances; raise fs.inotify.max_user_instances with sysctl"
    )]
    NoInotify,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Folders {
    /// With none; hints go to `hints`.
    pub fn new(hints: Arc<Hints>, most: usize) -> Self {
        let heard = Arc::clone(&hints);
        let hear = move |event| heard.hear(event);
        Folders {
            hints,
            watcher: INotifyWatcher::new(hear, Config::default()).ok(),
            most,
            watched: BTreeMap::new(),
            by_identity: HashMap::new(),
            ways: BTreeMap::new(),
        }
    }

    /// Watches the folder at `path`, which stands on `ground`, for what `ear` is for and for `owner`, who looks around for the
    /// `round`th time.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn watch(
        &mut self,
        path: &Path,
        ground: Ground,
        ear: Ear,
        (owner, round): (Owner, u64),
    ) -> Result<(), Unwatched> {
        let identity = ground.identity();
        if let Some(way) = self.ways.get_mut(path) {
            let watched = self.watched.get(&way.watched);
            if watched.is_some_and(|watched| watched.sure && watched.identity == identity) {
                self.hints.listen(&way.watched, ear);
                way.own(owner, round);
                return Ok(());
            }
        }
        let mut owners = self.leave(path);
        let place = match self.by_identity.get(&identity) {
            Some(place) if self.watched[place].sure => {
                self.hints.listen(place, ear);
                place.clone()
            }
            _ => self.begin(path, identity, ear)?,
        };
        owners.retain(|(other, _)| *other != owner);
        owners.push((owner, round));
        if let Some(watched) = self.watched.get_mut(&place) {
            watched.ways.push(path.to_owned());
        }
        let way = Way {
            watched: place,
            owners,
        };
        self.ways.insert(path.to_owned(), way);
        Ok(())
    }

    /// Has inotify watch the folder, under its path without links.
    fn begin(&mut self, path: &Path, identity: (u64, u64), ear: Ear) -> Result<PathBuf, Unwatched> {
        let place = fs::canonicalize(path)?;
        if let Some(moved) = self
            .by_identity
            .get(&identity)
            .filter(|other| **other != place)
        {
            let moved = moved.clone();
            self.end(&moved);
        }
        let known = self.watched.contains_key(&place);
        if !known && self.watched.len() >= self.most {
            return Err(Unwatched::OwnLimit(self.most));
        }
        let watcher = self.watcher.as_mut().ok_or(Unwatched::NoInotify)?;
        if known {
            // What inotify watches under this path may be another folder, which went elsewhere.
            let _ = watcher.unwatch(&place);
        }
        self.hints.listen(&place, ear);
        let begun = watcher.watch(&place, RecursiveMode::NonRecursive);
        if let Err(error) = begun {
            return Err(match error.kind {
                ErrorKind::MaxFilesWatch => Unwatched::SystemLimit,
                ErrorKind::Io(error) => Unwatched::Io(error),
                ErrorKind::PathNotFound => Unwatched::Io(io::ErrorKind::NotFound.into()),
                kind => Unwatched::Io(io::Error::other(format!("{kind:?}"))),
            });
        }
        let watched = self.watched.entry(place.clone()).or_insert(Watched {
            identity,
            ways: Vec::new(),
            sure: true,
        });
        if watched.identity != identity {
            self.by_identity.remove(&watched.identity);
        }
        watched.identity = identity;
        watched.sure = true;
        self.by_identity.insert(identity, place.clone());
        Ok(place)
    }

    /// Forgets a way, and ends the watch of a folder that no other leads to; gives who used it.
    fn leave(&mut self, path: &Path) -> Vec<(Owner, u64)> {
        let Some(way) = self.ways.remove(path) else {
            return Vec::new();
        };
        if let Some(watched) = self.watched.get_mut(&way.watched) {
            watched.ways.retain(|other| other != path);
            if watched.ways.is_empty() {
                self.end(&way.watched);
            }
        }
        way.owners
    }

    fn end(&mut self, place: &Path) {
        self.hints.ignore(place);
        if let Some(watched) = self.watched.remove(place)
            && self
                .by_identity
                .get(&watched.identity)
                .is_some_and(|other| other == place)
        {
            self.by_identity.remove(&watched.identity);
        }
        if let Some(watcher) = &mut self.watcher {
            // It may have ended by itself.
            let _ = watcher.unwatch(place);
        }
    }

    /// Ends what `owner` did not want again in its `round`th look at `top` and below; `None` is everything.
    pub fn sweep(&mut self, owner: Owner, round: u64, top: Option<&Path>) {
        let top = top.unwrap_or(Path::new(""));
        let mut left = Vec::new();
        for (path, way) in below_mut(&mut self.ways, top) {
            way.owners
                .retain(|(other, seen)| *other != owner || *seen >= round);
            if way.owners.is_empty() {
                left.push(path.clone());
            }
        }
        for path in left {
            self.leave(&path);
        }
    }

    /// The paths that `hint`, a path as inotify gives it, is known under, each with who wants to hear of it.
    pub fn ways_to(&self, hint: &Path) -> Vec<(PathBuf, Vec<Owner>)> {
        let mut found = Vec::new();
        let mut add = |watched: Option<&Watched>, name: Option<&std::ffi::OsStr>| {
            for way in watched.into_iter().flat_map(|watched| &watched.ways) {
                let owners = self.ways.get(way).into_iter().flat_map(|way| &way.owners);
                let path = name.map_or_else(|| way.clone(), |name| way.join(name));
                found.push((path, owners.map(|(owner, _)| *owner).collect()));
            }
        };
        add(self.watched.get(hint), None);
        if let (Some(folder), Some(name)) = (hint.parent(), hint.file_name()) {
            add(self.watched.get(folder), Some(name));
        }
        found
    }

    /// Whether the folder at `path` is watched.
    pub fn is_way(&self, path: &Path) -> bool {
        self.ways.contains_key(path)
    }

    /// The folder that inotify knows as `place` went, or all that lie below it did.
    pub fn doubt(&mut self, place: &Path) {
        for (_, watched) in below_mut(&mut self.watched, place) {
            watched.sure = false;
        }
    }

    /// How many folders inotify watches.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.watched.len()
    }
}

impl Way {
    fn own(&mut self, owner: Owner, round: u64) {
        match self.owners.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, seen)) => *seen = round,
            None => self.owners.push((owner, round)),
        }
    }
}

/// What lies at `top` and below: paths sort by their parts.
fn below_mut<'a, T>(
    map: &'a mut BTreeMap<PathBuf, T>,
    top: &'a Path,
) -> impl Iterator<Item = (&'a PathBuf, &'a mut T)> {
    map.range_mut::<Path, _>((Bound::Included(top), Bound::Unbounded))
        .take_while(move |(path, _)| top == Path::new("") || path.starts_with(top))
}
