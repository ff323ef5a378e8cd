//! Against a real server.

use super::server::Radicale;
use super::*;
use crate::calendar::ics::Calendar;
use crate::calendar::remote::Delta;
use crate::clock::{Clock, SystemClock};

impl Radicale {
    fn user(&self, path: &str) -> User {
        User::new(self.url(path), "me", "hunter2")
    }
}

fn ids(delta: &Delta) -> Vec<(&str, bool)> {
    delta
        .changes
        .iter()
        .map(|change| (change.id.as_str(), change.now.is_some()))
        .collect()
}

/// `24 09:00 title`, of a week.
fn listed(resource: &Resource) -> Vec<String> {
    let calendar = Calendar::parse(resource.ics.as_bytes()).expect("a calendar");
    let range = Range {
        start: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day"),
        days: 7,
    };
    let items = calendar.items(range, Tz::UTC).items.into_iter();
    items
        .map(|item| {
            format!(
                "{} {} {}",
                item.date.format("%d"),
                item.start_time,
                item.title
            )
        })
        .collect()
}

#[tokio::test]
async fn calendars_are_found_by_every_address() {
    let Some(server) = Radicale::start() else {
        return;
    };
    let work = server.make("Work", "VEVENT");
    server.make("Tasks", "VTODO");
    for path in [
        "/",
        "/me/",
        "/me",
        "/me/Work/",
        "/me/Work",
        "/.well-known/caldav",
    ] {
        let user = server.user(path);
        let found = user.dav().find(None).await.expect(path);
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.name.as_str(), &found.url, found.writable))
            .collect();
        assert_eq!(found, [("Work", &work, true)], "{path}");
    }
    let mut wrong = server.user("/");
    wrong.account.password = Secret::new("wrong");
    let error = wrong.dav().find(None).await.expect_err("no such password");
    assert!(matches!(error, RemoteError::SignIn { .. }), "{error}");
    let error = server.user("/you/").dav().find(None).await;
    assert!(error.is_err() || error.is_ok_and(|found| found.iter().all(|found| found.url == work)));
}

#[tokio::test]
async fn an_event_lives_and_dies() {
    let Some(server) = Radicale::start() else {
        return;
    };
    let work = server.make("Work", "VEVENT");
    let (one, other) = (server.user("/"), server.user("/"));
    let (one, other) = (one.dav(), other.dav());
    let start = one.changes(&work, None, &[], window()).await.expect("all");
    assert!(
        start.whole && start.changes.is_empty() && start.token.is_some(),
        "{start:?}"
    );

    let (id, made) = one.create(&work, &dentist()).await.expect("made");
    assert_eq!(
        (id.as_str(), listed(&made)),
        ("/me/Work/abc123.ics", vec!["24 09:00 Dentist".to_owned()])
    );
    let (again, _) = one.create(&work, &dentist()).await.expect("made before");
    assert_eq!(again, id);
    let delta = other
        .changes(&work, start.token.as_deref(), &[], window())
        .await
        .expect("changes");
    assert_eq!(
        (delta.whole, ids(&delta)),
        (false, vec![(id.as_str(), true)])
    );
    let there = delta.changes[0].now.clone().expect("an event");
    assert_eq!(there.etag, made.etag);
    // What one wrote oneself is not brought again.
    let known = [(id.clone(), made.etag.clone())];
    let own = one
        .changes(&work, start.token.as_deref(), &known, window())
        .await
        .expect("changes");
    assert!(own.changes.is_empty(), "{own:?}");

    let later = draft(
        "",
        "Dentist, late",
        "2026-11-25T15:00:00Z",
        "2026-11-25T16:00:00Z",
    );
    let moved = one
        .update(&work, &target(&id, &made), &later)
        .await
        .expect("moved");
    assert_eq!(listed(&moved), ["25 15:00 Dentist, late"]);
    let error = other.update(&work, &target(&id, &there), &dentist()).await;
    assert!(matches!(error, Err(RemoteError::Changed)), "{error:?}");
    let error = other.delete(&work, &target(&id, &there)).await;
    assert!(matches!(error, Err(RemoteError::Changed)), "{error:?}");
    let repeated = other
        .update(&work, &target(&id, &there), &later)
        .await
        .expect("done before");
    assert_eq!(repeated.etag, moved.etag);

    let back = one
        .restore(&work, &id, &made, Some(&moved))
        .await
        .expect("put back");
    assert_eq!(listed(&back), ["24 09:00 Dentist"]);
    assert_eq!(
        one.delete(&work, &target(&id, &back))
            .await
            .expect("deleted"),
        None
    );
    let gone = other
        .changes(&work, delta.token.as_deref(), &known, window())
        .await
        .expect("changes");
    assert_eq!(
        (gone.whole, ids(&gone)),
        (false, vec![(id.as_str(), false)])
    );
    let error = one.delete(&work, &target(&id, &back)).await;
    assert!(
        matches!(error, Err(RemoteError::Gone | RemoteError::Changed)),
        "{error:?}"
    );
    let back = one
        .restore(&work, &id, &back, None)
        .await
        .expect("put back");
    assert_eq!(listed(&back), ["24 09:00 Dentist"]);
    let again = one
        .restore(&work, &id, &back, None)
        .await
        .expect("put back before");
    assert_eq!(again.etag, back.etag);
    let nowhere = server.url("/me/Nowhere/");
    assert!(one.create(&nowhere, &dentist()).await.is_err());
    assert!(one.changes(&nowhere, None, &[], window()).await.is_err());
}

