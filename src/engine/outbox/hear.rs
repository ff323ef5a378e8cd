//! What the outbox lets others hear.

use std::io::Write;
use std::sync::Arc;

use crate::delivery::Said;
use crate::journal::{self, Level};
use crate::store::Delivery;

/// What the outbox lets others hear.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// For the program's own streams.
    Said(Said<'a>),
    /// A message was given up or set aside: its state says which, and why.
    Undelivered(&'a Delivery),
}

/// Somebody who hears it. It is called from the tasks that send, so it may not wait.
pub type Hear = Arc<dyn Fn(Heard<'_>) + Send + Sync>;

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
        Heard::Undelivered(delivery) => journal::say(Level::Error, told(delivery)),
    })
}

/// What there is to tell of a message that did not go out, in one line.
pub fn told(delivery: &Delivery) -> String {
    let whose = match (delivery.run, &delivery.job) {
        (Some(run), Some(job)) => format!("run {run} of `{job}`"),
        _ => "a message of the program".to_owned(),
    };
    let (kind, id) = (&delivery.message.kind, delivery.id.0);
    let why = delivery.reason.as_deref().unwrap_or_default();
    let word = delivery.state.word();
    format!("{whose}: {kind} {word}: {why} (`reveille outbox retry {id}` sends it again)")
}
