//! What the commands print, say and return.

mod briefing;
mod crash;
mod delivery;
mod disk;
mod init;
mod listing;
mod output;
mod run;
mod secrets;
mod socket;
mod steps;
mod usage;
