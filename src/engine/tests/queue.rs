//! Who runs when, what follows, and what a new life of the daemon goes on with.

use std::time::Duration;

use super::den::{Den, result};
use crate::engine::Stale;
use crate::job::{Outcome, RunId, RunState};

const OK: RunState = RunState::Finished(Outcome::Ok);

/// A job that waits at a gate, then says its name.
const GATED: &str = "[[step]]\nid = \"wait\"\nexec = [\"cat\", \"FOLDER/gate{{ run.id }}\"]\n[[deliver]]\nfile = \"FOLDER/said\"\nappend = true\ntext = \"{{ job.name }} {{ run.id }}\"\n";

fn gated(top: &str) -> String {
    format!("{top}\n{GATED}")
}

#[test]
fn runs_of_a_job_come_one_after_the_other() {
    let den = Den::new("", &[("a", GATED)]);
    let (first, second) = (den.happens("a"), den.happens("a"));
    let waits = den.gate(first).reached();
    assert_eq!(den.state(first), RunState::Running);
    assert_eq!(den.state(second), RunState::Queued);
    drop(waits);
    den.gate(second).open();
    den.emptied();
    assert_eq!((den.state(first), den.state(second)), (OK, OK));
}

#[test]
fn as_many_as_it_says_run_at_once() {
    let den = Den::new("", &[("a", &gated("concurrency.max = 2"))]);
    let runs = [den.happens("a"), den.happens("a"), den.happens("a")];
    let waits = [den.gate(runs[0]).reached(), den.gate(runs[1]).reached()];
    assert_eq!(den.state(runs[2]), RunState::Queued);
    drop(waits);
    den.gate(runs[2]).open();
    den.emptied();
    assert_eq!(runs.map(|run| den.state(run)), [OK, OK, OK]);
}

#[test]
fn a_job_that_is_paused_takes_no_events() {
    let den = Den::new("", &[("a", GATED)]);
    den.block_on(den.store().pause("a", None)).unwrap();
    let run = den.happens("a");
    let reason = "the job was paused".to_owned();
    let skipped = RunState::Finished(Outcome::Skipped(reason));
    assert_eq!(den.state(run), skipped);
    let by_hand = den.asks("a");
    den.gate(RunId(2)).open();
    let finished = den.block_on(by_hand).unwrap().unwrap();
    assert_eq!(finished.outcome, Outcome::Ok, "a person may");
    den.block_on(den.store().resume("a")).unwrap();
    let run = den.happens("a");
    den.gate(run).open();
    den.emptied();
    assert_eq!(den.state(run), OK);
}

#[test]
fn an_event_beside_a_run_can_be_skipped() {
    let den = Den::new("", &[("a", &gated("concurrency.overlap = \"skip\""))]);
    let first = den.happens("a");
    let waits = den.gate(first).reached();
    let second = den.happens("a");
    let reason = format!("run {first} of this job was under way");
    let skipped = RunState::Finished(Outcome::Skipped(reason));
    assert_eq!(den.state(second), skipped);
    drop(waits);
    den.emptied();
    assert_eq!(den.state(first), OK);
}

#[test]
fn a_newer_event_can_replace_the_runs_before_it() {
    let den = Den::new("", &[("a", &gated("concurrency.overlap = \"replace\""))]);
    let first = den.happens("a");
    let waits = den.gate(first).reached();
    let second = den.happens("a");
    // The end of the first makes room for it.
    den.gate(second).open();
    drop(waits);
    den.emptied();
    let cancelled = RunState::Finished(Outcome::Cancelled);
    assert_eq!((den.state(first), den.state(second)), (cancelled, OK));
}

#[test]
fn a_person_goes_first_then_the_job_with_the_higher_priority() {
    let says = "[[step]]\nid = \"say\"\nexec = [\"sh\", \"-c\", \"echo NAME >> FOLDER/order\"]\n";
    let job = |name: &str, top: &str| format!("{top}\n{}", says.replace("NAME", name));
    let jobs = [
        ("first", gated("")),
        ("low", job("low", "priority = \"low\"")),
        ("normal", job("normal", "")),
        ("high", job("high", "priority = \"high\"")),
        ("asked", job("asked", "priority = \"low\"")),
    ];
    let jobs: Vec<_> = jobs.iter().map(|(name, text)| (*name, &text[..])).collect();
    let den = Den::new("[limits]\nruns = 1\n", &jobs);
    let first = den.happens("first");
    let waits = den.gate(first).reached();
    for job in ["low", "normal", "high"] {
        den.happens(job);
    }
    let asked = den.asks("asked");
    while den.runs().len() < 5 {
        den.block_on(tokio::task::yield_now());
    }
    drop(waits);
    let finished = den.block_on(asked).unwrap().unwrap();
    assert_eq!(finished.outcome, Outcome::Ok);
    den.emptied();
    assert_eq!(den.read("order"), "asked\nhigh\nnormal\nlow\n");
}

