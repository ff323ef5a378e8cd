//! What the engine adds to its store: whole runs of a job with two steps and a message, one after another and
//! all at once, beside a bare SQLite loop that writes the same three commits' rows on the same disk.
//!
//! `cargo bench --bench runs [FOLDER]`; each figure is the median of five rounds, which alternate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::future::join_all;
use reveille::clock::SystemClock;
use reveille::config::folder::Folder;
use reveille::config::{Config, Job};
use reveille::engine::{Deliver, Engine, Loaded, Patience};
use reveille::job::{Event, Outcome, TriggerKind};
use reveille::store::lock::ProcessLock;
use reveille::store::{Mode, Store};
use reveille::zone::Tz;
use rusqlite::{Connection, params};
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

const RUNS: usize = 1_000;
const ROUNDS: usize = 5;

const JOB: &str = r#"
[[step]]
id = "facts"
set.count = "2 + 1"

[[step]]
id = "words"
set.text = "'there are ' ~ facts.count ~ ' entries today'"

[[deliver]]
console = true
text = "{{ words.text }}"
"#;

fn main() {
    let parent = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let parent = parent.map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    println!("{RUNS} runs through the engine, three commits each, median of {ROUNDS}");
    let bytes = in_folder(&parent, |at| {
        let (engine, job) = engine(at);
        size_of_val(&one_run(&engine, &job))
    });
    println!("a run under way takes {bytes} bytes and what its steps need");
    for (name, group) in [("one after another", 1), ("at once", RUNS)] {
        let mut ours = Vec::new();
        let mut bare = Vec::new();
        for _ in 0..ROUNDS {
            ours.push(in_folder(&parent, |at| through_engine(at, &runtime, group)));
            bare.push(in_folder(&parent, |at| bare_loop(at, group)));
        }
        let (ours, bare) = (median(ours), median(bare));
        println!(
            "{name:18} engine {:>8.0} runs/s   bare SQLite {:>8.0} runs/s   ratio {:.2}",
            per_second(ours),
            per_second(bare),
            bare.as_secs_f64() / ours.as_secs_f64()
        );
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

fn through_engine(folder: &Path, runtime: &Runtime, group: usize) -> Duration {
    let (engine, job) = engine(folder);
    let began = Instant::now();
    runtime.block_on(async {
        for _ in 0..RUNS / group {
            let runs = (0..group).map(|_| {
                let (engine, job) = (Arc::clone(&engine), Arc::clone(&job));
                tokio::spawn(async move { one_run(&engine, &job).await })
            });
            for run in join_all(runs).await {
                run.expect("no run panics");
            }
        }
    });
    began.elapsed()
}

/// An engine over `folder`, and its one job.
fn engine(folder: &Path) -> (Arc<Engine>, Arc<Job>) {
    std::fs::create_dir(folder.join("jobs")).expect("a folder");
    std::fs::write(folder.join("jobs/bench.toml"), JOB).expect("a job");
    let place = Folder::Disk(folder.to_owned());
    let config = Config::resolve(place.read().expect("readable"), Tz::UTC);
    assert!(config.problems.is_empty(), "{:?}", config.problems);
    let job = Arc::clone(&config.jobs["bench"]);
    let clock = Arc::new(SystemClock::default());
    let opened = Store::open(folder, Arc::clone(&clock) as _, Mode::Threaded);
    let lock = ProcessLock::acquire(folder, Uuid::now_v7()).expect("free");
    let engine = Engine {
        clock,
        loaded: Arc::new(Loaded::new(place, config).0),
        store: opened.expect("the store opens").store,
        state: folder.to_owned(),
        lock: lock.name().to_owned(),
        alerts: None,
        servers: Arc::default(),
        commands: Arc::default(),
        patience: Patience::None,
    };
    (Arc::new(engine), job)
}

async fn one_run(engine: &Engine, job: &Job) {
    let finished = engine
        .run(job, event(), Vec::new(), Deliver::Send, &mut |_| ())
        .await
        .expect("written");
    assert_eq!(finished.map(|run| run.outcome), Some(Outcome::Ok));
}

fn event() -> Event {
    let id = Uuid::now_v7();
    Event {
        id,
        job: "bench".to_owned(),
        kind: TriggerKind::Cron,
        dedupe_key: Some(format!("slot/bench/cron/{id}")),
        payload: json!({"due_at": "2026-11-20T06:00:00Z", "missed": false}),
        at: Utc::now(),
    }
}

/// The schema's file itself, so that the rows and the indices are the same.
const SCHEMA: &str = concat!(
    include_str!("../src/store/migrations/0001.sql"),
    include_str!("../src/store/migrations/0002.sql")
);

/// The same rows in transactions of `group` runs each.
fn bare_loop(folder: &Path, group: usize) -> Duration {
    let connection = Connection::open(folder.join("bare.db")).expect("opens");
    connection.set_prepared_statement_cache_capacity(64);
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
    connection.execute_batch(pragmas).expect("pragmas");
    connection.execute_batch(SCHEMA).expect("schema");
    let began = Instant::now();
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
    began.elapsed()
}

fn accept(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let event = event();
    let now = Utc::now().timestamp_micros();
    execute(
        connection,
        "INSERT INTO runs (id, uuid, job, job_hash, state, owner, attempt, accepted_at, started_at)
         VALUES (?1, ?2, 'bench', '0123456789abcdef', 'running', 'bench', 1, ?3, ?3)",
        params![run, event.id.as_bytes(), now],
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
    for (position, id, result) in [
        (0, "facts", r#"{"count":3}"#),
        (1, "words", r#"{"text":"there are 3 entries today"}"#),
    ] {
        execute(
            connection,
            "INSERT INTO steps VALUES (?1, ?2, 1, ?3, 'set', 'done', ?4, NULL, NULL, ?5, 12)",
            params![run, position, id, result, now],
        )?;
    }
    execute(
        connection,
        "INSERT INTO deliveries (id, run_id, owner, kind, lane, target, body, state, attempts, due_at, created_at)
         VALUES (?1, ?1, 'bench', 'console', 'console', 'null', 'there are 3 entries today', 'pending', 0, ?2, ?2)",
        params![run, now],
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
        "UPDATE deliveries SET state = 'sent', sent_at = ?2 WHERE id = ?1",
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
