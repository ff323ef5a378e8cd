//! What a path lies on: its file system, its medium, and the room that is left.

use std::fs;
use std::path::{Path, PathBuf};

use super::disk::unescape;

/// What a path lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// The kind of file system: `ext4`.
    pub kind: String,
    /// Its medium.
    pub medium: Medium,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// Bytes that a user other than root may still take.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What bytes are kept on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A card in a slot: slow to sync, and it wears out.
    SdCard,
    /// Any other local disk.
    Disk,
    /// Another machine.
    Network,
    /// Memory: gone after a restart.
    Memory,
    /// One file system over another, as in a container, or over a root that is never written to.
    Overlay,
}

const NETWORK: &[&str] = &[
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.sshfs",
    "nfs",
    "nfs4",
    "smb3",
];

/// What `path`, below `root`, lies on; where it is not there yet, what the folder above it does.
///
/// `None` where the machine does not tell.
pub fn storage(root: &Path, path: &Path) -> Option<Storage> {
    let real = path
        .ancestors()
        .find_map(|above| fs::canonicalize(below(root, above)).ok())?;
    let top = fs::canonicalize(root).ok()?;
    let seen = Path::new("/").join(real.strip_prefix(&top).ok()?);
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let (_, device, kind, read_only) = mounts
        .lines()
        .filter_map(parse)
        .filter(|(point, ..)| seen.starts_with(point))
        // Of two at one place the later hides the earlier.
        .max_by_key(|(point, ..)| point.as_os_str().len())?;
    let medium = match &kind[..] {
        "tmpfs" | "ramfs" => Medium::Memory,
        "overlay" => Medium::Overlay,
        _ if NETWORK.contains(&&kind[..]) => Medium::Network,
        _ => of_device(&root.join("sys/dev/block").join(device)),
    };
    let stat = rustix::fs::statvfs(&real).ok()?;
    Some(Storage {
        kind,
        medium,
        read_only,
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        total: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

/// The medium of a block device by its entry in sysfs. What is soldered in says `MMC` where a card says `SD`.
pub fn of_device(entry: &Path) -> Medium {
    let Ok(entry) = fs::canonicalize(entry) else {
        return Medium::Disk;
    };
    let card = entry
        .ancestors()
        .find_map(|above| fs::read_to_string(above.join("device/type")).ok());
    match card.as_deref().map(str::trim) {
        Some("SD") => Medium::SdCard,
        _ => Medium::Disk,
    }
}

/// A line of mountinfo: where, which device, what kind, and whether it is read-only.
fn parse(line: &str) -> Option<(PathBuf, String, String, bool)> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let device = before.next()?.to_owned();
    let point = unescape(before.nth(1)?);
    let options = before.next()?;
    let mut after = after.split(' ');
    let kind = after.next()?.to_owned();
    let whole = after.nth(1).unwrap_or_default();
    let read_only = [options, whole]
        .iter()
        .any(|options| options.split(',').any(|option| option == "ro"));
    Some((point.into(), device, kind, read_only))
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    const MOUNTS: &str = "\
28 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw
30 28 0:25 / /run rw - tmpfs tmpfs rw
31 28 179:98 / /emmc rw - ext4 /dev/mmcblk1p2 rw
42 28 8:1 / /mnt/my\\040disk ro - ext4 /dev/sda1 rw
43 28 0:50 / /mnt/nas rw - nfs4 nas:/x rw
44 28 8:1 / /var/lib/reveille rw - ext4 /dev/sda1 rw
broken
";

    #[test]
    fn a_path_lies_on_the_nearest_mount() {
        let root = TempDir::new().expect("a folder");
        let make = |path: &str| fs::create_dir_all(root.path().join(path)).expect("made");
        let write =
            |path: &str, text: &str| fs::write(root.path().join(path), text).expect("written");
        for path in [
            "proc/self",
            "sys/dev/block",
            "sys/devices/mmc0/mmcblk0/mmcblk0p2",
            "sys/devices/mmc0/mmcblk0/device",
            "sys/devices/mmc1/mmcblk1/mmcblk1p2",
            "sys/devices/mmc1/mmcblk1/device",
            "run/x",
            "emmc",
            "mnt/my disk",
            "mnt/nas/a",
            "var/lib/reveille",
        ] {
            make(path);
        }
        write("proc/self/mountinfo", MOUNTS);
        write("sys/devices/mmc0/mmcblk0/device/type", "SD\n");
        write("sys/devices/mmc1/mmcblk1/device/type", "MMC\n");
        for (number, to) in [
            ("179:2", "../../devices/mmc0/mmcblk0/mmcblk0p2"),
            ("179:98", "../../devices/mmc1/mmcblk1/mmcblk1p2"),
        ] {
            symlink(to, root.path().join("sys/dev/block").join(number)).expect("linked");
        }
        symlink("/mnt/nas", root.path().join("var/loop")).expect("linked");
        let check = |path: &str, kind: &str, medium, read_only| {
            let found = storage(root.path(), Path::new(path)).expect(path);
            let expected = (kind, medium, read_only);
            assert_eq!(
                (&found.kind[..], found.medium, found.read_only),
                expected,
                "{path}"
            );
            assert!(found.total >= found.free && found.total > 0, "{found:?}");
        };
        check("/", "ext4", Medium::SdCard, false);
        check("/home/pi/not/there", "ext4", Medium::SdCard, false);
        check("/run/x", "tmpfs", Medium::Memory, false);
        check("/emmc", "ext4", Medium::Disk, false);
        check("/mnt/my disk", "ext4", Medium::Disk, true);
        check("/mnt/nas/a", "nfs4", Medium::Network, false);
        check("/var/lib/reveille", "ext4", Medium::Disk, false);
        check("/var/lib/reveille-not", "ext4", Medium::SdCard, false);
    }
}
