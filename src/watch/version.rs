//! Which version of a file somebody saw, and how that is written down.

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// One version of a file: two that are equal hold the same content, as far as the file system tells.
///
/// Times are compared with each other and never with a clock, so that a clock may step as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// Bytes.
    pub size: u64,
    /// The modification time, in nanoseconds since 1970.
    modified: i64,
    /// The inode; 0 where numbers do not stay.
    inode: u64,
}

impl Version {
    /// What `metadata` tells; `inode` is 0 on file systems that give a file another one after a remount.
    pub fn new(metadata: &Metadata, inode: u64) -> Self {
        Version {
            size: metadata.len(),
            modified: metadata
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(metadata.mtime_nsec()),
            inode,
        }
    }

    /// As a remembered position holds it.
    pub fn to_value(self) -> Value {
        json!([self.size, self.modified, self.inode])
    }

    /// Reads what [`Version::to_value`] wrote.
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(Version {
            size: value.get(0)?.as_u64()?,
            modified: value.get(1)?.as_i64()?,
            inode: value.get(2)?.as_u64()?,
        })
    }

    #[cfg(test)]
    pub(super) fn numbered(number: u64) -> Self {
        Version {
            size: number,
            modified: 0,
            inode: 0,
        }
    }
}

/// A path as text, from which [`path`] makes it again whatever bytes it has.
pub fn text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// The path that [`text`] wrote.
pub fn path(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail
            .strip_prefix(b"x")
            .and_then(|hex| str::from_utf8(hex.get(..2)?).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (byte, left) = match (byte, hex, tail) {
            (b'\\', Some(byte), _) => (byte, &tail[3..]),
            (b'\\', None, [b'\\', left @ ..]) => (b'\\', left),
            _ => (byte, tail),
        };
        bytes.push(byte);
        rest = left;
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_is_read_as_it_was_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let version = Version::new(&file.as_file().metadata().unwrap(), u64::MAX);
        assert_eq!(Version::from_value(&version.to_value()), Some(version));
        assert_eq!(Version::from_value(&json!(["a", 1, 2])), None);
    }

    proptest! {
        #[test]
        fn any_path_comes_back(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\\'), Just(b'x'), Just(b'4')], 0..40)) {
            let before = Path::new(OsStr::from_bytes(&bytes));
            prop_assert_eq!(path(&text(before)), before);
        }
    }
}
