//! What waits to be sent.

use tokio::sync::mpsc;

use super::Engine;
use crate::job::{DeliveryId, NewDelivery};
use crate::journal::{self, Level};

/// Where committed messages are given to be sent; clones are the same place.
#[derive(Debug, Clone)]
pub struct Outbox {
    offered: mpsc::UnboundedSender<(DeliveryId, NewDelivery)>,
}

impl Outbox {
    /// A sender that ends with the last clone.
    pub fn start(engine: Engine) -> Self {
        let (offered, mut messages) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some((id, message)) = messages.recv().await {
                let mut print = |text: &str| println!("{text}");
                if let Err(error) = engine.send(id, &message, &mut print).await {
                    journal::say(Level::Error, error);
                }
            }
        });
        Outbox { offered }
    }

    /// Messages that are committed.
    pub fn offer(&self, messages: Vec<(DeliveryId, NewDelivery)>) {
        for message in messages {
            let _ = self.offered.send(message);
        }
    }
}
