use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::job::{Claimed, Fate, Passed, Reason, SlotClaim, Stretch};

const TRIGGER: &str = "cron:0 * * * * UTC";

/// So many hours after the beginning.
fn hour(hour: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(hour)
}

fn stretch(from: i64, to: i64) -> Stretch {
    Stretch {
        from: hour(from),
        to: hour(to),
        count: u64::try_from(to - from + 1).unwrap(),
    }
}

async fn pass(home: &Home, from: i64, to: i64, reason: Reason) {
    let passed = Passed {
        stretch: stretch(from, to),
        fate: Fate::Skipped,
        reason,
    };
    home.store.pass("job", TRIGGER, passed).await.unwrap();
}

fn claim(due: i64) -> SlotClaim {
    SlotClaim {
        trigger: TRIGGER.to_owned(),
        due_at: hour(due),
        when: Claimed::InTime,
        passed: None,
    }
}

async fn run(home: &Home, claim: SlotClaim) -> Accepted {
    let along = Along {
        slot: Some(claim),
        ..Along::default()
    };
    let accepted = home
        .store
        .accept_along(event("job", None), "hash", Start::Queued, along);
    accepted.await.unwrap()
}

fn slot(home: &Home, due: i64) -> Option<SlotRow> {
    home.store
        .read_now(|reader| reader.slot("job", TRIGGER, hour(due)))
        .unwrap()
}

fn fate(home: &Home, due: i64) -> Option<(i64, i64, u64)> {
    let row = slot(home, due).filter(|row| matches!(row.end, SlotEnd::Passed(..)))?;
    let since = |at: DateTime<Utc>| (at - start()).num_hours();
    Some((
        since(row.stretch.from),
        since(row.stretch.to),
        row.stretch.count,
    ))
}

const RESTING: Reason = Reason::Paused {
    since: DateTime::<Utc>::UNIX_EPOCH,
};

#[tokio::test]
async fn a_slot_has_one_run() {
    let home = Home::new();
    let first = run(&home, claim(1)).await;
    assert!(matches!(first, Accepted::New(_)));
    assert_eq!(run(&home, claim(1)).await, Accepted::Duplicate(first.run()));
    assert_eq!(
        slot(&home, 1).map(|row| row.end),
        Some(SlotEnd::Run(first.run()))
    );
    assert_eq!(
        home.history().len(),
        1,
        "the run is not there without its slot"
    );
    pass(&home, 2, 5, Reason::Busy).await;
    assert!(
        matches!(run(&home, claim(2)).await, Accepted::Duplicate(_)),
        "what was passed over is accounted for"
    );
}

#[tokio::test]
async fn what_goes_on_for_one_reason_is_one_row() {
    let home = Home::new();
    pass(&home, 1, 1, RESTING).await;
    pass(&home, 2, 3, RESTING).await;
    assert_eq!(fate(&home, 2), Some((1, 3, 3)));
    pass(&home, 4, 4, Reason::Busy).await;
    assert_eq!(fate(&home, 4), Some((4, 4, 1)));
    run(&home, claim(5)).await;
    pass(&home, 6, 6, Reason::Busy).await;
    assert_eq!(fate(&home, 6), Some((6, 6, 1)), "a run lies between");
    // Another process says the same again.
    pass(&home, 2, 3, RESTING).await;
    assert_eq!(fate(&home, 3), Some((1, 3, 3)));
}

#[tokio::test]
async fn a_stretch_that_begins_with_one_that_ran_leaves_it_its_run() {
    let home = Home::new();
    run(&home, claim(3)).await;
    pass(&home, 3, 6, Reason::Busy).await;
    assert!(matches!(
        slot(&home, 3).map(|row| row.end),
        Some(SlotEnd::Run(_))
    ));
    assert_eq!(fate(&home, 4), Some((3, 6, 3)));
    // And one in the midst of it.
    run(&home, claim(8)).await;
    pass(&home, 7, 9, RESTING).await;
    assert!(matches!(
        slot(&home, 8).map(|row| row.end),
        Some(SlotEnd::Run(_))
    ));
    assert_eq!(fate(&home, 9), Some((7, 9, 3)));
}

#[tokio::test]
async fn what_was_passed_over_in_the_future_is_taken_back() {
    let home = Home::new();
    pass(&home, 1, 10, Reason::Busy).await;
    run(&home, claim(11)).await;
    pass(&home, 12, 20, Reason::Busy).await;
    let ahead = |hours| {
        home.store
            .read_now(|reader| reader.ahead("job", TRIGGER, hour(hours)))
            .unwrap()
    };
    assert!(ahead(4) && ahead(11) && !ahead(20));
    let left = |from: DateTime<Utc>| {
        assert_eq!(from, hour(1));
        Some(stretch(1, 4))
    };
    home.store
        .unpass("job", TRIGGER, hour(4), left)
        .await
        .unwrap();
    assert_eq!(fate(&home, 4), Some((1, 4, 4)));
    assert_eq!((fate(&home, 5), fate(&home, 12)), (None, None));
    assert!(slot(&home, 11).is_some(), "what ran stays");
    assert!(!ahead(4));
}

