//! One source's items for some days: worked out anew only when the source, the days or the zone changed.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Item;
use super::cache::CachedDay;
use super::ics::{Calendar, IcsError};
use super::range::Range;
use super::source::{self, SourceError};
use crate::zone::Tz;

/// What a source holds for some days.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// In order.
    pub items: Vec<Item>,
    /// What was wrong with it, in words.
    pub warnings: Vec<String>,
    /// What to remember, for the next process; `None` when what is remembered still holds.
    pub keep: Option<Value>,
}

/// Why a source gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is no calendar.
    #[error("`{}`: {error}", path.display())]
    Ics {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: IcsError,
    },
}

/// Looks at a file; `kept` is what the last look gave to remember.
///
/// # Errors
/// A file that cannot be read or is no calendar.
pub fn file(
    path: &Path,
    range: Range,
    zone: Tz,
    kept: Option<CachedDay>,
) -> Result<Looked, LookError> {
    let fingerprint = source::fingerprint(path)?;
    if let Some(kept) = kept.filter(|kept| kept.fits(&fingerprint, range, zone)) {
        return Ok(Looked {
            items: kept.items,
            warnings: kept.warnings,
            keep: None,
        });
    }
    let (fingerprint, bytes) = source::read(path)?;
    let looked = bytes_of(&bytes, range, zone).map_err(|error| LookError::Ics {
        path: path.to_owned(),
        error,
    })?;
    let kept = CachedDay::new(
        fingerprint,
        range,
        zone,
        looked.items.clone(),
        looked.warnings.clone(),
    );
    Ok(Looked {
        keep: serde_json::to_value(kept).ok(),
        ..looked
    })
}

/// Looks at a calendar in memory.
///
/// # Errors
/// Bytes that are no calendar.
pub fn bytes_of(bytes: &[u8], range: Range, zone: Tz) -> Result<Looked, IcsError> {
    let calendar = Calendar::parse(bytes)?;
    let listing = calendar.items(range, zone);
    let mut warnings = calendar.warnings;
    warnings.extend(listing.warnings);
    Ok(Looked {
        items: listing.items,
        warnings,
        keep: None,
    })
}
