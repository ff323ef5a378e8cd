use std::time::Duration;

use super::{Occurrences, at, entry};
use crate::engine::schedule::{Due, GRACE, Plan, Policy, plan};
use crate::job::Stretch;
use crate::trigger::Missed;

/// What becomes of the moments of `text` since `after`.
fn planned(text: &str, missed: Missed, max_age: Option<u64>, after: &str, now: &str) -> Plan {
    let entry = entry(text);
    let moments = Occurrences::new(&entry, crate::zone::Tz::named("Europe/Madrid").unwrap());
    let policy = Policy {
        missed,
        max_age: max_age.map(Duration::from_secs),
        grace: GRACE,
    };
    plan(&moments, (at(after), at(now)), at(now), policy)
}

fn stretch(from: &str, to: &str, count: u64) -> Option<Stretch> {
    Some(Stretch {
        from: at(from),
        to: at(to),
        count,
    })
}

fn due(due: &str, missed: u64) -> Due {
    Due {
        at: at(due),
        missed,
    }
}

#[test]
fn on_time_is_not_missed() {
    for missed in [Missed::Latest, Missed::All, Missed::Skip] {
        let plan = planned(
            "0 7 * * *",
            missed,
            None,
            "2026-11-19T06:00",
            "2026-11-20T06:00:01Z",
        );
        assert_eq!(plan.due, [due("2026-11-20T06:00", 0)]);
        assert_eq!((plan.skipped, plan.too_old), (None, None));
        let none = planned(
            "0 7 * * *",
            missed,
            None,
            "2026-11-20T06:00",
            "2026-11-20T06:00:01Z",
        );
        assert_eq!(none, Plan::default());
    }
}

#[test]
fn ninety_days_of_minutes_are_one_run_and_one_stretch() {
    let plan = planned(
        "* * * * *",
        Missed::Latest,
        None,
        "2026-01-01T00:00",
        "2026-04-01T00:00",
    );
    assert_eq!(plan.due, [due("2026-04-01T00:00", 129_600)]);
    assert_eq!(
        plan.skipped,
        stretch("2026-01-01T00:01", "2026-03-31T23:59", 129_599)
    );
    assert_eq!(plan.too_old, None);
}

#[test]
fn the_latest_runs_unless_it_is_too_old() {
    let at_eight = |max_age| {
        planned(
            "0 7 * * *",
            Missed::Latest,
            max_age,
            "2026-11-19T06:00",
            "2026-11-20T07:11",
        )
    };
    assert_eq!(at_eight(None).due, [due("2026-11-20T06:00", 1)]);
    assert_eq!(at_eight(Some(3 * 3600)).due, [due("2026-11-20T06:00", 1)]);
    let old = at_eight(Some(3600));
    assert_eq!(
        (old.due.len(), old.too_old),
        (0, stretch("2026-11-20T06:00", "2026-11-20T06:00", 1))
    );
}

#[test]
fn all_run_but_the_too_old() {
    let plan = planned(
        "*/30 * * * *",
        Missed::All,
        Some(3600),
        "2026-11-20T00:00",
        "2026-11-20T03:10",
    );
    assert_eq!(
        plan.too_old,
        stretch("2026-11-20T00:30", "2026-11-20T02:00", 4)
    );
    assert_eq!(
        plan.due,
        [due("2026-11-20T02:30", 1), due("2026-11-20T03:00", 1)]
    );
    let many = planned(
        "* * * * *",
        Missed::All,
        None,
        "2026-01-01T00:00",
        "2026-04-01T00:00",
    );
    assert_eq!(many.due.len(), 100, "in portions");
    assert_eq!(many.skipped, None);
}

#[test]
fn skip_runs_what_is_on_time_only() {
    let late = planned(
        "*/30 * * * *",
        Missed::Skip,
        None,
        "2026-11-20T00:00",
        "2026-11-20T03:10",
    );
    assert_eq!(
        (late.due.len(), late.skipped),
        (0, stretch("2026-11-20T00:30", "2026-11-20T03:00", 6))
    );
    let timely = planned(
        "*/30 * * * *",
        Missed::Skip,
        None,
        "2026-11-20T00:00",
        "2026-11-20T03:00",
    );
    assert_eq!(timely.due, [due("2026-11-20T03:00", 0)]);
    assert_eq!(
        timely.skipped,
        stretch("2026-11-20T00:30", "2026-11-20T02:30", 5)
    );
}
