//! Making, changing, deleting, undoing.

use super::*;

const DINNER: (&str, &str) = ("2026-11-24T20:00:00+01:00", "2026-11-24T22:00:00+01:00");

impl World {
    /// What lies under an id.
    async fn seen(&self, id: &str) -> Resource {
        let all = self.all().await;
        let change = all.changes.into_iter().find(|change| change.id == id);
        change.expect("it is there").now.expect("it is an event")
    }

    async fn is_on(&self, date: &str, expected: &[&str]) {
        assert_eq!(on(&self.all().await, date), expected, "{date}");
    }
}

fn whole<'a>(id: &'a str, seen: &'a Resource) -> Target<'a> {
    Target {
        id,
        seen,
        occurrence: None,
    }
}

#[tokio::test]
async fn a_second_try_finds_what_the_first_one_made() {
    let world = World::robot(Write::Yes).await;
    let dinner = draft("dinner1", "Dinner, at Ana's", DINNER.0, DINNER.1);
    let (id, made) = world.google.create("primary", &dinner).await.expect("made");
    assert_eq!(id, "dinner1");
    assert_eq!(made, world.seen("dinner1").await);
    let again = world
        .google
        .create("primary", &dinner)
        .await
        .expect("found");
    assert_eq!(again, (id, made.clone()));
    assert_eq!(world.server.count(OWN), 1);
    world
        .is_on("2026-11-24", &["20:00-22:00 Dinner, at Ana's"])
        .await;
    let other = draft("dinner1", "Lunch", DINNER.0, DINNER.1);
    let error = world.google.create("primary", &other).await;
    assert!(matches!(error, Err(RemoteError::Changed)), "{error:?}");
    world
        .google
        .delete("primary", &whole("dinner1", &made))
        .await
        .expect("deleted");
    let error = world.google.create("primary", &dinner).await;
    assert!(matches!(error, Err(RemoteError::Gone)), "{error:?}");
    let trip = draft("trip12", "Trip", "2026-11-26", "2026-11-28");
    world.google.create("primary", &trip).await.expect("made");
    world.is_on("2026-11-27", &["- Trip"]).await;
}

#[tokio::test]
async fn a_try_whose_answer_was_lost_makes_no_double() {
    let world = World::robot(Write::Yes).await;
    world.all().await;
    let dinner = draft("dinner1", "Dinner", DINNER.0, DINNER.1);
    world
        .server
        .has(OWN, event("dinner1", "Dinner", DINNER.0, DINNER.1));
    world.server.fail(Fail::Says(503, "backendError"));
    let create = world.google.create("primary", &dinner);
    let made = world.resting(Duration::from_secs(1), create).await;
    assert_eq!(made.expect("found").0, "dinner1");
    assert_eq!(world.server.count(OWN), 1);
}

