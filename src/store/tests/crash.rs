//! Several processes, and processes that die.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::child::{Process, real_store};
use super::*;

/// So many runs are under way at once in the child that is killed.
const AT_ONCE: usize = 8;
const KILLS: u64 = 12;

/// The child's part: writes for ever, and says what it was told is committed.
pub(super) async fn write(folder: &Path) {
    let store = real_store(folder);
    let lines = (0..AT_ONCE).map(|_| async {
        loop {
            let start = Start::RunningBy("dead".to_owned());
            let run = store
                .accept(&event("job", None), "h", start)
                .await
                .unwrap()
                .run();
            println!("@accepted {}", run.0);
            let update = RunUpdate {
                steps: vec![step(0, "started")],
                ..RunUpdate::of(run)
            };
            store.record(update).await.unwrap();
            println!("@started {}", run.0);
            let mut update = finished(run, Outcome::Ok);
            update.steps = vec![step(0, "done"), step(1, "done")];
            update.cursors = vec![(key(&run.to_string()), Some(json!(run.0)))];
            update.deliveries = vec![message("a"), message("b")];
            store.record(update).await.unwrap();
            println!("@finished {}", run.0);
        }
    });
    join_all(lines).await;
}

/// The child's part: a hundred runs, one after another.
pub(super) async fn count(folder: &Path) {
    let store = real_store(folder);
    for _ in 0..100 {
        let accepted = store.accept(&event("job", None), "h", Start::Queued).await;
        let run = accepted.unwrap().run();
        store.begin(run, "me").await.unwrap();
        store.record(finished(run, Outcome::Ok)).await.unwrap();
    }
}

#[tokio::test]
async fn after_kill_9_everything_that_was_told_is_there_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut told: HashMap<i64, u32> = HashMap::new();
    for kill in 0..KILLS {
        let mut process = Process::start("write", folder.path());
        // Some instant between two and a few hundred commits; 37 walks through the residues.
        let mut hear = |said: String| {
            let (what, run) = said.split_once(' ').unwrap();
            let known = ["accepted", "started", "finished"]
                .iter()
                .position(|word| *word == what);
            told.insert(run.parse().unwrap(), known.unwrap() as u32);
        };
        for _ in 0..(2 + kill * 37 % 211) {
            hear(process.says().expect("it writes until it is killed"));
        }
        process.kill();
        while let Some(said) = process.says() {
            hear(said);
        }
        let store = reopen(folder.path()).unwrap().store;
        for (run, known) in &told {
            check_story(&store, RunId(*run), *known);
        }
    }
    let store = reopen(folder.path()).unwrap().store;
    let all = Filter {
        job: None,
        limit: 1_000_000,
        before: None,
    };
    for row in store.read_now(|reader| reader.history(&all)).unwrap() {
        check_story(&store, row.run, 0);
    }
    assert_eq!(integrity(folder.path()), "ok");
}

/// A run stands where it was last told to, or further, and never in between.
fn check_story(store: &Store, run: RunId, known: u32) {
    let story = store.read_now(|reader| reader.run(run)).unwrap();
    let story = story.expect("what was told is there");
    let cursor = store.read_now(|reader| reader.cursor(&key(&run.to_string())));
    let ends: Vec<_> = story.steps.iter().map(|step| step.end).collect();
    let found = match (&story.row.state, ends.as_slice()) {
        (RunState::Running, []) => 0,
        (RunState::Running, ["started"]) => 1,
        (RunState::Finished(Outcome::Ok), ["done", "done"]) => 2,
        half => panic!("{run} is half done: {half:?}"),
    };
    assert!(
        found >= known,
        "{run} was told to be at {known}, is at {found}"
    );
    let finished = found == 2;
    assert_eq!(story.deliveries.len(), if finished { 2 } else { 0 });
    assert_eq!(cursor, Ok(finished.then(|| json!(run.0))));
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // All of them find no database, so its making is raced for as well.
    let processes: Vec<_> = (0..4)
        .map(|_| Process::start("count", folder.path()))
        .collect();
    processes.into_iter().for_each(Process::end);
    let store = reopen(folder.path()).unwrap().store;
    let all = Filter {
        job: None,
        limit: 1_000,
        before: None,
    };
    let rows = store.read_now(|reader| reader.history(&all)).unwrap();
    assert_eq!(rows.len(), 400);
    assert!(
        rows.iter()
            .all(|row| row.state == RunState::Finished(Outcome::Ok))
    );
    assert_eq!(integrity(folder.path()), "ok");
}

pub(super) fn integrity(folder: &Path) -> String {
    let connection = open::connect(&folder.join(FILE)).unwrap();
    connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap()
}
