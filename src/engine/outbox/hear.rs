//! What the outbox lets others hear.

use std::io::Write;
use std::sync::Arc;

use crate::delivery::Said;
use crate::engine::alerts::{Alerts, Notice, Subject};
use crate::journal::{self, Level};
use crate::store::{Delivery, DeliveryState};

/// What the outbox lets others hear.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// For the program's own streams.
    Said(Said<'a>),
    /// A message was given up or set aside: its state says which, and why.
    Undelivered(&'a Delivery),
    /// A lane delivers that did not, or was not known to.
    Well(&'a str),
}

/// Somebody who hears it. It is called from the tasks that send, so it may not wait.
pub type Hear = Arc<dyn Fn(Heard<'_>) + Send + Sync>;

/// What a daemon does with it: its streams and its owner hear of it.
pub fn hear(alerts: Alerts) -> Hear {
    let aloud = aloud();
    Arc::new(move |heard| {
        let alerts = alerts.clone();
        match heard {
            Heard::Said(_) => aloud(heard),
            Heard::Undelivered(delivery) => {
                let notice = notice(delivery);
                tokio::spawn(async move { alerts.tell(notice).await });
            }
            Heard::Well(lane) => {
                let place = Subject::Place(lane.to_owned());
                tokio::spawn(async move { alerts.over_with(&place).await });
            }
        }
    })
}

/// On stdout and stderr.
pub fn aloud() -> Hear {
    Arc::new(|heard| match heard {
        Heard::Said(Said::Console { job, text }) => {
            let mut out = std::io::stdout().lock();
            for line in text.lines() {
                // A closed stdout is nobody's loss.
                let _ = writeln!(out, "{job}: {line}");
            }
        }
        Heard::Said(Said::Journal { level, text }) => journal::say(level, text),
        Heard::Said(Said::Instead { text }) => journal::say(Level::Warning, text),
        Heard::Undelivered(delivery) => {
            let (lane, id) = (&delivery.message.lane, delivery.id.0);
            let why = delivery.reason.as_deref().unwrap_or_default();
            let said = format!("message {id} to {lane} {}: {why}", delivery.state.word());
            journal::say(Level::Error, said);
        }
        Heard::Well(_) => {}
    })
}

fn notice(delivery: &Delivery) -> Notice {
    let place = delivery.message.lane.clone();
    let reason = delivery.reason.clone().unwrap_or_default();
    let delivery_id = delivery.id;
    match delivery.state {
        DeliveryState::Parked(_) => Notice::Parked {
            place,
            delivery: delivery_id,
            reason,
        },
        _ => Notice::NotDelivered {
            place,
            delivery: delivery_id,
            reason,
        },
    }
}
