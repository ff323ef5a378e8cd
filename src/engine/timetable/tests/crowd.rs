use std::time::Duration;

use super::{HOUR, Pi, cron};
use crate::clock::Clock;

#[tokio::test]
async fn a_thousand_at_one_instant_are_all_brought_and_none_twice() {
    let job = cron("0 7 * * *", "");
    let names: Vec<String> = (0..1000).map(|number| format!("job-{number}")).collect();
    let jobs: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), job.as_str()))
        .collect();
    let mut pi = Pi::on("2026-11-20T05:59", &jobs).await;
    pi.live(60).await;
    assert_eq!(pi.slots().len(), 1000);
    assert_eq!(pi.due().len(), 1000);
}

#[tokio::test]
async fn jitter_starts_later_and_is_no_catching_up() {
    let mut pi = Pi::with("2026-11-20T05:59", &cron("0 7 * * *", "jitter = \"30m\"")).await;
    let next = pi.look().await.unwrap();
    let late = next - super::at("2026-11-20T06:00");
    assert!(
        late.num_seconds() > 60 && late.num_minutes() <= 30,
        "{late}"
    );
    pi.live(HOUR).await;
    assert_eq!(pi.slots(), ["11-20 06:00 1 run"]);
    assert_eq!(pi.events()[0]["catch_up"], false);
}

#[tokio::test]
async fn on_time_starts_early_by_what_runs_took() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 7 * * *", "on_time = true")).await;
    assert_eq!(
        pi.look().await,
        Some(super::at("2026-11-20T06:00")),
        "nothing is known yet"
    );
    pi.live(HOUR).await;
    let run = crate::job::RunId(1);
    let store = &pi.engine.store;
    store.begin(run, &pi.engine.lock).await.unwrap();
    pi.clock.advance(Duration::from_secs(100));
    let state = crate::job::RunState::Finished(crate::job::Outcome::Ok);
    let update = crate::store::RunUpdate {
        state: Some(state),
        ..crate::store::RunUpdate::of(run)
    };
    store.record(update).await.unwrap();
    pi.start().await;
    let start = pi.look().await.unwrap();
    assert_eq!(
        start,
        super::at("2026-11-21T05:58:10Z"),
        "a tenth more than 100 s"
    );
    let left = start - pi.clock.now();
    pi.live(left.num_seconds() as u64).await;
    assert_eq!(pi.slots()[1..], ["11-21 06:00 1 run"]);
    // A restart before the moment itself does not run it again.
    pi.off(30).await;
    pi.live(HOUR).await;
    assert_eq!(pi.due().len(), 2);
}
