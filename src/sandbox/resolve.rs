//! Which file a program's name means.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{PATH, SandboxError};

/// A name without a slash is looked for in [`PATH`], one with a slash from the workspace on.
pub(super) fn program(written: &str, workspace: &Path) -> Result<PathBuf, SandboxError> {
    if written.is_empty() {
        return Err(SandboxError::Empty);
    }
    let candidates: Vec<PathBuf> = if written.contains('/') {
        vec![workspace.join(written)]
    } else {
        PATH.split(':')
            .map(|folder| Path::new(folder).join(written))
            .collect()
    };
    let mut not_executable = None;
    for file in candidates {
        match fs::metadata(&file) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => {
                return Ok(file);
            }
            Ok(_) => not_executable = Some(file),
            Err(_) => {}
        }
    }
    Err(match not_executable {
        Some(file) => SandboxError::NotExecutable(file),
        None => SandboxError::NotFound {
            program: written.to_owned(),
            meant: nearest(written),
        },
    })
}

/// The program on the path whose name is most like `written`.
fn nearest(written: &str) -> Option<String> {
    let allowed = (written.chars().count() / 3).max(1);
    PATH.split(':')
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|name| (strsim::damerau_levenshtein(written, &name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}