#[tokio::test]
async fn old_slots_go_and_each_trigger_keeps_its_newest() {
    let home = Home::new();
    for due in 1..=10 {
        run(&home, claim(due)).await;
    }
    let other = SlotClaim {
        trigger: "another".to_owned(),
        ..claim(1)
    };
    run(&home, other).await;
    home.store.forget_slots(hour(4), 1000).await.unwrap();
    assert_eq!((slot(&home, 3), slot(&home, 4).is_some()), (None, true));
    let newest = home
        .store
        .read_now(|reader| reader.slot("job", "another", hour(1)));
    assert!(newest.unwrap().is_some(), "so that it does not come again");
    home.store.forget_slots(hour(4), 3).await.unwrap();
    assert_eq!((slot(&home, 7), slot(&home, 8).is_some()), (None, true));
    home.store.forget_slots(hour(100), 3).await.unwrap();
    assert_eq!((slot(&home, 9), slot(&home, 10).is_some()), (None, true));
}

#[tokio::test]
async fn triggers_count_from_their_first_load() {
    let home = Home::new();
    let trigger = |id: &str, moments: &str| TimedTrigger {
        job: "job".to_owned(),
        id: id.to_owned(),
        moments: moments.to_owned(),
    };
    let since = |trigger: &TimedTrigger| {
        let known = home.store.read_now(|reader| reader.triggers()).unwrap();
        known
            .get(trigger)
            .map(|since| (*since - start()).num_seconds())
    };
    let (a, b) = (trigger("a", "0 7 * * *"), trigger("b", "0 8 * * *"));
    home.store.load_triggers(vec![a.clone()]).await.unwrap();
    home.clock.advance(Duration::from_secs(10));
    home.store
        .load_triggers(vec![a.clone(), b.clone()])
        .await
        .unwrap();
    assert_eq!((since(&a), since(&b)), (Some(0), Some(10)));
    let changed = trigger("a", "0 9 * * *");
    home.store
        .load_triggers(vec![changed.clone()])
        .await
        .unwrap();
    assert_eq!(
        (since(&a), since(&changed), since(&b)),
        (None, Some(10), None)
    );
    // From a clock that was ahead.
    home.clock.set_wall(start() - TimeDelta::seconds(100));
    home.store
        .load_triggers(vec![changed.clone()])
        .await
        .unwrap();
    assert_eq!(since(&changed), Some(-100));
}

#[tokio::test]
async fn a_rest_keeps_its_beginning_and_ends_once() {
    let home = Home::new();
    let pause = || {
        home.store
            .read_now(|reader| reader.pauses())
            .unwrap()
            .get("job")
            .copied()
    };
    assert_eq!(home.store.resume("job").await.unwrap(), None);
    home.store.pause("job", None).await.unwrap();
    home.clock.advance(Duration::from_secs(10));
    home.store.pause("job", Some(hour(1))).await.unwrap();
    assert_eq!(
        pause().map(|pause| (pause.since, pause.until)),
        Some((start(), Some(hour(1))))
    );
    assert!(home.store.resume("job").await.unwrap().is_some());
    assert!(!pause().is_some_and(|pause| pause.holds(home.clock.now())));
    assert_eq!(home.store.resume("job").await.unwrap(), None);
    home.clock.advance(Duration::from_secs(10));
    home.store.pause("job", None).await.unwrap();
    assert_eq!(
        pause().map(|pause| pause.since),
        Some(start() + TimeDelta::seconds(20))
    );
}

#[tokio::test]
async fn questions_about_slots_cost_the_same_however_many_there_are() {
    let home = Home::new();
    let plan = |sql: &str| {
        let explained = home.store.read_now(|reader| {
            let mut statement = reader
                .connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let rows = statement.query_map([], |row| row.get::<_, String>("detail"))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.join("\n"))
        });
        explained.unwrap()
    };
    for sql in [
        "SELECT * FROM slots WHERE job = 'a' AND trigger = 'b' AND due_at = 5",
        "SELECT * FROM slots INDEXED BY slots_passed WHERE job = 'a' AND trigger = 'b' AND due_at < 5 AND run_id IS NULL
         ORDER BY due_at DESC LIMIT 1",
        "SELECT * FROM slots WHERE job = 'a' AND trigger = 'b' AND due_at > 5 AND due_at < 7 ORDER BY due_at LIMIT 100",
        "SELECT until FROM slots WHERE job = 'a' AND trigger = 'b' AND due_at <= 5 AND NOT ahead
         ORDER BY due_at DESC LIMIT 1",
        "SELECT min(trigger) FROM slots WHERE job = 'a' AND trigger > 'b'",
    ] {
        let plan = plan(sql);
        assert!(
            plan.starts_with("SEARCH slots USING"),
            "{sql}\n{plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}
