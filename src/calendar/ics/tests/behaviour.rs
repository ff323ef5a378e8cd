//! What the independent implementations do not tell, or get wrong.

use super::{Calendar, calendar, data, event, list};
use crate::calendar::item::{Item, Moment};

fn show(moment: Moment) -> String {
    match moment {
        Moment::Day(date) => date.to_string(),
        Moment::At(time) => time.format("%F %H:%M%z").to_string(),
    }
}

/// `title: start to end` of every item.
fn lines(items: &[Item]) -> Vec<String> {
    let line = |item: &Item| format!("{}: {} to {}", item.title, show(item.start), show(item.end));
    items.iter().map(line).collect()
}

#[track_caller]
fn check_file(name: &str, start: &str, days: u32, zone: &str, expected: &[&str]) {
    let calendar = Calendar::parse(&data(name)).expect("a calendar");
    assert_eq!(lines(&list(&calendar, start, days, zone).items), expected);
}

/// The dates on which a rule occurs.
#[track_caller]
fn check_rule(dtstart: &str, rule: &str, start: &str, days: u32, expected: &[&str]) {
    let calendar = calendar(&event(&format!("DTSTART:{dtstart}\nRRULE:{rule}")));
    let listing = list(&calendar, start, days, "Europe/Madrid");
    let dates: Vec<_> = listing
        .items
        .iter()
        .map(|item| item.date.to_string())
        .collect();
    assert_eq!(dates, expected, "{rule}");
}

#[test]
fn exact_ends_across_clock_changes() {
    let night = "Night shift (exact hours): 2026-03-28 22:00+0100 to 2026-03-29 07:00+0200";
    let gap = "In the gap and in the double: 2026-03-29 03:30+0200 to 2026-03-29 04:15+0200";
    let standup = "Stand-up: 2026-03-29 09:00+0200 to 2026-03-29 09:30+0200";
    let utc = "Fixed in UTC: 2026-03-29 09:00+0200 to 2026-03-29 09:30+0200";
    check_file(
        "dst-madrid.ics",
        "2026-03-29",
        1,
        "Europe/Madrid",
        &[night, gap, utc, standup],
    );
    let night = "Night shift (exact hours): 2026-10-24 22:00+0200 to 2026-10-25 05:00+0100";
    let double = "In the gap and in the double: 2026-10-25 02:30+0200 to 2026-10-25 02:15+0100";
    let utc = "Fixed in UTC: 2026-10-25 08:00+0100 to 2026-10-25 08:30+0100";
    let standup = "Stand-up: 2026-10-25 09:00+0100 to 2026-10-25 09:30+0100";
    check_file(
        "dst-madrid.ics",
        "2026-10-25",
        1,
        "Europe/Madrid",
        &[night, double, utc, standup],
    );
    let half = "Half past one: 2026-11-01 01:30-0400 to 2026-11-01 01:00-0500";
    let swim = "Swimming: 2026-11-01 18:00-0500 to 2026-11-01 19:00-0500";
    check_file(
        "dst-new-york.ics",
        "2026-11-01",
        1,
        "America/New_York",
        &[half, swim],
    );
    let tide = "Tide: 2026-10-04 01:45+1030 to 2026-10-04 03:15+1100";
    let boat = "Boat: 2026-10-04 12:00+1100 to 2026-10-04 13:00+1100";
    check_file(
        "dst-lord-howe.ics",
        "2026-10-04",
        1,
        "Australia/Lord_Howe",
        &[tide, boat],
    );
}

#[test]
fn days_are_nominal_and_hours_exact() {
    let hours = "24 hours: 2026-03-28 12:00+0100 to 2026-03-29 13:00+0200";
    let day = "One day: 2026-03-28 12:00+0100 to 2026-03-29 12:00+0200";
    check_file(
        "duration.ics",
        "2026-03-28",
        1,
        "Europe/Madrid",
        &[hours, day],
    );
    let week = "One week: 2026-10-20 12:00+0200 to 2026-10-27 12:00+0100";
    let mixed = "A day and two and a half hours: 2026-10-24 12:00+0200 to 2026-10-25 14:30+0100";
    check_file(
        "duration.ics",
        "2026-10-25",
        1,
        "Europe/Madrid",
        &[week, mixed],
    );
}

