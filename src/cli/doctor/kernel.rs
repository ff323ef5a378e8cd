//! What the kernel adds: Landlock, memory limits, watches.

use super::finding::Finding;
use super::root::Root;

/// Watches that a kernel allows without being asked for more.
const FEW_WATCHES: u64 = 8192;

/// All of it; `watches` is how many paths the jobs watch.
pub(super) fn look(root: &Root, watches: usize) -> Vec<Finding> {
    let mut findings = vec![landlock(root), memory_limits(root)];
    findings.extend(inotify(root, watches));
    findings
}

fn landlock(root: &Root) -> Finding {
    let about = "Landlock";
    let weaker = "commands are held by the unit alone";
    let Some(active) = root.text("/sys/kernel/security/lsm") else {
        let found = format!("the kernel does not tell whether it has it; without, {weaker}");
        return Finding::warning(
            about,
            found,
            "`sudo mount -t securityfs none /sys/kernel/security`",
        );
    };
    if active.split(',').any(|module| module == "landlock") {
        return Finding::ok(about, "there: a command can be shut in by itself");
    }
    Finding::warning(
        about,
        format!("not in this kernel: {weaker}, and one that carries outside text is not shut in"),
        "nothing mends it on Raspberry Pi OS; Debian's own arm64 kernel has it",
    )
}

fn memory_limits(root: &Root) -> Finding {
    let about = "memory limits";
    let unified = root.text("/sys/fs/cgroup/cgroup.controllers");
    let on = match unified {
        Some(controllers) => controllers.split(' ').any(|name| name == "memory"),
        None => root.has("/sys/fs/cgroup/memory"),
    };
    if on {
        return Finding::ok(about, "the memory cgroup is on");
    }
    Finding::warning(
        about,
        "the memory cgroup is off, as on Raspberry Pi OS: MemoryMax= does nothing, a hungry command can take all",
        "add `cgroup_enable=memory` to the line in /boot/firmware/cmdline.txt and restart",
    )
}

fn inotify(root: &Root, watches: usize) -> Option<Finding> {
    let about = "watches";
    let allowed = root.text("/proc/sys/fs/inotify/max_user_watches")?;
    let allowed: u64 = allowed.parse().ok()?;
    let found = format!("{allowed} for each user");
    Some(if watches > 0 && allowed < FEW_WATCHES {
        let found = format!("{found}: a large folder is then looked at every few seconds instead");
        let set = "sysctl fs.inotify.max_user_watches=65536";
        Finding::warning(about, found, format!("`sudo {set}`"))
    } else {
        Finding::ok(about, found)
    })
}
