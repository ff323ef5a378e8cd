//! The folder that jobs may read and write, and nothing beside it.
//!
//! Every path is opened by the kernel's own rule (openat2(2), `RESOLVE_BENEATH`), so that a link
//! put there between a check and its use leads nowhere. A kernel without it (before 5.6) opens
//! folder by folder and follows no link at all. All calls block on the disk.

mod beneath;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode};

/// What jobs write is calendars, logs and answers: the owner's alone, in folders that are, so that a group's right
/// would open nothing. Who wants it read by others has it delivered to an absolute path.
const PRIVATE: RawMode = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;

/// Where the owner's own word leads, files are as the owner's other programs make them.
const USUAL: RawMode = 0o644;

/// A folder with its rule.
#[derive(Debug, Clone)]
pub struct Workspace {
    folder: PathBuf,
}

/// Whether what is there stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The new content takes the place of the old, at once or not at all.
    Replace,
    /// The new content follows the old.
    Append,
}

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The path is against a rule of the workspace.
    #[error("`{path}` is refused: {rule}")]
    Refused {
        /// As written.
        path: String,
        /// The rule.
        rule: Rule,
    },
    /// There is no such file.
    #[error("`{0}` does not exist")]
    NotFound(String),
    /// The file is larger than may be read.
    #[error("`{path}` has more than {max} bytes")]
    TooLarge {
        /// As written.
        path: String,
        /// The bytes allowed.
        max: u64,
    },
    /// The system refused.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// `read`, `write`, `append to`.
        doing: &'static str,
        /// As written.
        path: String,
        /// The system's word.
        source: io::Error,
    },
}

/// The rules that a path in the workspace keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Nothing is named.
    #[error("a path names a file")]
    Empty,
    /// It begins at the root.
    #[error("paths are relative to the workspace, and may not begin with `/`")]
    Absolute,
    /// It climbs.
    #[error("`..` may not stand in a path")]
    Parent,
    /// It has a byte that no path has.
    #[error("a path may not hold a NUL")]
    Nul,
    /// A link on the way leads out.
    #[error("a symbolic link on the way leads out of the workspace")]
    Leaves,
    /// What would be replaced is a link.
    #[error("it is a symbolic link, and is not written through")]
    Link,
    /// A folder, a pipe, a device.
    #[error("it is not a regular file")]
    NotAFile,
}

impl Workspace {
    /// The workspace in `folder`, which is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Workspace {
            folder: folder.into(),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads a file of at most `max` bytes.
    ///
    /// # Errors
    /// Where the path is refused, is not there, is larger, or cannot be read.
    pub fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, WorkspaceError> {
        let failed = |error| fault("read", path, error);
        lexical(path)?;
        let root = self.root().map_err(failed)?;
        // A pipe would make the opening wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = beneath::open(&root, Path::new(path), flags).map_err(failed)?;
        regular(&file, path, "read")?;
        let mut bytes = Vec::new();
        let mut file = File::from(file).take(max.saturating_add(1));
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > max {
            let path = path.to_owned();
            return Err(WorkspaceError::TooLarge { path, max });
        }
        Ok(bytes)
    }

    /// Replaces a file, or makes it and the folders on its way. A reader sees the old content or
    /// the new, also after a power cut; when this fails, the old content is still there.
    ///
    /// # Errors
    /// Where the path is refused or cannot be written.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let (folder, name) = self.folder_of(path, "write")?;
        replace(&folder, name, path, bytes, PRIVATE)
    }

    /// Adds to the end of a file in one write, or makes it and the folders on its way.
    ///
    /// # Errors
    /// Where the path is refused or cannot be written.
    pub fn append(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let (folder, name) = self.folder_of(path, "append to")?;
        add(&folder, name, path, bytes, (OFlags::NOFOLLOW, PRIVATE))
    }

    /// Writes where the owner's own word says: a relative path lies in the workspace and keeps its
    /// rules, an absolute one is anywhere. Never for a path that outside text had a part in.
    ///
    /// # Errors
    /// Where the path is refused or cannot be written.
    pub fn deliver(&self, path: &str, bytes: &[u8], put: Put) -> Result<(), WorkspaceError> {
        if !path.starts_with('/') {
            return match put {
                Put::Replace => self.write(path, bytes),
                Put::Append => self.append(path, bytes),
            };
        }
        let failed = |error| fault("write", path, error);
        // The owner's links are followed, and kept.
        let target = fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(refused(path, Rule::NotAFile));
        };
        fs::create_dir_all(parent).map_err(failed)?;
        let folder = open_folder(parent).map_err(failed)?;
        match put {
            Put::Replace => replace(&folder, Path::new(name), path, bytes, USUAL),
            Put::Append => add(
                &folder,
                Path::new(name),
                path,
                bytes,
                (OFlags::empty(), USUAL),
            ),
        }
    }

    fn root(&self) -> io::Result<OwnedFd> {
        let mut made = fs::DirBuilder::new();
        made.recursive(true)
            .mode(PRIVATE_FOLDER)
            .create(&self.folder)?;
        open_folder(&self.folder)
    }

    /// The open folder that `path` lies in, made where it is missing, and the path's last part.
    fn folder_of<'p>(
        &self,
        path: &'p str,
        doing: &'static str,
    ) -> Result<(OwnedFd, &'p Path), WorkspaceError> {
        lexical(path)?;
        let path_of = Path::new(path);
        let name = path_of
            .file_name()
            .ok_or_else(|| refused(path, Rule::Empty))?;
        let folder = self
            .root()
            .and_then(|root| beneath::make_folders(root, path_of.parent().unwrap_or(Path::new(""))))
            .map_err(|error| fault(doing, path, error))?;
        Ok((folder, Path::new(name)))
    }
}

