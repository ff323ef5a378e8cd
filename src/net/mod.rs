//! The one guarded HTTP client: addresses are checked before they are connected to, on every hop.

mod client;
mod error;
mod guard;
mod resolver;
mod retry;
mod secret;

pub use client::{Client, Limits, Response, Streaming};
pub use error::NetError;
pub use guard::{Policy, Rule, refused};
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::{Client as Http, Method};
pub use retry::retry_after;
pub use secret::Secret;
