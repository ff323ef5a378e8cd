//! The one integration binary: the real program through its command line, golden configuration errors, the
//! schemas, and the rules of the house.

mod cli;
mod config;
#[path = "fakes/radicale.rs"]
mod fake_dav;
#[path = "fakes/google/mod.rs"]
mod fake_google;
#[path = "fakes/ollama.rs"]
mod fake_models;
mod house;
mod killed;
mod stories;
mod support;
mod systemd;
