//! From step to step: conditions, failures, waits, limits, ends.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Home, by_hand, heard, seven};
use crate::clock::{Clock, Sleep, TestClock};
use crate::engine::Deliver;
use crate::job::{Event, Outcome, RunState, TriggerKind, Wait};

/// Runs a job and gives its outcome and what it said.
async fn check(job: &str, outcome: Outcome, said: &[&str]) {
    let ran = Home::with(job).run().await;
    assert_eq!(
        (&ran.finished.outcome, &ran.said()[..]),
        (&outcome, said),
        "{job}"
    );
}

const SAY: &str = "[[deliver]]\nconsole = true\ntext =";

#[tokio::test]
async fn stop_if_is_asked_before_when() {
    let both = "[[step]]\nid = \"a\"\nstop_if = \"true\"\nwhen = \"false\"\nset.x = \"1\"\n";
    let stopped = Outcome::NothingToSay("a: true".to_owned());
    check(&format!("{both}{SAY} \"hello\""), stopped, &[]).await;
    let skipped = "[[step]]\nid = \"a\"\nstop_if = \"false\"\nwhen = \"false\"\nset.x = \"1\"\n";
    let say = format!("{SAY} \"{{{{ a is none }}}}\"");
    check(&format!("{skipped}{say}"), Outcome::Ok, &["True"]).await;
}

#[tokio::test]
async fn a_condition_that_cannot_be_told_fails_its_step() {
    let job = "[[step]]\nid = \"a\"\nwhen = \"event.args.x\"\nset.x = \"1\"\n";
    let ran = Home::with(job).run().await;
    assert!(ran.failure().starts_with("step `a`: when: "), "{ran:?}");
}

#[tokio::test]
async fn a_failure_that_is_allowed_leaves_none() {
    let failing = "[[step]]\nid = \"a\"\nexec = [\"false\"]\non_error = \"continue\"\n";
    let say = format!("{SAY} \"{{{{ a is none }}}}\"");
    check(&format!("{failing}{say}"), Outcome::Ok, &["True"]).await;
    let failing = failing.replace("continue", "fail");
    let reason = "step `a`: exit code 1".to_owned();
    check(&format!("{failing}{say}"), Outcome::Failed(reason), &[]).await;
}

#[tokio::test]
async fn a_retry_waits_as_a_row_and_longer_each_time() {
    // Fails until the file is there.
    let home = Home::with(&format!(
        "[[step]]\nid = \"a\"\nexec = [\"test\", \"-e\", \"here\"]\nretry.attempts = 4\nretry.backoff = \"10s\"\nretry.max = \"15s\"\n{SAY} \"done\""
    ));
    let (hear, mut signals) = mpsc::unbounded_channel();
    let mut hear = |line| drop(hear.send(line));
    let (finished, ()) = tokio::join!(
        home.follow(by_hand(json!({})), Deliver::Send, &mut hear),
        async {
            for seconds in [10, 15] {
                let told = heard(&mut signals, "again").await;
                assert_eq!(told, format!("again a in {seconds}s: exit code 1"));
                home.clock.sleeping(2).await;
                let row = home
                    .engine
                    .store
                    .read_now(|reader| reader.active())
                    .unwrap()[0]
                    .clone();
                let until = home.clock.now() + Duration::from_secs(seconds);
                assert_eq!(row.state, RunState::Waiting(Wait::Until(until)));
                if seconds == 15 {
                    std::fs::write(home.engine.state.join("workspace/here"), "").unwrap();
                }
                home.clock.advance(Duration::from_secs(seconds));
            }
        }
    );
    let finished = finished.unwrap();
    assert_eq!(finished.outcome, Outcome::Ok);
    let steps = home.story(finished.run).steps;
    let ends: Vec<_> = steps.iter().map(|step| (step.attempt, step.end)).collect();
    assert_eq!(ends, [(1, "failed"), (2, "failed"), (3, "done")]);
}

