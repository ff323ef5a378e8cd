//! What kind of file system a folder lies on, and where it is mounted.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::version::Version;

/// File systems that inotify is silent on, by their numbers (statfs(2)): what others change there, or the kernel makes up.
const SILENT: [u32; 16] = [
    0x6969,      // NFS
    0x517b,      // SMB
    0xfe53_4d42, // SMB 2
    0xff53_4d42, // CIFS
    0x6573_5546, // FUSE: sshfs, rclone, mergerfs
    0x0102_1997, // 9p
    0x00c3_6400, // Ceph
    0x5346_414f, // AFS
    0x6b41_4653, // kAFS
    0x7375_7245, // Coda
    0x564c,      // NCP
    0x786f_4256, // VirtualBox
    0xbacb_acbc, // VMware
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0bd0_0bd0, // Lustre
];

/// File systems that give a file another inode after a remount: FAT, exFAT.
const DRIFTING: [u32; 2] = [0x4d44, 0x2011_bab0];

/// The ground that a folder stands on.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    device: u64,
    inode: u64,
    magic: u32,
}

impl Ground {
    /// Asks the system.
    ///
    /// # Errors
    /// There is no such folder, or it cannot be seen.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(folder)?;
        if !metadata.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let magic = rustix::fs::statfs(folder)?.f_type;
        Ok(Ground {
            device: metadata.dev(),
            inode: metadata.ino(),
            // The numbers have 32 bits, however wide and signed the field is.
            magic: magic as u32,
        })
    }

    /// Whether changes by others go unheard.
    pub fn is_silent(self) -> bool {
        SILENT.contains(&self.magic)
    }

    /// What tells this folder from every other one that is there.
    pub fn identity(self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// The version of a file right in the folder.
    pub fn version(self, metadata: &Metadata) -> Version {
        let steady = !self.is_silent() && !DRIFTING.contains(&self.magic);
        let here = metadata.dev() == self.device;
        Version::new(metadata, if steady && here { metadata.ino() } else { 0 })
    }
}

/// Where the file system that holds `path` is mounted; `None` where that is the root, or nothing is there.
pub fn mount_point(path: &Path) -> Option<PathBuf> {
    let device = fs::metadata(path).ok()?.dev();
    let beyond = |folder: &&Path| fs::metadata(folder).map_or(true, |found| found.dev() != device);
    let top = path
        .ancestors()
        .take_while(|folder| !beyond(folder))
        .last()?;
    (top != Path::new("/")).then(|| top.to_owned())
}

/// Whether nothing is mounted at `point` now.
pub fn is_away(point: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev());
    match (device(point), point.parent().map(device)) {
        (Ok(here), Some(Ok(above))) => here == above,
        (Err(error), _) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}
