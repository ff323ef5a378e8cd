//! Hostile input costs little and never panics.

use std::fmt::Write;
use std::time::Duration;

use proptest::prelude::*;

use super::{Calendar, calendar, data, event, list};
use crate::clock::{Clock, SystemClock};

/// Runs `work` and asserts that it was done in time: generous, as tests run unoptimised on small machines that others use too.
#[track_caller]
fn in_time<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    let clock = SystemClock::default();
    let start = clock.monotonic();
    let result = work();
    let took = clock.monotonic() - start;
    assert!(took < limit * 10, "took {took:?}");
    result
}

#[track_caller]
fn check_rule(rule: &str, items: usize, warning: Option<&str>) {
    let calendar = calendar(&event(&format!(
        "SUMMARY:x\nDTSTART:20160101T000000Z\nRRULE:{rule}"
    )));
    let listing = in_time(Duration::from_secs(2), || {
        list(&calendar, "2026-01-05", 1, "UTC")
    });
    assert_eq!(
        (
            listing.items.len(),
            listing.warnings.first().map(String::as_str)
        ),
        (items, warning),
        "{rule}"
    );
}

#[test]
fn rules_without_end_or_match_are_bounded() {
    let often = Some("`x` was left out: it occurs more than 2000 times in a few days");
    let long = Some("`x` was left out: its recurrence takes too long to work out");
    check_rule("FREQ=SECONDLY", 0, often);
    check_rule("FREQ=SECONDLY;COUNT=4000000000", 0, often);
    check_rule("FREQ=SECONDLY;BYSECOND=0,30;COUNT=4000000000", 0, long);
    check_rule("FREQ=SECONDLY;BYHOUR=3;BYMINUTE=0;BYSECOND=0", 1, None);
    check_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 0, None);
    check_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", 0, None);
    check_rule("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", 0, None);
    check_rule("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", 0, None);
    check_rule("FREQ=DAILY;BYDAY=MO;BYSETPOS=300", 0, None);
    check_rule("FREQ=MINUTELY;INTERVAL=1000000;BYHOUR=3;COUNT=9", 0, None);
    check_rule("FREQ=YEARLY;INTERVAL=1000000", 0, None);
    check_rule("FREQ=DAILY;COUNT=0", 0, None);
    let all: Vec<_> = (0..60).map(|number| number.to_string()).collect();
    let (all, hours) = (all.join(","), all[..24].join(","));
    check_rule(
        &format!("FREQ=DAILY;BYHOUR={hours};BYMINUTE={all};BYSECOND={all}"),
        0,
        often,
    );
    check_rule(
        &format!("FREQ=YEARLY;BYHOUR={hours};BYMINUTE={all};BYSECOND={all};BYSETPOS=1"),
        0,
        None,
    );
}

#[test]
fn many_hostile_rules_share_one_bound() {
    let mut text = String::new();
    for _ in 0..1_000 {
        text +=
            &event("DTSTART:00010101T000000Z\nRRULE:FREQ=SECONDLY;BYSECOND=0,30;COUNT=4000000000");
    }
    let listing = in_time(Duration::from_secs(20), || {
        list(&calendar(&text), "2026-01-05", 1, "UTC")
    });
    assert_eq!(listing.items.len(), 0);
    assert_eq!(
        listing.warnings.last().expect("a warning"),
        "and 990 more series like these"
    );
}

#[test]
fn depth_costs_nothing() {
    let mut text = String::new();
    for number in 0..100_000 {
        let _ = writeln!(text, "BEGIN:X{number}");
    }
    text += &event("DTSTART:20260105");
    let calendar = in_time(Duration::from_secs(5), || calendar(&text));
    assert_eq!(list(&calendar, "2026-01-05", 1, "UTC").items.len(), 1);
    let nested = "BEGIN:VEVENT\nBEGIN:VALARM\n".repeat(100_000);
    let calendar = in_time(Duration::from_secs(5), || super::calendar(&nested));
    assert!(calendar.warnings.len() < 30);
}

