//! Series as others write them: exceptions in other zones, changes that follow and changes that do not.

use super::*;

const MIXED: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:m\r\nSUMMARY:Walk\r\nDTSTART;TZID=Europe/Madrid:20261116T090000\r\n\
DURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=5\r\nEXDATE:20261117T080000Z\r\nEXDATE;TZID=America/New_York:20261118T030000\r\n\
RDATE;TZID=Europe/London:20261125T080000,20261126T080000\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:m\r\nSUMMARY:Long walk\r\nRECURRENCE-ID:20261119T080000Z\r\nDTSTART:20261119T080000Z\r\nDTEND:20261119T110000Z\r\n\
END:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn dates_in_any_form_go_along() {
    let before = "2026-11-16 09:00-10:00 Walk\n2026-11-19 09:00-12:00 Long walk\n2026-11-20 09:00-10:00 Walk\n\
2026-11-25 09:00-10:00 Walk\n2026-11-26 09:00-10:00 Walk";
    assert_eq!(listed(MIXED, "2026-11-01", 60), before);
    let change = draft(
        "Run",
        "",
        at("2026-11-16T11:00:00+01:00"),
        at("2026-11-16T12:00:00+01:00"),
    );
    let after = changed(MIXED, None, &change, now()).expect("changed");
    let expected = "2026-11-16 11:00-12:00 Run\n2026-11-19 11:00-14:00 Long walk\n2026-11-20 11:00-12:00 Run\n\
2026-11-25 11:00-12:00 Run\n2026-11-26 11:00-12:00 Run";
    assert_eq!(listed(&after, "2026-11-01", 60), expected);
    for line in [
        "EXDATE:20261117T100000Z\r\n",
        "EXDATE;TZID=America/New_York:20261118T050000\r\n",
        "RDATE;TZID=Europe/London:20261125T100000,20261126T100000\r\n",
        "DURATION:PT1H\r\n",
    ] {
        assert!(after.contains(line), "{line} {after}");
    }
}

#[test]
fn a_series_across_the_change_of_clocks_keeps_its_hour() {
    let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:c\r\nSUMMARY:x\r\nDTSTART;TZID=Europe/Madrid:20261023T090000\r\n\
DTEND;TZID=Europe/Madrid:20261023T093000\r\nRRULE:FREQ=DAILY;UNTIL=20261027T080000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let change = draft(
        "x",
        "",
        at("2026-10-23T10:00:00+02:00"),
        at("2026-10-23T10:30:00+02:00"),
    );
    let after = changed(ics, None, &change, now()).expect("changed");
    let times: Vec<_> = items(&after, "2026-10-20", 10)
        .iter()
        .map(|item| item.start_time.clone())
        .collect();
    assert_eq!(times, ["10:00"; 5], "{after}");
    let twice = draft(
        "x",
        "",
        at("2026-10-25T02:30:00+01:00"),
        at("2026-10-25T03:30:00+01:00"),
    );
    let error = changed(ics, None, &twice, now()).expect_err("twice");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    let single = ics.replace("RRULE:FREQ=DAILY;UNTIL=20261027T080000Z\r\n", "");
    let after = changed(&single, None, &twice, now()).expect("changed");
    assert!(after.contains("DTSTART:20261025T013000Z"), "{after}");
}

#[test]
fn what_holds_for_all_that_follow_is_left_to_others() {
    let ics = WEEKLY.replace(
        "RECURRENCE-ID;TZID=Home:",
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Home:",
    );
    let later = draft(
        "Team",
        "Room 1",
        at("2026-10-13T10:00:00+02:00"),
        at("2026-10-13T11:00:00+02:00"),
    );
    let error = changed(&ics, None, &later, now()).expect_err("a range");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    for occurrence in ["2026-10-20T09:00:00+02:00", "2026-11-17T09:00:00+01:00"] {
        let occurrence = at(occurrence);
        let error = changed(&ics, Some(occurrence), &later, now()).expect_err("a range");
        assert!(matches!(error, RemoteError::Refused(_)), "{error}");
        let error = without(&ics, occurrence, madrid(), now()).expect_err("a range");
        assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    }
    // Words may change all the same.
    let words = draft(
        "Crew",
        "Room 1",
        at("2026-10-13T09:00:00+02:00"),
        at("2026-10-13T10:00:00+02:00"),
    );
    changed(&ics, None, &words, now()).expect("changed");
}

#[test]
fn the_first_occurrence_may_be_gone() {
    let Left::Some(ics) =
        without(MIXED, at("2026-11-16T09:00:00+01:00"), madrid(), now()).expect("deleted")
    else {
        panic!("a series is left");
    };
    let change = draft(
        "Run",
        "Park",
        at("2026-11-16T09:00:00+01:00"),
        at("2026-11-16T10:00:00+01:00"),
    );
    let after = changed(&ics, None, &change, now()).expect("changed");
    assert_eq!(items(&after, "2026-11-16", 1).len(), 0);
    assert_eq!(
        listed(&after, "2026-11-20", 1),
        "2026-11-20 09:00-10:00 Run"
    );
}