#[tokio::test]
async fn a_run_ends_at_its_timeout_and_names_the_step() {
    let home = Home::with(
        "timeout = \"90s\"\n[[step]]\nid = \"nap\"\nexec = [\"sleep\", \"1000\"]\ntimeout = \"10m\"\n",
    );
    let (ran, ()) = tokio::join!(home.run(), async {
        home.clock.sleeping(2).await;
        home.clock.advance(Duration::from_secs(90));
    });
    let reason = "the run did not end within its timeout of 90 s: step `nap` was under way";
    assert_eq!(ran.failure(), reason);
    let step = &home.story(ran.finished.run).steps[0];
    assert_eq!((step.end, step.took), ("failed", Duration::from_secs(90)));
    assert_eq!(step.error.as_deref(), Some("the run's timeout ended it"));
}

#[tokio::test]
async fn a_step_ends_at_its_timeout() {
    let home =
        Home::with("[[step]]\nid = \"nap\"\nexec = [\"sleep\", \"1000\"]\ntimeout = \"5s\"\n");
    let (ran, ()) = tokio::join!(home.run(), async {
        home.clock.sleeping(2).await;
        home.clock.advance(Duration::from_secs(5));
    });
    let reason = "step `nap`: it was ended after its timeout of 5 s";
    assert_eq!(ran.failure(), reason);
}

/// A clock that panics when somebody sleeps for 13 seconds, as a bug would.
#[derive(Debug)]
struct Tripwire(Arc<TestClock>);

impl Clock for Tripwire {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        assert_ne!(duration, Duration::from_secs(13), "tripped");
        self.0.sleep(duration)
    }

    fn id(&self) -> uuid::Uuid {
        self.0.id()
    }
}

#[tokio::test]
async fn a_bug_in_a_kind_is_a_failed_run() {
    let clock = Arc::new(TestClock::at(seven()));
    let tripwire = Arc::new(Tripwire(clock.clone()));
    let job = "[[step]]\nid = \"bug\"\nexec = [\"true\"]\ntimeout = \"13s\"\n";
    let folder = tempfile::tempdir().unwrap();
    let home = Home::on(folder, clock, tripwire, "", job, &[]);
    let ran = home.run().await;
    let reason = ran.failure();
    assert!(
        reason.starts_with("step `bug`: a bug in the step's kind: "),
        "{reason}"
    );
    assert!(reason.contains("tripped"), "{reason}");
    let step = &home.story(ran.finished.run).steps[0];
    assert_eq!(step.end, "failed");
}

#[tokio::test]
async fn the_same_event_runs_once() {
    let home = Home::with(&format!("{SAY} \"hello\""));
    let event = |key: &str| Event {
        dedupe_key: Some(key.to_owned()),
        kind: TriggerKind::Cron,
        ..by_hand(json!({}))
    };
    let first = home.run_as(event("7:00"), Deliver::Send).await;
    assert_eq!(first.said(), ["hello"]);
    let second = home.run_as(event("7:00"), Deliver::Send).await;
    let run = first.finished.run;
    assert_eq!(second.finished.run, run);
    let why = format!("the same event is run {run} already");
    assert_eq!(second.finished.outcome, Outcome::Skipped(why));
    assert_eq!(second.shown, Vec::<String>::new());
    let third = home.run_as(event("8:00"), Deliver::Send).await;
    assert_eq!(third.said(), ["hello"]);
}

#[tokio::test]
async fn what_renders_empty_is_not_sent_and_the_run_says_so() {
    let empty = format!("{SAY} \"{{{{ event.args.x | default('') }}}}\"\n");
    let nothing = Outcome::NothingToSay("every delivery rendered empty".to_owned());
    check(&empty, nothing.clone(), &[]).await;
    let never = format!("{SAY} \"hello\"\nwhen = \"false\"\n");
    check(&never, nothing, &[]).await;

    let home = Home::with(&format!("{empty}{SAY} \"hello\"\n"));
    let ran = home.run().await;
    assert_eq!(
        (&ran.finished.outcome, ran.said()),
        (&Outcome::Ok, vec!["hello"])
    );
    let steps = home.story(ran.finished.run).steps;
    assert_eq!((&steps[0].id[..], steps[0].end), ("deliver1", "skipped"));
    assert_eq!(steps.len(), 1);
}

