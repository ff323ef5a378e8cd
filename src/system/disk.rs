//! Local file systems and how full they are.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

/// One file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// The device.
    pub source: String,
    /// Bytes.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Bytes that a user other than root may still take.
    pub free: u64,
    /// Used, of what users may take; rounded up, as df(1) does.
    pub percent: u32,
}

/// A line of mountinfo that may hold files of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) point: String,
    pub(super) source: String,
}

/// Kept on a disk of this machine. Network file systems are left out: asking one whose server is
/// gone never returns.
const LOCAL: &[&str] = &[
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs",
    "ntfs", "ntfs3", "reiserfs", "vfat", "xfs", "zfs",
];

/// The local file systems of a mountinfo (proc_pid_mountinfo(5)), each once, where its path is
/// shortest: bind mounts and subvolumes show a file system again.
pub(super) fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mut by_device = BTreeMap::<String, Mount>::new();
    for line in mountinfo.lines() {
        let Some((device, mount)) = parse(line) else {
            continue;
        };
        let kept = by_device.entry(device).or_insert_with(|| mount.clone());
        if mount.point.len() < kept.point.len() {
            *kept = mount;
        }
    }
    by_device.into_values().collect()
}

fn parse(line: &str) -> Option<(String, Mount)> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let number = before.next()?;
    let point = unescape(before.nth(1)?);
    let mut after = after.split(' ');
    let kind = after.next()?;
    let source = unescape(after.next()?);
    // A container's root is an overlay, and its disk is worth knowing.
    let local = LOCAL.contains(&kind) || (kind == "overlay" && point == "/");
    let device = if source.starts_with('/') {
        source.clone()
    } else {
        number.to_owned()
    };
    local.then_some((device, Mount { point, source }))
}

/// Space, tab, newline and backslash are written in octal, as `\040`.
pub(super) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.map(|digits| u8::from_str_radix(digits, 8)) {
            Some(Ok(byte)) if first == b'\\' => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Disk {
    /// The file system that `folder` lies on; `None` where it does not answer.
    pub fn of(folder: &Path) -> Option<Disk> {
        let mount = Mount {
            point: String::new(),
            source: String::new(),
        };
        measure(folder, mount)
    }
}

/// Asks the file system mounted at `mount` below `root`; `None` where it does not answer.
pub(super) fn measure(root: &Path, mount: Mount) -> Option<Disk> {
    let path = root.join(mount.point.trim_start_matches('/'));
    let stat = rustix::fs::statvfs(&path).ok()?;
    let total = stat.f_blocks.saturating_mul(stat.f_frsize);
    let used = stat
        .f_blocks
        .saturating_sub(stat.f_bfree)
        .saturating_mul(stat.f_frsize);
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    (total > 0).then(|| Disk {
        mount: mount.point,
        source: mount.source,
        total,
        used,
        free,
        percent: percent(used, used.saturating_add(free)),
    })
}

/// `part` of `whole` in percent, rounded up.
pub(super) fn percent(part: u64, whole: u64) -> u32 {
    if whole == 0 {
        return 0;
    }
    let percent = (u128::from(part) * 100).div_ceil(u128::from(whole));
    u32::try_from(percent).unwrap_or(100)
}
