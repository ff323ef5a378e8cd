//! A look at one file: its version, and the beginning of its content.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde_json::{Value, json};

use super::Change;
use super::ground::{self, Ground};
use super::verdict::Found;
use super::version::Version;

/// The most of the contents that one event holds, in bytes.
pub const ROOM: usize = 64 << 10;

/// What to look at.
#[derive(Debug)]
pub struct Ask {
    /// Where.
    pub path: PathBuf,
    /// The version that was handled: its content is not read again.
    pub known: Option<Version>,
}

/// What was found.
#[derive(Debug)]
pub struct Looked {
    /// Where.
    pub path: PathBuf,
    /// Which version.
    pub found: Found,
    /// The beginning of its content; `None` where it is not there, not readable or known.
    pub content: Option<Content>,
}

/// The beginning of a file, as text.
#[derive(Debug, PartialEq, Eq)]
pub struct Content {
    text: String,
    /// Whether there is more.
    is_cut: bool,
}

/// Looks at one file and takes from `room` what its content needs. Blocks on the disk.
///
/// A file is not gone while the file system it was on, mounted at one of `mounts`, is away.
pub fn look(ask: Ask, mounts: &[PathBuf], room: &mut usize) -> Looked {
    let Ask { path, known } = ask;
    let mut content = None;
    let found = match version(&path) {
        Ok((version, ground)) => match read(&path, ground, Some(version) != known, room) {
            // The version from before the first byte was read: what is written meanwhile is another one.
            Ok(Some((version, read))) => {
                content = Some(read);
                Found::File(version)
            }
            Ok(None) | Err(_) => Found::File(version),
        },
        Err(error) if !is_absence(&error) => Found::Unknown,
        Err(_) if mounts.iter().any(|point| ground::is_away(point)) => Found::Unknown,
        Err(_) => Found::Nothing,
    };
    Looked {
        path,
        found,
        content,
    }
}

/// Whether an error means that there is no file.
pub fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn version(path: &Path) -> io::Result<(Version, Ground)> {
    let ground = Ground::of(path.parent().unwrap_or(path))?;
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    Ok((ground.version(&metadata), ground))
}

fn read(
    path: &Path,
    ground: Ground,
    is_new: bool,
    room: &mut usize,
) -> io::Result<Option<(Version, Content)>> {
    if !is_new {
        return Ok(None);
    }
    // Without waiting, in case that a pipe took the file's place.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let content = Content::read(&file, &metadata, *room)?;
    *room -= content.text.len().min(*room);
    Ok(Some((ground.version(&metadata), content)))
}

impl Content {
    fn read(file: &File, metadata: &Metadata, room: usize) -> io::Result<Self> {
        let expected = usize::try_from(metadata.len()).unwrap_or(room).min(room);
        let mut bytes = Vec::with_capacity(expected + 1);
        file.take(room as u64 + 1).read_to_end(&mut bytes)?;
        let is_cut = bytes.len() > room;
        bytes.truncate(room);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if is_cut {
            // Half a character at the cut.
            text.truncate(text.trim_end_matches('\u{fffd}').len());
        }
        Ok(Content { text, is_cut })
    }
}

/// What an event tells of one file.
pub fn told(looked: &Looked, change: Change) -> Value {
    let size = match looked.found {
        Found::File(version) => Some(version.size),
        Found::Nothing | Found::Unknown => None,
    };
    json!({
        "path": looked.path.to_string_lossy(),
        "change": change.word(),
        "size": size,
        "content": looked.content.as_ref().map(|content| &content.text),
        "cut": looked.content.as_ref().is_some_and(|content| content.is_cut),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], room: usize, text: &str, is_cut: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, bytes).unwrap();
        let mut left = room;
        let looked = look(Ask { path, known: None }, &[], &mut left);
        let content = looked.content.unwrap();
        assert_eq!((content.text.as_str(), content.is_cut), (text, is_cut));
        assert_eq!(left, room - text.len());
    }

    #[test]
    fn content_is_bounded_and_text() {
        check(b"hello", 64, "hello", false);
        check(b"hello", 5, "hello", false);
        check(b"hello", 4, "hell", true);
        check("né".as_bytes(), 2, "n", true);
        check(b"a\xffb", 64, "a\u{fffd}b", false);
        check(b"hello", 0, "", true);
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let looked = look(Ask { path, known: None }, &[], &mut 64);
        assert_eq!(looked.found, Found::Nothing);
    }
}
