//! `kill -9` while Google has taken a change, or at any commit around it.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use chrono::{NaiveDate, TimeDelta};
use reveille::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::cli::google::{Who, World, event, set};
use crate::fake_google::{Fail, OWN};
use crate::stories::life::Life;
use crate::support::Outcome;

/// Which step, on what the webhook was sent.
const VERBS: &[(&str, &str)] = &[
    (
        "create",
        "calendar = \"create\"\ntitle = \"{{ event.body.title }}\"\nstart = \"tomorrow at 17:30\"",
    ),
    (
        "delete",
        "calendar = \"delete\"\nentry = \"{{ event.body.entry }}\"",
    ),
    (
        "update",
        "calendar = \"update\"\nentry = \"{{ event.body.entry }}\"\nstart = \"tomorrow at 9:00\"",
    ),
];

/// A folder with a webhook for each verb, and one that tells when everything before it has its end.
fn world() -> World {
    let world = World::new(Who::Robot);
    world.configures(
        "[google.me]",
        "[limits]\nruns = 1\n\n[web]\nlisten = \"127.0.0.1:0\"\n\n[google.me]",
    );
    for (verb, step) in VERBS {
        let job = format!(
            "[[trigger]]\nwebhook = \"{verb}\"\ntoken.env = \"NONE\"\n\n[[step]]\nid = \"x\"\n{step}\n"
        );
        world.folder.write(&format!("jobs/on_{verb}.toml"), job);
    }
    let fifo = world.folder.path("end");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).expect("a FIFO");
    let end = format!(
        "priority = \"low\"\n[[trigger]]\nwebhook = \"end\"\ntoken.env = \"NONE\"\n\n[[step]]\nexec = [\"sh\", \"-c\", \"echo end > {}\"]\n",
        fifo.display()
    );
    world.folder.write("jobs/end.toml", end);
    world
}

/// Something is sent to a webhook.
fn emit(world: &World, door: &str, body: &str) {
    let sent = world.folder.piped(&["emit", door, "--data", body], "");
    assert_eq!(sent.code, 0, "{sent}");
}

/// A daemon goes by the real clock.
fn soon() -> NaiveDate {
    SystemClock::default().now().date_naive() + TimeDelta::days(3)
}

fn party() -> Value {
    let day = soon();
    event(
        "a",
        "Party",
        &format!("{day}T20:00"),
        &format!("{day}T21:00"),
    )
}

/// What means the party, as JSON.
fn entry(world: &World) -> String {
    let words = ["run", "find", "--set", "words=party"];
    let found = world.folder.piped(&words, "");
    let entry = found.stdout.get(..8).unwrap_or_else(|| panic!("{found}"));
    json!({ "entry": entry }).to_string()
}

/// A daemon lives until nothing is left to do; gives what it said, and how the runs ended, the oldest first.
fn ends(world: &World) -> (String, Vec<String>) {
    emit(world, "end", "{}");
    let life = Life::start(&world.folder);
    let mut text = String::new();
    let fifo = File::open(world.folder.path("end"));
    fifo.and_then(|mut fifo| fifo.read_to_string(&mut text))
        .expect("it is told");
    let said = life.end();
    let rows = world.folder.piped(&["history", "--json"], "").json();
    let rows = rows.as_array().expect("a list");
    let ends = rows.iter().rev().filter(|row| row["job"] != "end");
    let ends = ends.map(|row| row["state"].as_str().expect("a word").to_owned());
    (said, ends.collect())
}

/// A daemon dies while Google has done something and did not say so.
fn dies_unanswered(world: &World, method: &'static str) {
    world.google.fail_at(method, Fail::Mute);
    let life = Life::start(&world.folder);
    world.runtime.block_on(world.google.is_mute());
    life.killed();
}

