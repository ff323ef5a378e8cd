//! Rests after refusals, each twice as long as the one before.

use std::time::Duration;

/// The first.
const LEAST: Duration = Duration::from_secs(1);
/// The longest.
const MOST: Duration = Duration::from_secs(60);

/// A rest that may be under way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rest {
    /// Until when, and how long it is.
    current: Option<(Duration, Duration)>,
}

impl Rest {
    /// Begins one, unless one is under way.
    pub fn begin(&mut self, now: Duration) {
        if self.is_over(now) {
            let long = self.current.map_or(LEAST, |(_, long)| (long * 2).min(MOST));
            self.current = Some((now + long, long));
        }
    }

    /// Whether none is under way.
    pub fn is_over(&self, now: Duration) -> bool {
        self.current.is_none_or(|(until, _)| now >= until)
    }

    /// When the newest ends or ended.
    pub fn until(&self) -> Option<Duration> {
        self.current.map(|(until, _)| until)
    }
}
