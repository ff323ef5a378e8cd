//! What may be said about one day's facts, and what may not.

mod days;
mod times;

use chrono::TimeZone;
use serde_json::json;

use super::Kind::Number;
use super::*;
use crate::template::Locale;
use crate::template::Locale::{En, Es};
use crate::zone::Tz;

fn facts() -> Value {
    json!({
        "items": [
            {"title": "Stand-up", "start": "2026-11-20T09:00:00+01:00", "end": "2026-11-20T09:30:00+01:00",
             "all_day": false, "location": "https://meet.example.org/abc-123"},
            {"title": "Dentist", "start": "2026-11-20T11:30:00+01:00", "end": "2026-11-20T12:30:00+01:00",
             "all_day": false, "location": "Calle Mayor 4, 2ºB, tel. +34 600 123 456"},
            {"title": "Design review", "start": "2026-11-20T12:00:00+01:00", "end": "2026-11-20T13:30:00+01:00",
             "all_day": false, "location": null},
            {"title": "Gym", "start": "2026-11-20T16:30:00Z", "end": "2026-11-20T18:00:00Z", "all_day": false},
            {"title": "Bin collection", "date": "2026-11-20", "all_day": true},
        ],
        "tomorrow": {"title": "Swimming", "time": "10:00"},
        "disk": {"used_percent": 87.4, "total": 12345, "device": "/dev/sda1"},
        "load": 0.5,
        "holiday": "2026-12-08",
        "open": [],
    })
}

fn now() -> DateTime<Tz> {
    Tz::named("Europe/Madrid")
        .unwrap()
        .with_ymd_and_hms(2026, 11, 20, 7, 0, 0)
        .unwrap()
}

#[track_caller]
fn good(language: Locale, answers: &[&str]) {
    for answer in answers {
        assert_eq!(
            check(answer, &facts(), "", language, &now()),
            Ok(()),
            "{answer}"
        );
    }
}

#[track_caller]
fn bad(language: Locale, rows: &[(&str, &str, Kind)]) {
    for (answer, text, kind) in rows {
        let inventions = check(answer, &facts(), "", language, &now()).expect_err(answer);
        assert_eq!(
            (&inventions[0].text[..], inventions[0].kind),
            (*text, *kind),
            "{answer}: {inventions:?}"
        );
        assert_eq!(inventions.len(), 1, "{answer}: {inventions:?}");
        assert!(
            answer[inventions[0].position..]
                .trim_start()
                .starts_with(text),
            "{answer}"
        );
    }
}

#[test]
fn numbers_and_counts() {
    good(
        En,
        &[
            "You have five events, four with a time and one for the whole day.",
            "5 events: 4 timed, 1 all-day.",
            "The disk is 87.4% full",
            "The disk is at 87 %",
            "12,345 blocks",
            "12345 blocks, load 0.5, load 0.50",
            "The stand-up takes 30 minutes, the dentist an hour.",
            "half an hour, then 1 hour, then an hour and a half",
            "1 h 30 min of review; 1h30; 90 min; 1.5 hours",
            "1 hour and 30 minutes",
            "a 30-minute stand-up",
            "Calle Mayor 4, 2ºB, phone +34 600 123 456",
            "Call 600 123 456 or +34-600-123-456",
            "Join at https://meet.example.org/abc-123.",
            "Join [here](https://meet.example.org/abc-123)",
            "/dev/sda1 is nearly full",
            "1. Stand-up\n2. Dentist\n3. Design review",
            "1) Stand-up\n2) Dentist",
            "One of them, at one point, is a long one",
            "Nothing is open: zero problems",
            "No numbers here, dear one.",
            "",
        ],
    );
    good(
        Es,
        &[
            "Tienes cinco eventos: cuatro con hora y uno de todo el día",
            "El disco está al 87,4 %",
            "12.345 bloques; 12345 bloques; carga 0,5; carga 0.5",
            "media hora de reunión, una hora de dentista, hora y media de revisión",
            "una hora y media; 90 minutos; 30 min; treinta minutos",
            "Una cita y un café, a primera hora",
            "los cinco",
            "las cuatro citas",
        ],
    );
    bad(
        En,
        &[
            ("You have six events", "six", Number),
            ("3 events", "3", Number),
            ("The disk is 88.4% full", "88.4", Number),
            ("The disk is at 12 %", "12", Number),
            ("54,321 blocks", "54,321", Number),
            ("It takes 45 minutes", "45 minutes", Number),
            ("It takes two hours", "two hours", Number),
            ("a quarter of an hour", "quarter of an hour", Number),
            ("1 h 15 min", "1 h 15 min", Number),
            ("twenty-five meetings", "twenty-five", Number),
            ("a dozen meetings", "dozen", Number),
            ("/dev/sdb7 is full", "7", Number),
            ("3. Stand-up", "3", Number),
            ("a hundred errors", "hundred", Number),
            ("after 3 hours", "3 hours", Number),
            ("call +34 611222333", "611222333", Number),
        ],
    );
    bad(
        Es,
        &[
            ("Tienes seis eventos", "seis", Number),
            ("once reuniones", "once", Number),
            ("treinta y dos avisos", "treinta y dos", Number),
            ("El disco está al 78,4 %", "78,4", Number),
            ("12,345 bloques", "12,345", Number),
            ("dura 50 minutos", "50 minutos", Number),
            ("dura dos horas", "dos horas", Number),
            ("cien errores", "cien", Number),
            ("quinientas líneas", "quinientas", Number),
            ("2 millones de líneas", "2 millones", Number),
            ("3 mil errores", "3 mil", Number),
        ],
    );
}

