//! The domain: ids, events, runs and how they end. No kinds, no I/O, no clock.

mod alert;
mod event;
mod message;
mod outcome;
mod run;
mod slot;

pub use alert::{Alert, Mute, Saying};
pub use event::{Event, TriggerKind};
pub use message::{Digest, LEAPT, NewDelivery, OnUnknown, Policy, Quiet, digest};
pub use outcome::{Outcome, StepEnd, Wait};
pub use run::{Call, CursorKey, DeliveryId, Moved, RunId, RunState, StepRecord};
pub use slot::{Claimed, Fate, Passed, Reason, SlotClaim, Stretch};
