//! The one guarded HTTP client: addresses are checked before they are connected to, on every hop.

mod client;
mod error;
mod guard;
mod resolver;
mod secret;

pub use client::{Client, Limits, Response, Streaming};
pub use error::NetError;
pub use guard::{Policy, Rule, refused};
pub use reqwest::header::{HeaderMap, HeaderValue};
pub use secret::Secret;
