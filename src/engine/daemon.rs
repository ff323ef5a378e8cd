//! What a daemon consists of, and the order in which it begins and ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Alerts, Engine, EngineError, Intake, Loaded, Outbox, Queue, adopt, aloud};
use crate::clock;
use crate::store::Store;

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The way into it.
    pub intake: Intake,
    /// What executes the runs.
    pub queue: Arc<Queue>,
    /// What sends the messages.
    pub outbox: Outbox,
    /// What tells the owner.
    pub alerts: Alerts,
    latest: watch::Sender<Arc<Loaded>>,
    _ends: Ends,
}

/// Where a daemon ends, by whatever way, no run begins any more: a runtime that is taken down starts nothing.
#[derive(Debug)]
struct Ends(Arc<Queue>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// How long runs that are under way may go on when the daemon ends.
const DRAIN: Duration = Duration::from_secs(20);

impl Daemon {
    /// Begins: what an earlier life left behind comes first, in its order.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn start(mut engine: Engine) -> Result<Self, EngineError> {
        let (latest, reading) = watch::channel(Arc::clone(&engine.loaded));
        let alerts = Alerts::load(&engine, reading.clone()).await?;
        engine.alerts = Some(alerts.clone());
        let outbox = Outbox::start(engine.clone(), reading.clone(), aloud()).await?;
        alerts.sent_by(outbox.clone());
        let queue = Queue::new(engine, outbox.clone(), reading);
        let ends = Ends(Arc::clone(&queue));
        adopt::adopt(&queue).await?;
        Ok(Daemon {
            intake: Intake::new(Arc::clone(&queue)),
            queue,
            outbox,
            alerts,
            latest,
            _ends: ends,
        })
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.queue.engine.store
    }

    /// Swaps the reading of the user's folder; runs under way keep theirs.
    pub fn reload(&self, loaded: Loaded) {
        self.latest.send_replace(Arc::new(loaded));
    }

    /// Ends: nothing begins any more, and what is under way has some time to end. What does not, is gone on with by the
    /// next start.
    pub async fn stop(self) {
        self.queue.stop();
        let clock = Arc::clone(&self.queue.engine.clock);
        let _ = clock::timeout(clock.as_ref(), DRAIN, self.queue.emptied()).await;
        let _ = clock::timeout(clock.as_ref(), DRAIN, self.outbox.stop()).await;
    }
}
