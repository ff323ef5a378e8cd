use super::{HOUR, Pi, cron};

#[tokio::test]
async fn a_clock_that_begins_in_1970_is_waited_for() {
    let mut pi = Pi::with("2026-11-19T05:00", &cron("*/10 * * * *", "")).await;
    pi.live(HOUR).await;
    assert_eq!(pi.due().len(), 6);
    pi.clock.set_wall(super::at("1970-01-01T00:00"));
    pi.start().await;
    pi.live(300).await;
    assert_eq!(pi.due().len(), 6, "slots wait");
    // And 56 years later:
    pi.set("2026-11-20T06:12").await;
    assert_eq!(pi.due().len(), 7);
    assert_eq!(
        pi.slots()[6..],
        [
            "11-19 06:10..11-20 06:00 144 skipped off",
            "11-20 06:10 1 caught_up off"
        ]
    );
    assert_eq!(pi.events()[6].get("clock"), None);
    pi.live(HOUR).await;
    assert_eq!(pi.due().len(), 13);
}

#[tokio::test]
async fn a_first_life_in_1970_has_no_past() {
    let mut pi = Pi::with("1970-01-01T00:00", &cron("*/10 * * * *", "")).await;
    pi.live(500).await;
    assert!(pi.due().is_empty());
    pi.set("2026-11-20T06:12").await;
    assert!(
        pi.due().is_empty() && pi.slots().is_empty(),
        "its moments count from now"
    );
    pi.live(600).await;
    assert_eq!(pi.due(), ["2026-11-20 07:20+01:00"]);
}

#[tokio::test]
async fn the_wait_is_bounded_and_the_runs_are_marked() {
    let mut pi = Pi::with("1970-01-01T00:00", &cron("*/30 * * * *", "")).await;
    pi.live(2 * HOUR).await;
    let events = pi.events();
    assert_eq!(events.len(), 4);
    assert!(
        events.iter().all(|event| event["clock"] == "unsure"),
        "{events:?}"
    );
    pi.set("2026-11-20T06:12").await;
    pi.live(HOUR).await;
    let events = pi.events();
    assert_eq!(events.len(), 6, "56 years are not made good for");
    assert!(
        events[4..].iter().all(|event| event.get("clock").is_none()),
        "{events:?}"
    );
}

#[tokio::test]
async fn where_somebody_sets_the_clock_his_word_counts() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("*/2 * * * *", "")).await;
    pi.file("run/systemd/timesync/other", "");
    pi.start().await;
    pi.live(300).await;
    assert!(pi.due().is_empty(), "a plausible time is not enough");
    pi.file("run/systemd/timesync/synchronized", "");
    pi.live(240).await;
    assert_eq!(pi.due().len(), 3);
    assert_eq!(pi.slots()[..1], ["11-20 05:02 1 skipped off"]);
}

#[tokio::test]
async fn where_nobody_does_a_clock_that_was_later_before_is_not_believed() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("*/2 * * * *", "")).await;
    pi.live(600).await;
    let before = pi.due().len();
    pi.clock.set_wall(super::at("2026-11-10T00:00"));
    pi.start().await;
    pi.live(300).await;
    assert_eq!(pi.due().len(), before);
}
