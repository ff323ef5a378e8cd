//! What has to be true of a world whatever happened to it.

use std::collections::BTreeMap;

use super::jobs::{CHAIN, HOOK, TAIL};
use super::stage::{Stage, on_stage};
use super::world::World;
use crate::clock::Clock;
use crate::job::{Outcome, RunState};
use crate::store::{DeliveryState, Filter, Mode, RunStory, Store};

/// The error of a step that was under way when its run ended.
const UNDER_WAY: &str = "the run ended while it was under way: it may have had its effect";

struct Ledger<'a> {
    world: &'a World,
    stories: Vec<RunStory>,
}

pub(super) fn check(world: &World) {
    let store = Store::open(&world.state(), world.clock.clone(), Mode::Inline)
        .expect("it opens")
        .store;
    let all = Filter {
        job: None,
        limit: u32::MAX,
        before: None,
    };
    let rows = store
        .read_now(|reader| reader.history(&all))
        .expect("it is read");
    let story = |row: crate::store::RunRow| {
        let story = store
            .read_now(|reader| reader.run(row.run))
            .expect("it is read");
        story.expect("it is there")
    };
    let ledger = Ledger {
        world,
        stories: rows.into_iter().rev().map(story).collect(),
    };
    for story in &ledger.stories {
        let state = &story.row.state;
        assert!(matches!(state, RunState::Finished(_)), "{story:#?}");
        ledger.messages(story);
        ledger.followers(story);
    }
    ledger.events();
    ledger.lines();
    on_stage(|stage| {
        ledger.effects(stage);
        ledger.crowds(stage);
        ledger.arrivals(stage);
    });
    store
        .read_now(|reader| reader.integrity())
        .expect("it is sound");
    let _ = world.clock.now();
}

fn outcome(story: &RunStory) -> &Outcome {
    match &story.row.state {
        RunState::Finished(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

impl Ledger<'_> {
    /// Everything that was brought has one run.
    fn events(&self) {
        let mut by_key: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for story in &self.stories {
            if let Some(key) = &story.event.dedupe_key {
                by_key.entry(key).or_default().push(story.row.run.0);
            }
        }
        for (key, run) in self.world.offers.lock().expect("nobody panicked").iter() {
            let run = run.expect("it was brought again at the end");
            assert_eq!(by_key.get(key.as_str()), Some(&vec![run.0]), "{key}");
        }
    }

    /// A good run has all its messages, any other has none.
    fn messages(&self, story: &RunStory) {
        let expected = match outcome(story) {
            Outcome::Ok => self.world.plans[&story.row.job].messages,
            _ => 0,
        };
        assert_eq!(story.deliveries.len(), expected, "{story:#?}");
    }

    /// What waits for the end of a run is started by it, once.
    fn followers(&self, story: &RunStory) {
        if story.row.job != HOOK {
            return;
        }
        let good = matches!(outcome(story), Outcome::Ok | Outcome::NothingToSay(_));
        let bad = matches!(outcome(story), Outcome::Failed(_) | Outcome::Interrupted(_));
        let expected = match self.world.plans[CHAIN].after {
            Some("success") => good,
            Some("failure") => bad,
            _ => good || bad,
        };
        let of_run = |other: &&RunStory| {
            other.row.job == CHAIN && other.event.payload["run"] == story.row.run.0
        };
        let found = self.stories.iter().filter(of_run).count();
        assert_eq!(found, usize::from(expected), "those that follow {story:#?}");
    }

    /// Each line of the log is in the message of one good run.
    fn lines(&self) {
        let tails = self.stories.iter().filter(|story| story.row.job == TAIL);
        let bodies = tails
            .flat_map(|story| &story.deliveries)
            .map(|delivery| &delivery.body);
        let told: u64 = bodies
            .map(|body| body.parse::<u64>().expect("a number"))
            .sum();
        assert_eq!(told, self.world.lines, "lines of the log");
    }

    /// A program ran once for each time that this was written down before, and never again unasked.
    fn effects(&self, stage: &Stage) {
        for story in &self.stories {
            let plan = &self.world.plans[&story.row.job];
            for step in ["flaky", "solid"] {
                let ran = |effect: &&super::stage::Effect| {
                    effect.run == story.row.run && effect.step == step
                };
                let ran = stage.effects.iter().filter(ran).count();
                let attempts: Vec<_> = story
                    .steps
                    .iter()
                    .filter(|record| record.id == step)
                    .collect();
                assert!(ran <= attempts.len(), "{step} ran {ran} times: {story:#?}");
                let ended = attempts
                    .iter()
                    .filter(|record| record.error.as_deref() != Some(UNDER_WAY))
                    .count();
                assert!(ran >= ended, "{step} ran {ran} times: {story:#?}");
                let again = attempts
                    .iter()
                    .rev()
                    .skip(1)
                    .any(|record| record.error.as_deref() == Some(UNDER_WAY));
                assert!(plan.idempotent || !again, "{step} ran again: {story:#?}");
                let unknown = attempts
                    .last()
                    .is_some_and(|record| record.error.as_deref() == Some(UNDER_WAY));
                assert!(!unknown || *outcome(story) != Outcome::Ok, "{story:#?}");
            }
        }
    }

    fn crowds(&self, stage: &Stage) {
        for (job, most) in &stage.crowd {
            let max = self.world.plans[job].max;
            assert!(*most <= max, "{most} runs of {job} at once, of {max}");
        }
    }

    /// What was sent arrived, what was given up did not, and what came twice had a reason.
    fn arrivals(&self, stage: &Stage) {
        for delivery in self.stories.iter().flat_map(|story| &story.deliveries) {
            let came: Vec<_> = stage
                .arrivals
                .iter()
                .filter(|arrival| arrival.id == delivery.id)
                .collect();
            assert!(
                came.iter().all(|arrival| arrival.body == delivery.body),
                "{delivery:#?}"
            );
            match &delivery.state {
                DeliveryState::Sent { .. } => assert!(!came.is_empty(), "{delivery:#?}"),
                DeliveryState::Failed(_) => assert!(
                    came.iter().all(|arrival| arrival.life < stage.life),
                    "{delivery:#?}"
                ),
                other => panic!("{other:?}: {delivery:#?}"),
            }
            for pair in came.windows(2) {
                assert!(
                    pair[0].life < pair[1].life,
                    "it came twice without a crash: {delivery:#?}"
                );
            }
        }
    }
}
