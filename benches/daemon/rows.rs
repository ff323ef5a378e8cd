//! Bare SQLite on the same disk: commits alone, and loops that write the rows of whole runs.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::Utc;
use rusqlite::{Connection, Params, params};
use uuid::Uuid;

use super::median;

/// The schema's file itself, so that the rows and the indices are the same.
const SCHEMA: &str = concat!(
    include_str!("../../src/store/migrations/0001.sql"),
    include_str!("../../src/store/migrations/0002.sql")
);

/// A database as the store's, without the store.
pub struct Bare(Connection);

impl Bare {
    pub fn new(folder: &Path) -> Self {
        let path = folder.join("bare.db");
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        let connection = Connection::open(path).expect("opens");
        connection.set_prepared_statement_cache_capacity(64);
        let pragmas =
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
        connection.execute_batch(pragmas).expect("pragmas");
        connection.execute_batch(SCHEMA).expect("schema");
        Bare(connection)
    }

    /// One commit of one small row.
    pub fn commit(&self) {
        // Another value each time: SQLite writes nothing where nothing changes.
        let sql = "INSERT INTO pauses (job, since) VALUES ('x', 1) ON CONFLICT DO UPDATE SET since = since + 1";
        execute(&self.0, sql, []).expect("written");
    }

    /// What `count` commits take, one after another: the median of several times.
    pub fn commits(&self, count: u32) -> Duration {
        let timed = |_| {
            let begun = Instant::now();
            (0..count).for_each(|_| self.commit());
            begun.elapsed()
        };
        median((0..21).map(timed).collect())
    }

    /// Commits of a row each in a second.
    pub fn commits_per_second(&self) -> f64 {
        let begun = Instant::now();
        let mut count = 0;
        while begun.elapsed() < Duration::from_secs(1) {
            self.commit();
            count += 1;
        }
        f64::from(count) / begun.elapsed().as_secs_f64()
    }

    /// The rows of a run for each event, three commits for each `group` of them; gives events per second.
    pub fn runs(&self, events: i64, group: i64) -> f64 {
        let begun = Instant::now();
        for first in (1..=events).step_by(group as usize) {
            for stage in [accept, record, deliver] {
                let stage = || {
                    execute(&self.0, "BEGIN IMMEDIATE", [])?;
                    for run in first..first + group {
                        stage(&self.0, run)?;
                    }
                    execute(&self.0, "COMMIT", [])
                };
                stage().expect("the bare loop writes");
            }
        }
        events as f64 / begun.elapsed().as_secs_f64()
    }
}

const PAYLOAD: &str =
    r#"{"name":"in","body":{"n":123},"headers":{"content-type":"application/json"}}"#;
const TARGET: &str = r#"{"url":"http://127.0.0.1:40000/","method":"POST"}"#;

fn accept(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let (id, now) = (Uuid::now_v7(), Utc::now().timestamp_micros());
    execute(
        connection,
        "INSERT INTO runs (id, uuid, job, job_hash, state, owner, attempt, accepted_at, started_at)
         VALUES (?1, ?2, 'hook', '0123456789abcdef', 'running', 'bench', 1, ?3, ?3)",
        params![run, id.as_bytes(), now],
    )?;
    execute(
        connection,
        "INSERT INTO events VALUES (?1, ?2, 'webhook', NULL, ?3, ?4)",
        params![run, id.as_bytes(), PAYLOAD, now],
    )
}

fn record(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let now = Utc::now().timestamp_micros();
    for (position, id, result) in [
        (0, "first", r#"{"double":246}"#),
        (1, "second", r#"{"text":"event 246"}"#),
    ] {
        execute(
            connection,
            "INSERT INTO steps (run_id, position, attempt, id, kind, end, result, started_at, took_us)
             VALUES (?1, ?2, 1, ?3, 'set', 'done', ?4, ?5, 12)",
            params![run, position, id, result, now],
        )?;
    }
    execute(
        connection,
        "INSERT INTO deliveries (id, run_id, owner, kind, lane, target, body, state, attempts, due_at, created_at)
         VALUES (?1, ?1, 'bench', 'webhook', 'webhook http://127.0.0.1:40000/', ?2, '123', 'pending', 0, ?3, ?3)",
        params![run, TARGET, now],
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
        "UPDATE deliveries SET state = 'sent', receipt = '{\"status\":200}', sent_at = ?2 WHERE id = ?1",
        params![run, Utc::now().timestamp_micros()],
    )
}

fn execute(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(parameters)?;
    Ok(())
}
