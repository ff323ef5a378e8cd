use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};

use super::reminder::Reminder;
use super::words::{find, rests, wish};
use crate::zone::Tz;

fn at(local: &str) -> DateTime<Tz> {
    let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap();
    madrid().from_local_datetime(&local).earliest().unwrap()
}

fn madrid() -> Tz {
    Tz::named("Europe/Madrid").unwrap()
}

fn shown(at: Option<DateTime<Utc>>) -> String {
    let at = at.map(|at| at.with_timezone(&madrid()));
    at.map_or("-".to_owned(), |at| at.format("%m-%d %H:%M:%S").to_string())
}

/// Friday 20 November 2026, half past ten.
fn friday() -> DateTime<Tz> {
    at("2026-11-20T10:30")
}

#[test]
fn of_what_and_when_is_understood() {
    for (words, text, due, again) in [
        (
            "mañana a las 9 llamar al dentista",
            "llamar al dentista",
            "11-21 09:00:00",
            "",
        ),
        (
            "recuérdame mañana a las 9 llamar al dentista",
            "llamar al dentista",
            "11-21 09:00:00",
            "",
        ),
        (
            "Recuerdame que mañana tengo que pagar el alquiler",
            "tengo que pagar el alquiler",
            "11-21 09:00:00",
            "",
        ),
        (
            "recuérdame en 1 minuto sacar la basura",
            "sacar la basura",
            "11-20 10:31:00",
            "",
        ),
        (
            "remind me in 10 minutes to check the oven, please",
            "check the oven",
            "11-20 10:40:00",
            "",
        ),
        (
            "Remind me tomorrow at 5pm that Ana comes",
            "Ana comes",
            "11-21 17:00:00",
            "",
        ),
        ("in 10 minutes tea", "tea", "11-20 10:40:00", ""),
        (
            "every Monday at 8 to take out the bins",
            "take out the bins",
            "11-23 08:00:00",
            "every Monday at 08:00",
        ),
        (
            "cada lunes sacar la basura",
            "sacar la basura",
            "11-23 09:00:00",
            "cada lunes a las 09:00",
        ),
        ("el viernes pagar", "pagar", "11-27 09:00:00", ""),
        ("hoy pagar", "pagar", "11-20 11:30:00", ""),
        (
            "pon un recordatorio para el martes a las 18:30: gimnasio",
            "gimnasio",
            "11-24 18:30:00",
            "",
        ),
        ("call mum tonight", "call mum", "11-20 21:00:00", ""),
        (
            "every day at 8 water the plants until Sunday",
            "water the plants",
            "11-21 08:00:00",
            "every day at 08:00",
        ),
        (
            "every Monday from 9 to 10 gym",
            "gym",
            "11-23 09:00:00",
            "every Monday at 09:00",
        ),
        (
            "reminder notes for Anna tomorrow",
            "notes for Anna",
            "11-21 09:00:00",
            "",
        ),
        (
            "recuerda a Pepe la cita mañana",
            "Pepe la cita",
            "11-21 09:00:00",
            "",
        ),
    ] {
        let wish = wish(words, friday());
        let found = (wish.problem, wish.text.as_str(), shown(wish.due));
        assert_eq!(found, (None, text, due.to_owned()), "{words}");
        let repeats = wish.repeats.map(|repeats| repeats.words(wish.spanish));
        assert_eq!(repeats.unwrap_or_default(), again, "{words}");
    }
}

#[test]
fn what_cannot_be_told_says_why() {
    for (words, problem) in [
        ("call the dentist", "when"),
        ("", "when"),
        ("yesterday at 9 call", "past"),
        ("hoy a las 9 llamar", "past"),
        ("ayer llamar", "past"),
        ("every day at 9 until today stretch", "past"),
        ("tomorrow at 9", "what"),
        ("recuérdame mañana", "what"),
        ("remind me in 10 minutes please", "what"),
        ("every Monday at 8", "what"),
    ] {
        assert_eq!(wish(words, friday()).problem, Some(problem), "{words}");
    }
}

fn reminder(words: &str, now: DateTime<Tz>) -> Reminder {
    let wish = wish(words, now);
    assert_eq!(wish.problem, None, "{words}");
    Reminder {
        text: wish.text,
        due: wish.due,
        told: None,
        told_at: None,
        repeats: wish.repeats,
        until: wish.until,
        chat: None,
        thread: None,
        title: String::new(),
        person: "owner".to_owned(),
        name: String::new(),
        spanish: wish.spanish,
    }
}

/// When it is told, where it is told in time, at most so many times.
fn told(words: &str, now: DateTime<Tz>, most: usize) -> Vec<String> {
    let mut reminder = reminder(words, now);
    let mut told = Vec::new();
    while let Some(due) = reminder.due.filter(|_| told.len() < most) {
        told.push(
            due.with_timezone(&madrid())
                .format("%m-%d %H:%M%:z")
                .to_string(),
        );
        reminder = reminder.after((due, due), madrid());
    }
    told
}

#[test]
fn it_ends_where_it_was_said_to_end() {
    let times = |words: &str| told(words, friday(), 5);
    assert_eq!(
        times("every day at 8 stretch until Sunday"),
        ["11-21 08:00+01:00", "11-22 08:00+01:00"]
    );
    assert_eq!(
        times("every day stretch until Sunday"),
        ["11-21 09:00+01:00", "11-22 09:00+01:00"]
    );
    // A time is the last that counts.
    assert_eq!(
        times("every hour drink until 12:00"),
        ["11-20 11:00+01:00", "11-20 12:00+01:00"]
    );
    // That is how long it lasts, and not where it ends.
    assert_eq!(times("every Monday from 9 to 10 gym").len(), 5);
    assert_eq!(times("tomorrow at 9 stretch"), ["11-21 09:00+01:00"]);
}

