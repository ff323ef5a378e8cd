//! What the store adds to SQLite: a run's three commits (accepted, recorded with its steps and a message,
//! delivered) through the store, beside a bare loop that writes the same rows on the same disk.
//!
//! `cargo bench --bench store [FOLDER]`; each figure is the median of five rounds, which alternate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::future::join_all;
use reveille::clock::SystemClock;
use reveille::job::{Event, NewDelivery, Outcome, RunState, StepRecord, TriggerKind};
use reveille::store::{Filter, Mode, Reader, RunUpdate, Start, Store, StoreError};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use uuid::Uuid;

const RUNS: usize = 1_000;
const ROUNDS: usize = 5;

fn main() {
    let parent = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let parent = parent.map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime starts");
    println!("{RUNS} runs, three commits each, median of {ROUNDS}");
    for (name, group) in [("one after another", 1), ("at once", RUNS)] {
        let mut ours = Vec::new();
        let mut bare = Vec::new();
        for _ in 0..ROUNDS {
            ours.push(in_folder(&parent, |at| {
                runtime.block_on(through_store(at, group))
            }));
            bare.push(in_folder(&parent, |at| bare_loop(at, group)));
        }
        let (ours, bare) = (median(ours), median(bare));
        println!(
            "{name:18} store {:>8.0} runs/s   bare SQLite {:>8.0} runs/s   ratio {:.2}",
            per_second(ours),
            per_second(bare),
            bare.as_secs_f64() / ours.as_secs_f64()
        );
    }
    in_folder(&parent, |at| opening(at, &runtime));
    for runs in [1_000, 1_000_000] {
        in_folder(&parent, |at| lists(at, runs));
    }
}

fn in_folder<T>(parent: &Path, work: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir_in(parent).expect("the folder can be written");
    work(folder.path())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn per_second(time: Duration) -> f64 {
    RUNS as f64 / time.as_secs_f64()
}

fn open(folder: &Path) -> Store {
    let clock = Arc::new(SystemClock::default());
    let opened = Store::open(folder, clock, Mode::Threaded);
    opened.expect("the store opens").store
}

async fn through_store(folder: &Path, group: usize) -> Duration {
    let store = open(folder);
    let begun = Instant::now();
    for _ in 0..RUNS / group {
        let runs = (0..group).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { one_run(&store).await })
        });
        for run in join_all(runs).await {
            run.expect("no run panics");
        }
    }
    begun.elapsed()
}

async fn one_run(store: &Store) {
    let event = event();
    let start = Start::RunningBy("bench".to_owned());
    let accepted = store.accept(&event, "0123456789abcdef", start).await;
    let run = accepted.expect("accepted").run();
    let update = RunUpdate {
        state: Some(RunState::Finished(Outcome::Ok)),
        steps: vec![step(0), step(1)],
        deliveries: vec![NewDelivery::usual("console", "", Value::Null, BODY)],
        ..RunUpdate::of(run)
    };
    let ids = store.record(update).await.expect("recorded").deliveries;
    let receipt = Some(json!(12345));
    store.delivered(ids[0], receipt).await.expect("delivered");
}

const BODY: &str =
    "09:00-09:30  Stand-up\n11:30-12:30  Dentist, Calle Mayor 4\nAll day: bin collection";

fn event() -> Event {
    let id = Uuid::now_v7();
    Event {
        id,
        job: "daily-briefing".to_owned(),
        kind: TriggerKind::Cron,
        dedupe_key: Some(format!("slot/daily-briefing/cron/{id}")),
        payload: json!({"due_at": "2026-11-20T06:00:00Z", "missed": false}),
        at: Utc::now(),
    }
}

fn step(position: u32) -> StepRecord {
    StepRecord {
        position,
        id: "events".to_owned(),
        kind: "calendar".to_owned(),
        attempt: 1,
        end: "done",
        result: Some(json!({"items": [{"title": "Stand-up", "start": "09:00", "end": "09:30"}]})),
        error: None,
        detail: None,
        started_at: Utc::now(),
        took: Duration::from_millis(12),
        moved: Vec::new(),
    }
}

/// The schema's file itself, so that the rows and the indices are the same.
const SCHEMA: &str = concat!(
    include_str!("../src/store/migrations/0001.sql"),
    include_str!("../src/store/migrations/0002.sql")
);

fn bare(folder: &Path) -> Connection {
    let connection = Connection::open(folder.join("bare.db")).expect("opens");
    connection.set_prepared_statement_cache_capacity(64);
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
    connection.execute_batch(pragmas).expect("pragmas");
    connection.execute_batch(SCHEMA).expect("schema");
    connection
}

/// The same rows in transactions of `group` runs each.
fn bare_loop(folder: &Path, group: usize) -> Duration {
    let connection = bare(folder);
    let begun = Instant::now();
    for first in (1..=RUNS).step_by(group) {
        let runs = first as i64..(first + group) as i64;
        for stage in [accept, record, deliver] {
            let work = |runs: std::ops::Range<i64>| {
                execute(&connection, "BEGIN IMMEDIATE", [])?;
                for run in runs {
                    stage(&connection, run)?;
                }
                execute(&connection, "COMMIT", [])
            };
            work(runs.clone()).expect("the bare loop writes");
        }
    }
    begun.elapsed()
}

