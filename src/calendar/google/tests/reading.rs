//! What changed, and what it looks like in iCalendar.

use super::*;

#[tokio::test]
async fn everything_then_nothing_then_what_changed() {
    let world = World::robot(Write::No).await;
    world.server.pages_of(2);
    for number in 0..5 {
        let id = format!("event{number}");
        let start = format!("2026-11-24T1{number}:00:00+01:00");
        let end = format!("2026-11-24T1{number}:30:00+01:00");
        world
            .server
            .has(OWN, event(&id, &format!("Nº {number}"), &start, &end));
    }
    let all = world.all().await;
    assert!(all.whole);
    assert_eq!(all.changes.len(), 5);
    assert_eq!(on(&all, "2026-11-24")[3], "13:00-13:30 Nº 3");
    // The token and three pages.
    assert_eq!(world.server.calls().len(), 4);
    let nothing = world.google.changes("primary", all.token.as_deref()).await;
    let nothing = nothing.expect("a delta");
    assert!(!nothing.whole && nothing.changes.is_empty(), "{nothing:?}");
    assert_eq!(world.server.asked(), ["GET calendars/primary/events"]);
    let mut gone = world.server.event(OWN, "event2").expect("an event");
    gone["status"] = "cancelled".into();
    world.server.has(OWN, gone);
    let changed = world
        .google
        .changes("primary", nothing.token.as_deref())
        .await;
    let changed = changed.expect("a delta");
    assert_eq!(only(&changed), ("event2", None));
    assert_ne!(changed.token, all.token);
}

#[tokio::test]
async fn a_token_that_is_known_no_more_gives_everything() {
    let world = World::robot(Write::No).await;
    world
        .server
        .has(OWN, event("one", "One", "2026-11-24", "2026-11-25"));
    let all = world.all().await;
    world.server.forgets();
    world.server.calls();
    for token in [all.token.as_deref(), Some("nonsense")] {
        let again = world
            .google
            .changes("primary", token)
            .await
            .expect("a delta");
        assert!(again.whole);
        assert_eq!(on(&again, "2026-11-24"), ["- One"]);
        assert_eq!(world.server.calls().len(), 2);
    }
}

#[tokio::test]
async fn only_what_is_used_is_asked_for() {
    let world = World::robot(Write::No).await;
    world.all().await;
    let call = world.server.calls().pop().expect("a request");
    let is = |name: &str, value: &str| assert_eq!(call.query[name], value, "{call:?}");
    is("singleEvents", "false");
    is("maxResults", "2500");
    is("maxAttendees", "1");
    assert!(call.query["fields"].starts_with("nextPageToken,nextSyncToken,items(id,"));
    assert!(!call.query.contains_key("showDeleted"));
}

#[tokio::test]
async fn a_series_with_a_moved_a_cancelled_and_a_declined_instance() {
    let world = World::robot(Write::No).await;
    let mut series = event(
        "yoga",
        "Yoga",
        "2026-10-20T18:00:00+02:00",
        "2026-10-20T19:00:00+02:00",
    );
    series["recurrence"] = json!([
        "RRULE:FREQ=WEEKLY;UNTIL=20261222T170000Z",
        "EXDATE;TZID=Europe/Madrid:20261110T180000",
        "X-EVIL:1\r\nBEGIN:VEVENT",
        "SUMMARY:Not a rule"
    ]);
    world.server.has(OWN, series.clone());
    let instance = |original: &str, more: Value| {
        let tail = DateTime::parse_from_rfc3339(original)
            .expect("a time")
            .to_utc();
        let mut event = json!({
            "id": format!("yoga_{}", tail.format("%Y%m%dT%H%M%SZ")), "recurringEventId": "yoga",
            "originalStartTime": { "dateTime": original, "timeZone": "Europe/Madrid" },
            "iCalUID": "yoga@google.com", "summary": "Yoga",
        });
        for (key, value) in more.as_object().expect("fields") {
            event[key] = value.clone();
        }
        event
    };
    let moved = event(
        "x",
        "Yoga, late",
        "2026-11-25T20:00:00+01:00",
        "2026-11-25T21:00:00+01:00",
    );
    world.server.has(
        OWN,
        instance(
            "2026-11-24T18:00:00+01:00",
            json!({
                "start": moved["start"], "end": moved["end"], "summary": "Yoga, late",
            }),
        ),
    );
    world.server.has(
        OWN,
        instance(
            "2026-12-01T18:00:00+01:00",
            json!({ "status": "cancelled" }),
        ),
    );
    let start = json!({ "dateTime": "2026-12-08T18:00:00+01:00", "timeZone": "Europe/Madrid" });
    world.server.has(
        OWN,
        instance(
            "2026-12-08T18:00:00+01:00",
            json!({
                "start": start, "end": { "dateTime": "2026-12-08T19:00:00+01:00" },
                "attendees": [{ "self": true, "responseStatus": "declined" }],
            }),
        ),
    );
    let all = world.all().await;
    assert_eq!(all.changes.len(), 4);
    for (date, expected) in [
        // The clock stays at six when summer time ends.
        ("2026-10-20", &["18:00-19:00 Yoga"][..]),
        ("2026-11-03", &["18:00-19:00 Yoga"]),
        ("2026-11-10", &[]),
        ("2026-11-24", &[]),
        ("2026-11-25", &["20:00-21:00 Yoga, late"]),
        ("2026-12-01", &[]),
        ("2026-12-08", &[]),
        ("2026-12-15", &["18:00-19:00 Yoga"]),
        ("2026-12-29", &[]),
    ] {
        assert_eq!(on(&all, date), expected, "{date}");
    }
    // Later, Google tells of a cancelled instance only whose it is.
    world.server.calls();
    world.server.has(
        OWN,
        instance(
            "2026-12-15T18:00:00+01:00",
            json!({ "status": "cancelled" }),
        ),
    );
    let later = world.google.changes("primary", all.token.as_deref()).await;
    let later = later.expect("a delta");
    let (_, now) = only(&later);
    assert!(
        now.expect("a cancellation")
            .ics
            .contains("UID:yoga@google.com")
    );
    assert_eq!(
        world.server.asked(),
        [
            "GET calendars/primary/events",
            "GET calendars/primary/events/yoga"
        ]
    );
    // Of a series that went too, nothing is left.
    world.server.has(
        OWN,
        instance(
            "2026-12-22T18:00:00+01:00",
            json!({
                "status": "cancelled", "recurringEventId": "unknown",
            }),
        ),
    );
    let last = world
        .google
        .changes("primary", later.token.as_deref())
        .await;
    assert_eq!(only(&last.expect("a delta")).1, None);
}

