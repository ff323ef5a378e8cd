//! What was worked out for a day, so that the next process need not read an unchanged calendar again.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use super::item::Item;
use super::range::Range;
use crate::zone::Tz;

/// Raised whenever the same bytes would give other items or another shape of them.
const FORMAT: u32 = 2;

/// What tells one version of a file from another without reading it: its identity, size and times (nanoseconds since
/// 1970).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    dev: u64,
    inode: u64,
    size: u64,
    /// Last change of the content.
    modified: i64,
    /// Last change of content or metadata: writers can set `modified` back, not this.
    changed: i64,
}

/// ETag and Last-Modified as the server sent them, for If-None-Match and If-Modified-Since.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Validators {
    /// ETag, quotes and all.
    pub etag: Option<String>,
    /// Last-Modified.
    pub last_modified: Option<String>,
}

impl Fingerprint {
    /// The fingerprint of an open file or a path's metadata.
    pub fn of_file(metadata: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Fingerprint {
            dev: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Validators {
    /// Whether a server gave anything to ask by: without, each look fetches the whole.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// One source's items for some days, to be kept as JSON between processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedDay {
    format: u32,
    fingerprint: Fingerprint,
    range: Range,
    zone: Tz,
    /// The items, in order.
    pub items: Vec<Item>,
    /// The calendar's and the listing's warnings.
    pub warnings: Vec<String>,
}

impl CachedDay {
    /// Keeps what was found in the version `fingerprint` of a source.
    pub fn new(
        fingerprint: Fingerprint,
        range: Range,
        zone: Tz,
        items: Vec<Item>,
        warnings: Vec<String>,
    ) -> Self {
        CachedDay {
            format: FORMAT,
            fingerprint,
            range,
            zone,
            items,
            warnings,
        }
    }

    /// Whether it answers the same question about the same version.
    pub fn fits(&self, fingerprint: &Fingerprint, range: Range, zone: Tz) -> bool {
        self.format == FORMAT
            && self.fingerprint == *fingerprint
            && self.range == range
            && self.zone == zone
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn only_the_same_version_range_and_zone_fit() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.ics");
        let look = || Fingerprint::of_file(&std::fs::metadata(&path).expect("a file"));
        std::fs::write(&path, "one").expect("writable");
        let (first, day) = (
            look(),
            Range::day(NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date")),
        );
        let zone = Tz::named("Europe/Madrid").unwrap();
        let kept = CachedDay::new(first.clone(), day, zone, Vec::new(), vec!["w".to_owned()]);
        let json = serde_json::to_string(&kept).expect("serialisable");
        let kept: CachedDay = serde_json::from_str(&json).expect("readable");
        assert!(kept.fits(&look(), day, zone));
        assert!(!kept.fits(&first, day, Tz::UTC));
        assert!(!kept.fits(&first, Range { days: 2, ..day }, zone));
        std::fs::write(&path, "other").expect("writable");
        assert!(!kept.fits(&look(), day, zone));
    }
}