#[test]
fn a_run_that_backs_off_holds_no_place() {
    let fails = "[[step]]\nid = \"bad\"\nexec = [\"sh\", \"-c\", \"test -e FOLDER/mended\"]\nretry.attempts = 2\nretry.backoff = \"10s\"\n";
    let den = Den::new("[limits]\nruns = 1\n", &[("bad", fails), ("good", GATED)]);
    let bad = den.happens("bad");
    let good = den.happens("good");
    den.gate(good).open();
    assert!(matches!(den.state(bad), RunState::Waiting(_)), "it waits");
    while den.state(good) != OK {
        den.block_on(tokio::task::yield_now());
    }
    std::fs::write(den.path("mended"), "").unwrap();
    den.clock.advance(Duration::from_secs(10));
    den.emptied();
    assert_eq!(den.state(bad), OK);
}

#[test]
fn one_that_waits_for_its_turn_can_be_cancelled() {
    let den = Den::new("", &[("a", GATED)]);
    let (first, second) = (den.happens("a"), den.happens("a"));
    let waits = den.gate(first).reached();
    assert_eq!(den.cancel(second), None);
    assert_eq!(den.cancel(first).as_deref(), Some("wait"));
    den.emptied();
    drop(waits);
    let cancelled = RunState::Finished(Outcome::Cancelled);
    assert_eq!(den.state(first), cancelled);
    assert_eq!(den.state(second), cancelled);
}

#[test]
fn jobs_follow_the_ends_that_they_wait_for() {
    let after = |on: &str| {
        format!(
            "[[trigger]]\nafter = \"a\"\non = \"{on}\"\n[[deliver]]\nfile = \"FOLDER/said\"\nappend = true\ntext = \"{{{{ job.name }}}} {{{{ event.outcome }}}}\"\n"
        )
    };
    let good = "[[step]]\nid = \"a\"\nexec = [\"test\", \"-e\", \"FOLDER/good\"]\n";
    let jobs = [
        ("a", good.to_owned()),
        ("success", after("success")),
        ("failure", after("failure")),
        ("any", after("any")),
    ];
    let jobs: Vec<_> = jobs.iter().map(|(name, text)| (*name, &text[..])).collect();
    let den = Den::new("", &jobs);
    let names = |den: &Den| -> Vec<String> {
        let rows = den.runs().into_iter();
        rows.map(|row| row.job).filter(|job| job != "a").collect()
    };
    den.happens("a");
    while names(&den).len() < 2 {
        den.block_on(tokio::task::yield_now());
    }
    den.emptied();
    assert_eq!(names(&den), ["any", "failure"]);
    std::fs::write(den.path("good"), "").unwrap();
    den.happens("a");
    while names(&den).len() < 4 {
        den.block_on(tokio::task::yield_now());
    }
    den.emptied();
    assert_eq!(names(&den)[2..], ["any", "success"]);
}

/// Reads a log, asks a program that may be asked twice, then says what it found.
const ASKS: &str = "[[step]]\nid = \"log\"\nlog = \"FOLDER/app.log\"\n[[step]]\nid = \"ask\"\nexec = [\"cat\", \"FOLDER/gate{{ run.id }}\"]\nidempotent = true\n[[deliver]]\nfile = \"FOLDER/said\"\ntext = \"{{ log.lines | length }} before\"\n";

#[test]
fn a_run_goes_on_in_the_next_life_with_the_text_and_the_results_it_had() {
    let mut den = Den::new("", &[("a", ASKS)]);
    std::fs::write(den.path("app.log"), "error: one\n").unwrap();
    let run = den.happens("a");
    let waits = den.gate(run).reached();
    den.die();
    drop(waits);
    // What comes meanwhile is not this run's.
    std::fs::write(den.path("app.log"), "error: one\nerror: two\n").unwrap();
    den.write("a", &ASKS.replace("before", "after"));
    den.live();
    den.gate(run).open();
    den.emptied();
    let story = den.story(run);
    assert_eq!(story.row.state, OK);
    assert_eq!(
        (story.row.attempt, story.event.payload["body"]["x"].as_i64()),
        (2, Some(1))
    );
    assert_eq!(story.deliveries[0].message.body, "1 before");
    assert_eq!(result(&story, "log")["total"], 1);
    // Its position moved with its end, so the next run has the rest, and the new text.
    let next = den.happens("a");
    den.gate(next).open();
    den.emptied();
    assert_eq!(den.story(next).deliveries[0].message.body, "1 after");
}

#[test]
fn a_step_that_failed_for_good_is_not_tried_again_in_the_next_life() {
    let flaky = "[[step]]\nid = \"flaky\"\nexec = [\"false\"]\nretry.attempts = 2\nretry.backoff = \"5s\"\non_error = \"continue\"\n";
    let mut den = Den::new("", &[("a", &(flaky.to_owned() + ASKS))]);
    std::fs::write(den.path("app.log"), "").unwrap();
    let run = den.happens("a");
    let rests = || matches!(den.state(run), RunState::Waiting(_));
    while !rests() {
        std::thread::yield_now();
    }
    while rests() {
        den.clock.advance(Duration::from_secs(1));
    }
    let waits = den.gate(run).reached();
    den.die();
    drop(waits);
    den.live();
    den.gate(run).open();
    den.emptied();
    let story = den.story(run);
    let tried = story.steps.iter().filter(|step| step.id == "flaky");
    let tried: Vec<_> = tried.map(|step| (step.attempt, step.end)).collect();
    assert_eq!(
        (story.row.state, tried),
        (OK, vec![(1, "failed"), (2, "failed")])
    );
}

