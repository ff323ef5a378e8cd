//! What has to be true after the last life.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::folder::Victim;

pub fn check(victim: &Victim) {
    let database = victim.database();
    let sound: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a finding");
    assert_eq!(sound, "ok");
    effects(victim, &database);
    messages(victim, &database);
    slots(&database);
    followers(&database);
    lines(victim, &database);
    let shown = victim.folder.run(["history", "--json"]).json();
    assert!(!shown.as_array().expect("a list").is_empty());
}

fn rows<T: rusqlite::types::FromSql, U: rusqlite::types::FromSql>(
    database: &Connection,
    sql: &str,
) -> Vec<(T, U)> {
    let mut statement = database.prepare(sql).expect("it is right");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// No program ran twice, and each one of a good run ran.
fn effects(victim: &Victim, database: &Connection) {
    let mut ran: BTreeMap<String, u32> = BTreeMap::new();
    for line in victim.folder.read("effects").lines() {
        *ran.entry(line.to_owned()).or_default() += 1;
    }
    for (effect, count) in &ran {
        assert_eq!(*count, 1, "{effect} happened {count} times");
    }
    let works = "SELECT id, outcome FROM runs WHERE job IN ('tick', 'start', 'chain')";
    for (run, outcome) in rows::<i64, String>(database, works) {
        let of = |step: &str| ran.contains_key(&format!("{run} {step}"));
        let right = match outcome.as_str() {
            "ok" => of("first") && of("second"),
            "interrupted" => of("first") || !of("second"),
            other => panic!("run {run} ended as {other}"),
        };
        assert!(right, "run {run}: {outcome}");
    }
}

/// Each good run said what it had to say, no other did, and all of it was sent.
fn messages(victim: &Victim, database: &Connection) {
    let said = victim.folder.read("said");
    let said: Vec<&str> = said.lines().collect();
    let works = "SELECT id, outcome FROM runs WHERE job IN ('tick', 'start', 'chain')";
    for (run, outcome) in rows::<i64, String>(database, works) {
        let count = said.iter().filter(|line| **line == run.to_string()).count();
        assert_eq!(
            count > 0,
            outcome == "ok",
            "run {run} ended as {outcome} and was told {count} times"
        );
    }
    // A life that dies between the file and the commit tells one message once more.
    let once: std::collections::BTreeSet<_> = said.iter().collect();
    assert!(said.len() - once.len() <= super::LIVES as usize, "{said:?}");
    let unsent: Vec<(i64, String)> = rows(
        database,
        "SELECT id, state FROM deliveries WHERE state <> 'sent'",
    );
    assert_eq!(unsent, []);
    let sql = "SELECT r.id, count(d.id) FROM runs r LEFT JOIN deliveries d ON d.run_id = r.id
               WHERE r.job <> 'zz_end' AND r.outcome = 'ok' GROUP BY r.id HAVING count(d.id) <> 1";
    assert_eq!(rows::<i64, i64>(database, sql), []);
}

/// Each second from the first to the last is accounted for once.
fn slots(database: &Connection) {
    let stretches = rows::<i64, i64>(
        database,
        "SELECT due_at, until FROM slots WHERE job = 'tick' ORDER BY due_at",
    );
    assert!(!stretches.is_empty());
    for pair in stretches.windows(2) {
        assert_eq!(pair[1].0 - pair[0].1, 1_000_000, "{pair:?}");
    }
    let sql = "SELECT run_id, count(*) FROM slots WHERE run_id IS NOT NULL GROUP BY run_id HAVING count(*) > 1";
    assert_eq!(rows::<i64, i64>(database, sql), []);
    let sql = "SELECT r.id, e.dedupe_key FROM runs r JOIN events e ON e.run_id = r.id
               WHERE r.job = 'tick' AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.run_id = r.id)";
    assert_eq!(rows::<i64, Option<String>>(database, sql), []);
}

/// Each run of the one job is followed by one of the other.
fn followers(database: &Connection) {
    let sql = "SELECT t.id, count(c.id) FROM runs t
               LEFT JOIN events e ON e.payload ->> 'run' = t.id
               LEFT JOIN runs c ON c.id = e.run_id AND c.job = 'chain'
               WHERE t.job = 'tick' AND t.outcome IN ('ok', 'interrupted') GROUP BY t.id HAVING count(c.id) <> 1";
    assert_eq!(rows::<i64, i64>(database, sql), []);
}

/// Each line of the log was told by one good run.
fn lines(victim: &Victim, database: &Connection) {
    let sql =
        "SELECT d.id, d.body FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE r.job = 'log'";
    let told = rows::<i64, String>(database, sql).into_iter();
    let told: u64 = told
        .map(|(_, body)| body.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(told, victim.lines);
}
