use super::{DAY, HOUR, Pi, cron};

#[tokio::test]
async fn a_slot_runs_when_it_is_due_and_once() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("0 7 * * *", "")).await;
    pi.live(HOUR - 1).await;
    assert!(pi.due().is_empty());
    pi.live(1).await;
    assert_eq!(pi.due(), ["2026-11-20 07:00+01:00"]);
    pi.live(2 * DAY).await;
    assert_eq!(pi.due().len(), 3);
    assert_eq!(
        pi.events()[0],
        serde_json::json!({
            "kind": "cron", "due_at": "2026-11-20T07:00:00+01:00", "missed": 0, "catch_up": false
        })
    );
    assert_eq!(
        pi.slots(),
        [
            "11-20 06:00 1 run",
            "11-21 06:00 1 run",
            "11-22 06:00 1 run"
        ]
    );
}

#[tokio::test]
async fn the_clock_goes_back_two_hours() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("*/30 * * * *", "")).await;
    pi.live(2 * HOUR).await;
    assert_eq!(pi.due().len(), 4);
    pi.set("2026-11-20T05:00").await;
    pi.live(2 * HOUR).await;
    assert_eq!(pi.due().len(), 4, "what ran does not run again");
    pi.live(HOUR).await;
    assert_eq!(pi.due().len(), 6);
    assert_eq!(pi.slots().len(), 6);
}

#[tokio::test]
async fn the_clock_goes_forward_a_day_and_back() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("0 * * * *", "")).await;
    pi.live(HOUR).await;
    pi.set("2026-11-21T06:00").await;
    assert_eq!(
        pi.slots(),
        [
            "11-20 06:00 1 run",
            "11-20 07:00..11-21 05:00 23 skipped leapt",
            "11-21 06:00 1 caught_up leapt"
        ]
    );
    assert_eq!(pi.events()[1]["missed"], 24);
    pi.live(HOUR).await;
    pi.set("2026-11-20T07:30").await;
    // The moment that passed by the true time stays passed over; those to come still come.
    assert_eq!(
        pi.slots(),
        [
            "11-20 06:00 1 run",
            "11-20 07:00 1 skipped leapt",
            "11-21 06:00 1 caught_up leapt",
            "11-21 07:00 1 run"
        ]
    );
    pi.live(DAY).await;
    let slots = pi.slots();
    assert_eq!(slots.len(), 1 + 1 + 24);
    assert!(
        slots[2..].iter().all(|slot| slot.contains(" 1 ")),
        "{slots:?}"
    );
    assert_eq!(
        pi.due().len(),
        25,
        "each but the one that was passed over, and each once"
    );
}

#[tokio::test]
async fn a_stretch_that_was_passed_over_in_the_future_still_comes() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 * * * *", "missed = \"skip\"")).await;
    pi.set("2026-11-21T05:30").await;
    assert_eq!(pi.slots(), ["11-20 06:00..11-21 05:00 24 skipped leapt"]);
    pi.set("2026-11-20T05:31").await;
    assert!(pi.slots().is_empty(), "none of it was really due");
    pi.live(3 * HOUR).await;
    assert_eq!(pi.due().len(), 3);
}

#[tokio::test]
async fn a_machine_that_sleeps_over_a_slot_makes_good_for_it() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("0 7 * * *", "")).await;
    pi.live(60).await;
    // Suspended: the wall clock goes on, the other does not.
    pi.set("2026-11-20T07:11").await;
    assert_eq!(pi.slots(), ["11-20 06:00 1 caught_up leapt"]);
    let event = &pi.events()[0];
    assert_eq!(
        (&event["missed"], &event["catch_up"]),
        (&1.into(), &true.into())
    );
}

#[tokio::test]
async fn days_of_23_and_25_hours() {
    for (from, count) in [
        ("2027-03-27T22:59", 23),
        ("2027-10-30T21:59", 25),
        ("2026-11-19T22:59", 24),
    ] {
        let mut pi = Pi::with(from, &cron("0 * * * *", "")).await;
        pi.live((count - 1) * HOUR + 120).await;
        let due = pi.due();
        assert_eq!(due.len() as u64, count, "{due:?}");
        assert!(
            due[0].contains(" 00:00") && due[due.len() - 1].contains(" 23:00"),
            "{due:?}"
        );
        assert_eq!(pi.slots().len() as u64, count);
    }
}

#[tokio::test]
async fn fixed_times_at_both_edges_run_once() {
    let mut pi = Pi::with("2027-03-27T22:00", &cron("30 2 * * *", "")).await;
    pi.live(6 * HOUR).await;
    assert_eq!(pi.due(), ["2027-03-28 03:00+02:00"]);
    let mut pi = Pi::with("2027-10-30T22:00", &cron("30 2 * * *", "")).await;
    pi.live(6 * HOUR).await;
    assert_eq!(pi.due(), ["2027-10-31 02:30+02:00"]);
}

#[tokio::test]
async fn what_passes_before_a_moment_that_ran_already_is_accounted_for() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 * * * *", "")).await;
    pi.set("2026-11-21T06:00").await;
    pi.set("2026-11-20T05:31").await;
    assert_eq!(pi.slots(), ["11-21 06:00 1 caught_up leapt"]);
    // Off until the moment that ran while the clock was ahead is the newest of those that were missed.
    pi.off(DAY + HOUR).await;
    assert_eq!(
        pi.slots(),
        [
            "11-20 06:00..11-21 05:00 24 skipped off",
            "11-21 06:00 1 caught_up leapt"
        ]
    );
    assert_eq!(pi.due().len(), 1);
}