#[test]
fn a_run_that_is_cancelled_while_it_wants_its_place_back_takes_none() {
    let again =
        "[[step]]\nid = \"x\"\nexec = [\"false\"]\nretry.attempts = 2\nretry.backoff = \"5s\"\n";
    let patient = GATED.replace("[[deliver]]", "timeout = \"1h\"\n[[deliver]]");
    let den = Den::new("[limits]\nruns = 1\n", &[("again", again), ("a", &patient)]);
    let backs_off = den.happens("again");
    while !matches!(den.state(backs_off), RunState::Waiting(_)) {
        std::thread::yield_now();
    }
    let takes_it = den.happens("a");
    let waits = den.gate(takes_it).reached();
    while den.coming_back() == 0 {
        den.clock.advance(Duration::from_secs(1));
        (0..10_000).for_each(|_| std::thread::yield_now());
    }
    den.cancel(backs_off);
    drop(waits);
    den.emptied();
    let next = den.happens("a");
    den.gate(next).open();
    den.emptied();
    assert_eq!((den.state(takes_it), den.state(next)), (OK, OK));
    assert_eq!(den.state(backs_off), RunState::Finished(Outcome::Cancelled));
}

#[test]
fn a_run_that_is_cancelled_before_its_turn_lets_the_next_of_its_job_have_it() {
    let quick = "[[step]]\nid = \"x\"\nset.y = \"1\"\n";
    let den = Den::new("[limits]\nruns = 1\n", &[("b", GATED), ("a", quick)]);
    let blocks = den.happens("b");
    let waits = den.gate(blocks).reached();
    let (first, second) = (den.happens("a"), den.happens("a"));
    den.cancel(first);
    drop(waits);
    let limit = std::time::Instant::now() + Duration::from_secs(10);
    while den.state(second) != OK && std::time::Instant::now() < limit {
        std::thread::yield_now();
    }
    assert_eq!(den.state(second), OK);
}

#[test]
fn a_run_begins_though_whoever_brought_it_went_away() {
    let den = Den::new("", &[("a", "[[step]]\nid = \"x\"\nset.y = \"1\"\n")]);
    den.is_left_with("a");
    let limit = std::time::Instant::now() + Duration::from_secs(10);
    let ended = || den.runs().first().is_some_and(|row| row.state == OK);
    while !ended() && std::time::Instant::now() < limit {
        std::thread::yield_now();
    }
    assert!(ended(), "{:?}", den.runs());
}

#[test]
fn a_program_that_was_under_way_is_not_run_again_unless_it_may_be() {
    let mut den = Den::new("", &[("a", GATED)]);
    let (run, waiting) = (den.happens("a"), den.happens("a"));
    let waits = den.gate(run).reached();
    den.die();
    drop(waits);
    den.live();
    den.gate(waiting).open();
    den.emptied();
    assert!(
        matches!(den.state(run), RunState::Finished(Outcome::Interrupted(why)) if why.contains("`wait`"))
    );
    assert_eq!(den.state(waiting), OK, "what waited runs in the next life");
}

#[test]
fn what_does_not_load_goes_on_as_it_was_in_this_life_and_the_next() {
    let mut den = Den::new("", &[("a", GATED), ("b", GATED)]);
    let run = den.happens("a");
    den.gate(run).open();
    den.emptied();
    den.write("a", "[[trigger]\n");
    den.write("b", "[[trigger]\n");
    let kept = |name: &str| Stale::Kept(name.to_owned());
    assert_eq!(den.reload(), [kept("a"), kept("b")]);
    assert_eq!(den.loaded().jobs.len(), 2);
    den.die();
    den.live();
    // Of `b` no run ever had a text.
    assert_eq!(den.loaded().jobs.keys().collect::<Vec<_>>(), ["a"]);
    let run = den.happens("a");
    den.gate(run).open();
    den.emptied();
    assert_eq!(den.state(run), OK);
    // What cannot be read at all is no other case, and a pipe is not waited for.
    let (file, out) = (den.path("jobs/a.toml"), Stale::Out("b".to_owned()));
    std::fs::write(&file, b"\xff\xfe").unwrap();
    assert_eq!(den.reload(), [out.clone(), kept("a")]);
    std::fs::remove_file(&file).unwrap();
    std::fs::rename(den.path("gate9"), &file).unwrap();
    assert_eq!(den.reload(), [out.clone(), kept("a")]);
    assert_eq!(den.loaded().jobs.keys().collect::<Vec<_>>(), ["a"]);
}
