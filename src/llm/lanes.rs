//! How many questions a server is asked at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Model;

/// The lanes to the servers of this process: a small computer answers one question at a time, in the order they came.
#[derive(Debug, Default)]
pub struct Lanes(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Lanes {
    /// Waits for a place in the lane to the model's server; it is given back when what is returned is dropped.
    pub(super) async fn place(&self, model: &Model) -> OwnedSemaphorePermit {
        let lane = {
            let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let width = usize::try_from(model.lane).unwrap_or(usize::MAX);
            let lane = lanes.entry(model.url.clone());
            Arc::clone(lane.or_insert_with(|| Arc::new(Semaphore::new(width.max(1)))))
        };
        let place = lane.acquire_owned().await;
        place.expect("no lane is ever closed")
    }
}