#[test]
fn rules_where_others_are_wrong() {
    check_rule(
        "20260105T090000",
        "FREQ=MONTHLY;BYDAY=1MO,2TU",
        "2026-02-01",
        28,
        &["2026-02-02", "2026-02-10"],
    );
    let both = [
        "2026-02-02",
        "2026-02-09",
        "2026-02-10",
        "2026-02-16",
        "2026-02-23",
    ];
    check_rule(
        "20260105T090000",
        "FREQ=MONTHLY;BYDAY=MO,2TU",
        "2026-02-01",
        28,
        &both,
    );
    check_rule(
        "20250514T090000",
        "FREQ=YEARLY;BYWEEKNO=20",
        "2026-05-01",
        31,
        &["2026-05-13"],
    );
    // Wednesday 7 January: Monday was the first of its week, so Friday is not the second.
    let second = ["2026-01-07", "2026-01-14", "2026-01-21"];
    check_rule(
        "20260107T090000",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2",
        "2026-01-01",
        25,
        &second,
    );
    // A Tuesday that the rule does not match is still the first of three.
    let three = ["2026-01-06", "2026-01-07", "2026-01-14"];
    check_rule(
        "20260106T090000",
        "FREQ=WEEKLY;BYDAY=WE;COUNT=3",
        "2026-01-01",
        60,
        &three,
    );
    check_rule(
        "20260106T090000",
        "FREQ=WEEKLY;BYDAY=1WE",
        "2026-01-08",
        14,
        &["2026-01-14", "2026-01-21"],
    );
}

#[test]
fn until_in_all_its_forms() {
    let three = ["2026-01-05", "2026-01-06", "2026-01-07"];
    for until in [
        "20260107",
        "20260107T080000Z",
        "20260107T090000",
        "20260107T225959Z",
    ] {
        check_rule(
            "20260105T090000",
            &format!("FREQ=DAILY;UNTIL={until}"),
            "2026-01-01",
            30,
            &three,
        );
    }
    // Whole days: what is no date means the day it falls on where the viewer is.
    for until in [
        "20260107",
        "20260107T000000Z",
        "20260107T235959Z",
        "20260106T230000Z",
        "20260107T120000",
    ] {
        check_rule(
            "20260105",
            &format!("FREQ=DAILY;UNTIL={until}"),
            "2026-01-01",
            30,
            &three,
        );
    }
    check_rule(
        "20260105T090000",
        "FREQ=DAILY;UNTIL=20251231",
        "2026-01-01",
        30,
        &["2026-01-05"],
    );
}

#[test]
fn several_rules_and_exception_rules_join() {
    let text = event(
        "DTSTART:20260105T090000\nRRULE:FREQ=WEEKLY\nRRULE:FREQ=MONTHLY;BYMONTHDAY=7\nEXRULE:FREQ=WEEKLY;INTERVAL=2",
    );
    let listing = list(&calendar(&text), "2026-01-01", 31, "Europe/Madrid");
    let days: Vec<_> = listing
        .items
        .iter()
        .map(|item| item.date.to_string())
        .collect();
    assert_eq!(days, ["2026-01-07", "2026-01-12", "2026-01-26"]);
}

#[test]
fn exceptions_without_a_zone_are_of_the_series() {
    let text = event(
        "UID:1\nSUMMARY:a\nDTSTART;TZID=Europe/Madrid:20260105T090000\nRRULE:FREQ=DAILY\nEXDATE:20260106T090000\nRDATE:20260106T110000",
    ) + &event(
        "UID:1\nSUMMARY:b\nRECURRENCE-ID:20260107T090000\nDTSTART;TZID=Europe/Madrid:20260107T100000",
    );
    let listing = list(&calendar(&text), "2026-01-06", 2, "Asia/Tokyo");
    let expected = [
        "a: 2026-01-06 19:00+0900 to 2026-01-06 19:00+0900",
        "b: 2026-01-07 18:00+0900 to 2026-01-07 18:00+0900",
    ];
    assert_eq!(lines(&listing.items), expected);
}

