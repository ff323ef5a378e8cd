//! What people do: they start runs, do earlier ones again, and raise events while no daemon runs.

use std::sync::Arc;

use serde_json::json;

use super::jobs::{SURE, TAIL};
use super::life::event_of;
use super::world::{World, job_of};
use crate::clock::Clock;
use crate::engine::{ByHand, Daemon, Deliver, Engine, Progress, Word, questions};
use crate::job::{Event, StepRecord, TriggerKind};
use crate::store::{Along, RunRow, RunStory, Start, Store};

/// Somebody starts a job.
pub(super) fn start(world: &mut World, daemon: &Daemon) {
    let names: Vec<_> = world.plans.keys().cloned().collect();
    let job = world.rng.pick(&names).clone();
    let event = Event {
        id: world.clock.id(),
        job,
        kind: TriggerKind::Hand,
        dedupe_key: None,
        payload: json!({ "kind": "hand", "args": {}, "stdin": "" }),
        at: world.clock.now(),
    };
    ask(world, daemon, event, Vec::new());
}

/// Somebody does one of `rows` again, perhaps with the results of its first steps.
pub(super) fn replay(world: &mut World, daemon: &Daemon, rows: &[RunRow]) {
    let run = world.rng.pick(rows).run;
    let story = daemon.store().read_now(|reader| reader.run(run));
    let story = story.expect("it is read").expect("it is there");
    let steps = match world.rng.below(3) {
        // What it read of the log was told by the earlier run.
        0 if story.row.job != TAIL => known(&story),
        _ => Vec::new(),
    };
    let event = Event {
        id: world.clock.id(),
        kind: TriggerKind::Hand,
        dedupe_key: None,
        ..story.event
    };
    ask(world, daemon, event, steps);
}

/// The results of the steps before the first that has none.
fn known(story: &RunStory) -> Vec<StepRecord> {
    let mut known: Vec<StepRecord> = Vec::new();
    for record in story.steps.iter().filter(|record| record.end == "done") {
        // A word is for one run.
        if record.position as usize != known.len() || record.id == SURE {
            break;
        }
        known.push(StepRecord {
            attempt: 1,
            detail: Some(json!({ "from": story.row.run })),
            moved: Vec::new(),
            ..record.clone()
        });
    }
    known
}

fn ask(world: &World, daemon: &Daemon, event: Event, steps: Vec<StepRecord>) {
    let (intake, asked) = (daemon.intake.clone(), Arc::clone(&world.asked));
    tokio::spawn(async move {
        let job = Arc::clone(&intake.loaded().jobs[&event.job]);
        let accepted = move |progress: Progress<'_>| {
            if let Progress::Accepted(run) = progress {
                asked.lock().expect("nobody panicked").push(run);
            }
        };
        let hand = ByHand {
            deliver: Deliver::Attend,
            steps,
            observer: Box::new(accepted),
        };
        match intake.by_hand(job, event, hand).await {
            Ok(_) => {}
            Err(error) => assert!(error.may_pass(), "{error}"),
        }
    });
}

/// Somebody answers a run that waits for a word, and perhaps twice.
pub(super) fn answer(world: &mut World, daemon: &Daemon) {
    let asked = daemon.store().read_now(questions).expect("it is read");
    if asked.is_empty() {
        return;
    }
    let question = world.rng.pick(&asked).clone();
    let words = [Word::Yes, Word::Yes, Word::No];
    for _ in 0..=world.rng.below(2) {
        let (intake, question) = (daemon.intake.clone(), question.clone());
        let word = *world.rng.pick(&words);
        tokio::spawn(async move {
            match intake.answer(&question, word, "somebody").await {
                Ok(_) => {}
                Err(error) => assert!(error.may_pass(), "{error}"),
            }
        });
    }
}

/// A script raises an event before the daemon begins.
pub(super) async fn emit(world: &mut World, store: &Store, engine: &Engine) {
    let (key, _) = world.key();
    let offers = Arc::clone(&world.offers);
    let known = |run| {
        offers
            .lock()
            .expect("nobody panicked")
            .insert(key.clone(), run)
    };
    let before = known(None).flatten();
    let job = &engine.loaded.jobs[job_of(&key)];
    let along = Along {
        version: engine.loaded.version(job),
        ..Along::default()
    };
    let event = event_of(world.clock.as_ref(), &key);
    let accepted = store.accept_along(event, &job.hash, Start::Queued, along);
    let run = accepted.await.ok().map(|accepted| accepted.run());
    assert!(before.is_none() || run.is_none() || before == run, "{key}");
    known(run.or(before));
}