#[test]
fn clocks_that_change_lose_and_double_nothing() {
    assert_eq!(
        told("every day at 2:30am stretch", at("2026-03-27T12:00"), 3),
        [
            "03-28 02:30+01:00",
            "03-29 03:00+02:00",
            "03-30 02:30+02:00"
        ]
    );
    assert_eq!(
        told("every day at 2:30am stretch", at("2026-10-24T12:00"), 2),
        ["10-25 02:30+02:00", "10-26 02:30+01:00"]
    );
    assert_eq!(
        told("tomorrow at 2:30am stretch", at("2026-03-28T12:00"), 3),
        ["03-29 03:30+02:00"]
    );
    assert_eq!(
        told("tomorrow at 2:30am stretch", at("2026-10-24T12:00"), 3),
        ["10-25 02:30+02:00"]
    );
}

#[test]
fn of_many_missed_ones_the_last_is_told() {
    let latest = |words: &str, now: &str| {
        let reminder = reminder(words, friday());
        shown(Some(reminder.latest(
            reminder.due.unwrap(),
            at(now).to_utc(),
            madrid(),
        )))
    };
    assert_eq!(
        latest("every day at 8 x", "2026-11-25T07:00"),
        "11-24 08:00:00"
    );
    assert_eq!(
        latest("every day at 8 x", "2026-11-25T08:00"),
        "11-25 08:00:00"
    );
    assert_eq!(
        latest("every minute x", "2027-11-25T08:00"),
        "11-25 08:00:00"
    );
    assert_eq!(latest("every hour x", "2026-11-20T13:59"), "11-20 13:00:00");
    assert_eq!(
        latest("the last Friday of every month x", "2028-11-20T10:00"),
        "10-27 09:00:00"
    );
    assert_eq!(
        latest("every day at 8 x until Sunday", "2026-12-25T07:00"),
        "11-22 08:00:00"
    );
    assert_eq!(
        latest("tomorrow at 8 x", "2026-12-25T07:00"),
        "11-21 08:00:00"
    );
}

#[test]
fn a_clock_that_was_put_back_brings_back_what_repeats() {
    let daily = reminder("every day at 8 x", friday());
    let ahead = at("2027-11-25T10:00").to_utc();
    let due = daily.latest(daily.due.unwrap(), ahead, madrid());
    let told = daily.after((due, ahead), madrid());
    assert_eq!(shown(told.due), "11-26 08:00:00");
    let back = told.put_back(friday().to_utc(), madrid()).unwrap();
    assert_eq!(back.due.unwrap(), at("2026-11-21T08:00"));
    assert_eq!(back.put_back(friday().to_utc(), madrid()), None);
    // What does not repeat was told.
    let once = reminder("tomorrow at 8 x", friday());
    let told = once.clone().after((once.due.unwrap(), ahead), madrid());
    assert_eq!(
        told.put_back(friday().to_utc(), madrid()).unwrap().due,
        None
    );
    // A correction of the clock is none.
    let soon = ahead - TimeDelta::seconds(1);
    assert_eq!(told.put_back(soon, madrid()), None);
}

#[test]
fn who_says_nothing_more_means_what_was_told() {
    let one = |name: &str, words: &str| (name.to_owned(), reminder(words, friday()));
    let mut all = vec![
        one("ab12cd34", "tomorrow at 9 llamar al dentista"),
        one("00000002", "tomorrow at 9 pay the rent"),
        one("00000003", "tomorrow at 9 pay Ana"),
    ];
    let asked = |all: &[(String, Reminder)], words: &str| {
        find(all.to_vec(), words, friday()).map(|(name, _, rest)| format!("{name}|{rest}"))
    };
    for (words, right) in [
        ("ab12cd34", "ab12cd34|"),
        ("AB12CD34 10m", "ab12cd34|10m"),
        ("ab12cd34 mañana a las 9", "ab12cd34|mañana a las 9"),
        ("Dentista", "ab12cd34|"),
        ("rent 2h", "00000002|2h"),
        ("pay Ana tomorrow at 10", "00000003|pay Ana tomorrow at 10"),
    ] {
        assert_eq!(asked(&all, words).as_deref(), Ok(right), "{words}");
    }
    assert!(asked(&all, "").unwrap_err().starts_with("which reminder?"));
    assert_eq!(
        asked(&all, "ffffffff").unwrap_err(),
        "there is no reminder `ffffffff` (any more)"
    );
    let several = asked(&all, "pay").unwrap_err();
    assert!(
        several.contains("00000002 (pay the rent), 00000003 (pay Ana)"),
        "{several}"
    );
    all[1].1.told = all[1].1.due;
    assert_eq!(asked(&all, "").unwrap(), "00000002|");
    assert_eq!(asked(&all, "1h").unwrap(), "00000002|1h");
}

#[test]
fn until_when_it_rests() {
    for (words, due) in [
        ("", "11-20 10:40:00"),
        ("10m", "11-20 10:40:00"),
        ("2h", "11-20 12:30:00"),
        ("tomorrow at 9", "11-21 09:00:00"),
        ("mañana", "11-21 09:00:00"),
        ("until Monday", "11-23 09:00:00"),
        ("half an hour", "11-20 11:00:00"),
        ("media hora", "11-20 11:00:00"),
        ("20 minutos", "11-20 10:50:00"),
        ("hasta las 12", "11-20 12:00:00"),
    ] {
        let due = Ok(due.to_owned());
        assert_eq!(
            rests(words, friday()).map(|at| shown(Some(at))),
            due,
            "{words}"
        );
    }
    for wrong in ["0m", "yesterday", "banana", "999999999999d"] {
        assert!(rests(wrong, friday()).is_err(), "{wrong}");
    }
}
