//! What is written down when, and what of it is left when the process dies.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Home, JOB, by_hand, heard};
use crate::engine::{Deliver, Late, recover, recovery, send_left};
use crate::job::{DeliveryId, NewDelivery, Outcome, RunState, StepEnd};
use crate::store::{RunUpdate, Start};

/// A home with a log file of one line, which the job's first step reads from its start.
async fn reading(rest: &str) -> Home {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.ics", silent.local_addr().unwrap());
    tokio::spawn(async move {
        let _accepted = silent.accept().await;
        std::future::pending::<()>().await;
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    std::fs::write(&path, "error: no route to host\n").unwrap();
    let job = format!(
        "[[step]]\nid = \"log\"\nlog = {path:?}\nsince = \"last-run\"\n{rest}\n[[deliver]]\nconsole = true\ntext = \"{{{{ log.lines | length }}}}\"\n"
    );
    let calendar = format!("[calendars.home]\nics = {url:?}\n");
    Home::new(folder, &calendar, &job, &[])
}

/// Runs until an observer hears `beginning` and the run waits for something, then the process dies.
async fn die_at(home: &mut Home, beginning: &str) {
    let clock = home.clock.clone();
    let (hear, mut signals) = mpsc::unbounded_channel();
    let mut hear = |line| drop(hear.send(line));
    let waits = async {
        heard(&mut signals, beginning).await;
        // The limit of the run, and that of what it waits for.
        clock.sleeping(2).await;
    };
    tokio::select! {
        ended = home.follow(by_hand(json!({})), Deliver::Send, &mut hear) => panic!("{ended:?}"),
        () = waits => {}
    }
    home.lock = None;
}

/// A step that only reads, and for ever: a calendar at an address where nobody answers.
const NEXT: &str = "[[step]]\nid = \"next\"\ncalendar = \"list\"\n";

fn steps(home: &Home, run: crate::job::RunId) -> Vec<(String, &'static str)> {
    let steps = home.story(run).steps.into_iter();
    steps.map(|step| (step.id, step.end)).collect()
}

const SLEEPS: &str = "[[step]]\nid = \"nap\"\nexec = [\"sleep\", \"1000\"]\n";

#[tokio::test]
async fn a_step_with_effects_that_was_under_way_is_named() {
    let mut home = reading(SLEEPS).await;
    die_at(&mut home, "begins nap").await;
    let left = recover(&home.engine).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].job, JOB);
    let reason = "the program stopped during step `nap`, which may have had its effect: look before you run it again";
    assert_eq!(left[0].reason, reason);
    let state = home.story(left[0].run).row.state;
    let interrupted = Outcome::Interrupted(reason.to_owned());
    assert_eq!(state, RunState::Finished(interrupted));
    let known = [("log".to_owned(), "done"), ("nap".to_owned(), "failed")];
    assert_eq!(steps(&home, left[0].run), known);
    assert_eq!(home.positions("log"), []);
    assert_eq!(recover(&home.engine).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_only_read_is_not_written_down_when_the_process_dies() {
    let mut home = reading(NEXT).await;
    die_at(&mut home, "begins next").await;
    let left = recover(&home.engine).await.unwrap();
    assert_eq!(left[0].reason, "the program stopped under it");
    assert_eq!(steps(&home, left[0].run), []);
    assert_eq!(home.positions("log"), []);
}

#[tokio::test]
async fn a_run_that_backed_off_when_its_process_died_gets_an_end() {
    let mut home = Home::with(
        "[[step]]\nid = \"bad\"\nexec = [\"false\"]\nretry.attempts = 2\nretry.backoff = \"1h\"\n",
    );
    let lock = home.lock.take();
    die_at(&mut home, "again").await;
    assert_eq!(
        recover(&home.engine).await.unwrap(),
        [],
        "its process lives"
    );
    drop(lock);
    let left = recover(&home.engine).await.unwrap();
    assert_eq!(left.len(), 1);
    let state = home.story(left[0].run).row.state;
    assert!(matches!(state, RunState::Finished(Outcome::Interrupted(_))));
}

#[tokio::test]
async fn who_comes_second_to_a_dead_run_goes_on() {
    let mut home = reading(SLEEPS).await;
    die_at(&mut home, "begins nap").await;
    let orphans = home.engine.store.recover().await.unwrap();
    assert_eq!(recover(&home.engine).await.unwrap().len(), 1);
    let second = recovery::interrupt(&home.engine, orphans).await;
    assert_eq!(second, Ok(Vec::new()));
}

#[tokio::test]
async fn what_was_committed_and_not_sent_when_the_process_died_goes_out_once_it_is_dead() {
    let mut home = Home::with("[[deliver]]\nconsole = true\ntext = \"a\"\n");
    let store = &home.engine.store;
    let start = Start::RunningBy(home.engine.lock.clone());
    let run = store.accept(&by_hand(json!({})), "hash", start).await;
    let run = run.unwrap().run();
    let message = |kind: &str, target: Value| NewDelivery::usual(kind, "", target, kind);
    let update = RunUpdate {
        state: Some(RunState::Finished(Outcome::Ok)),
        deliveries: vec![
            message("console", Value::Null),
            message("file", json!({ "path": "out.md" })),
            message("file", json!({ "path": "/nowhere" })),
        ],
        ..RunUpdate::of(run)
    };
    let ids = store.record(update).await.unwrap().deliveries;

    assert_eq!(late(&home).await, (vec![], vec![]), "its process lives");
    home.lock = None;
    let stale = home
        .engine
        .store
        .unsent(DeliveryId::default(), 9)
        .await
        .unwrap();
    let refused = format!(
        "run {run} of `{JOB}`: file: /nowhere was filled in by the run, and leaves the workspace"
    );
    let said = format!("{run} of {JOB} to console: console");
    assert_eq!(late(&home).await, (vec![said], vec![refused]));
    let file = home.engine.state.join("workspace/out.md");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "file\n");
    let counts = home.story(run).row.deliveries;
    assert_eq!((counts.sent, counts.failed, counts.pending), (2, 1, 0));
    assert_eq!(late(&home).await, (vec![], vec![]));
    let again = home.engine.store.adopt_delivery(&stale[0], "other").await;
    assert_eq!(again, Err(crate::store::StoreError::NotPending(ids[0])));
}

/// What `send_left` says, and what it could not send.
async fn late(home: &Home) -> (Vec<String>, Vec<String>) {
    let mut said = Vec::new();
    let mut tell = |late: Late<'_>| {
        let (run, job, message) = (late.run, late.job, late.message);
        said.push(format!(
            "{} of {job} to {}: {}",
            run.expect("a run says it"),
            message.meant_for,
            message.text
        ));
    };
    let failed = send_left(&home.engine, &mut tell).await.unwrap();
    (said, failed)
}