#[tokio::test]
async fn a_change_is_made_of_what_was_seen_only() {
    let world = World::robot(Write::Yes).await;
    let mut dinner = event("dinner", "Dinner", DINNER.0, DINNER.1);
    dinner["description"] = "x".repeat(3_000).into();
    world.server.has(OWN, dinner);
    let seen = world.seen("dinner").await;
    let mut later = draft(
        "",
        "Late dinner",
        "2026-11-24T21:00:00+01:00",
        "2026-11-24T23:00:00+01:00",
    );
    later.description = "x".repeat(2_000);
    let updated = world
        .google
        .update("primary", &whole("dinner", &seen), &later)
        .await;
    let (id, now) = updated.expect("updated");
    assert_eq!((id.as_str(), &now), ("dinner", &world.seen("dinner").await));
    world
        .is_on("2026-11-24", &["21:00-23:00 Late dinner"])
        .await;
    let kept = world.server.event(OWN, "dinner").expect("an event");
    assert_eq!(
        kept["description"].as_str().map(str::len),
        Some(3_000),
        "nothing is cut there"
    );
    // What was seen before is not what lies there now.
    let error = world
        .google
        .update("primary", &whole("dinner", &seen), &later)
        .await;
    assert!(matches!(error, Err(RemoteError::Changed)), "{error:?}");
    let error = world
        .google
        .delete("primary", &whole("dinner", &seen))
        .await;
    assert!(matches!(error, Err(RemoteError::Changed)), "{error:?}");
    let error = world
        .google
        .restore("primary", "dinner", &seen, Some(&seen))
        .await;
    assert!(matches!(error, Err(RemoteError::Changed)), "{error:?}");
    let (id, back) = world
        .google
        .restore("primary", "dinner", &seen, None)
        .await
        .expect("undone");
    assert_eq!(back.ics, seen.ics);
    world.is_on("2026-11-24", &["20:00-22:00 Dinner"]).await;
    world
        .google
        .delete("primary", &whole(&id, &back))
        .await
        .expect("deleted");
    world.is_on("2026-11-24", &[]).await;
    for error in [
        world
            .google
            .delete("primary", &whole("dinner", &back))
            .await
            .map(drop),
        world
            .google
            .update("primary", &whole("dinner", &back), &later)
            .await
            .map(drop),
        world
            .google
            .update("primary", &whole("never", &back), &later)
            .await
            .map(drop),
    ] {
        assert!(matches!(error, Err(RemoteError::Gone)), "{error:?}");
    }
    world
        .google
        .restore("primary", "dinner", &back, None)
        .await
        .expect("undone");
    world.is_on("2026-11-24", &["20:00-22:00 Dinner"]).await;
}

#[tokio::test]
async fn a_day_becomes_a_time_and_a_day_again() {
    let world = World::robot(Write::Yes).await;
    let mut trip = event("trip", "Trip", "2026-11-24", "2026-11-25");
    trip["colorId"] = "5".into();
    world.server.has(OWN, trip);
    let seen = world.seen("trip").await;
    let timed = draft("", "Trip", DINNER.0, DINNER.1);
    let updated = world
        .google
        .update("primary", &whole("trip", &seen), &timed)
        .await;
    updated.expect("updated");
    world.is_on("2026-11-24", &["20:00-22:00 Trip"]).await;
    world
        .google
        .restore("primary", "trip", &seen, None)
        .await
        .expect("undone");
    world.is_on("2026-11-24", &["- Trip"]).await;
    let kept = world.server.event(OWN, "trip").expect("an event");
    assert_eq!(kept["colorId"], "5");
}

/// A series of Tuesdays, as its name says; one that was split off another has an id that tells.
async fn series(id: &str) -> (World, Resource) {
    let world = World::robot(Write::Yes).await;
    let mut yoga = event(
        id,
        "Yoga",
        "2026-11-03T18:00:00+01:00",
        "2026-11-03T19:00:00+01:00",
    );
    yoga["recurrence"] = json!(["RRULE:FREQ=WEEKLY"]);
    world.server.has(OWN, yoga);
    let seen = world.seen(id).await;
    (world, seen)
}

