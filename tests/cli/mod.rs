//! What the commands print, say and return.

mod agent;
mod ask;
mod auth;
mod briefing;
mod calendars;
mod crash;
mod delivery;
mod disk;
mod doctor;
mod emit;
mod heartbeat;
mod init;
mod install;
mod listing;
mod llama;
mod models;
mod outbox;
mod output;
mod run;
mod schedule;
mod secrets;
mod socket;
mod status;
mod steps;
mod usage;
mod wipe;
