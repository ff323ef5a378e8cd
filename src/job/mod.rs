//! The domain: ids, events, runs and how they end. No kinds, no I/O, no clock.

mod alert;
mod event;
mod outcome;
mod run;
mod slot;

pub use alert::{Alert, Mute, Saying};
pub use event::{Event, TriggerKind};
pub use outcome::{Outcome, StepEnd, Wait};
pub use run::{Call, CursorKey, DeliveryId, Moved, NewDelivery, RunId, RunState, StepRecord};
pub use slot::{Claimed, Fate, Passed, Reason, SlotClaim, Stretch};