#[tokio::test]
async fn somebody_stops_a_run() {
    let home = Home::with("[[step]]\nid = \"nap\"\nexec = [\"sleep\", \"1000\"]\n");
    let (hear, mut signals) = mpsc::unbounded_channel();
    let mut hear = |line| drop(hear.send(line));
    tokio::select! {
        ended = home.follow(by_hand(json!({})), Deliver::Send, &mut hear) => panic!("{ended:?}"),
        _ = heard(&mut signals, "begins") => {}
    }
    let run = home
        .engine
        .store
        .read_now(|reader| reader.active())
        .unwrap()[0]
        .run;
    let under_way = home.engine.cancel(run).await.unwrap();
    assert_eq!(under_way.as_deref(), Some("nap"));
    let story = home.story(run);
    assert_eq!(story.row.state, RunState::Finished(Outcome::Cancelled));
    assert_eq!(story.steps[0].end, "failed");
    let error = "the run ended while it was under way: it may have had its effect";
    assert_eq!(story.steps[0].error.as_deref(), Some(error));
    assert!(
        home.engine.cancel(run).await.is_err(),
        "what has an end keeps it"
    );
}

#[tokio::test]
async fn a_file_is_delivered_and_a_refused_one_is_told() {
    let job = "[[deliver]]\nfile = \"out.md\"\nappend = true\ntext = \"hello\"\n[[deliver]]\nfile = \"taken\"\ntext = \"no\"\n";
    let home = Home::with(job);
    std::fs::create_dir_all(home.engine.state.join("workspace/taken")).unwrap();
    let ran = home.run().await;
    let file = home.engine.state.join("workspace/out.md");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "hello\n");
    let refused = "file: `taken` is refused: it is not a regular file";
    assert_eq!(ran.finished.unsent, [refused]);
    let counts = home.story(ran.finished.run).row.deliveries;
    assert_eq!((counts.sent, counts.failed), (1, 1));
}

#[tokio::test]
async fn outside_text_never_becomes_an_option() {
    let job = "[[trigger]]\nwatch = \"/tmp/x\"\n[[step]]\nid = \"a\"\nexec = [\"echo\", \"{% if true %}{{ event.content }}{% endif %}\"]\n";
    let run = async |job: &str, content: &str| {
        let home = Home::with(job);
        let payload = json!({ "content": content });
        let event = Event {
            payload,
            ..by_hand(Value::Null)
        };
        let ran = home.run_as(event, Deliver::Send).await;
        let stdout = home.story(ran.finished.run).steps[0].result.clone();
        (ran, stdout.map(|result| result["stdout"].clone()))
    };
    let (ran, _) = run(job, "-n; rm").await;
    let reason = ran.failure();
    assert!(
        reason.contains("came out as `-n; rm`, which the program would take for an option"),
        "{reason}"
    );
    let (_, stdout) = run(job, "two words; $(id)").await;
    assert_eq!(stdout, Some(json!("two words; $(id)\n")));
    // The owner's own option, and what stands after `--`, may hold anything.
    let own = job.replace("{% if true %}", "--x={% if true %}");
    assert_eq!(run(&own, "-n").await.1, Some(json!("--x=-n\n")));
    let after = job.replace("[\"echo\",", "[\"echo\", \"--\",");
    assert_eq!(run(&after, "-n").await.1, Some(json!("-- -n\n")));
}

#[tokio::test]
async fn a_run_fits_on_a_small_stack() {
    let home = Home::with(&format!("{SAY} \"hello\""));
    let mut hear = |_| {};
    let run = home.follow(by_hand(json!({})), Deliver::Send, &mut hear);
    let bytes = std::mem::size_of_val(&run);
    assert!(bytes < 16 << 10, "{bytes}");
}
