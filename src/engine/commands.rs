//! How many programs of `exec` steps run at once, over all jobs of a process.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places for them, given in the order in which they were asked for.
#[derive(Debug)]
pub struct Commands {
    places: Semaphore,
    /// How many places there are, taken or not.
    count: Mutex<usize>,
}

impl Default for Commands {
    fn default() -> Self {
        Commands {
            places: Semaphore::const_new(0),
            count: Mutex::new(0),
        }
    }
}

impl Commands {
    /// Waits for one of `count` places; it is given back when what is returned is dropped.
    pub(super) async fn place(&self, count: usize) -> SemaphorePermit<'_> {
        self.fit(count.clamp(1, Semaphore::MAX_PERMITS));
        let place = self.places.acquire().await;
        place.expect("nothing closes it")
    }

    /// The configuration may have changed. A place that is taken stays until one is free at somebody's asking.
    fn fit(&self, wanted: usize) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted >= *count {
            self.places.add_permits(wanted - *count);
            *count = wanted;
        } else {
            *count -= self.places.forget_permits(*count - wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn places_follow_the_configuration() {
        let commands = Commands::default();
        let place = |count| commands.place(count).now_or_never();
        let first = place(1).unwrap();
        assert!(place(1).is_none());
        let second = place(2).unwrap();
        assert!(place(2).is_none());
        // Both are taken: neither can go yet.
        assert!(place(1).is_none());
        drop(first);
        assert!(place(1).is_none());
        drop(second);
        let _only = place(1).unwrap();
        assert!(place(1).is_none());
    }
}