fn accept(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let event = event();
    let now = Utc::now().timestamp_micros();
    execute(
        connection,
        "INSERT INTO runs (id, uuid, job, job_hash, state, owner, attempt, accepted_at, started_at)
         VALUES (?1, ?2, ?3, '0123456789abcdef', 'running', 'bench', 1, ?4, ?4)",
        params![run, event.id.as_bytes(), event.job, now],
    )?;
    execute(
        connection,
        "INSERT INTO events VALUES (?1, ?2, 'cron', ?3, ?4, ?5)",
        params![
            run,
            event.id.as_bytes(),
            event.dedupe_key,
            event.payload.to_string(),
            now
        ],
    )
}

fn record(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let now = Utc::now().timestamp_micros();
    for position in 0..2 {
        let step = step(position);
        execute(
            connection,
            "INSERT INTO steps VALUES (?1, ?2, 1, ?3, ?4, 'done', ?5, NULL, NULL, ?6, 12000)",
            params![
                run,
                position,
                step.id,
                step.kind,
                step.result.map(|json| json.to_string()),
                now
            ],
        )?;
    }
    execute(
        connection,
        "INSERT INTO deliveries (id, run_id, owner, kind, lane, target, body, state, attempts, due_at, created_at)
         VALUES (?1, ?1, 'bench', 'console', 'console', 'null', ?2, 'pending', 0, ?3, ?3)",
        params![run, BODY, now],
    )?;
    execute(
        connection,
        "UPDATE runs SET state = 'finished', outcome = 'ok', owner = NULL, finished_at = ?2 WHERE id = ?1",
        params![run, now],
    )
}

fn deliver(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    execute(
        connection,
        "UPDATE deliveries SET state = 'sent', receipt = '12345', sent_at = ?2 WHERE id = ?1",
        params![run, Utc::now().timestamp_micros()],
    )
}

fn execute(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(parameters)?;
    Ok(())
}

/// What a process of its own pays: making the database, opening it, one run in it, closing it.
fn opening(folder: &Path, runtime: &tokio::runtime::Runtime) {
    let timed = |work: &dyn Fn()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let made = timed(&|| drop(open(folder)));
    let opened = median((0..21).map(|_| timed(&|| drop(open(folder)))).collect());
    let whole = median(
        (0..21)
            .map(|_| timed(&|| runtime.block_on(one_run(&open(folder)))))
            .collect(),
    );
    println!("a new database {made:.2?}, open and close {opened:.2?}, with one run {whole:.2?}");
}

/// Lists over many runs, ten jobs taking turns.
fn lists(folder: &Path, runs: i64) {
    drop(open(folder));
    let connection = Connection::open(folder.join(reveille::store::FILE)).expect("opens");
    for (table, columns) in [
        (
            "runs (id, uuid, job, job_hash, state, outcome, attempt, accepted_at, started_at, finished_at)",
            "i, zeroblob(16), 'job-' || (i % 10), '0123456789abcdef', 'finished', 'ok', 1, i, i, i + 1",
        ),
        ("events", "i, zeroblob(16), 'cron', 'slot-' || i, '{}', i"),
        (
            "deliveries",
            "i, i, 'bench', 'console', 'null', 'text', 'sent', 0, i, NULL, NULL, i, i",
        ),
    ] {
        let sql = format!(
            "INSERT INTO {table}
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             SELECT {columns} FROM n"
        );
        connection.execute(&sql, [runs]).expect("filled");
    }
    drop(connection);
    let store = open(folder);
    let list = |job: Option<&str>| {
        let filter = Filter {
            job: job.map(str::to_owned),
            limit: 50,
            before: None,
        };
        timed_read(&store, |reader| {
            reader.history(&filter).map(|rows| rows.len())
        })
    };
    let newest = list(None);
    let of_one = list(Some("job-7"));
    let last = timed_read(&store, |reader| reader.jobs_last().map(|rows| rows.len()));
    let took = timed_read(&store, |reader| {
        reader.took("job-7", 50).map(|spans| spans.len())
    });
    let active = timed_read(&store, |reader| reader.active().map(|rows| rows.len() + 1));
    println!(
        "with {runs:>7} runs: newest 50 {newest:.2?}, of one job {of_one:.2?}, last of 10 jobs {last:.2?}, durations {took:.2?}, unfinished {active:.2?}"
    );
}

fn timed_read(store: &Store, work: impl Fn(&Reader<'_>) -> Result<usize, StoreError>) -> Duration {
    let once = || {
        let begun = Instant::now();
        let rows = store.read_now(&work).expect("read");
        assert!(rows > 0);
        begun.elapsed()
    };
    median((0..51).map(|_| once()).collect())
}