#[test]
fn an_event_that_google_took_from_a_killed_daemon_is_there_once() {
    let world = world();
    emit(&world, "create", r#"{"title": "Carols"}"#);
    dies_unanswered(&world, "POST");
    assert_eq!(world.google.count(OWN), 1);
    let (_, ended) = ends(&world);
    assert_eq!(ended, ["ok"]);
    assert_eq!(world.google.count(OWN), 1);
    world.keeps_secrets();
}

#[test]
fn an_occasion_that_google_deleted_for_a_killed_daemon_can_be_put_back() {
    let world = world();
    let mut yoga = party();
    yoga["recurrence"] = json!(["RRULE:FREQ=MONTHLY;COUNT=9"]);
    world.has(yoga);
    emit(&world, "delete", &entry(&world));
    dies_unanswered(&world, "DELETE");
    let (_, ended) = ends(&world);
    assert_eq!(ended.last().map(String::as_str), Some("ok"), "{ended:?}");
    let id = format!("a_{}T190000Z", soon().format("%Y%m%d"));
    let occasion = || world.google.event(OWN, &id).expect("there");
    assert_eq!(occasion()["status"], "cancelled");
    let shown = world.folder.piped(&["show", "2", "--json"], "").json();
    let undo = shown["steps"][1]["result"]["undo"].as_str();
    let undo = undo.unwrap_or_else(|| panic!("{shown:#}")).to_owned();
    // By the clock of the daemon.
    let undone = world
        .folder
        .piped(&["run", "undo", "--set", &set("undo", &undo)], "");
    assert_eq!(undone.code, 0, "{undone}");
    assert_eq!(occasion()["status"], "confirmed");
}

#[test]
fn a_change_that_may_have_been_made_is_told_and_not_made_again() {
    let world = world();
    world.has(party());
    emit(&world, "update", &entry(&world));
    // It looks before it changes.
    dies_unanswered(&world, "PATCH");
    world.google.calls();
    let (said, ended) = ends(&world);
    assert!(
        said.contains("run #2 of `on_update` was interrupted: "),
        "{said}"
    );
    assert!(said.contains("may have had its effect"), "{said}");
    assert_eq!(
        ended.last().map(String::as_str),
        Some("interrupted"),
        "{ended:?}"
    );
    assert_eq!(world.google.asked(), [""; 0]);

    // The same by hand.
    let words = ["run", "new", "--set", "title=x", "--set", "at=tomorrow"];
    world.google.fail(Fail::Mute);
    world.google.speaks();
    let mut child = world.folder.unclocked(&words).spawn().expect("it starts");
    world.runtime.block_on(world.google.is_mute());
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    let next = world.folder.piped(&["run", "list"], "");
    next.says(
        0,
        &[
            "of `new` was interrupted",
            "step `x`, which may have had its effect",
        ],
    );
    assert_eq!(world.google.count(OWN), 2);
}

#[test]
fn a_daemon_killed_at_any_commit_makes_each_event_once_and_deletes_once() {
    if !cfg!(debug_assertions) {
        return;
    }
    std::thread::scope(|scope| {
        for side in ["BEFORE", "AFTER"] {
            scope.spawn(move || {
                for commit in 5..=13 {
                    dies_at(side, commit);
                }
            });
        }
    });
}

fn dies_at(side: &str, commit: u32) {
    let world = world();
    world.has(party());
    let entry = entry(&world);
    emit(&world, "create", r#"{"title": "One"}"#);
    emit(&world, "delete", &entry);
    let mut command = world.folder.unclocked(&["daemon"]);
    command.env(format!("REVEILLE_DIE_{side}_COMMIT"), commit.to_string());
    command.stdin(Stdio::null());
    let words = ["daemon"];
    let died = Outcome::of(&words, command.spawn().expect("it starts"));
    assert_eq!(died.code, -1, "{side} {commit}: {died}");
    let (said, ended) = ends(&world);
    let ok = vec!["ok".to_owned(); ended.len()];
    assert_eq!((ended.len(), &ended), (3, &ok), "{side} {commit}: {said}");
    // Party is a deleted one.
    assert_eq!(world.google.count(OWN), 2, "{side} {commit}");
    assert_eq!(
        world.google.event(OWN, "a").expect("there")["status"],
        "cancelled"
    );
}

#[test]
fn a_daemon_asks_once_where_nothing_is_new() {
    let world = world();
    world.has(party());
    let life = Life::start(&world.folder);
    let list = || {
        let listed = world
            .folder
            .piped(&["run", "find", "--set", "words=nothing"], "");
        assert_eq!(listed.code, 0, "{listed}");
        // It was long ago.
        let database = rusqlite::Connection::open(world.folder.path("state/reveille.db"));
        let sql = "UPDATE cursors SET value = json_set(value, '$.at', '2026-11-20T06:00:00Z') WHERE name = 'synced'";
        let changed = database
            .expect("it opens")
            .execute(sql, [])
            .expect("changed");
        assert_eq!(changed, 1);
        world.google.asked()
    };
    let events = format!("GET calendars/{OWN}/events");
    assert_eq!(list(), ["POST token".to_owned(), events.clone()]);
    for _ in 0..3 {
        assert_eq!(list(), std::slice::from_ref(&events));
    }
    world.google.ends_access();
    assert_eq!(
        list(),
        [events.clone(), "POST token".to_owned(), events.clone()]
    );
    let said = life.end();
    for secret in ["ya29.", "1//", "PRIVATE"] {
        assert!(!said.contains(secret), "{said}");
    }
    world.keeps_secrets();
}