#[tokio::test]
async fn one_occurrence_is_moved_deleted_and_put_back() {
    for id in ["yoga", "yoga_R20261103T170000"] {
        let (world, seen) = series(id).await;
        let one = Target {
            id,
            seen: &seen,
            occurrence: Some(at("2026-11-24T18:00:00+01:00")),
        };
        let late = draft(
            "",
            "Yoga",
            "2026-11-24T20:00:00+01:00",
            "2026-11-24T21:00:00+01:00",
        );
        let (instance, _) = world
            .google
            .update("primary", &one, &late)
            .await
            .expect("moved");
        assert_eq!(instance, "yoga_20261124T170000Z");
        world.is_on("2026-11-24", &["20:00-21:00 Yoga"]).await;
        world.is_on("2026-12-01", &["18:00-19:00 Yoga"]).await;
        world
            .google
            .restore("primary", &instance, &seen, None)
            .await
            .expect("undone");
        world.is_on("2026-11-24", &["18:00-19:00 Yoga"]).await;
        let (gone, _) = world.google.delete("primary", &one).await.expect("deleted");
        assert_eq!(gone, instance);
        world.is_on("2026-11-24", &[]).await;
        let error = world.google.update("primary", &one, &late).await;
        assert!(matches!(error, Err(RemoteError::Gone)), "{error:?}");
        let (again, left) = world.google.delete("primary", &one).await.expect("deleted");
        assert_eq!(again, gone);
        let left = left.expect("a mark").ics;
        assert!(
            left.contains("STATUS:CANCELLED") && left.contains("RECURRENCE-ID"),
            "{left}"
        );
        world
            .google
            .restore("primary", &gone, &seen, None)
            .await
            .expect("undone");
        world.is_on("2026-11-24", &["18:00-19:00 Yoga"]).await;
    }
}

#[tokio::test]
async fn an_occurrence_that_lies_under_its_own_id_is_that_one() {
    let (world, seen) = series("yoga").await;
    let one = Target {
        id: "yoga",
        seen: &seen,
        occurrence: Some(at("2026-11-24T18:00:00+01:00")),
    };
    let late = draft(
        "",
        "Yoga",
        "2026-11-24T20:00:00+01:00",
        "2026-11-24T21:00:00+01:00",
    );
    let (id, moved) = world
        .google
        .update("primary", &one, &late)
        .await
        .expect("moved");
    let target = Target {
        id: &id,
        seen: &moved,
        ..one
    };
    let later = draft(
        "",
        "Yoga",
        "2026-11-24T21:00:00+01:00",
        "2026-11-24T22:00:00+01:00",
    );
    world
        .google
        .update("primary", &target, &later)
        .await
        .expect("moved");
    world.is_on("2026-11-24", &["21:00-22:00 Yoga"]).await;
    world
        .google
        .restore("primary", &id, &moved, None)
        .await
        .expect("undone");
    world.is_on("2026-11-24", &["20:00-21:00 Yoga"]).await;
}

#[tokio::test]
async fn an_occurrence_of_days_and_a_whole_series() {
    let world = World::robot(Write::Yes).await;
    let mut bins = event("bins", "Bins", "2026-11-02", "2026-11-03");
    bins["recurrence"] = json!(["RRULE:FREQ=WEEKLY"]);
    world.server.has(OWN, bins);
    let seen = world.seen("bins").await;
    let one = Target {
        id: "bins",
        seen: &seen,
        occurrence: Some(Moment::Day(day("2026-11-23"))),
    };
    let (gone, _) = world.google.delete("primary", &one).await.expect("deleted");
    assert_eq!(gone, "bins_20261123");
    world.is_on("2026-11-23", &[]).await;
    world.is_on("2026-11-30", &["- Bins"]).await;
    world
        .google
        .restore("primary", &gone, &seen, None)
        .await
        .expect("undone");
    world.is_on("2026-11-23", &["- Bins"]).await;
    // A series keeps the clock that it goes by, whoever moves it.
    let (world, seen) = series("yoga").await;
    let mut late = draft("", "Yoga", "2026-11-03T19:00:00Z", "2026-11-03T20:00:00Z");
    late.zone = Tz::UTC;
    world
        .google
        .update("primary", &whole("yoga", &seen), &late)
        .await
        .expect("moved");
    let now = world.server.event(OWN, "yoga").expect("an event");
    assert_eq!(now["start"]["timeZone"], "Europe/Madrid");
    world.is_on("2026-11-24", &["20:00-21:00 Yoga"]).await;
    world
        .google
        .restore("primary", "yoga", &seen, None)
        .await
        .expect("undone");
    world.is_on("2026-11-24", &["18:00-19:00 Yoga"]).await;
}
