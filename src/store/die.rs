//! Ends the process at a commit, as `kill -9` would: for tests of what is left. Not in a release build.
//!
//! `REVEILLE_DIE_BEFORE_COMMIT=N` and `REVEILLE_DIE_AFTER_COMMIT=N` name the Nth commit of the process.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// The side of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Where this process dies.
static PLACE: LazyLock<Option<(Side, u64)>> = LazyLock::new(|| {
    let of = |name, side| Some((side, std::env::var(name).ok()?.parse().ok()?));
    of("REVEILLE_DIE_BEFORE_COMMIT", Side::Before)
        .or_else(|| of("REVEILLE_DIE_AFTER_COMMIT", Side::After))
});

static COMMITS: AtomicU64 = AtomicU64::new(0);

/// Called on both sides of each commit.
pub(super) fn perhaps(side: Side) {
    let Some((at, number)) = *PLACE else {
        return;
    };
    let begun = match side {
        Side::Before => COMMITS.fetch_add(1, Ordering::Relaxed) + 1,
        Side::After => COMMITS.load(Ordering::Relaxed),
    };
    if at == side && begun == number {
        let _ = kill_process(getpid(), Signal::KILL);
    }
}
