//! What is no calendar, or hardly one.

use super::{Calendar, calendar, data, event, list};
use crate::calendar::ics::IcsError;

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = Calendar::parse(bytes).expect_err("must be refused");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_is_no_calendar_is_refused_with_its_reason() {
    refused(b"", "it is empty");
    refused(b"\xef\xbb\xbf \r\n\n", "it is empty");
    let page = "this is a web page, not a calendar: is the address the *secret iCal* one?";
    refused(b"<!DOCTYPE html><html><body>Sign in</body></html>", page);
    refused(b"\n  <HTML lang=en>", page);
    let binary = "this is not a calendar in plain UTF-8 text: ";
    refused(
        b"\x89PNG\r\n\x1a\n\0\0\0",
        &format!("{binary}it holds zero bytes"),
    );
    refused(
        b"\x1f\x8b\x08rest",
        &format!("{binary}a compressed archive"),
    );
    refused(b"\xff\xfeB\0E\0", &format!("{binary}UTF-16"));
    let other =
        "this is not a calendar: it begins with `{\"error\": 404}` instead of `BEGIN:VCALENDAR`";
    refused(b"{\"error\": 404}\n", other);
}

#[test]
fn a_calendar_cut_off_anywhere_is_refused() {
    let whole = data("overrides.ics");
    let end = whole.len() - "\nEND:VCALENDAR\n".len();
    for length in "BEGIN:VCALENDAR".len()..=end {
        let error = Calendar::parse(&whole[..length]).expect_err("must be refused");
        assert!(
            matches!(error, IcsError::CutOff { .. }),
            "{length}: {error}"
        );
    }
    refused(
        &whole[..end],
        "this calendar is cut off: `END:VCALENDAR` is missing (whole events read: 8)",
    );
    Calendar::parse(&whole[..=end + "END:VCALENDAR".len()])
        .expect("whole without its last line break");
}

#[test]
fn a_wild_calendar_gives_what_can_be_read_and_says_the_rest() {
    let calendar = Calendar::parse(&data("wild.ics")).expect("a calendar");
    let listing = list(&calendar, "2026-03-20", 1, "Europe/Madrid");
    let titles: Vec<_> = listing
        .items
        .iter()
        .map(|item| item.title.as_str())
        .collect();
    let expected = [
        "Reunión, con todos; sí segunda línea",
        "Ends before it begins",
        "With an alarm",
        "With a wrong rule",
        "In a zone nobody knows",
    ];
    let mut sorted = titles.clone();
    sorted.sort_unstable();
    let mut wanted = expected;
    wanted.sort_unstable();
    assert_eq!(sorted, wanted);
    let first = &listing.items[0];
    assert_eq!(first.location, "\"La casa\"");
    assert_eq!(first.description, "One \\ backslash\nand a folded line");
    let backwards = listing
        .items
        .iter()
        .find(|item| item.uid == "backwards")
        .expect("it is there");
    assert_eq!(
        (&backwards.start, backwards.start_time.as_str()),
        (&backwards.end, "12:00")
    );
    let expected = [
        "`Without a start` was left out: it has no DTSTART",
        "`With a wrong start` was left out: its DTSTART `2026-03-20` is not understood",
        "`With a wrong rule`: in its recurrence `FREQ=SOMETIMES` is not understood; the rest of the event stands",
        "lines that are no calendar lines: 1",
        "time zone `Atlantis/Capital` is not known: its times are taken as local",
    ];
    assert_eq!(calendar.warnings, expected);
}

#[test]
fn bom_lone_line_feeds_and_several_calendars_are_read() {
    let one = format!(
        "BEGIN:VCALENDAR\n{}END:VCALENDAR\n",
        event("UID:a\nDTSTART:20260105")
    );
    let two = format!(
        "begin:vcalendar\r\n{}end:vcalendar",
        event("UID:b\nDTSTART:20260105")
    );
    let calendar = Calendar::parse(format!("\u{feff}{one}\n{two}").as_bytes()).expect("calendars");
    assert_eq!(list(&calendar, "2026-01-05", 1, "UTC").items.len(), 2);
}

#[test]
fn an_event_that_is_never_closed_is_said() {
    let calendar = calendar(&format!(
        "BEGIN:VEVENT\nSUMMARY:open\nDTSTART:20260105\n{}",
        event("DTSTART:20260105")
    ));
    assert_eq!(list(&calendar, "2026-01-05", 1, "UTC").items.len(), 1);
    assert_eq!(
        calendar.warnings,
        ["an event that is never closed was left out"]
    );
}

#[test]
fn versions_of_one_event_are_counted() {
    let calendar = calendar(
        &(event("UID:a\nDTSTART:20260105\nSUMMARY:1")
            + &event("UID:a\nDTSTART:20260105\nSUMMARY:2")),
    );
    let listing = list(&calendar, "2026-01-05", 1, "UTC");
    assert_eq!(listing.items[0].title, "2");
    assert_eq!(
        calendar.warnings,
        ["events with another's UID, taken for its older versions: 1"]
    );
}
