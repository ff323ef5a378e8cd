//! What has to be true of a world whatever happened to it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::gathered::into_digest;
use super::jobs::{CHAIN, HOOK, SURE, TAIL, TICK};
use super::stage::{Stage, on_stage};
use super::world::World;
use crate::engine::schedule::Occurrences;
use crate::job::{OnUnknown, Outcome, RunState, StepRecord, TriggerKind};
use crate::store::{Delivery, DeliveryState, Filter, Listing, Mode, RunStory, SlotEnd, Store};
use crate::trigger;

/// The error of a step that was under way when its run ended.
const UNDER_WAY: &str = "the run ended while it was under way: it may have had its effect";

pub(super) struct Ledger<'a> {
    world: &'a World,
    stories: Vec<RunStory>,
    pub(super) outbox: Vec<Delivery>,
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
        outbox: store
            .read_now(|reader| reader.outbox(Listing::All, u32::MAX))
            .expect("it is read"),
    };
    for story in &ledger.stories {
        let state = &story.row.state;
        assert!(matches!(state, RunState::Finished(_)), "{story:#?}");
        ledger.messages(story);
        word(story);
        ledger.followers(story);
    }
    ledger.events();
    ledger.asked();
    ledger.gathered();
    ledger.lines();
    on_stage(|stage| {
        ledger.effects(stage);
        ledger.crowds(stage);
        ledger.arrivals(stage);
        ledger.quiet(stage);
    });
    ledger.slots(&store);
    store
        .read_now(|reader| reader.integrity())
        .expect("it is sound");
}

/// Whether a step's result was taken from an earlier run.
fn is_copied(record: &StepRecord) -> bool {
    let detail = record.detail.as_ref();
    detail.is_some_and(|detail| detail.get("from").is_some())
}

