//! Runs that wait for a word, through the whole daemon.

use std::time::Duration;

use super::den::Den;
use crate::engine::{Answer, Question, Word, questions};
use crate::job::{Outcome, RunState};

const ASKS: &str = r#"
[[trigger]]
webhook = "door"

[[step]]
id = "ok"
approve = "Open the door?"
expires = "1h"

[[step]]
exec = ["touch", "FOLDER/open"]
"#;

/// A daemon with a run that waits, and its question.
fn waiting() -> (Den, Question) {
    let den = Den::new("", &[("asks", ASKS)]);
    den.happens("asks");
    den.emptied();
    let asked = den.read_store(questions).pop();
    (den, asked.expect("it waits"))
}

/// How the run ended, and whether the door is open.
fn end(den: &Den, question: &Question) -> (Outcome, bool) {
    // Between its answer and its place in the queue it is seen by nobody.
    let limit = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        match den.state(question.row.run) {
            RunState::Finished(outcome) => return (outcome, den.path("open").exists()),
            other if std::time::Instant::now() > limit => panic!("{other:?}"),
            _ => std::thread::yield_now(),
        }
    }
}

fn no(why: &str) -> (Outcome, bool) {
    (Outcome::NothingToSay(format!("ok: {why}")), false)
}

#[test]
fn a_word_counts_once() {
    let (den, question) = waiting();
    assert_eq!(den.answers(&question, Word::Yes), Answer::Taken(Word::Yes));
    assert_eq!(end(&den, &question), (Outcome::Ok, true));
    assert_eq!(den.answers(&question, Word::No), Answer::Gone);
}

#[test]
fn a_word_after_its_time_is_a_no_however_the_clock_got_there() {
    let (den, question) = waiting();
    // By nobody's waiting: the clock on the wall is set.
    den.clock.set_wall(question.asked.until);
    // Whoever looks at the clock first.
    let answer = den.answers(&question, Word::Yes);
    assert!(matches!(answer, Answer::Late | Answer::Gone), "{answer:?}");
    assert_eq!(end(&den, &question), no("nobody answered in time"));
}

#[test]
fn a_question_ends_in_time_also_in_another_life() {
    let (mut den, question) = waiting();
    den.die();
    den.clock.advance(Duration::from_secs(3601));
    den.live();
    while !den.read_store(questions).is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(end(&den, &question), no("nobody answered in time"));
}

#[test]
fn a_run_that_waits_can_be_cancelled_and_holds_no_place() {
    let (den, question) = waiting();
    den.cancel(question.row.run);
    assert_eq!(end(&den, &question), (Outcome::Cancelled, false));
    assert_eq!(den.answers(&question, Word::Yes), Answer::Gone);
}