const SERIES: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Stand-up\r\n\
DTSTART;TZID=Europe/Madrid:20261116T100000\r\nDTEND;TZID=Europe/Madrid:20261116T101500\r\nRRULE:FREQ=DAILY\r\nX-ODD:kept\r\n\
BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn occurrences_of_a_series_go_and_move() {
    let Some(server) = Radicale::start() else {
        return;
    };
    let work = server.make("Work", "VEVENT");
    let user = server.user("/me/Work/");
    let dav = user.dav();
    // Made by another program, under a name that wants escaping.
    let put = server.raw("PUT", "/me/Work/a%20b@c.ics", SERIES);
    assert!(put.contains(" 201 "), "{put}");
    let delta = dav.changes(&work, None, &[], window()).await.expect("all");
    assert_eq!(ids(&delta), [("/me/Work/a%20b%40c.ics", true)]);
    let (id, seen) = (
        &delta.changes[0].id,
        delta.changes[0].now.clone().expect("a series"),
    );
    assert_eq!(listed(&seen).len(), 7);

    let one = |seen| Target {
        id,
        seen,
        occurrence: Some(at("2026-11-24T09:00:00Z")),
    };
    let moved = draft(
        "",
        "Stand-up",
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:15:00Z",
    );
    let moved = dav.update(&work, &one(&seen), &moved).await.expect("moved");
    let fresh = dav
        .changes(&work, delta.token.as_deref(), &[], window())
        .await
        .expect("changes");
    let fresh = fresh.changes[0].now.clone().expect("a series");
    assert_eq!(fresh.etag, moved.etag);
    assert_eq!(listed(&fresh)[1], "24 12:00 Stand-up");
    assert_eq!(fresh.ics.matches("X-ODD:kept").count(), 2, "{}", fresh.ics);

    let left = dav
        .delete(&work, &one(&fresh))
        .await
        .expect("deleted")
        .expect("a series");
    let fresh = dav
        .changes(&work, delta.token.as_deref(), &[], window())
        .await
        .expect("changes");
    let fresh = fresh.changes[0].now.clone().expect("a series");
    assert_eq!(fresh.etag, left.etag);
    assert!(
        listed(&fresh).len() == 6 && listed(&fresh)[1].starts_with("25 "),
        "{:?}",
        listed(&fresh)
    );
    let whole = Target {
        id,
        seen: &fresh,
        occurrence: None,
    };
    let earlier = draft(
        "",
        "Stand-up",
        "2026-11-16T07:30:00Z",
        "2026-11-16T07:45:00Z",
    );
    let moved = dav.update(&work, &whole, &earlier).await.expect("moved");
    assert!(
        listed(&moved).len() == 6 && listed(&moved)[1] == "25 07:30 Stand-up",
        "{:?}",
        listed(&moved)
    );
    let back = dav
        .restore(&work, id, &seen, Some(&moved))
        .await
        .expect("put back");
    assert_eq!(listed(&back).len(), 7);
}

#[tokio::test]
async fn two_thousand_events_are_brought_and_then_only_news() {
    let Some(server) = Radicale::start() else {
        return;
    };
    let work = server.url("/me/Big/");
    let events: String = (0..2000)
        .map(|number| {
            event(&format!("e{number}"))
                .replace(
                    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Reveille//EN\r\n",
                    "",
                )
                .replace("END:VCALENDAR\r\n", "")
        })
        .collect();
    let all = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n");
    let put = server.raw("PUT", "/me/Big/", &all);
    assert!(put.contains(" 201 "), "{put}");
    let user = server.user("/me/Big/");
    let clock = SystemClock::default();
    let dav = user.dav();
    let began = clock.monotonic();
    let delta = dav.changes(&work, None, &[], window()).await.expect("all");
    println!("2,000 events: {:?}", clock.monotonic() - began);
    assert!(delta.whole && delta.changes.len() == 2000);
    let (id, _) = dav.create(&work, &dentist()).await.expect("made");
    let began = clock.monotonic();
    let delta = dav
        .changes(&work, delta.token.as_deref(), &[], window())
        .await
        .expect("changes");
    println!("one more: {:?}", clock.monotonic() - began);
    assert_eq!(
        (delta.whole, ids(&delta)),
        (false, vec![(id.as_str(), true)])
    );
}
