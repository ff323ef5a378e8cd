//! Programs of many runs beside each other.

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::{Home, by_hand, heard};
use crate::engine::Deliver;
use crate::job::Outcome;

#[tokio::test]
async fn a_program_waits_for_its_place_and_not_within_its_timeout() {
    let job = "[[step]]\nid = \"a\"\nset.x = \"1\"\n\n\
               [[step]]\nid = \"b\"\nexec = [\"true\"]\ntimeout = \"5s\"\n";
    let limits = "[limits]\ncommands = 1\n";
    let home = Home::new(tempfile::tempdir().unwrap(), limits, job, &[]);
    let most = home.engine.loaded.settings.max_commands;
    let of_another_run = home.engine.commands.place(most).await;
    let (hear, mut signals) = mpsc::unbounded_channel();
    let mut hear = |line| drop(hear.send(line));
    let (finished, ()) = tokio::join!(
        home.follow(by_hand(json!({})), Deliver::Send, &mut hear),
        async {
            heard(&mut signals, "ended a").await;
            // From there the run goes on without a pause until it has to wait.
            assert_eq!(signals.try_recv(), Err(mpsc::error::TryRecvError::Empty));
            home.clock.advance(Duration::from_secs(10));
            drop(of_another_run);
            heard(&mut signals, "begins b").await;
        }
    );
    let finished = finished.unwrap();
    assert_eq!(finished.outcome, Outcome::Ok);
    let steps = home.story(finished.run).steps;
    assert_eq!(steps[1].took, Duration::ZERO);
}

#[test]
fn four_programs_run_at_once_where_nothing_is_said() {
    let home = Home::with("[[step]]\nset.x = \"1\"\n");
    assert_eq!(home.engine.loaded.settings.max_commands, 4);
}
