//! Where the socket lies.
//!
//! `STATE/socket`: the socket itself, or under systemd a link to `$RUNTIME_DIRECTORY/socket`, where those can reach it who may
//! not look into the state.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

const NAME: &str = "socket";

/// Where the service of the machine has its socket.
const SERVICE: &str = "/run/reveille/socket";

/// The longest path that a socket's address holds (`sun_path`, unix(7)), its closing zero taken off.
const LONGEST: usize = 107;

/// Where a client looks for a daemon, in this order.
pub(super) fn candidates(state: &Path) -> [PathBuf; 2] {
    [state.join(NAME), PathBuf::from(SERVICE)]
}

/// The socket of the daemon on a state folder, removed when dropped.
#[derive(Debug)]
pub struct Place {
    /// What clients connect to.
    pub listener: UnixListener,
    made: Vec<PathBuf>,
}

impl Drop for Place {
    fn drop(&mut self) {
        for path in &self.made {
            let _ = fs::remove_file(path);
        }
    }
}

impl Place {
    /// Listens for the daemon on `state`; `runtime` is systemd's `$RUNTIME_DIRECTORY`. What a dead daemon left is
    /// replaced, so the caller holds the daemon's lock.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn take(state: &Path, runtime: Option<&Path>) -> io::Result<Self> {
        let path = runtime.unwrap_or(state).join(NAME);
        // Made beside its place: nobody ever meets it with other rights than its own.
        let new = path.with_extension("new");
        let _ = fs::remove_file(&new);
        let listener = reach(&new, |new| UnixListener::bind(new))?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o660))?;
        fs::rename(&new, &path)?;
        let mut made = vec![path.clone()];
        if runtime.is_some() {
            let link = state.join(NAME);
            let new = link.with_extension("new");
            let _ = fs::remove_file(&new);
            symlink(&path, &new)?;
            fs::rename(&new, &link)?;
            made.push(link);
        }
        Ok(Place { listener, made })
    }
}

/// A connection to the daemon that listens at `path`.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    reach(path, |path| UnixStream::connect(path))
}

/// Calls with a path that fits into a socket's address: a long one by way of its folder's descriptor.
fn reach<T>(path: &Path, call: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= LONGEST {
        return call(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return call(path);
    };
    let mut options = fs::File::options();
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY;
    let flags = i32::try_from(flags.bits()).expect("flags of open(2) are an int");
    let folder = options.read(true).custom_flags(flags).open(folder)?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    call(&PathBuf::from(format!("/proc/self/fd/{number}")).join(name))
}
