//! What is asked of many runs.

use std::time::Instant;

use super::process::Place;
use super::{median, millis, row};

const DAY: i64 = 86_400_000_000;

/// `history` and `why` with a million runs and slots stored beside a thousand.
pub fn history(place: &Place) {
    place.settings("[history]\nkeep = \"9999d\"\nruns = 100000000\n");
    let text =
        "[[trigger]]\ncron = \"* * * * *\"\n\n[[step]]\nid = \"words\"\nset.text = \"now\"\n";
    for number in 0..10 {
        place.job(&format!("job-{number}"), text);
    }
    drop(place.daemon());
    let database = place.database();
    let sql = "SELECT id FROM triggers LIMIT 1";
    let trigger: String = database
        .query_row(sql, [], |row| row.get(0))
        .expect("loaded");
    let now = chrono::Utc::now().timestamp_micros() / 60_000_000 * 60_000_000;
    let mut times = Vec::new();
    for runs in [1_000, 1_000_000] {
        for table in ["slots", "deliveries", "steps", "events", "runs"] {
            let emptied = database.execute(&format!("DELETE FROM {table}"), []);
            emptied.expect("emptied");
        }
        // Ten jobs, each of which ran every minute until an hour ago.
        for (table, columns) in [
            (
                "runs (id, uuid, job, job_hash, state, outcome, attempt, accepted_at, started_at, finished_at)",
                "i, zeroblob(16), 'job-' || (i % 10), '0123456789abcdef', 'finished', 'ok', 1, at, at, at + 1000",
            ),
            (
                "events (run_id, id, kind, dedupe_key, payload, at)",
                "i, zeroblob(16), 'cron', 'slot-' || i, '{}', at",
            ),
            (
                "steps (run_id, position, attempt, id, kind, end, result, started_at, took_us)",
                "i, 0, 1, 'words', 'set', 'done', '{\"text\":\"a\"}', at, 100",
            ),
            (
                "slots (job, trigger, due_at, until, count, state, run_id, accounted_at)",
                "'job-' || (i % 10), ?3, at, at, 1, 'run', i, at",
            ),
        ] {
            let sql = format!(
                "INSERT INTO {table}
                 WITH RECURSIVE n (i, at) AS (SELECT 1, ?2 - ?1 / 10 * 60000000
                     UNION ALL SELECT i + 1, ?2 - (?1 - i - 1) / 10 * 60000000 FROM n WHERE i < ?1)
                 SELECT {columns} FROM n WHERE ?3 <> ''"
            );
            let filled = database.execute(&sql, (runs, now - DAY / 24, &trigger));
            filled.expect("filled");
        }
        let when = chrono::DateTime::from_timestamp_micros(now - DAY / 12).expect("a time");
        let when = when.format("%Y-%m-%d %H:%M").to_string();
        let asked: [&[&str]; 3] = [
            &["history"],
            &["history", "job-7"],
            &["why", "job-7", &when],
        ];
        times.push(asked.map(|words| {
            let once = |_| {
                let begun = Instant::now();
                let ended = place.command(words).status().expect("the program starts");
                assert!(ended.success(), "{words:?}");
                begun.elapsed()
            };
            median((0..21).map(once).collect())
        }));
    }
    for (index, what) in ["history", "history JOB", "why JOB WHEN"]
        .iter()
        .enumerate()
    {
        let (few, many) = (times[0][index], times[1][index]);
        let what = format!("{what}, 1,000,000 runs stored");
        let said = format!("twice {:.2} ms with 1,000", millis(few));
        row(&what, millis(many), "ms", millis(few) * 2.0, &said);
    }
}
