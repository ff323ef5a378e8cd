//! What was meant is what our reader finds afterwards, for any event.

use chrono::{Days, TimeDelta};
use proptest::prelude::*;

use super::*;

const ZONES: [&str; 5] = [
    "",
    ";TZID=Europe/Madrid",
    ";TZID=America/New_York",
    ";TZID=Australia/Lord_Howe",
    ";TZID=\"Nowhere: at, all\"",
];

fn moment(minutes: i64) -> Moment {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().expect("a time");
    Moment::At((start + TimeDelta::minutes(minutes)).fixed_offset())
}

fn end_of(start: Moment, length: i64) -> Moment {
    match start {
        Moment::At(time) => Moment::At(time + TimeDelta::minutes(length)),
        Moment::Day(day) => Moment::Day(day + Days::new(1 + length.unsigned_abs() / 600)),
    }
}

prop_compose! {
    fn text()(text in "[ -~é\n\t🦀]{0,90}") -> String {
        text
    }
}

prop_compose! {
    fn extra()(lines in prop::collection::vec("(X-[A-Z]{1,5}(;[A-Z]{1,3}=\"[a-z:;,]{0,5}\")?:[ -~é]{0,30}(\r\n [ -~]{1,9}){0,2}|BEGIN:VALARM\r\nSUMMARY:no\r\nDTSTART:1\r\nEND:VALARM)", 0..4)) -> Vec<String> {
        lines
    }
}

prop_compose! {
    fn start()(zone in 0..ZONES.len(), utc: bool, day in 0_u64..360, minute in 0_u32..1440, kind in 0..5) -> String {
        let date = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day") + Days::new(day);
        let time = date.and_hms_opt(minute / 60, minute % 60, 0).expect("a time");
        match (kind, utc) {
            (0, _) => format!(";VALUE=DATE:{}", date.format("%Y%m%d")),
            (_, true) => format!(":{}Z", time.format("%Y%m%dT%H%M%S")),
            _ => format!("{}:{}", ZONES[zone], time.format("%Y%m%dT%H%M%S")),
        }
    }
}

fn event(start: &str, rule: &str, extra: &[String]) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        "UID:p".to_owned(),
        format!("DTSTART{start}"),
    ];
    lines.extend(extra.iter().cloned());
    lines.extend([
        rule.to_owned(),
        "SUMMARY:before".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ]);
    lines.retain(|line| !line.is_empty());
    lines.join("\r\n") + "\r\n"
}

fn starts(ics: &str, zone: Tz) -> Vec<Moment> {
    let calendar = Calendar::parse(ics.as_bytes()).expect("a calendar");
    let range = Range {
        start: NaiveDate::from_ymd_opt(2025, 12, 20).expect("a day"),
        days: 500,
    };
    calendar
        .items(range, zone)
        .items
        .into_iter()
        .filter(|item| item.starts_before as u8 == 0 && item.day == 1)
        .map(|item| item.start)
        .collect()
}

proptest! {
    #[test]
    fn a_change_is_what_is_read_and_nothing_else_is_touched(
        start in start(), extra in extra(), title in text(), location in text(), minutes in 0_i64..500_000, length in 0_i64..5_000, days: bool,
    ) {
        let ics = event(&start, "", &extra);
        let mut to = moment(minutes);
        if let (true, Moment::At(time)) = (days, to) {
            to = Moment::Day(time.date_naive());
        }
        let draft = draft(&title, &location, to, end_of(to, length));
        let after = changed(&ics, None, &draft, now()).expect("changed");
        let found = {
            let calendar = Calendar::parse(after.as_bytes()).expect("a calendar");
            let range = Range { start: NaiveDate::from_ymd_opt(2025, 12, 20).expect("a day"), days: 800 };
            let mut items = calendar.items(range, madrid()).items;
            items.truncate(1);
            items.remove(0)
        };
        prop_assert!(same(found.start, draft.start) && same(found.end, draft.end), "{after}");
        prop_assert_eq!(found.title, seen_title(&title));
        prop_assert_eq!(found.location, seen_location(&location));
        for line in &extra {
            prop_assert!(after.contains(line.as_str()), "{}", after);
        }
        prop_assert_eq!(changed(&after, None, &draft, now()).expect("again").replace("SEQUENCE:2", "SEQUENCE:1"), after);
    }

    #[test]
    fn an_occurrence_without_or_elsewhere_leaves_the_others(
        start in start(), which in 0_usize..6, extra in extra(), minutes in 0_i64..500_000, interval in 1..9,
    ) {
        let ics = event(&start, &format!("RRULE:FREQ=DAILY;INTERVAL={interval};COUNT=6"), &extra);
        let before = starts(&ics, madrid());
        prop_assert_eq!(before.len(), 6);
        let occurrence = before[which];
        let mut others = before.clone();
        others.remove(which);
        let Left::Some(after) = without(&ics, occurrence, madrid(), now()).expect("deleted") else {
            panic!("a series is left");
        };
        prop_assert_eq!(starts(&after, madrid()), others.clone(), "{}", after);
        let gone = without(&after, occurrence, madrid(), now());
        prop_assert!(matches!(gone, Err(RemoteError::Gone)), "{gone:?}");

        let to = moment(minutes);
        let draft = draft("moved", "", to, end_of(to, 30));
        let after = changed(&ics, Some(occurrence), &draft, now()).expect("changed");
        others.push(to);
        let found = starts(&after, madrid());
        prop_assert_eq!(found.len(), 6, "{}", after);
        for wanted in others {
            prop_assert!(found.iter().any(|start| same(*start, wanted)), "{:?} {}", wanted, after);
        }
        let Left::Some(after) = without(&after, occurrence, madrid(), now()).expect("deleted") else {
            panic!("a series is left");
        };
        prop_assert_eq!(starts(&after, madrid()).len(), 5, "{}", after);
    }

    #[test]
    fn a_series_moves_as_one(start in start(), gone in 1_usize..6, shift in -600_i64..600, extra in extra()) {
        let ics = event(&start, "RRULE:FREQ=WEEKLY;COUNT=6", &extra);
        let before = starts(&ics, Tz::UTC);
        let Left::Some(ics) = without(&ics, before[gone], Tz::UTC, now()).expect("deleted") else {
            panic!("a series is left");
        };
        let first = before[0];
        let to = match first {
            Moment::At(time) => Moment::At(time + TimeDelta::minutes(shift)),
            Moment::Day(day) => Moment::Day(day + TimeDelta::days(shift / 100)),
        };
        let mut draft = draft("moved", "", to, end_of(to, 0));
        draft.zone = Tz::UTC;
        if let Moment::Day(day) = to {
            draft.end = Moment::Day(day + Days::new(1));
        }
        let after = changed(&ics, None, &draft, now()).expect("changed");
        prop_assert_eq!(starts(&after, Tz::UTC).len(), 5, "{}", after);
        prop_assert!(same(starts(&after, Tz::UTC)[0], to), "{}", after);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(BEGIN:V(CALENDAR|EVENT)\n|END:V(CALENDAR|EVENT)\n|(DTSTART|EXDATE|RECURRENCE-ID|RRULE|DTEND)(;TZID=[a-c\"]{0,2})?:[0-9T]{0,16}(,20260101T0[0-9]0000Z?)?\n| x\n){0,12}") {
        let ics = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:p\n{text}");
        let draft = draft("x", "", moment(0), moment(1));
        let _ = changed(&ics, None, &draft, now());
        let _ = changed(&ics, Some(moment(0)), &draft, now());
        let _ = without(&ics, moment(0), madrid(), now());
    }
}
