//! How late runs begin, and many at one instant.

use std::thread::sleep;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;

use super::process::Place;
use super::rows::Bare;
use super::{above, percentile, row};

/// Two samples lie above the 99th of a hundred: one alone would be the machine's noise.
const SECONDS: u64 = 120;
const MANY: usize = 10_000;

fn job(cron: &str) -> String {
    format!("[[trigger]]\ncron = \"{cron}\"\n\n[[step]]\nid = \"words\"\nset.text = \"now\"\n")
}

/// From the due moment to the first step, of a job that starts each second.
pub fn lateness(place: &Place) {
    place.settings("");
    place.job("tick", &job("* * * * * *"));
    for entries in [1, MANY] {
        for number in 1..entries {
            // Twelve hours away, so that none of them starts meanwhile.
            let at = Utc::now() + TimeDelta::hours(11) + TimeDelta::seconds(number as i64 % 7_000);
            place.job(
                &format!("job-{number}"),
                &job(&at.format("%-S %-M %-H * * *").to_string()),
            );
        }
        let bare = Bare::new(&place.folder).commits(1);
        let daemon = place.daemon();
        let from = Utc::now() + TimeDelta::seconds(2);
        sleep(Duration::from_secs(SECONDS + 3));
        drop(daemon);
        let late = late(&place.database(), from.timestamp_micros());
        assert!(
            late.len() as u64 >= SECONDS - 1,
            "{} runs in {SECONDS} s",
            late.len()
        );
        for percent in [50, 99] {
            let what = format!("slot to first step, {entries} entries, p{percent}");
            let late = percentile(late.clone(), percent);
            above(&what, late, bare, Duration::from_millis(5));
        }
    }
}

fn late(database: &Connection, from: i64) -> Vec<Duration> {
    let sql = "SELECT s.started_at - k.due_at FROM slots k
               JOIN steps s ON s.run_id = k.run_id AND s.position = 0
               WHERE k.job = 'tick' AND k.due_at >= ?1";
    let mut statement = database.prepare(sql).expect("the schema is known");
    let late = statement.query_map([from], |row| row.get::<_, i64>(0));
    let late = late.expect("read").map(|micros| micros.expect("a number"));
    late.map(|micros| Duration::from_micros(micros.max(0) as u64))
        .collect()
}

/// All due at one instant.
pub fn instant(place: &Place) {
    place.settings("");
    let due = Utc::now() + TimeDelta::seconds(40);
    let due = due - TimeDelta::nanoseconds(i64::from(due.timestamp_subsec_nanos()));
    let text = job(&due.format("%-S %-M %-H * * *").to_string());
    for number in 0..MANY {
        place.job(&format!("job-{number}"), &text);
    }
    let daemon = place.daemon();
    let left = (due - Utc::now()).to_std().expect("it was ready in time");
    sleep(left + Duration::from_secs(2));
    let database = place.database();
    let count = |sql: &str| -> i64 {
        let found = database.query_row(sql, [], |row| row.get(0));
        found.expect("the schema is known")
    };
    let begun = Instant::now();
    while count("SELECT count(*) FROM runs WHERE state = 'finished'") < MANY as i64
        && begun.elapsed() < Duration::from_secs(60)
    {
        sleep(Duration::from_millis(500));
    }
    drop(daemon);
    let jobs = count("SELECT count(DISTINCT job) FROM slots WHERE state = 'run'");
    let slots = count("SELECT count(*) FROM slots");
    let runs = count("SELECT count(*) FROM runs WHERE outcome = 'ok'");
    let all = MANY as i64;
    assert_eq!(
        (jobs, slots, runs),
        (all, all, all),
        "jobs, slots and runs: none lost, none doubled"
    );
    let last =
        count("SELECT max(started_at) FROM steps WHERE position = 0") - due.timestamp_micros();
    let what = format!("{MANY} due at one instant: the last first step");
    row(
        &what,
        last as f64 / 1e3,
        "ms",
        1000.0,
        "1000 ms, none lost or doubled",
    );
}
