//! What the tests share.

mod folder;
mod schema;
mod text;

pub use folder::{Folder, NOW, Outcome, SETTINGS};
pub use schema::faults;
pub use text::{sections, untimed};
