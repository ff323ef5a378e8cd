use super::{DAY, HOUR, Pi, cron};

#[tokio::test]
async fn ninety_days_of_minutes_are_one_run() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("* * * * *", "")).await;
    pi.off(90 * DAY).await;
    let events = pi.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["missed"], 129_600);
    assert_eq!(events[0]["catch_up"], true);
    assert_eq!(
        pi.slots(),
        [
            "11-20 05:01..02-18 04:59 129599 skipped off",
            "02-18 05:00 1 caught_up off"
        ]
    );
}

#[tokio::test]
async fn a_briefing_is_caught_up_or_too_old() {
    let job = cron("0 7 * * *", "max_age = \"3h\"");
    let mut pi = Pi::with("2026-11-20T05:00", &job).await;
    pi.off(2 * HOUR + 11 * 60).await;
    assert_eq!(pi.slots(), ["11-20 06:00 1 caught_up off"]);
    pi.off(DAY + 3 * HOUR).await;
    assert_eq!(pi.slots()[1..], ["11-21 06:00 1 too_old off"]);
    assert_eq!(pi.due().len(), 1);
}

#[tokio::test]
async fn all_that_was_missed_can_run() {
    let job = cron("0 * * * *", "missed = \"all\"\nmax_age = \"200h\"");
    let mut pi = Pi::with("2026-11-20T05:30", &job).await;
    pi.off(300 * HOUR).await;
    assert_eq!(pi.slots()[0], "11-20 06:00..11-24 09:00 100 too_old off");
    assert_eq!(pi.due().len(), 200);
    assert_eq!(pi.slots().len(), 201);
}

#[tokio::test]
async fn skip_forgets_what_was_missed() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 * * * *", "missed = \"skip\"")).await;
    pi.off(5 * HOUR).await;
    assert_eq!(pi.slots(), ["11-20 06:00..11-20 10:00 5 skipped off"]);
    assert!(pi.due().is_empty());
}

#[tokio::test]
async fn the_reason_says_since_when_and_until_when() {
    let mut pi = Pi::with("2026-11-20T05:41", &cron("0 7 * * *", "")).await;
    pi.live(60).await;
    pi.file("proc/uptime", "60.00 1.00\n");
    pi.off(5400).await;
    let (from, to) = (super::at("2026-11-20T05:41"), super::at("2026-11-20T07:12"));
    let trigger = "cron:0 7 * * * Europe/Madrid";
    let slot = |pi: &Pi| {
        pi.engine
            .store
            .read_now(|reader| reader.slot("x", trigger, super::at("2026-11-20T06:00")))
    };
    let end = slot(&pi).unwrap().map(|slot| slot.end);
    let expected =
        crate::store::SlotEnd::CaughtUp(crate::job::RunId(1), crate::job::Reason::Off { from, to });
    assert_eq!(end, Some(expected));
    // On for longer than the program was away: it was stopped.
    pi.file("proc/uptime", "999999.00 1.00\n");
    pi.off(DAY).await;
    assert_eq!(pi.slots()[1], "11-21 06:00 1 caught_up stopped");
}

#[tokio::test]
async fn a_crash_after_the_commit_leaves_the_run_to_the_next_life() {
    let mut pi = Pi::with("2026-11-20T05:59", &cron("0 7 * * *", "")).await;
    pi.live(60).await;
    // Neither the timetable nor anybody else executed it; another life finds it accounted for.
    pi.off(10).await;
    pi.live(60).await;
    assert_eq!(pi.due().len(), 1);
    let active = pi.engine.store.read_now(|reader| reader.active()).unwrap();
    assert_eq!(active.len(), 1, "its run is still there to be executed");
}

#[tokio::test]
async fn two_timetables_on_one_store_run_a_slot_once() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("*/10 * * * *", "")).await;
    let machine = super::machine(&pi.folder);
    let mut other = super::Timetable::new(&pi.engine, pi.intake.clone(), machine).unwrap();
    for _ in 0..7 {
        other.tick().await.unwrap();
        pi.live(600).await;
        other.tick().await.unwrap();
    }
    assert_eq!(pi.due().len(), 7);
    pi.off(HOUR).await;
    other.tick().await.unwrap();
    assert_eq!(pi.due().len(), 8);
    assert_eq!(pi.slots().len(), 9, "{:?}", pi.slots());
}

#[tokio::test]
async fn a_job_at_rest_does_not_start() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 * * * *", "")).await;
    pi.live(HOUR).await;
    pi.engine.store.pause("x", None).await.unwrap();
    pi.live(3 * HOUR).await;
    assert_eq!(pi.due().len(), 1);
    assert_eq!(
        pi.slots()[1..],
        ["11-20 07:00..11-20 09:00 3 skipped paused"]
    );
    pi.engine.store.resume("x").await.unwrap();
    pi.live(HOUR).await;
    assert_eq!(
        pi.due().len(),
        2,
        "what passed meanwhile is not made good for"
    );
    pi.engine
        .store
        .pause("x", Some(super::at("2026-11-20T12:00")))
        .await
        .unwrap();
    pi.live(3 * HOUR).await;
    assert_eq!(
        pi.slots()[3..],
        [
            "11-20 11:00 1 skipped paused",
            "11-20 12:00 1 run",
            "11-20 13:00 1 run"
        ]
    );
}

#[tokio::test]
async fn a_rest_that_ends_while_the_machine_is_off_still_counts() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 * * * *", "")).await;
    pi.engine
        .store
        .pause("x", Some(super::at("2026-11-20T08:30")))
        .await
        .unwrap();
    pi.off(5 * HOUR).await;
    assert_eq!(
        pi.slots(),
        [
            "11-20 06:00..11-20 08:00 3 skipped paused",
            "11-20 09:00 1 skipped off",
            "11-20 10:00 1 caught_up off"
        ]
    );
    assert_eq!(pi.events()[0]["missed"], 2);
}