fn outcome(story: &RunStory) -> &Outcome {
    match &story.row.state {
        RunState::Finished(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

/// What waits for a word is done after a yes, and nothing of it after a no or none.
fn word(story: &RunStory) {
    let mut steps = story.steps.iter();
    let Some(asked) = steps.find(|record| record.id == SURE) else {
        return;
    };
    let approved = asked
        .result
        .as_ref()
        .map(|result| result["approved"] == true);
    let later = steps.filter(|record| record.position > asked.position);
    let done = later.filter(|record| record.end != "skipped").count();
    match approved {
        Some(true) => {}
        Some(false) => {
            assert_eq!(done, 0, "{story:#?}");
            // Or somebody or something newer was quicker than its end.
            assert!(
                !matches!(outcome(story), Outcome::Ok | Outcome::Failed(_)),
                "{story:#?}"
            );
        }
        // Stopped while it waited.
        None => {
            assert_eq!(done, 0, "{story:#?}");
            assert_ne!(*outcome(story), Outcome::Ok, "{story:#?}");
        }
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
        // What asked for a word is none of them.
        let own = story.deliveries.iter();
        let own = own.filter(|delivery| delivery.message.kind != "journal");
        let own = own.filter(|delivery| !self.is_digest(delivery)).count();
        assert_eq!(own, expected, "{story:#?}");
    }

    /// Whoever was told of a run when he asked for one finds it.
    fn asked(&self) {
        for run in self.world.asked.lock().expect("nobody panicked").iter() {
            let mut stories = self.stories.iter();
            assert!(stories.any(|story| story.row.run == *run), "{run}");
        }
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
            other.row.job == CHAIN
                && other.event.kind == TriggerKind::After
                && other.event.payload["run"] == story.row.run.0
        };
        let found = self.stories.iter().filter(of_run).count();
        assert_eq!(found, usize::from(expected), "those that follow {story:#?}");
    }

    /// Each line of the log is in the message of one good run.
    fn lines(&self) {
        let tails = self.stories.iter().filter(|story| story.row.job == TAIL);
        let bodies = tails
            .flat_map(|story| &story.deliveries)
            .map(|delivery| &delivery.message.body);
        let told: u64 = bodies
            .map(|body| body.parse::<u64>().expect("a number"))
            .sum();
        let of = |story: &&RunStory| story.row.job == TAIL;
        let tails: Vec<_> = self.stories.iter().filter(of).collect();
        assert_eq!(told, self.world.lines, "lines of the log: {tails:#?}");
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
                    // What an earlier run did, where it was done again from a later step.
                    .filter(|record| record.id == step && !is_copied(record))
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

    /// What was sent arrived, and what came twice, or not at all, had a reason.
    fn arrivals(&self, stage: &Stage) {
        for arrival in &stage.arrivals {
            let said = |delivery: &&Delivery| {
                delivery.id == arrival.id && delivery.message.body == arrival.body
            };
            assert!(
                self.outbox.iter().any(|delivery| said(&delivery)),
                "nobody said {arrival:?}"
            );
        }
        for delivery in &self.outbox {
            let came = stage
                .arrivals
                .iter()
                .filter(|arrival| arrival.id == delivery.id);
            let came: Vec<_> = came.collect();
            let parks = delivery.message.policy.on_unknown == OnUnknown::Park;
            assert!(
                !parks || came.len() <= 1,
                "sent twice: {delivery:#?} {came:#?}"
            );
            let told = came
                .iter()
                .any(|arrival| arrival.told && arrival.life == stage.life);
            match &delivery.state {
                DeliveryState::Sent { .. } => {
                    assert!(
                        came.iter().any(|arrival| arrival.told),
                        "{delivery:#?} {came:#?}"
                    );
                }
                DeliveryState::Failed(_) => assert!(!told, "{delivery:#?} {came:#?}"),
                DeliveryState::Parked(_) => assert!(parks && !told, "{delivery:#?} {came:#?}"),
                DeliveryState::Dropped(_) => {
                    let digest = into_digest(delivery);
                    assert!(
                        digest.is_some() && came.is_empty(),
                        "{delivery:#?} {came:#?}"
                    );
                }
                other => panic!("{other:?}: {delivery:#?}"),
            }
            for pair in came.windows(2) {
                // Its answer was not known, or not yet written down when the program died.
                let reason = !pair[0].told || pair[0].life < pair[1].life;
                assert!(reason, "it came twice: {delivery:#?} {came:#?}");
            }
        }
        self.order(stage);
    }

    /// What is sent one after the other arrives in its order.
    fn order(&self, stage: &Stage) {
        let mut last: BTreeMap<&str, &Delivery> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for arrival in &stage.arrivals {
            let of = |delivery: &&Delivery| delivery.id == arrival.id;
            let Some(delivery) = self.outbox.iter().find(of) else {
                continue;
            };
            let wide = delivery.message.policy.width > 1;
            // What the program itself says comes from many sides at once.
            if !seen.insert(arrival.id.0) || wide || delivery.run.is_none() {
                continue;
            }
            // What is committed at one moment by two runs has no order.
            let before = last.insert(&delivery.message.lane, delivery);
            let right = before.is_none_or(|before| {
                before.id.0 < delivery.id.0 || before.created_at == delivery.created_at
            });
            assert!(right, "{before:#?} came before {delivery:#?}");
        }
    }

    /// Each due moment since the trigger was loaded is accounted for, and each run of one has its own.
    fn slots(&self, store: &Store) {
        let loaded = self.world.load();
        let job = &loaded.jobs[TICK];
        let trigger = &job.triggers[0];
        let trigger::Kind::Cron(cron) = &trigger.kind else {
            panic!("{trigger:?}");
        };
        let moments = Occurrences::new(&cron.entry, cron.timezone);
        let slot = |at| {
            let slot = store.read_now(|reader| reader.slot(TICK, &trigger.id, at));
            slot.expect("it is read")
        };
        let known = store
            .read_now(|reader| reader.triggers())
            .expect("it is read");
        let since = known.iter().find(|(known, _)| known.job == TICK);
        let mut at = *since.expect("it was loaded").1;
        while let Some(next) = moments.next(at)
            && next <= self.world.until
        {
            assert!(slot(next).is_some(), "nothing is known of {next}: {cron:?}");
            at = next;
        }
        let mut seen = BTreeSet::new();
        let due =
            |story: &&RunStory| story.row.job == TICK && story.event.kind == TriggerKind::Cron;
        for story in self.stories.iter().filter(due) {
            let due = story.event.payload["due_at"].as_str().expect("it was due");
            let due: DateTime<Utc> = due.parse().expect("a time");
            assert!(seen.insert(due), "two runs for {due}");
            let end = slot(due).map(|slot| slot.end);
            let own = matches!(end, Some(SlotEnd::Run(run) | SlotEnd::CaughtUp(run, _)) if run == story.row.run);
            assert!(own, "{end:?}: {story:#?}");
        }
    }
}