#[test]
fn a_line_of_100_mib_is_cut() {
    for filler in ["x", "xxxxxxx\n "] {
        let mut text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105\nDESCRIPTION:".to_owned();
        text.extend(std::iter::repeat_n(filler, (100 << 20) / filler.len()));
        text += "\nEND:VEVENT\nEND:VCALENDAR\n";
        let calendar = in_time(Duration::from_secs(20), || Calendar::parse(text.as_bytes()));
        let listing = list(&calendar.expect("a calendar"), "2026-01-05", 1, "UTC");
        assert_eq!(listing.items[0].description.chars().count(), 2_001);
    }
}

#[test]
fn far_dates_do_not_overflow() {
    for start in ["00000101T000000", "99991231T235959", "99991231"] {
        for rest in [
            "DURATION:P36525D",
            "RRULE:FREQ=DAILY",
            "RRULE:FREQ=YEARLY;INTERVAL=1000000",
            "DTEND:00000101",
        ] {
            let text = event(&format!("UID:a\nDTSTART;TZID=Asia/Tokyo:{start}\n{rest}"))
                + &event(&format!(
                    "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260101T000000\nDTSTART:{start}\n{rest}"
                ));
            let calendar = calendar(&text);
            for day in [
                "0000-01-01",
                "2026-01-05",
                "9999-12-31",
                "-262142-01-01",
                "+262142-12-30",
            ] {
                list(&calendar, day, 3, "Pacific/Apia");
            }
        }
    }
}

/// A suite file, bytes of it overwritten, removed and doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let files = [
        "wild",
        "overrides",
        "exclusions",
        "this-and-future",
        "vtimezone",
        "infinite",
        "duration",
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 0..40);
    (prop::sample::select(files.to_vec()), edits).prop_map(|(file, edits)| {
        let mut bytes = data(&format!("{file}.ics"));
        for (index, kind, byte) in edits {
            let place = index.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes[place] = b"0123456789,;:-=\n T"[usize::from(byte) % 18],
                2 => drop(bytes.drain(place..bytes.len().min(place + usize::from(byte % 16)))),
                _ => bytes.extend_from_within(place..bytes.len().min(place + usize::from(byte))),
            }
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(b"\nEND:VEVENT\nEND:VCALENDAR\n");
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut calendar = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105\n".to_vec();
        calendar.extend(&bytes);
        let _ = Calendar::parse(&bytes);
        let _ = Calendar::parse(&calendar);
    }

    #[test]
    fn mutated_calendars_never_panic_nor_take_long(bytes in mutated()) {
        in_time(Duration::from_secs(5), || {
            if let Ok(calendar) = Calendar::parse(&bytes) {
                list(&calendar, "2026-03-01", 60, "Europe/Madrid");
            }
        });
    }

    #[test]
    fn any_rule_is_bounded(
        frequency in prop::sample::select(&["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"][..]),
        interval in 1..50_u32,
        count in prop::option::of(1..100_000_u32),
        parts in prop::collection::vec(prop::sample::select(&[
            "BYMONTH=2", "BYMONTHDAY=30", "BYMONTHDAY=-1", "BYDAY=MO,2TU,-1FR", "BYYEARDAY=-366", "BYWEEKNO=53,-1",
            "BYHOUR=3,4", "BYMINUTE=0,59", "BYSECOND=60", "BYSETPOS=-1,2", "WKST=SU",
        ][..]), 0..4),
        year in 1..2030_i32,
    ) {
        let mut rule = format!("FREQ={frequency};INTERVAL={interval};{}", parts.join(";"));
        if let Some(count) = count {
            let _ = write!(rule, ";COUNT={count}");
        }
        let text = event(&format!("DTSTART:{year:04}0229T010203\nRRULE:{rule}")) + &event(&format!("DTSTART:{year:04}0131T010203\nRRULE:{rule}"));
        in_time(Duration::from_secs(2), || list(&calendar(&text), "2026-01-05", 31, "America/New_York"));
    }
}
