//! Calendars: where they come from, what they hold for a day, and what is remembered of it between runs.

pub mod cache;
pub mod dav;
pub mod download;
pub mod edit;
pub mod google;
pub mod ics;
mod item;
pub mod look;
mod range;
pub mod remote;
pub mod source;
pub mod write;

pub use item::{Item, Moment, mark_overlaps, merge};
pub use range::Range;