#[tokio::test]
async fn what_is_none_of_ours_is_gone() {
    let world = World::robot(Write::No).await;
    let (start, end) = ("2026-11-24T10:00:00+01:00", "2026-11-24T11:00:00+01:00");
    let with = |id: &str, key: &str, value: Value| {
        let mut event = event(id, id, start, end);
        event[key] = value;
        world.server.has(OWN, event);
    };
    with("office", "eventType", "workingLocation".into());
    with("focus", "eventType", "focusTime".into());
    with("birthday", "eventType", "birthday".into());
    let said = |word: &str| json!([{ "self": true, "responseStatus": word }]);
    with("declined", "attendees", said("declined"));
    with("accepted", "attendees", said("accepted"));
    with(
        "theirs",
        "attendees",
        json!([{ "responseStatus": "declined" }]),
    );
    let all = world.all().await;
    assert_eq!(
        all.changes.len(),
        6,
        "what goes is named, as a later no has to be"
    );
    let shown = on(&all, "2026-11-24");
    let shown: Vec<&str> = shown.iter().map(|line| &line[12..]).collect();
    assert_eq!(shown, ["accepted", "birthday", "focus", "theirs"]);
    let mut no = world.server.event(OWN, "accepted").expect("an event");
    no["attendees"] = said("declined");
    world.server.has(OWN, no);
    let later = world.google.changes("primary", all.token.as_deref()).await;
    assert_eq!(only(&later.expect("a delta")), ("accepted", None));
}

#[tokio::test]
async fn times_keep_their_moment() {
    let world = World::robot(Write::No).await;
    // Half past two comes twice in that night; the offset tells which, and New York's clock is another.
    let night = event(
        "night",
        "Night",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:30:00+01:00",
    );
    world.server.has(OWN, night);
    let mut call = event(
        "call",
        "Call",
        "2026-11-24T09:00:00-05:00",
        "2026-11-24T10:00:00-05:00",
    );
    call["start"]["timeZone"] = "America/New_York".into();
    call["end"]["timeZone"] = "Somewhere/Else".into();
    world.server.has(OWN, call);
    world
        .server
        .has(OWN, event("trip", "Trip", "2026-11-24", "2026-11-26"));
    let all = world.all().await;
    assert_eq!(on(&all, "2026-10-25"), ["02:30-03:30 Night"]);
    assert_eq!(on(&all, "2026-11-24"), ["- Trip", "15:00-16:00 Call"]);
    assert_eq!(on(&all, "2026-11-25"), ["- Trip"]);
    let text = |id: &str| {
        let change = all.changes.iter().find(|change| change.id == id);
        change
            .expect("a change")
            .now
            .as_ref()
            .expect("it")
            .ics
            .clone()
    };
    assert!(
        text("night").contains("DTSTART:20261025T013000Z"),
        "{}",
        text("night")
    );
    assert!(text("call").contains("DTSTART;TZID=America/New_York:20261124T090000"));
    assert!(text("call").contains("DTEND:20261124T150000Z"));
}

#[tokio::test]
async fn texts_are_texts() {
    let world = World::robot(Write::No).await;
    let mut evil = event("evil", "a;b,c\\n\nEND:VEVENT", "2026-11-24", "2026-11-25");
    evil["description"] = "é".repeat(5_000).into();
    evil["location"] = "Room\r\nSTATUS:CANCELLED".into();
    evil["iCalUID"] = "x\r\nRRULE:FREQ=DAILY".into();
    evil["status"] = "tentative".into();
    evil["transparency"] = "transparent".into();
    world.server.has(OWN, evil);
    let all = world.all().await;
    let ics = &only(&all).1.expect("an event").ics;
    for line in ["STATUS:TENTATIVE\r\n", "TRANSP:TRANSPARENT\r\n"] {
        assert!(ics.contains(line), "{ics}");
    }
    assert!(
        !ics.contains("\nRRULE") && !ics.contains("\nSTATUS:CANCELLED"),
        "{ics}"
    );
    assert_eq!(ics.matches('é').count(), 2_000);
    assert_eq!(on(&all, "2026-11-25"), [""; 0]);
}

#[tokio::test]
async fn a_page_that_is_no_list_shows_nothing_of_it() {
    let world = World::robot(Write::No).await;
    let mut wrong = event("one", "hunter2", "2026-11-24", "2026-11-25");
    wrong["start"] = json!({ "date": "hunter2" });
    world.server.has(OWN, wrong);
    let error = world.google.changes("primary", None).await;
    let error = error.expect_err("it is no date");
    assert!(matches!(error, RemoteError::Answer(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}
