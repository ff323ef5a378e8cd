//! Opening what lies beneath a folder, whatever links do meanwhile.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, RawMode, ResolveFlags};
use rustix::io::Errno;

/// Opens an existing `path`; a way out is `EXDEV` or `ELOOP`.
pub(super) fn open(root: &OwnedFd, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let flags = flags | OFlags::CLOEXEC;
    loop {
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            Ok(file) => return Ok(file),
            // A rename on the way: the kernel asks to try again (openat2(2), ERRORS).
            Err(Errno::AGAIN) => {}
            // No such call: an old kernel, or a filter (of an old container) that forbids it.
            Err(Errno::NOSYS | Errno::PERM) => return open_without_links(root, path, flags),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens the folder `path`, and makes it and those on its way where they are missing.
pub(super) fn make_folders(root: OwnedFd, path: &Path) -> io::Result<OwnedFd> {
    let mut way = PathBuf::new();
    let mut folder = root.try_clone()?;
    for name in names(path) {
        way.push(name);
        let opened = open(&root, &way, OFlags::RDONLY | OFlags::DIRECTORY);
        folder = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o700 as RawMode)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                open(&root, &way, OFlags::RDONLY | OFlags::DIRECTORY)?
            }
            opened => opened?,
        };
    }
    Ok(folder)
}

/// Folder by folder, each by its own name and none a link.
pub(super) fn open_without_links(
    root: &OwnedFd,
    path: &Path,
    flags: OFlags,
) -> io::Result<OwnedFd> {
    let mut at = root.try_clone()?;
    let mut names = names(path).peekable();
    while let Some(name) = names.next() {
        let way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let flags = if names.peek().is_some() { way } else { flags };
        let opened = rustix::fs::openat(&at, name, flags | OFlags::NOFOLLOW, Mode::empty());
        at = match opened {
            // What a link in a folder's place gives: O_DIRECTORY speaks before O_NOFOLLOW.
            Err(Errno::NOTDIR) if is_link(&at, name) => return Err(Errno::LOOP.into()),
            opened => opened?,
        };
    }
    Ok(at)
}

fn is_link(folder: &OwnedFd, name: &OsStr) -> bool {
    rustix::fs::readlinkat(folder, name, Vec::new()).is_ok()
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}