/// What can be told from the path's letters. The kernel keeps the rest of the rules.
fn lexical(path: &str) -> Result<(), WorkspaceError> {
    let rule = if path.contains('\0') {
        Rule::Nul
    } else if path.starts_with('/') {
        Rule::Absolute
    } else if path.split('/').any(|part| part == "..") {
        Rule::Parent
    } else if path.split('/').all(|part| part.is_empty() || part == ".") {
        Rule::Empty
    } else if path.ends_with('/') || path.ends_with("/.") {
        Rule::NotAFile
    } else {
        return Ok(());
    };
    Err(refused(path, rule))
}

fn replace(
    folder: &OwnedFd,
    name: &Path,
    path: &str,
    bytes: &[u8],
    new: RawMode,
) -> Result<(), WorkspaceError> {
    let mode = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(old) => match FileType::from_raw_mode(old.st_mode) {
            FileType::RegularFile => Mode::from_raw_mode(old.st_mode & 0o7777),
            FileType::Symlink => return Err(refused(path, Rule::Link)),
            _ => return Err(refused(path, Rule::NotAFile)),
        },
        Err(_) => Mode::from_raw_mode(new),
    };
    // A name of ours, and short: the target's own may fill all 255 bytes.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = format!(".reveille-{}-{count}.tmp", std::process::id());
    let written = write_new(folder, &temporary, bytes, mode)
        .and_then(|()| Ok(rustix::fs::renameat(folder, &temporary, folder, name)?))
        .and_then(|()| sync_folder(folder));
    written.map_err(|error| {
        let _ = rustix::fs::unlinkat(folder, &temporary, AtFlags::empty());
        fault("write", path, error)
    })
}

fn write_new(folder: &OwnedFd, name: &str, bytes: &[u8], mode: Mode) -> io::Result<()> {
    // One that a killed process of the same number left is in the way.
    let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, mode)?;
    let mut file = File::from(file);
    file.write_all(bytes)?;
    file.sync_all()
}

fn add(
    folder: &OwnedFd,
    name: &Path,
    path: &str,
    bytes: &[u8],
    (links, new): (OFlags, RawMode),
) -> Result<(), WorkspaceError> {
    let failed = |error| fault("append to", path, error);
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(new);
    let file = match rustix::fs::openat(folder, name, flags | links, mode) {
        Err(rustix::io::Errno::LOOP) => return Err(refused(path, Rule::Link)),
        // A pipe that nobody reads.
        Err(rustix::io::Errno::NXIO) => return Err(refused(path, Rule::NotAFile)),
        file => file.map_err(|error| failed(error.into()))?,
    };
    let before = regular(&file, path, "append to")?;
    let mut file = File::from(file);
    let written = file.write(bytes).map_err(failed)?;
    if written < bytes.len() {
        // The disk is full: half a line is worse than none.
        let after = file.metadata().map_err(failed)?.len();
        if after == before + written as u64 {
            file.set_len(before).map_err(failed)?;
        }
        return Err(failed(io::ErrorKind::StorageFull.into()));
    }
    file.sync_data().map_err(failed)
}

/// The size of a regular file; anything else is refused.
fn regular(file: &OwnedFd, path: &str, doing: &'static str) -> Result<u64, WorkspaceError> {
    let stat = rustix::fs::fstat(file).map_err(|error| fault(doing, path, error.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(u64::try_from(stat.st_size).unwrap_or(0)),
        _ => Err(refused(path, Rule::NotAFile)),
    }
}

fn open_folder(folder: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, folder, flags, Mode::empty())?)
}

/// The new name is on the disk only after this.
fn sync_folder(folder: &OwnedFd) -> io::Result<()> {
    Ok(rustix::fs::fsync(folder)?)
}

fn refused(path: &str, rule: Rule) -> WorkspaceError {
    WorkspaceError::Refused {
        path: path.to_owned(),
        rule,
    }
}

fn fault(doing: &'static str, path: &str, source: io::Error) -> WorkspaceError {
    use rustix::io::Errno;
    match source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::XDEV | Errno::LOOP) => refused(path, Rule::Leaves),
        Some(Errno::ISDIR | Errno::NXIO) => refused(path, Rule::NotAFile),
        Some(Errno::NOENT) if doing == "read" => WorkspaceError::NotFound(path.to_owned()),
        _ => WorkspaceError::Io {
            doing,
            path: path.to_owned(),
            source,
        },
    }
}
