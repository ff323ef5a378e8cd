//! Language models: who can be asked, how, and what keeps their answers honest.
//!
//! [`route::ask`] tries a [`route::Route`]'s models in order; each [`call`] speaks one provider's protocol and gives
//! up on answers that are of no use. Outside text enters a prompt through [`fence`], and what comes back passes
//! [`facts`] before anybody reads it.

mod anthropic;
pub mod books;
mod call;
pub mod chart;
pub mod class;
mod error;
pub mod facts;
pub mod fence;
mod installed;
mod lanes;
mod listen;
mod model;
pub mod money;
mod ollama;
mod openai;
mod reach;
mod request;
pub mod route;
mod servers;
mod sse;
mod tokens;
pub mod usage;
mod wire;

use std::sync::Arc;

pub use books::Books;
use call::estimate;
pub use call::{Called, call};
pub use error::{LlmError, Phase, Worth};
pub use installed::{Installed, Pulled, installed, loaded, pull, warm};
pub use model::{Model, Price, Provider, Timeouts};
pub use reach::{Allowed, Reach};
pub use request::{Answer, Message, Picture, Request, Said, Tool, ToolCall};
pub use servers::{BudgetNews, Recorded, Servers};
pub use tokens::estimate_tokens;

use crate::clock::Clock;
use crate::net::{Client, Limits, Policy};

/// The client that reaches `models` wherever the owner has put them, and else public addresses only.
pub fn client<'a>(models: impl IntoIterator<Item = &'a Model>, clock: Arc<dyn Clock>) -> Client {
    let mut hosts = Vec::new();
    let mut limits = Limits::default();
    for model in models {
        let url = url::Url::parse(&model.url).ok();
        hosts.extend(url.and_then(|url| url.host_str().map(str::to_owned)));
        limits.connect = limits.connect.max(model.timeouts.connect);
    }
    Client::new(Policy::allowing(hosts), limits, clock)
}

#[cfg(test)]
mod sample;

#[cfg(test)]
#[path = "../../tests/fakes/ollama.rs"]
pub(crate) mod fake;
