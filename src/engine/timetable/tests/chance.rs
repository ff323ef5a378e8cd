use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};

use super::{HOUR, Pi, cron};
use crate::clock::Clock;
use crate::hash::fnv1a;

/// A life of chance: it lives, its clock is set back and forth, it is off, its job rests. In the end each moment since the first load
/// is accounted for, and none ran twice.
async fn life(seed: u64, missed: &str) {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("*/30 * * * *", missed)).await;
    pi.file("run/systemd/timesync/synchronized", "");
    let mut story = Vec::new();
    for step in 0..20_u64 {
        let chance = fnv1a(format!("{seed} {step}").as_bytes());
        let minutes = chance / 7 % (30 * 60);
        match chance % 7 {
            0 | 1 => pi.live(minutes * 60 / 4).await,
            2 => pi.off(minutes * 60).await,
            3 | 4 => {
                let by = TimeDelta::minutes(minutes as i64);
                let to = if chance % 7 == 3 {
                    pi.clock.now() + by
                } else {
                    pi.clock.now() - by
                };
                pi.set(&to.format("%FT%TZ").to_string()).await;
            }
            5 => pi.start().await,
            _ => {
                let until = pi.clock.now() + TimeDelta::minutes(minutes as i64 / 4);
                pi.engine.store.pause("x", Some(until)).await.unwrap();
            }
        }
        story.push((chance % 7, minutes, pi.clock.now()));
    }
    // Beyond all that any of its clocks said.
    let latest = story
        .iter()
        .map(|(_, _, now)| *now)
        .max()
        .unwrap_or_default()
        + TimeDelta::hours(31);
    pi.set(&latest.format("%FT%TZ").to_string()).await;
    pi.live(HOUR).await;
    let due = pi.due();
    let distinct: BTreeSet<_> = due.iter().collect();
    assert_eq!(
        distinct.len(),
        due.len(),
        "seed {seed} ran a moment twice: {story:?}"
    );
    let now = pi.clock.now();
    let store = &pi.engine.store;
    let loaded = store.read_now(|reader| reader.triggers()).unwrap();
    let (trigger, since) = loaded.into_iter().next().expect("it is loaded");
    let mut moment: chrono::DateTime<Utc> = super::at("2026-11-01T00:00");
    while moment <= now {
        if moment > since {
            let slot = store
                .read_now(|reader| reader.slot("x", &trigger.id, moment))
                .unwrap();
            assert!(
                slot.is_some(),
                "seed {seed} lost {moment}: {story:?}\n{:#?}",
                pi.slots()
            );
        }
        moment += TimeDelta::minutes(30);
    }
}

#[tokio::test]
async fn whatever_the_clock_does_each_moment_is_accounted_for_and_none_runs_twice() {
    for seed in 0..3 {
        life(seed, "").await;
        life(seed, "missed = \"all\"").await;
        life(seed, "missed = \"skip\"").await;
    }
}
