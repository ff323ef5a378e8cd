//! What inotify said since somebody last asked: each path once, so that no storm fills the memory.

use std::collections::HashMap;
use std::mem;
use std::path::PathBuf;
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

/// Collects hints from the thread that reads inotify.
#[derive(Debug, Default)]
pub struct Hints {
    said: Mutex<Said>,
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
        let mut said = self.lock();
        for path in event.paths {
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