#[test]
fn a_cancelled_tail_ends_a_series_and_a_cancelled_series_is_gone() {
    let master = "UID:1\nSUMMARY:a\nDTSTART:20260105T090000\nRRULE:FREQ=DAILY";
    let tail = event(
        "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260107T090000\nDTSTART:20260107T090000\nSTATUS:CANCELLED",
    );
    let shown = |text: String| list(&calendar(&text), "2026-01-01", 31, "UTC").items.len();
    assert_eq!(shown(event(master) + &tail), 2);
    assert_eq!(shown(event(&format!("{master}\nSTATUS:CANCELLED"))), 0);
}

#[test]
fn floating_is_the_viewers_zone_whatever_the_calendar_says() {
    let text = format!(
        "X-WR-TIMEZONE:America/Los_Angeles\n{}",
        event("SUMMARY:a\nDTSTART:20260105T090000\nDTEND:20260105T100000")
    );
    let listing = list(&calendar(&text), "2026-01-05", 1, "Asia/Tokyo");
    assert_eq!(
        lines(&listing.items),
        ["a: 2026-01-05 09:00+0900 to 2026-01-05 10:00+0900"]
    );
}

#[test]
fn whole_days_never_move_with_the_zone() {
    for zone in [
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Europe/Madrid",
        "America/Santiago",
    ] {
        let calendar = calendar(&event("DTSTART;VALUE=DATE:20260906\nRRULE:FREQ=WEEKLY"));
        let on = |date: &str| list(&calendar, date, 1, zone).items.len();
        assert_eq!(
            [
                on("2026-09-05"),
                on("2026-09-06"),
                on("2026-09-07"),
                on("2026-09-13")
            ],
            [0, 1, 0, 1],
            "{zone}"
        );
    }
}

#[test]
fn an_item_tells_its_place_in_the_range() {
    let calendar = Calendar::parse(&data("multi-day.ics")).expect("a calendar");
    let listing = list(&calendar, "2026-03-19", 1, "Europe/Madrid");
    let tell = |item: &Item| {
        let Item {
            title,
            date,
            weekday,
            day,
            days,
            starts_before,
            ends_after,
            ..
        } = item;
        let times = format!("{}-{}", item.start_time, item.end_time);
        format!("{title} {date} {weekday} {times} {day}/{days} {starts_before} {ends_after}")
    };
    let found: Vec<_> = listing.items.iter().map(tell).collect();
    let expected = [
        "Trip 2026-03-19 4 15:00-11:00 3/5 true true",
        "Party 2026-03-19 4 22:00-03:00 2/2 true false",
        "Instant at midnight 2026-03-19 4 00:00-00:00 1/1 false false",
    ];
    assert_eq!(found, expected);
    let listing = list(&calendar, "2026-03-29", 3, "Europe/Madrid");
    let found: Vec<_> = listing.items.iter().map(tell).collect();
    assert_eq!(
        found,
        ["Ten days each month 2026-03-29 7 - 1/10 false true"]
    );
    let listing = list(&calendar, "2026-04-02", 1, "Europe/Madrid");
    assert_eq!(
        tell(&listing.items[0]),
        "Ten days each month 2026-04-02 4 - 5/10 true true"
    );
}

#[test]
fn order_is_by_start_then_whole_days_then_title() {
    let text = [
        "b 20260105T100000",
        "a 20260105T100000",
        "night 20260104T230000",
        "noon 20260105T000000",
    ];
    let text: String = text
        .iter()
        .map(|line| {
            let (title, start) = line.split_once(' ').expect("two words");
            event(&format!("SUMMARY:{title}\nDTSTART:{start}\nDURATION:PT2H"))
        })
        .collect();
    let text = text + &event("SUMMARY:day\nDTSTART:20260105");
    let listing = list(&calendar(&text), "2026-01-05", 1, "Europe/Madrid");
    let titles: Vec<_> = listing
        .items
        .iter()
        .map(|item| item.title.as_str())
        .collect();
    assert_eq!(titles, ["night", "day", "noon", "a", "b"]);
}

#[test]
fn status_is_told() {
    let calendar = Calendar::parse(&data("cancelled.ics")).expect("a calendar");
    let listing = list(&calendar, "2026-03-03", 3, "Europe/Madrid");
    let found: Vec<_> = listing
        .items
        .iter()
        .map(|item| (item.title.as_str(), item.status.as_str()))
        .collect();
    assert_eq!(found, [("Yoga", "confirmed"), ("Perhaps", "tentative")]);
}
