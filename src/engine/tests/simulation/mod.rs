//! Worlds that seeds fix: a daemon lives, things happen, it dies at any point, and at the end everything is accounted for.
//!
//! `REVEILLE_SEEDS=10000` takes more of them, `REVEILLE_FROM=N` others, `REVEILLE_SEED=N` only that one.

mod checks;
mod gathered;
mod hands;
mod jobs;
mod life;
mod rng;
mod stage;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub(in crate::engine) use stage::{Does, sink, stands_in};

use life::Life;
use stage::Stage;
use world::World;

/// So many worlds for each of the tests below.
const SEEDS: u64 = 50;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The tests share the seeds, so that they use all cores.
fn worlds(part: u64) {
    if let Some(seed) = number("REVEILLE_SEED") {
        if part == 0 {
            one(seed);
        }
        return;
    }
    let seeds = number("REVEILLE_SEEDS").map_or(SEEDS, |seeds| seeds / 4);
    let from = number("REVEILLE_FROM").unwrap_or_default();
    for seed in (0..seeds).map(|seed| from + 4 * seed + part) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| one(seed))) {
            eprintln!("seed {seed}: REVEILLE_SEED={seed} cargo test --lib simulation");
            resume_unwind(panic);
        }
    }
}

fn one(seed: u64) {
    let mut world = World::new(seed);
    world.open_stage();
    for _ in 0..1 + world.rng.below(6) {
        life::live(&mut world, Life::Troubled);
    }
    life::live(&mut world, Life::Last);
    checks::check(&world);
    Stage::set(None);
}

#[test]
fn worlds_that_leave_0() {
    worlds(0);
}

#[test]
fn worlds_that_leave_1() {
    worlds(1);
}

#[test]
fn worlds_that_leave_2() {
    worlds(2);
}

#[test]
fn worlds_that_leave_3() {
    worlds(3);
}
