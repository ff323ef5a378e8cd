//! What the daemon reaches, measured from outside on the release program: its start, its rest, its punctuality, and
//! whole events from an HTTP request to an HTTP request. What commits is stated above bare commits of the same disk and run.
//!
//! `cargo bench --bench daemon -- BINARY FOLDER [GROUP...]` prints a row a figure, its parts apart by tabs:
//! what, value, unit, bound, how the bound reads. Groups: start, idle, lateness, instant, watch, events, answers, polling, everything, intents,
//! history, crowd, and by their names only, for they take minutes: backlog.

mod chats;
mod client;
mod crowd;
mod events;
mod files;
mod history;
mod process;
mod relay;
mod rest;
mod rows;
mod slots;
mod tls;

use std::path::{Path, PathBuf};
use std::time::Duration;

use process::Place;

type Group = fn(&Place);

const GROUPS: &[(&str, Group)] = &[
    ("start", rest::start),
    ("idle", rest::idle),
    ("lateness", slots::lateness),
    ("instant", slots::instant),
    ("watch", files::change),
    ("events", events::events),
    ("answers", chats::answers),
    ("polling", chats::polling),
    ("everything", chats::everything),
    ("intents", chats::intents),
    ("backlog", chats::backlog),
    ("crowd", crowd::crowd),
    ("history", history::history),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = words.strip_suffix(&["--bench"]).unwrap_or(&words);
    match words {
        // What the slowed disk is compared with: it has to be a process of its own.
        ["bare", folder] => events::print_bare(Path::new(folder)),
        ["relay", hook, sink] => relay::run(hook, sink),
        [binary, parent, groups @ ..] => {
            for (name, group) in GROUPS {
                let usual = groups.is_empty() && *name != "backlog";
                if usual || groups.contains(name) {
                    let folder = tempfile::tempdir_in(parent).expect("the folder can be written");
                    group(&Place::new(PathBuf::from(binary), folder.path().to_owned()));
                }
            }
        }
        _ => panic!("BINARY FOLDER [GROUP...]"),
    }
}

/// Prints a figure; a bound of `/s` is the least, any other the most.
fn row(what: &str, value: f64, unit: &str, bound: f64, said: &str) {
    println!("{what}\t{value}\t{unit}\t{bound}\t{said}");
}

/// A figure in milliseconds, by the part of it that is above `bare`.
fn above(what: &str, took: Duration, bare: Duration, bound: Duration) {
    let (took, bare, bound) = (millis(took), millis(bare), millis(bound));
    let said = format!("{bound} ms above {bare:.2} ms");
    row(what, (took - bare).max(0.0), "ms", bound, &said);
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(times: Vec<Duration>) -> Duration {
    percentile(times, 50)
}

/// The time that `percent` of them do not exceed.
fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort();
    times[((times.len() * percent).div_ceil(100)).clamp(1, times.len()) - 1]
}
