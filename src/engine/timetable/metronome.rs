//! tokio-cron-scheduler keeps the wake-ups: one job, each second, in UTC.
//!
//! Its own time zones keep the offset of the day on which a job was added, and its channel loses activations under load; so
//! it tells that a second has passed, and nothing more.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Tells of each second for as long as it is kept.
pub struct Metronome {
    scheduler: JobScheduler,
    second: Arc<Notify>,
}

impl Metronome {
    /// Begins to beat.
    ///
    /// # Errors
    /// It could not be started.
    pub async fn start() -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let second = Arc::new(Notify::new());
        let told = Arc::clone(&second);
        let each = Job::new("* * * * * *", move |_, _| told.notify_one())?;
        scheduler.add(each).await?;
        scheduler.start().await?;
        Ok(Metronome { scheduler, second })
    }

    /// Told of each second.
    pub fn second(&self) -> Arc<Notify> {
        Arc::clone(&self.second)
    }

    /// Ends it.
    pub async fn stop(mut self) {
        // What it says to this is of no use: the program is about to end.
        let _ = self.scheduler.shutdown().await;
    }
}

impl std::fmt::Debug for Metronome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metronome")
    }
}