#[tokio::test]
async fn positions_move_with_a_good_outcome_only() {
    // Ends as failed: not moved.
    let home = reading("[[step]]\nid = \"bad\"\nexec = [\"false\"]\n").await;
    let ran = home.run().await;
    assert_eq!(ran.failure(), "step `bad`: exit code 1");
    assert_eq!(home.positions("log"), []);

    // Held back: not moved, whatever the outcome.
    let home = reading("").await;
    let ran = home.run_as(by_hand(json!({})), Deliver::Hold).await;
    assert_eq!(
        (&ran.finished.outcome, ran.said()),
        (&Outcome::Ok, vec!["1"])
    );
    assert_eq!(home.positions("log"), []);
    assert_eq!(home.story(ran.finished.run).deliveries, []);

    // A delivery that does not render: not moved.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.log"), "error\n").unwrap();
    let path = folder.path().join("app.log");
    let job = format!(
        "[[step]]\nid = \"log\"\nlog = {path:?}\n[[deliver]]\nconsole = true\ntext = \"{{{{ 1 / 0 }}}}\"\n"
    );
    let home = Home::new(folder, "", &job, &[]);
    let ran = home.run().await;
    assert!(
        ran.failure().starts_with("delivery to console: "),
        "{ran:?}"
    );
    assert_eq!(home.positions("log"), []);

    // Ok: moved, and the second look finds nothing new.
    let home = reading("").await;
    assert_eq!(home.run().await.said(), ["1"]);
    assert_ne!(home.positions("log"), []);
    assert_eq!(home.run().await.said(), ["0"]);

    // Nothing to say: moved.
    let home = reading("[[step]]\nid = \"end\"\nstop_if = \"true\"\nset.a = \"1\"\n").await;
    let ran = home.run().await;
    let end = Outcome::NothingToSay("end: true".to_owned());
    assert_eq!(ran.finished.outcome, end);
    assert_ne!(home.positions("log"), []);
}

#[tokio::test]
async fn what_came_before_a_step_with_effects_is_committed_as_it_begins() {
    let mut home = reading(&format!(
        "[[step]]\nid = \"note\"\nfile = \"write\"\npath = \"n.md\"\ntext = \"x\"\n{NEXT}"
    ))
    .await;
    die_at(&mut home, "begins next").await;
    let left = recover(&home.engine).await.unwrap();
    // The file was written and that is known, so nothing was under way.
    assert_eq!(left[0].reason, "the program stopped under it");
    let known = [("log".to_owned(), "done"), ("note".to_owned(), "done")];
    assert_eq!(steps(&home, left[0].run), known);
    assert_eq!(home.positions("log"), []);
}

#[tokio::test]
async fn outcome_steps_and_messages_are_one_commit() {
    let home = reading("").await;
    let ran = home.run().await;
    let story = home.story(ran.finished.run);
    assert_eq!(story.row.state, RunState::Finished(Outcome::Ok));
    assert_eq!(story.steps[0].end, StepEnd::Done(Value::Null).word());
    assert_eq!(story.deliveries[0].message.body, "1");
    assert_eq!(story.row.deliveries.sent, 1);
    let last: Vec<_> = ran.shown.iter().rev().take(2).collect();
    assert_eq!(last, ["finished: Ok", "says: 1"]);
}
