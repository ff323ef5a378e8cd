//! The daemon's local socket: what is typed is sent to the daemon, which runs the same verb and sends back what it prints.
//!
//! So by hand and by schedule are one path, and who may not read the database sees the same truth. Who may use the socket
//! is a matter of its file: the owner and the group (`reveille` for the service).

mod client;
mod frame;
mod output;
mod place;
mod printer;
mod server;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

pub(super) use client::through;
pub use output::Output;
pub use place::Place;
pub use server::{answer, overhear, serve};

pub use super::context::Lent;
use super::out::Terminal;

/// The version that both sides have to have.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a client wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The client's version.
    version: String,
    /// The command line as typed, without the program's name.
    words: Vec<OsString>,
    /// The folder of jobs that is meant, where one is.
    folder: Option<OsString>,
    /// The state that is meant, where one is.
    state: Option<OsString>,
    /// Where the person is.
    from: OsString,
    /// What the person's streams are.
    terminal: Terminal,
}
