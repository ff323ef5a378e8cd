//! Telegram: what a person reads there and writes there. Only this module knows the Bot API's JSON.

mod client;
#[cfg(test)]
#[path = "../../tests/fakes/telegram.rs"]
pub(crate) mod fake;
pub mod intent;
mod markdown;
mod post;
mod rich;
mod split;
mod update;
mod when;

pub use client::{Bot, Failure, LARGEST};
pub use markdown::render;
pub use post::{Outgoing, Post, send};
pub use rich::{Entity, Rich, Style, plain};
pub use split::{Chunk, LONGEST, REPEAT_LONGEST, split};
pub use update::{Chat, File, Message, News, Person, number, read};
pub use when::when;