#[test]
fn a_whole_briefing_passes_and_one_wrong_word_does_not() {
    let english = "**Friday 20 November**\n\nGood morning! You have 4 appointments today, from 9:00 AM to 7:00 PM:\n\n\
        1. 09:00-09:30  Stand-up (30 minutes)\n2. 11:30-12:30  Dentist, Calle Mayor 4, overlaps the Design review at noon\n\
        3. 12:00-13:30  Design review\n4. Gym at half past five\n\nAll day: bin collection. \
        Tomorrow, Saturday, starts at 10 am with swimming.";
    let spanish = "**Viernes, 20 de noviembre**\n\n¡Buenos días! Hoy tienes cuatro citas y un aviso de todo el día:\n\
        - De 9:00 a 9:30, reunión (media hora)\n- A las once y media, dentista en la calle Mayor 4\n\
        - A mediodía, revisión, hasta las 13:30\n- A las cinco y media de la tarde, gimnasio\n\n\
        Mañana sábado empieza a las diez con natación.";
    for (answer, language, wrong) in [
        (
            english,
            En,
            ["Friday", "4 app", "half past five", "10 am", "20 Nov"],
        ),
        (
            spanish,
            Es,
            ["Viernes", "cuatro", "cinco y media", "a las diez", "sábado"],
        ),
    ] {
        assert_eq!(
            check(answer, &facts(), "", language, &now()),
            Ok(()),
            "{answer}"
        );
        let instead = match language {
            En => ["Sunday", "6 app", "half past six", "11 am", "26 Nov"],
            Es => ["Martes", "ocho", "seis y media", "a las ocho", "domingo"],
        };
        for (wrong, instead) in wrong.into_iter().zip(instead) {
            let changed = answer.replacen(wrong, instead, 1);
            assert_ne!(changed, answer);
            let found = check(&changed, &facts(), "", language, &now());
            assert_eq!(found.map_err(|found| found.len()), Err(1), "{instead}");
        }
    }
}

#[test]
fn every_invention_is_named_in_its_place() {
    let answer = "El jueves a las 10:15 tienes seis citas, la última a las 17:30.";
    let found = check(answer, &facts(), "", Es, &now()).unwrap_err();
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the weekday `jueves`",
            "the time `10:15`",
            "the number `seis`"
        ]
    );
    assert!(
        found
            .iter()
            .all(|one| answer[one.position..].starts_with(&one.text))
    );
}

