//! Telegram: what a person reads there and writes there. Only this module knows the Bot API's JSON.

mod client;
mod failure;
#[cfg(test)]
#[path = "../../tests/fakes/telegram.rs"]
pub(crate) mod fake;
pub mod hook;
pub mod intent;
mod markdown;
mod mend;
pub mod own;
mod payload;
mod post;
mod raw;
mod rich;
mod split;
mod update;

pub use client::{Bot, Hooked, LARGEST};
pub use failure::Failure;
pub use markdown::render;
pub use payload::{Attached, Button, LONGEST_DATA, Outgoing, SAYS};
pub use post::{Post, send};
pub use rich::{Entity, Rich, Style, plain};
pub use split::{CAPTION, Chunk, LONGEST, REPEAT_LONGEST, split};
pub use update::{Chat, File, Message, News, Person, Press, add_times, number, read};
