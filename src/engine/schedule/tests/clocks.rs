use chrono::{DateTime, TimeDelta, Utc};
use croner::parser::CronParser;
use proptest::prelude::{Strategy, any};
use proptest::sample::select;

use super::{Occurrences, at, brute, entry, forward, zone};

/// Changes of every kind, each with its instant.
const CHANGES: &[(&str, &str)] = &[
    ("Europe/Madrid", "2026-03-29T01:00"),
    ("Europe/Madrid", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    // Half an hour.
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    // Two hours.
    ("Antarctica/Troll", "2026-03-29T01:00"),
    ("Antarctica/Troll", "2026-10-25T01:00"),
    // A day that never was, and its like.
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kwajalein", "1993-08-21T12:00"),
    // A gap that ends on another day.
    ("America/Nuuk", "2024-03-31T01:00"),
    ("Africa/Cairo", "2024-04-25T22:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    // Around Ramadan.
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Africa/Casablanca", "2026-03-22T02:00"),
    // Another standard time.
    ("America/Caracas", "2016-05-01T07:00"),
    ("Asia/Pyongyang", "2015-08-14T15:00"),
    ("Asia/Kathmandu", "1985-12-31T18:30"),
    ("Europe/Istanbul", "2016-03-27T01:00"),
    ("Europe/Volgograd", "2020-12-26T22:00"),
    ("Africa/Monrovia", "1972-01-07T00:44:30Z"),
    ("Europe/Dublin", "2026-10-25T01:00"),
    ("Pacific/Chatham", "2026-04-04T14:00"),
    // None at all.
    ("UTC", "2028-02-29T00:00"),
];

fn entries() -> impl Strategy<Value = String> {
    let seconds = select(vec!["", "", "", "0 ", "30 ", "*/20 ", "* ", "5,50 "]);
    let minutes = select(vec![
        "0", "30", "*", "*/15", "*/7", "0,30", "5-59/5", "59", "0-59", "45",
    ]);
    let hours = select(vec![
        "*", "0", "1", "2", "3", "23", "1-3", "*/2", "2,3", "0-23", "0,22-23",
    ]);
    let days = select(vec![
        "*", "*", "*", "*", "1", "4", "25", "29", "30", "L", "*/2", "1-7", "8,25,31",
    ]);
    let months = select(vec!["*", "*", "*", "3", "10", "OCT-DEC", "*/2", "JAN,AUG"]);
    let weekdays = select(vec![
        "*",
        "*",
        "*",
        "SUN",
        "7",
        "SAT",
        "1-5",
        "5#2",
        "0#L",
        "SUN,FRI#5",
        "MON-WED",
    ]);
    let nick = select(vec![
        "", "", "", "", "", "", "", "@hourly", "@daily", "@weekly", "@monthly",
    ]);
    (nick, seconds, minutes, hours, days, months, weekdays).prop_map(|(nick, s, m, h, d, mo, w)| {
        if nick.is_empty() {
            format!("{s}{m} {h} {d} {mo} {w}")
        } else {
            nick.to_owned()
        }
    })
}

/// All the ways to ask agree with the walk, over a window around a change.
fn agree(text: &str, place: &str, from: DateTime<Utc>, to: DateTime<Utc>, probe: DateTime<Utc>) {
    let (entry, zone) = (entry(text), zone(place));
    let moments = Occurrences::new(&entry, zone);
    let due = brute::moments(text, zone, from, to);
    assert_eq!(
        forward(&moments, from, to),
        due,
        "{text} in {place}, forward"
    );
    let mut back: Vec<_> = std::iter::successors(moments.last(to), |due| moments.previous(*due))
        .take_while(|due| *due > from)
        .collect();
    back.reverse();
    assert_eq!(back, due, "{text} in {place}, backward");
    assert_eq!(
        moments.count(from, to),
        due.len() as u64,
        "{text} in {place}, counted"
    );
    let later = due.iter().filter(|due| **due > probe);
    assert_eq!(
        moments.next(probe).filter(|due| *due <= to),
        later.clone().next().copied(),
        "{text} in {place} after {probe}"
    );
    assert_eq!(
        moments.count(probe, to),
        later.count() as u64,
        "{text} in {place}, counted from {probe}"
    );
    let earlier = due.iter().rev().find(|due| **due < probe).copied();
    assert_eq!(
        moments.previous(probe).filter(|due| *due > from),
        earlier,
        "{text} in {place} before {probe}"
    );
}

#[test]
fn every_way_to_ask_agrees_with_a_walk_by_cronies_rules() {
    let cases = (
        entries(),
        select(CHANGES.to_vec()),
        -10_000_i64..10_000,
        any::<bool>(),
    );
    proptest::proptest!(proptest::test_runner::Config::with_cases(192), |((text, (place, change), probe, near) in cases)| {
        if crate::config::value::CronEntry::read(&text).is_ok() {
            let change = at(change);
            // A probe within the repeated or the lost time as often as elsewhere.
            let probe = if near { probe / 4 } else { probe };
            let width = TimeDelta::hours(3);
            agree(&text, place, change - width, change + width, change + TimeDelta::seconds(probe));
        }
    });
}

#[test]
fn where_the_clocks_do_not_change_it_is_croner() {
    let from = at("2026-01-01T00:00");
    proptest::proptest!(|(text in entries(), skip in 0_i64..100_000_000)| {
        // Where a step on `*` stands beside a weekday, crontab(5) asks for both, croner for one.
        let starred = |field: Option<&str>| field.is_some_and(|field| field.contains('*') && field != "*");
        let day = text.rsplit(' ').nth(2);
        if !starred(day) && let Ok(entry) = crate::config::value::CronEntry::read(&text) {
            let cron = CronParser::new().parse(&text).unwrap();
            let moments = Occurrences::new(&entry, crate::zone::Tz::UTC);
            let mut after = from + TimeDelta::seconds(skip);
            for _ in 0..20 {
                let next = cron.find_next_occurrence(&after, false).unwrap();
                assert_eq!(moments.next(after), Some(next), "{text} after {after}");
                assert_eq!(moments.previous(next + TimeDelta::seconds(1)), Some(next), "{text}");
                after = next;
            }
        }
    });
}

/// The moments of a day and a bit, as the clocks show them.
#[track_caller]
fn check(text: &str, place: &str, from: &str, hours: i64, expected: &[&str]) {
    let (entry, zone) = (entry(text), zone(place));
    let moments = Occurrences::new(&entry, zone);
    let from = at(from);
    let due = forward(&moments, from, from + TimeDelta::hours(hours));
    let shown: Vec<_> = due
        .iter()
        .map(|due| {
            due.with_timezone(&zone)
                .format("%d %H:%M:%S %z")
                .to_string()
        })
        .collect();
    assert_eq!(shown, expected, "{text} in {place}");
}

#[test]
fn a_fixed_time_in_the_gap_runs_at_once_after_it() {
    check(
        "30 2 * * *",
        "Europe/Madrid",
        "2026-03-28T20:00",
        12,
        &["29 03:00:00 +0200"],
    );
    check(
        "0,15,30 2 * * *",
        "Europe/Madrid",
        "2026-03-28T20:00",
        12,
        &["29 03:00:00 +0200"],
    );
    check(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T10:00",
        12,
        &["04 02:30:00 +1100"],
    );
    check(
        "30 1 * * *",
        "Antarctica/Troll",
        "2026-03-28T20:00",
        12,
        &["29 03:00:00 +0200"],
    );
    check(
        "30 2 * * *",
        "Antarctica/Troll",
        "2026-03-28T20:00",
        12,
        &["29 03:00:00 +0200"],
    );
    check(
        "30 23 * * SAT",
        "America/Nuuk",
        "2024-03-30T20:00",
        12,
        &["31 00:00:00 -0100"],
    );
    check(
        "0 7 * * *",
        "Pacific/Apia",
        "2011-12-29T10:00",
        36,
        &[
            "29 07:00:00 -1000",
            "31 00:00:00 +1400",
            "31 07:00:00 +1400",
        ],
    );
}

#[test]
fn a_fixed_time_that_comes_twice_runs_once() {
    check(
        "30 2 * * *",
        "Europe/Madrid",
        "2026-10-24T20:00",
        12,
        &["25 02:30:00 +0200"],
    );
    check(
        "0,30 2 * * *",
        "Europe/Madrid",
        "2026-10-24T20:00",
        12,
        &["25 02:00:00 +0200", "25 02:30:00 +0200"],
    );
    check(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T10:00",
        12,
        &["05 01:45:00 +1100"],
    );
}

#[test]
fn an_interval_follows_real_time() {
    check("*/30 2 * * *", "Europe/Madrid", "2026-03-28T20:00", 12, &[]);
    check(
        "*/30 2 * * *",
        "Europe/Madrid",
        "2026-10-24T20:00",
        12,
        &[
            "25 02:00:00 +0200",
            "25 02:30:00 +0200",
            "25 02:00:00 +0100",
            "25 02:30:00 +0100",
        ],
    );
    let day = |from: &str| {
        let entry = entry("0 * * * *");
        let from = at(from) - TimeDelta::seconds(1);
        let zone = zone("Europe/Madrid");
        let moments = Occurrences::new(&entry, zone);
        let date = |due: &DateTime<Utc>| due.with_timezone(&zone).date_naive();
        let due = forward(&moments, from, from + TimeDelta::hours(30));
        due.iter().filter(|one| date(one) == date(&due[0])).count()
    };
    assert_eq!(day("2026-03-28T23:00"), 23);
    assert_eq!(day("2026-10-24T22:00"), 25);
    assert_eq!(day("2026-10-25T23:00"), 24);
}

#[test]
fn moments_are_counted_without_walking_them() {
    let count = |text: &str, from: &str, to: &str| {
        let entry = entry(text);
        Occurrences::new(&entry, zone("Europe/Madrid")).count(at(from), at(to))
    };
    assert_eq!(
        count("* * * * *", "2026-01-01T00:00", "2026-04-01T00:00"),
        129_600
    );
    // Each second of a life with a clock that began in 1970: too many to walk in a test.
    assert_eq!(
        count("* * * * * *", "1970-01-01T00:00", "2026-01-01T00:00"),
        1_767_225_600
    );
    assert_eq!(
        count("0 7 * * *", "2026-01-01T00:00", "2025-01-01T00:00"),
        0
    );
}
