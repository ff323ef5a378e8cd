//! Reveille: a declarative job engine for a small computer at home.
//!
//! A job file says what starts it, which steps gather facts, where a language model may put them into words, and
//! where the result goes. This page is the map of the house and its invariants; `tests/house/` holds the sources to it.
//!
//! # The way of an event
//!
//! ```text
//! trigger --> event --> store (event + run, one commit) --> steps in order, results of reading ones uncommitted
//!         --> outcome + results + moved positions + outbox rows (one commit) --> delivery --> confirmed (one commit)
//! ```
//!
//! A step with effects (`exec`, `file = "write"`) commits what came before it and the fact that it begins, so that after a
//! crash it is known that it may have happened. Everything else is run again or ends as interrupted.
//!
//! # The house, from the bottom up
//!
//! - [`error`], [`zone`]: what a person is told and the exit code; time zones.
//! - [`clock`], [`hash`], [`glob`], [`journal`], [`words`]: the only time, sleep and ids; the one hash that is written down; patterns that
//!   name files; what a program without a terminal says; words as people mean them.
//! - [`job`], [`moment`]: ids, events, runs, outcomes; what a sentence says of time. No kinds, no I/O, no clock.
//! - [`store`]: the only SQL. One writer, group commits, locks, recovery's facts, retention, backup.
//! - [`net`], [`plot`], [`sandbox`], [`template`], [`workspace`], [`thrift`]: the one guarded HTTP client; bars as a picture; programs
//!   that end for certain; the minijinja environment and its checker; files that stay inside; memory that is given back.
//! - [`calendar`], [`llm`], [`system`], [`telegram`], [`watch`]: iCalendar to the items of some days, calendar servers; models, routes, the fence and
//!   the fact guard; this machine's facts; the Bot API, Markdown to its entities, whose job a message is; files that came,
//!   changed or went.
//! - [`trigger`], [`step`], [`delivery`]: one file a kind. A kind has its keys as typed (`Authored`), `resolve`, and its action.
//! - [`config`]: files to jobs. [`config::read`] finds every mistake of a file, [`config::resolve`] is what a kind is checked
//!   against, [`config::job_file`] and [`config::settings`] put it together.
//! - [`engine`]: executes runs. [`engine::Intake`] is where triggers and people bring events, [`engine::Queue`] who runs when,
//!   [`engine::Outbox`] what sends, [`engine::chats`] reads the chats, [`engine::Timetable`] what is due, [`engine::schedule`] when;
//!   [`engine::Daemon`] joins them.
//! - [`web`]: the HTTP listener: requests to events, and news that Telegram brings.
//! - [`cli`]: one file a command, and the socket through which the daemon serves it.
//!
//! `trigger`, `step` and `delivery` name `config::value`, `config::read` and `config::resolve`, and `config::job_file` names the
//! kinds: those two floors are one, because a kind's keys, check and action are one file.
//!
//! # Invariants
//!
//! - `job`, `moment`, [`engine::schedule`] and `config` (but for [`config::folder`] and [`config::secrets`]) do no I/O and never read the clock.
//! - Only [`clock`] asks the system for the time, sleeps, or makes time-ordered ids. Only [`store`] knows SQL. Only
//!   [`llm`] knows a provider's JSON, and only [`telegram`] Telegram's.
//! - Arrows point down the list above.
//! - A new kind is one file, one line in its `kinds!` table, and the match arms that the compiler then asks for.
//! - Text from outside fills text. It chooses no step, recipient, path, host or program; `check` refuses it among a prompt's
//!   instructions and as a command's option.
//! - No file is longer than 400 lines.
//!
//! # Choices
//!
//! - A prompt file has two parts: instructions, and below a line `---` the facts. The facts are fenced as a whole, the
//!   instructions stay the same from day to day (the server's prefix cache), and may not name text from outside.
//! - iCalendar is read and expanded by our own code ([`calendar::ics`]): the `icalendar` crate reads by recursion (100,000
//!   nested components overflow the stack), and `rrule` cannot be stopped inside a rule that never matches and gives
//!   other days than RFC 5545 for some. 240 expansions by python-dateutil and 46 listings by recurring-ical-events hold it.
//! - Templates are checked by walking the syntax tree with every kind's example instead of rendering it, so that branches not
//!   taken and loop attributes are looked at too, each finding with its place.
//! - A daemon is one writer of everything, but any process may run jobs: runs and messages name the lock of the process that has
//!   them, and whoever finds that lock free takes them over.
//! - A run keeps the reading of the folder that it began with ([`engine::Loaded`]), and its row the hash of its texts, so that
//!   another life goes on with the same job.
//! - Positions move with an outcome; those of a step whose result is committed earlier wait beside that result.
//! - What is typed goes to the daemon as typed, and the daemon runs the same verb: one implementation, one truth.
//! - Requests that share a commit have no savepoints: one that fails after it changed something has all of them done once more,
//!   each in a savepoint of its own. That never happens in a good hour, and a savepoint copies every page.
//! - Common cron entries are read without croner, which reads the others; croner goes through ten thousand years for each entry.
//! - Once a start or a reload has settled, the daemon gives back what only that needed ([`thrift`]): most of the program's own
//!   pages, and memory that the allocator kept.
//! - mimalloc, because glibc's allocator waits for itself where one thread frees what another took, as events do, and musl's has
//!   one lock (twice the events a second); without huge pages, of which one would be a quarter of the memory at rest.
//! - What Telegram sends is read from its JSON, not into teloxide's types: an entity that those do not know yet costs the whole
//!   message there. What is sent are teloxide's payloads, by its client.
//! - A message in parts, and one that may have arrived, say so in their outbox row: the next try goes on behind the parts that
//!   arrived, and a repeat on a phone is marked as one.
//! - A run that waits for a word is nobody's row: its state and token are the question, and an answer is one commit that gives the
//!   step its result and queues the run. So a press that comes twice, late or made up finds the row or nothing.
//! - A message that grows is a sight until the outcome commits the delivery that takes its place; its number is written down as
//!   soon as it has one. What is held to the facts is not shown before it was looked at.
//! - A message that brings a file is written down as it came and confirmed, so that nobody waits for the file but its own job.
//! - The secret that Telegram shows with a webhook follows from the token: nothing more has to be kept or given.
//! - Patterns of log lines are remembered as ordinary cursors: one table fewer.
//! - A call to a model is a row of the ledger before it is made, at the most that it can take (a token a byte of the prompt), and is
//!   settled after: sums are never less than what was used, and caps hold across processes without a lock of their own.
//! - What may be called is an [`llm::Allowed`] model, and only a [`llm::Reach`] makes one; a job's reach is that of all its steps, for
//!   templates join what they find.
//! - What failed rests in proportion to what the failure cost: one number in place of thresholds and windows.
//! - A model's arguments for a tool are written as the table of a job file and read by the same code; what looks like a template in
//!   them is escaped. An agent that waits for a word is its rounds so far in the detail of a waiting step.
//! - A sign-in to Google comes back to a listener of ours, not of yup-oauth2: that one waits for ever when the person says no, and
//!   takes a code from anybody. Why a refresh fails is asked a second time, for yup-oauth2 answers each failure with a sign-in.
//! - JSON Schemas are held by `boon`: `jsonschema` brings a second getrandom, strum and num.
//! - A PNG is thirty lines around flate2, which is here for gzip: the `png` crate brings a second miniz_oxide. Its letters are rastered
//!   ones of a crate, for the machine may have no fonts.
//! - A test of a job (`reveille test`) answers for models at the one place where routes are asked; everything else is the way of a run.

#[macro_use]
mod kinds;

pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod engine;
pub mod error;
pub mod glob;
pub mod hash;
pub mod job;
pub mod journal;
pub mod llm;
pub mod moment;
pub mod net;
pub mod plot;
pub mod sandbox;
pub mod step;
pub mod store;
pub mod system;
pub mod telegram;
pub mod template;
pub mod thrift;
pub mod trigger;
pub mod watch;
pub mod web;
pub mod words;
pub mod workspace;
pub mod zone;
