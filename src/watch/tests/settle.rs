//! When something has settled.

use super::*;

const SETTLE: Duration = Duration::from_secs(2);

async fn slow(place: &Place, grouping: Grouping) {
    fs::create_dir_all(place.path("in")).unwrap();
    let mut wanted = place.wanted("in");
    wanted.pace.settle = SETTLE;
    wanted.pace.grouping = grouping;
    place.watch(wanted).await;
}

#[tokio::test]
async fn an_event_comes_once_the_settle_time_has_passed_and_not_before() {
    let mut place = Place::new();
    slow(&place, Grouping::Each).await;
    put(&place.path("in/a"), "one");
    place.clock.sleeping(1).await;
    place.clock.advance(SETTLE - Duration::from_millis(1));
    place.clock.sleeping(1).await;
    assert!(place.told.try_recv().is_err());
    place.clock.advance(Duration::from_millis(1));
    assert_eq!(place.next().await, line("in/a", "created", "one"));
}

#[tokio::test]
async fn a_reload_loses_nothing_that_has_not_settled() {
    let mut place = Place::new();
    slow(&place, Grouping::Each).await;
    put(&place.path("in/a"), "one");
    place.clock.sleeping(1).await;
    let mut wanted = place.wanted("in");
    wanted.pace.settle = SETTLE * 2;
    let mut other = place.wanted("out");
    other.trigger = "other".to_owned();
    place.watch_all(vec![wanted, other]).await;
    place.clock.sleeping(1).await;
    place.clock.advance(SETTLE * 2);
    assert_eq!(place.next().await, line("in/a", "created", "one"));
}

#[tokio::test]
async fn the_steps_of_the_wall_clock_change_nothing() {
    let mut place = Place::new();
    slow(&place, Grouping::Each).await;
    put(&place.path("in/a"), "one");
    place.clock.sleeping(1).await;
    place.clock.set_wall(DateTime::UNIX_EPOCH);
    place.clock.advance(SETTLE);
    assert_eq!(place.next().await, line("in/a", "created", "one"));
    place.restart();
    slow(&place, Grouping::Each).await;
    put(&place.path("in/b"), "two");
    place.clock.sleeping(1).await;
    place.clock.advance(SETTLE);
    assert_eq!(place.next().await, line("in/b", "created", "two"));
}