#[test]
fn the_text_of_the_prompt_holds_facts_too() {
    let text =
        "Mon 23 Nov 08:15-08:40 Sprint 42 planning in room B12 (3 errors, one thousand lines)";
    let answers = [
        "On Monday 23 November at 8:15 am: Sprint 42 planning, B12, 25 minutes, three errors, 1,000 lines",
        "El lunes 23 de noviembre a las ocho y cuarto: Sprint 42, tres errores, 25 minutos",
    ];
    for (answer, language) in answers.into_iter().zip([En, Es]) {
        assert_eq!(
            check(answer, &Value::Null, text, language, &now()),
            Ok(()),
            "{answer}"
        );
        assert!(check(answer, &Value::Null, "", language, &now()).is_err());
    }
}

#[test]
fn strange_text_does_not_break_it() {
    for text in [
        "٣ 第3回 ½ ²",
        "99999999999999999999999 1.2.3.4 0/0 99:99 24:00",
        "-",
        "1,,2..3",
        "31/31/31 2026-99-99",
    ] {
        let _ = check(text, &json!({"x": [text]}), text, En, &now());
        assert_eq!(
            check(text, &json!([text]), "", En, &now()),
            Ok(()),
            "{text}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn a_text_holds_itself(text in "[ -~áéíóúñº–\n]{0,80}") {
        let facts = json!([text]);
        for language in [En, Es] {
            proptest::prop_assert_eq!(check(&text, &facts, "", language, &now()), Ok(()));
        }
    }

    #[test]
    fn anything_at_all_is_read(text in "\\PC{0,60}") {
        let _ = check(&text, &Value::Null, &text, Es, &now());
    }
}

/// The shipped example's Friday, 20 November 2026, as a prompt words it.
#[test]
fn wordings_of_a_good_briefing_pass() {
    let overlaps = |title: &str| match title {
        "Dentist" => vec!["Design review"],
        "Design review" => vec!["Dentist"],
        _ => Vec::new(),
    };
    let item = |start: &str, end: &str, title: &str, all_day: bool| json!({ "date": "2026-11-20", "weekday": 5, "start_time": start, "end_time": end, "all_day": all_day, "title": title, "overlaps": overlaps(title) });
    let items = [
        item("09:00", "09:30", "Stand-up", false),
        item("11:30", "12:30", "Dentist", false),
        item("12:00", "13:00", "Design review", false),
        item("", "", "Bin collection", true),
    ];
    let facts = json!({ "events": { "items": items, "count": 4 }, "tomorrow": { "items": [
        { "date": "2026-11-21", "weekday": 6, "start_time": "10:00", "end_time": "11:00", "all_day": false, "title": "Swimming" }
    ], "count": 1 } });
    let now = "2026-11-20T07:00:00+01:00".parse::<DateTime<chrono::FixedOffset>>();
    let now = now
        .unwrap()
        .with_timezone(&Tz::named("Europe/Madrid").unwrap());
    let text = "today: Friday 20 November\n- 09:00-09:30: Stand-up\n- 11:30-12:30: Dentist\n- 12:00-13:00: Design review\n- all day: Bin collection\ntomorrow: 10:00 Swimming";
    let mut refused = Vec::new();
    let mut check = |language, answer: &str| {
        if let Err(found) = check(answer, &facts, text, language, &now) {
            refused.push(format!("{answer}: {found:?}"));
        }
    };
    for answer in [
        "You have four appointments",
        "Stand-up from 9 to 9:30",
        "Three meetings and bin collection",
        "First thing: Stand-up at nine",
        "The overlap between 12:00 and 12:30",
        "Half an hour of overlap from 12 to 12:30",
        "Your day starts at 9am and ends at 1pm",
        "Dentist 11:30-12:30, one hour",
        "Design review at noon until one",
        "Tomorrow, Saturday, starts at 10 with Swimming",
        "Two of them overlap",
        "A 30-minute stand-up",
    ] {
        check(Locale::En, answer);
    }
    for answer in [
        "Tu día empieza a las 9:00",
        "Stand-up a las nueve, hasta las nueve y media",
        "Tienes cuatro citas",
        "Tres reuniones y la basura",
        "Mañana sábado empieza a las diez con Swimming",
        "Dentist de 11:30 a 12:30, una hora",
        "Coinciden entre las 12:00 y las 12:30",
        "Dos coinciden",
        "Primera cita: Stand-up",
        "Viernes 20 de noviembre",
        "Acaba a la una de la tarde",
    ] {
        check(Locale::Es, answer);
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
