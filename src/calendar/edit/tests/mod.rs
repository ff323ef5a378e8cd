//! Edits, each read back by our own reader.

mod properties;
mod series;

use chrono::NaiveDate;

use super::*;
use crate::calendar::Item;

fn madrid() -> Tz {
    Tz::named("Europe/Madrid").expect("a zone")
}

fn at(text: &str) -> Moment {
    Moment::At(DateTime::parse_from_rfc3339(text).expect("a time"))
}

fn day(text: &str) -> Moment {
    Moment::Day(text.parse().expect("a day"))
}

fn now() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().expect("a time")
}

fn draft(title: &str, location: &str, start: Moment, end: Moment) -> Draft {
    Draft {
        uid: "other".to_owned(),
        title: title.to_owned(),
        location: location.to_owned(),
        description: "not looked at".to_owned(),
        start,
        end,
        zone: madrid(),
    }
}

fn items(ics: &str, first: &str, days: u32) -> Vec<Item> {
    let start: NaiveDate = first.parse().expect("a day");
    let calendar = Calendar::parse(ics.as_bytes()).expect("a calendar");
    let listing = calendar.items(Range { start, days }, madrid());
    assert_eq!((calendar.warnings, listing.warnings), (vec![], vec![]));
    listing.items
}

/// `2026-11-24 09:00-10:00 title`, one a line.
fn listed(ics: &str, first: &str, days: u32) -> String {
    let shown = items(ics, first, days).into_iter().map(|item| {
        let times = format!("{}-{}", item.start_time, item.end_time);
        format!("{} {times} {}", item.date, item.title)
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// What is in one text and not in the other, by lines.
fn difference(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| {
        text.split_inclusive('\n')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (before, after) = (lines(before), lines(after));
    let without = |one: &[String], other: &[String]| {
        one.iter()
            .filter(|line| !other.contains(line))
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    (without(&before, &after), without(&after, &before))
}

const WEEKLY: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-NAME:x\r\n\
BEGIN:VTIMEZONE\r\nTZID:Home\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n\
TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n\
DTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n\
END:DAYLIGHT\r\nEND:VTIMEZONE\r\n\
BEGIN:VEVENT\r\nUID:w1\r\nDTSTAMP:20260101T000000Z\r\nSEQUENCE:4\r\nSUMMARY:Team\r\nLOCATION:Room 1\r\n\
DTSTART;TZID=Home:20261013T090000\r\nDTEND;TZID=Home:20261013T100000\r\n\
RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208T080000Z\r\nEXDATE;TZID=Home:20261110T090000\r\n\
ATTENDEE;CN=\"A, B\":mailto:a@example.org\r\nX-ODD;A=\"b;c\":va\r\n lue\r\n\
BEGIN:VALARM\r\nACTION:DISPLAY\r\nSUMMARY:inner\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:w1\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Team\r\nRECURRENCE-ID;TZID=Home:20261117T090000\r\n\
DTSTART;TZID=Home:20261117T150000\r\nDTEND;TZID=Home:20261117T160000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

const SINGLE: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nSUMMARY;LANGUAGE=en:A long\n  title\nUID:s1\n\
DTSTART:20261124T080000Z\nDURATION:PT1H\nX-APPLE:1\nBEGIN:VALARM\nTRIGGER:-PT5M\nDURATION:PT1M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";

#[test]
fn only_what_changes_is_written_anew() {
    let change = draft(
        "Team",
        "Room 2",
        at("2026-10-13T09:00:00+02:00"),
        at("2026-10-13T10:00:00+02:00"),
    );
    let after = changed(WEEKLY, None, &change, now()).expect("changed");
    let (gone, new) = difference(WEEKLY, &after);
    // The other DTSTAMP is the changed occurrence's, which stays.
    assert_eq!(gone, ["SEQUENCE:4", "LOCATION:Room 1"]);
    let expected = [
        "DTSTAMP:20261120T060000Z",
        "SEQUENCE:5",
        "LOCATION:Room 2",
        "LAST-MODIFIED:20261120T060000Z",
    ];
    assert_eq!(new, expected);
    assert!(
        after.contains(
            "LAST-MODIFIED:20261120T060000Z\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nSUMMARY:inner"
        ),
        "{after}"
    );
}

#[test]
fn an_event_keeps_its_form_and_its_line_ends() {
    let change = draft(
        "A long title",
        "",
        at("2026-11-24T10:00:00+01:00"),
        at("2026-11-24T11:00:00+01:00"),
    );
    let after = changed(SINGLE, None, &change, now()).expect("changed");
    assert!(
        after.contains("DTSTART:20261124T090000Z\nDURATION:PT1H\n"),
        "{after}"
    );
    assert!(
        after.contains("SUMMARY;LANGUAGE=en:A long\n  title\n"),
        "{after}"
    );
    assert!(!after.contains('\r'));
    assert_eq!(
        listed(&after, "2026-11-24", 1),
        "2026-11-24 10:00-11:00 A long title"
    );

    let change = draft(
        "Short; er",
        "Café, 1",
        at("2026-11-24T10:00:00+01:00"),
        at("2026-11-24T12:30:00+01:00"),
    );
    let after = changed(SINGLE, None, &change, now()).expect("changed");
    assert!(after.contains("DTEND:20261124T113000Z\n"), "{after}");
    assert!(
        after.contains("END:VEVENT")
            && after.contains("\nDURATION:PT1M\n")
            && !after.contains("\nDURATION:PT1H")
    );
    let item = items(&after, "2026-11-24", 1).remove(0);
    assert_eq!(
        (item.title.as_str(), item.location.as_str()),
        ("Short; er", "Café, 1")
    );

    let change = draft("Day", "", day("2026-11-25"), day("2026-11-27"));
    let after = changed(SINGLE, None, &change, now()).expect("changed");
    assert_eq!(listed(&after, "2026-11-26", 2), "2026-11-26 - Day");
    let back = draft(
        "Time",
        "",
        at("2026-11-24T10:00:00+01:00"),
        at("2026-11-24T10:00:00+01:00"),
    );
    let after = changed(&after, None, &back, now()).expect("changed");
    assert_eq!(
        listed(&after, "2026-11-23", 5),
        "2026-11-24 10:00-10:00 Time"
    );
}

#[test]
fn one_occurrence_is_changed_and_changed_again() {
    let occurrence = at("2026-11-24T09:00:00+01:00");
    let change = draft(
        "Team, late",
        "Room 1",
        at("2026-11-25T18:00:00+01:00"),
        at("2026-11-25T19:30:00+01:00"),
    );
    let after = changed(WEEKLY, Some(occurrence), &change, now()).expect("changed");
    let expected = "2026-11-17 15:00-16:00 Team\n2026-11-25 18:00-19:30 Team, late\n2026-12-01 09:00-10:00 Team\n2026-12-08 09:00-10:00 Team";
    assert_eq!(listed(&after, "2026-11-10", 40), expected);
    let (gone, new) = difference(WEEKLY, &after);
    assert_eq!(gone, Vec::<String>::new());
    assert!(
        new.contains(&"RECURRENCE-ID;TZID=Home:20261124T090000".to_owned()),
        "{new:?}"
    );
    assert!(
        new.contains(&"DTSTART;TZID=Home:20261125T180000".to_owned()),
        "{new:?}"
    );
    assert_eq!(after.matches("RRULE:FREQ=WEEKLY").count(), 1);
    assert_eq!(after.matches("mailto:a@example.org").count(), 2);

    let again = draft(
        "Team",
        "Room 1",
        at("2026-11-24T09:00:00+01:00"),
        at("2026-11-24T09:30:00+01:00"),
    );
    let after = changed(&after, Some(occurrence), &again, now()).expect("changed");
    assert_eq!(after.matches("RECURRENCE-ID").count(), 2);
    assert_eq!(
        listed(&after, "2026-11-24", 2),
        "2026-11-24 09:00-09:30 Team"
    );

    for missing in [
        "2026-11-24T10:00:00+01:00",
        "2026-11-10T09:00:00+01:00",
        "2026-12-15T09:00:00+01:00",
    ] {
        let error = changed(WEEKLY, Some(at(missing)), &change, now()).expect_err("not there");
        assert!(matches!(error, RemoteError::Gone), "{error}");
        let error = without(WEEKLY, at(missing), madrid(), now()).expect_err("not there");
        assert!(matches!(error, RemoteError::Gone), "{error}");
    }
}

#[test]
fn a_series_moves_with_its_exceptions() {
    let change = draft(
        "Crew",
        "",
        at("2026-10-14T11:30:00+02:00"),
        at("2026-10-14T12:00:00+02:00"),
    );
    let after = changed(WEEKLY, None, &change, now()).expect("changed");
    let expected = "2026-10-14 11:30-12:00 Crew\n2026-10-21 11:30-12:00 Crew\n2026-10-28 11:30-12:00 Crew\n\
2026-11-04 11:30-12:00 Crew\n2026-11-17 15:00-16:00 Crew\n2026-11-25 11:30-12:00 Crew\n2026-12-02 11:30-12:00 Crew\n\
2026-12-09 11:30-12:00 Crew";
    assert_eq!(listed(&after, "2026-10-01", 100), expected);
    assert!(after.contains("BYDAY=WE;UNTIL=20261209T103000Z"), "{after}");
}

#[test]
fn a_rule_that_cannot_follow_is_left_alone() {
    let series = |rule: &str| WEEKLY.replace("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208T080000Z", rule);
    let tomorrow = draft(
        "Team",
        "Room 1",
        at("2026-10-14T09:00:00+02:00"),
        at("2026-10-14T10:00:00+02:00"),
    );
    let later = draft(
        "Team",
        "Room 1",
        at("2026-10-13T10:00:00+02:00"),
        at("2026-10-13T11:00:00+02:00"),
    );
    for rule in [
        "FREQ=WEEKLY;BYDAY=TU,TH",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;BYDAY=2TU",
    ] {
        let error = changed(&series(rule), None, &tomorrow, now()).expect_err(rule);
        assert!(matches!(error, RemoteError::Refused(_)), "{error}");
        changed(&series(rule), None, &later, now()).expect("the same days");
    }
    let error = changed(&series("FREQ=WEEKLY;BYHOUR=9"), None, &later, now()).expect_err("hours");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    let days = draft("Team", "Room 1", day("2026-10-13"), day("2026-10-14"));
    let error = changed(WEEKLY, None, &days, now()).expect_err("days");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    let backwards = draft(
        "Team",
        "",
        at("2026-10-13T10:00:00+02:00"),
        at("2026-10-13T09:00:00+02:00"),
    );
    assert!(changed(SINGLE, None, &backwards, now()).is_err());
}

#[test]
fn one_occurrence_goes_in_the_form_of_the_series() {
    let left = |ics: &str, occurrence: Moment| match without(ics, occurrence, madrid(), now()) {
        Ok(Left::Some(text)) => text,
        other => panic!("{other:?}"),
    };
    let after = left(WEEKLY, at("2026-11-24T08:00:00Z"));
    assert_eq!(
        listed(&after, "2026-11-10", 22),
        "2026-11-17 15:00-16:00 Team\n2026-12-01 09:00-10:00 Team"
    );
    assert!(
        after.contains("EXDATE;TZID=Home:20261110T090000\r\nEXDATE;TZID=Home:20261124T090000\r\n"),
        "{after}"
    );
    // A changed one by the start of its rule.
    let after = left(WEEKLY, at("2026-11-17T09:00:00+01:00"));
    assert_eq!(
        listed(&after, "2026-11-10", 15),
        "2026-11-24 09:00-10:00 Team"
    );
    assert!(!after.contains("RECURRENCE-ID"));

    let daily = |start: &str| {
        format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:d\n{start}\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\nEND:VCALENDAR\n"
        )
    };
    for (start, occurrence, line) in [
        (
            "DTSTART;VALUE=DATE:20261124",
            day("2026-11-25"),
            "EXDATE;VALUE=DATE:20261125\n",
        ),
        (
            "DTSTART:20261124T080000Z",
            at("2026-11-25T09:00:00+01:00"),
            "EXDATE:20261125T080000Z\n",
        ),
        (
            "DTSTART:20261124T090000",
            at("2026-11-25T09:00:00+01:00"),
            "EXDATE:20261125T090000\n",
        ),
        (
            "DTSTART;TZID=America/New_York:20261124T030000",
            at("2026-11-25T09:00:00+01:00"),
            "EXDATE;TZID=America/New_York:20261125T030000\n",
        ),
    ] {
        let after = left(&daily(start), occurrence);
        assert!(after.contains(line), "{after}");
        let dates: Vec<_> = items(&after, "2026-11-20", 10)
            .iter()
            .map(|item| item.date.to_string())
            .collect();
        assert_eq!(dates, ["2026-11-24", "2026-11-26"], "{after}");
    }
}

#[test]
fn the_last_changed_occurrence_leaves_nothing() {
    let invited = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:i\nRECURRENCE-ID:20261124T080000Z\nDTSTART:20261124T100000Z\nEND:VEVENT\nEND:VCALENDAR\n";
    let occurrence = at("2026-11-24T09:00:00+01:00");
    assert_eq!(
        without(invited, occurrence, madrid(), now()).expect("deleted"),
        Left::Nothing
    );
    let other = at("2026-11-25T09:00:00+01:00");
    assert!(matches!(
        without(invited, other, madrid(), now()),
        Err(RemoteError::Gone)
    ));
}

#[test]
fn what_is_seen_of_a_text_is_not_the_text() {
    let long = format!("{}\\n{}", "x".repeat(200), "y".repeat(200));
    let ics = SINGLE.replace("A long\n  title", &long);
    let seen = items(&ics, "2026-11-24", 1).remove(0).title;
    let change = draft(
        &seen,
        "",
        at("2026-11-24T10:00:00+01:00"),
        at("2026-11-24T11:00:00+01:00"),
    );
    let after = changed(&ics, None, &change, now()).expect("changed");
    assert!(after.contains(&long), "{after}");
    let (start, end) = times(&after, madrid()).expect("times");
    assert!(same(start, change.start) && same(end, change.end));
    assert_eq!(uid(&after).as_deref(), Some("s1"));
}

#[test]
fn what_is_no_calendar_is_not_changed() {
    for text in [
        "",
        "hello",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\n",
    ] {
        let change = draft("x", "", day("2026-11-25"), day("2026-11-26"));
        assert!(changed(text, None, &change, now()).is_err(), "{text}");
        assert!(
            without(text, change.start, madrid(), now()).is_err(),
            "{text}"
        );
    }
}
