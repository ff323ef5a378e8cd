//! Calendar files: which version, and their bytes.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::cache::Fingerprint;

/// Largest calendar that is read, from a file or over HTTP, in bytes.
pub const MAX_BYTES: u64 = 64 << 20;

/// Why a calendar file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing there.
    #[error("calendar file `{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// Not ours to read.
    #[error("calendar file `{}` may not be read by this user", .0.display())]
    Forbidden(PathBuf),
    /// A folder, a device, a pipe.
    #[error("`{}` is not a file", .0.display())]
    NotAFile(PathBuf),
    /// More than [`MAX_BYTES`].
    #[error("calendar file `{}` is larger than 64 MiB", .0.display())]
    TooLarge(PathBuf),
    /// The disk or the file system says no.
    #[error("calendar file `{}` could not be read: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// The fingerprint of a calendar file, without reading it.
pub fn fingerprint(path: &Path) -> Result<Fingerprint, SourceError> {
    let metadata = std::fs::metadata(path).map_err(|error| explain(path, error))?;
    if metadata.is_file() {
        Ok(Fingerprint::of_file(&metadata))
    } else {
        Err(SourceError::NotAFile(path.to_owned()))
    }
}

/// Reads a calendar file of at most 64 MiB. The fingerprint was taken before the bytes, so that a file which changes
/// meanwhile does not fit it later.
pub fn read(path: &Path) -> Result<(Fingerprint, Vec<u8>), SourceError> {
    // Asked of the path first: opening a pipe would wait for its writer.
    fingerprint(path)?;
    let file = File::open(path).map_err(|error| explain(path, error))?;
    let metadata = file.metadata().map_err(|error| explain(path, error))?;
    if metadata.len() > MAX_BYTES {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let whole = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    let length = whole.map_err(|error| explain(path, error))?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) {
        Ok((Fingerprint::of_file(&metadata), bytes))
    } else {
        Err(SourceError::TooLarge(path.to_owned()))
    }
}

fn explain(path: &Path, error: std::io::Error) -> SourceError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::NotFound => SourceError::Missing(path),
        ErrorKind::PermissionDenied => SourceError::Forbidden(path),
        _ => SourceError::Io { path, error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_explained() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        #[track_caller]
        fn check(path: &Path, expected: &str) {
            let error = read(path).expect_err("must not be read").to_string();
            assert!(error.ends_with(expected), "{error}");
        }
        check(&path("none.ics"), "none.ics` does not exist");
        check(folder.path(), "is not a file");
        File::create(path("big.ics"))
            .and_then(|file| file.set_len(MAX_BYTES + 1))
            .expect("sparse");
        check(&path("big.ics"), "big.ics` is larger than 64 MiB");
    }

    #[test]
    fn a_file_is_read_with_its_fingerprint() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.ics");
        std::fs::write(&path, "BEGIN:VCALENDAR").expect("writable");
        let (print, bytes) = read(&path).expect("readable");
        assert_eq!(bytes, b"BEGIN:VCALENDAR");
        assert_eq!(print, fingerprint(&path).expect("there"));
    }
}
