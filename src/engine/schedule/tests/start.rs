use std::time::Duration;

use super::at;
use crate::engine::schedule::{jitter, lead};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_run_starts_early_by_what_nine_of_ten_took() {
    let took: Vec<Duration> = (1..=20).map(|n| seconds(n * 10)).collect();
    assert_eq!(lead(&took, seconds(86_400)), seconds(198));
    assert_eq!(lead(&[seconds(100)], seconds(86_400)), seconds(110));
    assert_eq!(lead(&[], seconds(86_400)), Duration::ZERO);
    assert_eq!(
        lead(&[seconds(5_000)], seconds(86_400)),
        seconds(600),
        "at most ten minutes"
    );
    assert_eq!(
        lead(&[seconds(5_000)], seconds(300)),
        seconds(150),
        "at most half of the interval"
    );
}

#[test]
fn jitter_is_by_chance_and_the_same_each_time() {
    let most = seconds(300);
    let of = |job: &str, due: &str| jitter(job, "cron:x", at(due), most);
    assert_eq!(of("a", "2026-11-20T07:00"), of("a", "2026-11-20T07:00"));
    let days: Vec<_> = (10..30)
        .map(|day| of("a", &format!("2026-11-{day}T07:00")))
        .collect();
    assert!(days.iter().all(|one| *one <= most));
    assert!(
        days.iter().max() > Some(&seconds(200)) && days.iter().min() < Some(&seconds(100)),
        "{days:?}"
    );
    assert_ne!(of("a", "2026-11-20T07:00"), of("b", "2026-11-20T07:00"));
    assert_eq!(
        jitter("a", "b", at("2026-11-20T07:00"), Duration::ZERO),
        Duration::ZERO
    );
}
