use chrono::{NaiveDateTime, TimeZone};

use super::*;

fn now(text: &str) -> DateTime<Tz> {
    let (local, zone) = text.split_once(' ').unwrap();
    let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap();
    Tz::named(zone)
        .unwrap()
        .from_local_datetime(&local)
        .unwrap()
}

fn shown(at: Option<DateTime<Tz>>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339())
}

/// Each line of the table, which was written by hand and its offsets taken from another database of zones.
#[test]
fn sentences_are_understood_as_people_mean_them() {
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in include_str!("../../tests/data/phrases.txt").lines().skip(1) {
        let [seen, phrase, start, end, repeats, rest] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        lines += 1;
        let said = said(phrase, now(seen));
        let mut found = [
            shown(said.start),
            shown(said.end),
            "-".to_owned(),
            said.rest.clone(),
        ];
        if said.whole_days {
            found[0] += " whole";
        }
        if let Some(repeats) = &said.repeats {
            let cron = repeats.cron().unwrap_or_else(|| "-".to_owned());
            found[2] = format!("{} = {cron}", repeats.words(said.spanish));
        }
        let rest = match rest {
            "-" => said.rest.as_str(),
            "∅" => "",
            rest => rest,
        };
        let expected = [start, end, repeats, rest];
        if found != expected {
            wrong.push(format!(
                "{seen}: {phrase}\n   found {found:?}\n  wanted {expected:?}"
            ));
        }
    }
    assert!(lines >= 300, "{lines}");
    assert!(
        wrong.is_empty(),
        "{} of {lines}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Friday 20 November 2026, half past ten.
fn friday() -> DateTime<Tz> {
    now("2026-11-20T10:30 Europe/Madrid")
}

#[test]
fn the_days_that_are_asked_about() {
    for (phrase, expected) in [
        ("¿Qué tengo hoy?", "2026-11-20 1"),
        ("what's on tomorrow", "2026-11-21 1"),
        ("ayer", "2026-11-19 1"),
        ("este fin de semana", "2026-11-21 2"),
        ("on Friday at 5", "2026-11-27 1"),
        ("last Friday", "2026-11-13 1"),
        ("this week", "2026-11-16 7"),
        ("esta semana", "2026-11-16 7"),
        ("next week", "2026-11-23 7"),
        ("la semana que viene", "2026-11-23 7"),
        ("la semana pasada", "2026-11-09 7"),
        ("el mes que viene", "2026-12-01 31"),
        ("in March", "2027-03-01 31"),
        ("en febrero de 2028", "2028-02-01 29"),
        ("el martes de la semana que viene", "2026-11-24 1"),
        ("del 3 al 7 de agosto", "2027-08-03 5"),
        ("from tomorrow until Tuesday", "2026-11-21 4"),
        ("hotel desde el lunes durante 3 días", "2026-11-23 3"),
        ("los próximos 3 días", "2026-11-20 3"),
        ("in 3 days", "2026-11-23 1"),
        ("at 5", "-"),
        ("in 2 hours", "-"),
        ("every Monday", "-"),
        ("hello", "-"),
    ] {
        let range = said(phrase, friday()).range;
        let found = range.map_or_else(|| "-".to_owned(), |(first, days)| format!("{first} {days}"));
        assert_eq!(found, expected, "{phrase}");
    }
}

/// The next so many moments after `from`.
#[track_caller]
fn times(phrase: &str, from: &str, count: usize) -> Vec<String> {
    let mut at = now(from);
    let repeats = said(phrase, at).repeats.unwrap();
    let mut all = Vec::new();
    for _ in 0..count {
        at = repeats.next(at).unwrap();
        all.push(at.format("%m-%d %H:%M%:z").to_string());
    }
    all
}

#[test]
fn what_repeats_comes_once_a_day_where_clocks_change() {
    let madrid = |phrase, from: &str, count| times(phrase, &format!("{from} Europe/Madrid"), count);
    assert_eq!(
        madrid("every day at 2:30am", "2026-03-27T12:00", 3),
        [
            "03-28 02:30+01:00",
            "03-29 03:00+02:00",
            "03-30 02:30+02:00"
        ]
    );
    assert_eq!(
        madrid("every day at 2:30am", "2026-10-24T12:00", 2),
        ["10-25 02:30+02:00", "10-26 02:30+01:00"]
    );
    assert_eq!(
        madrid("every hour", "2026-03-29T00:30", 3),
        [
            "03-29 01:00+01:00",
            "03-29 03:00+02:00",
            "03-29 04:00+02:00"
        ]
    );
    assert_eq!(
        times(
            "every day at 1:30am",
            "2026-10-31T12:00 America/New_York",
            2
        ),
        ["11-01 01:30-04:00", "11-02 01:30-05:00"]
    );
}

#[test]
fn what_repeats_in_steps_keeps_its_step() {
    let dates = |phrase, count| {
        let mut dates = times(phrase, "2026-11-20T10:30 Europe/Madrid", count);
        dates.iter_mut().for_each(|date| date.truncate(11));
        dates
    };
    assert_eq!(
        dates("every other Monday at 9", 3),
        ["11-23 09:00", "12-07 09:00", "12-21 09:00"]
    );
    assert_eq!(dates("cada dos semanas", 2), ["12-04 00:00", "12-18 00:00"]);
    assert_eq!(
        dates("cada 3 días a las 8", 2),
        ["11-23 08:00", "11-26 08:00"]
    );
    assert_eq!(
        dates("el 31 de cada mes", 3),
        ["12-31 00:00", "01-31 00:00", "03-31 00:00"]
    );
    assert_eq!(
        dates("el último día de cada mes", 4),
        ["11-30 00:00", "12-31 00:00", "01-31 00:00", "02-28 00:00"]
    );
    assert_eq!(
        dates("the last Friday of every month", 3),
        ["11-27 00:00", "12-25 00:00", "01-29 00:00"]
    );
    assert_eq!(
        dates("every 90 minutes", 3),
        ["11-20 12:00", "11-20 13:30", "11-20 15:00"]
    );
    assert_eq!(
        dates("every day at 8 and at 20:00", 3),
        ["11-20 20:00", "11-21 08:00", "11-21 20:00"]
    );
}

/// A cron entry says the same as what it stands for, by another reader of cron entries.
#[test]
fn cron_entries_say_the_same() {
    let mut entries = 0;
    for line in include_str!("../../tests/data/phrases.txt").lines().skip(1) {
        let mut columns = line.split('\t');
        let (Some(seen), Some(phrase)) = (columns.next(), columns.next()) else {
            panic!("{line}");
        };
        let Some(repeats) = said(phrase, now(seen)).repeats else {
            continue;
        };
        let Some(entry) = repeats.cron() else {
            continue;
        };
        entries += 1;
        let cron: croner::Cron = entry.parse().unwrap();
        let mut at = Tz::UTC.with_ymd_and_hms(2028, 2, 1, 0, 0, 30).unwrap();
        for _ in 0..20 {
            let next = repeats.next(at).unwrap();
            let theirs = cron.find_next_occurrence(&at.to_utc(), false).unwrap();
            assert_eq!(next.to_utc(), theirs, "{phrase}: {entry} after {at}");
            at = next;
        }
    }
    assert!(entries >= 50, "{entries}");
}

#[test]
fn what_repeats_is_written_down_and_read_again() {
    for phrase in [
        "every Monday at 8",
        "cada 2 horas",
        "el último viernes de cada mes",
        "every year on May 5",
        "cada mes",
    ] {
        let repeats = said(phrase, friday()).repeats.unwrap();
        let written = serde_json::to_string(&repeats).unwrap();
        assert_eq!(serde_json::from_str::<Repeats>(&written).unwrap(), repeats);
    }
}

/// Many words of time, and what no sentence says.
fn long(piece: &str, length: usize) -> String {
    piece.chars().cycle().take(length).collect()
}

#[test]
fn the_longest_texts_are_read() {
    let pieces = [
        "de ",
        "-",
        "5 - ",
        "1-",
        "2026-11-21T",
        "every ",
        "mañana a las 9 ",
        "a.m. ",
        "lunes y ",
        "5 a 6 de ",
        "\u{301}",
        "('",
    ];
    let longest = ("hola 5 mañana a las 9, ", 100_000);
    let texts = pieces.map(|piece| (piece, 2_000)).into_iter();
    for (piece, length) in texts.chain([longest]) {
        let text = long(piece, length);
        assert!(said(&text, friday()).rest.len() <= text.len());
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in ".{0,200}") {
        let said = said(&text, friday());
        proptest::prop_assert!(said.rest.len() <= text.len() + 1);
    }

    #[test]
    fn any_words_of_time_are_read(
        words in proptest::collection::vec(proptest::sample::select(WORDS.split(' ').collect::<Vec<_>>()), 0..12),
        unix in 0_i64..4_000_000_000,
        zone in proptest::sample::select(vec!["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    ) {
        let now = Tz::named(zone).unwrap().timestamp_opt(unix, 0).unwrap();
        let said = said(&words.join(" "), now);
        if let Some(repeats) = &said.repeats {
            proptest::prop_assert!(said.start.is_some_and(|start| start > now));
            proptest::prop_assert!(repeats.next(now).is_some_and(|next| next > now));
            let _ = (repeats.cron(), repeats.words(true), repeats.words(false));
        }
    }
}

const WORDS: &str = "mañana a las 9 y media de la tarde el lunes que viene próximo 31 29 febrero February on at every other Monday 5pm \
    until hasta from to - cada 99 99999 semanas months years dentro in ago hace hora minutes 1.5 2026-02-29 31/12 fin mes last first \
    next week noche tonight 24:00 12 am todos los días 9999 of 2999 quarter half past menos diez del al 3 2026-11-21T10:00 99 once";
