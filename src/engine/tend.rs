//! What is done now and then in a long life.

use std::sync::Arc;
use std::time::Duration;

use super::queue::Queue;
use crate::journal::{self, Level};

/// How often there is a look; the store does it once a day.
const EVERY: Duration = Duration::from_secs(3600);

/// Forgets old runs, a while after the start and then daily; dropped, it ends.
pub(super) async fn tend(queue: Arc<Queue>) {
    let engine = &queue.engine;
    loop {
        engine.clock.sleep(EVERY).await;
        let retention = queue.latest.borrow().settings.retention;
        match engine.store.retain(retention).await {
            Ok(0) => {}
            // Texts may have gone with the runs: the next run of each job keeps them again.
            Ok(_) => queue.forget_kept(),
            Err(error) => {
                let said = format!("old runs were not removed: {error}");
                journal::say(Level::Warning, said);
            }
        }
    }
}
