//! Reveille.
#[macro_use]
mod kinds;

pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod engine;
pub mod error;
pub mod job;
pub mod llm;
pub mod net;
pub mod sandbox;
pub mod step;
pub mod store;
pub mod system;
pub mod template;
pub mod trigger;
pub mod workspace;
