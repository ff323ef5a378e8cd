//! When a slot's run starts: later by chance, or early enough to deliver on time.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::hash::fnv1a;

/// The longest that a run starts before its due instant.
const EARLIEST: Duration = Duration::from_secs(600);

/// How much later than its due instant a slot starts: up to `most`, the same each time it is asked.
pub fn jitter(job: &str, trigger: &str, due: DateTime<Utc>, most: Duration) -> Duration {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    let chance = fnv1a(format!("{job}\n{trigger}\n{}", due.timestamp()).as_bytes());
    Duration::from_millis(chance.checked_rem(most.saturating_add(1)).unwrap_or(0))
}

/// How long before its due instant a run starts, so that nine of ten like the past ones end by then: at most ten minutes,
/// and at most half of the `interval` since the slot before.
pub fn lead(took: &[Duration], interval: Duration) -> Duration {
    let mut took = took.to_vec();
    took.sort_unstable();
    let rank = (took.len() * 9).div_ceil(10);
    let usual = rank
        .checked_sub(1)
        .map_or(Duration::ZERO, |index| took[index]);
    // A tenth more, for the way to the outbox.
    (usual + usual / 10).min(EARLIEST).min(interval / 2)
}
