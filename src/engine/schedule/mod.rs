//! When timed triggers are due. Pure: it is told the time and never asks for it.

mod missed;
mod occurrence;
mod outlook;
mod start;
#[cfg(test)]
mod tests;
mod zone;

pub use missed::{Due, GRACE, Plan, Policy, plan, stretch};
pub use occurrence::Occurrences;
pub use outlook::{Note, outlook};
pub use start::{jitter, lead};
pub use zone::{Change, changes};
