//! What inotify said since somebody last asked: each path once, so that no storm fills the memory.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind};
use tokio::sync::Notify;

/// With more paths than this a scan is cheaper.
const MOST: usize = 8192;

/// What was said of one path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hint {
    /// A name appeared.
    pub appeared: bool,
    /// It may be a folder that nobody looked into yet.
    pub folder: bool,
    /// The name is gone, or means something else.
    pub gone: bool,
}

/// What was said.
#[derive(Debug, Default)]
pub struct Said {
    /// Of each path.
    pub paths: HashMap<PathBuf, Hint>,
    /// More than was kept: nothing is certain.
    pub overflowed: bool,
}

/// What somebody wants to hear of in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ear {
    /// Whatever happens.
    Everything,
    /// What happens to these names: the folder only leads to something, and others may be busy in it.
    Names(BTreeSet<OsString>),
}

impl Ear {
    /// For one name.
    pub fn name(name: &OsStr) -> Self {
        Ear::Names(BTreeSet::from([name.to_owned()]))
    }
}

/// Collects hints from the thread that reads inotify.
#[derive(Debug, Default)]
pub struct Hints {
    said: Mutex<Said>,
    /// By folder, as inotify knows it.
    ears: Mutex<HashMap<PathBuf, Ear>>,
    woken: Notify,
}

impl Hints {
    /// Waits until something was said.
    pub async fn heard(&self) {
        self.woken.notified().await;
    }

    /// Takes what was said.
    pub fn take(&self) -> Said {
        mem::take(&mut *self.lock())
    }

    /// Somebody wants to hear this too of what happens in `folder`.
    pub fn listen(&self, folder: &Path, ear: Ear) {
        let mut ears = self.ears();
        match (ears.get_mut(folder), ear) {
            (Some(Ear::Names(known)), Ear::Names(names)) => known.extend(names),
            (Some(known), Ear::Everything) => *known = Ear::Everything,
            (Some(Ear::Everything), _) => {}
            (None, ear) => {
                ears.insert(folder.to_owned(), ear);
            }
        }
    }

    /// Nobody wants to hear of what happens in `folder`.
    pub fn ignore(&self, folder: &Path) {
        self.ears().remove(folder);
    }

    fn is_heard(&self, path: &Path) -> bool {
        let ears = self.ears();
        let ear = path.parent().and_then(|folder| ears.get(folder));
        match (ear, path.file_name()) {
            (Some(Ear::Names(names)), Some(name)) => {
                // A folder may tell of itself, too.
                names.contains(name) || ears.contains_key(path)
            }
            _ => true,
        }
    }

    /// Takes in one event.
    pub fn hear(&self, event: notify::Result<Event>) {
        let Ok(event) = event else {
            return self.overflow();
        };
        if event.need_rescan() {
            return self.overflow();
        }
        let Some(hint) = meaning(event.kind) else {
            return;
        };
        let mut paths = event.paths;
        paths.retain(|path| self.is_heard(path));
        if paths.is_empty() {
            return;
        }
        let mut said = self.lock();
        for path in paths {
            let known = said.paths.entry(path).or_default();
            known.appeared |= hint.appeared;
            known.folder |= hint.folder;
            known.gone |= hint.gone;
        }
        if said.paths.len() > MOST {
            said.paths = HashMap::new();
            said.overflowed = true;
        }
        drop(said);
        self.woken.notify_one();
    }

    fn overflow(&self) {
        self.lock().overflowed = true;
        self.woken.notify_one();
    }

    fn ears(&self) -> MutexGuard<'_, HashMap<PathBuf, Ear>> {
        self.ears.lock().expect("nothing that holds it panics")
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("nothing that holds it panics")
    }
}

/// What an event means; `None` for opening and reading, which our own looks do too.
fn meaning(kind: EventKind) -> Option<Hint> {
    let written = Hint::default();
    let appeared = Hint {
        appeared: true,
        ..written
    };
    let folder = Hint {
        folder: true,
        ..written
    };
    let gone = Hint {
        gone: true,
        ..written
    };
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(written),
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::File) => Some(appeared),
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Hint {
            folder: true,
            ..appeared
        }),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => Some(gone),
        // The two before said it.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        // A folder that was shut may be open now.
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(folder),
        _ => Some(written),
    }
}
