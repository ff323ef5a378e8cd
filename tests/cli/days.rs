//! The briefing of the examples on one day after the other, letter for letter, through the whole program.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use crate::fake_models::{Ollama, Script};
use crate::support::{Folder, Outcome};

/// A reader, whose day is Friday 20 November 2026 in Madrid.
struct Reader(Folder);

const MORNING: &str = "2026-11-20 06:59";

impl Reader {
    /// The examples, with a calendar of these entries: `UTC start, end (both without seconds), more properties`.
    fn new(language: &str, entries: &[&str]) -> Self {
        let folder = Folder::empty();
        folder.run(["init", "."]).prints(&[]);
        let settings = folder.read("config/reveille.toml");
        let settings = settings
            .replace("# timezone", "timezone")
            .replace("language = \"en\"", &format!("language = \"{language}\""));
        folder.write("config/reveille.toml", settings);
        folder.write("config/calendar.ics", ics(entries));
        Reader(folder)
    }

    fn command(&self, now: &str, words: &[&str]) -> Command {
        let words = [&["--now", now, "run"], words].concat();
        self.0.unclocked(&words)
    }

    fn run(&self, now: &str, words: &[&str]) -> Outcome {
        let child = self.command(now, words).spawn().expect("it starts");
        let ran = Outcome::of(words, child);
        assert_eq!(ran.code, 0, "{ran}");
        ran
    }

    /// What `/today` says, and that the briefing says the same and one line more.
    #[track_caller]
    fn reads(&self, now: &str, expected: &str) {
        let today = self.run(now, &["today"]).stdout;
        assert_eq!(today, format!("{expected}\n"), "\n{today}");
        let briefing = self.run(now, &["daily-briefing"]).stdout;
        let lines = briefing.trim_end().rsplit_once("\n\n");
        assert_eq!(lines.map(|lines| lines.0), Some(expected), "\n{briefing}");
    }

    fn remind(&self, words: &str) {
        let job = "[[step]]\nid = \"x\"\nremind = \"add\"\nwords = \"{{ event.args.words }}\"\n[[deliver]]\nconsole = true\ntext = \"{{ x.shown }}\"\n";
        self.0.write("jobs/remember.toml", job);
        self.run(
            "2026-11-16 08:00",
            &["remember", "--set", &format!("words={words}")],
        );
    }

    /// All reminders that are due before this moment (UTC) were told.
    fn told(&self, before: &str) {
        let path = self.0.path("state/reveille.db");
        let database = rusqlite::Connection::open(path).expect("it opens");
        let sql = "UPDATE cursors SET value = json_set(value, '$.told', value ->> '$.due', '$.due', NULL) \
                   WHERE owner = 'reminders' AND value ->> '$.due' < ?";
        let told = database.execute(sql, [before]).expect("it is right");
        assert!(told > 0);
    }
}

fn ics(entries: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned();
    for (number, entry) in entries.iter().enumerate() {
        let mut parts = entry.splitn(4, ' ');
        let mut part = || parts.next().unwrap_or_default();
        let (start, end, title) = (moment(part()), moment(part()), part().replace('_', " "));
        let more = part();
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART{start}\r\nDTEND{end}\r\nSUMMARY:{title}\r\n{more}\r\nEND:VEVENT\r\n"
        ));
    }
    text + "END:VCALENDAR\r\n"
}

/// `0900` of the day, `21T0900`, or a whole day, `20` or `1201`.
fn moment(text: &str) -> String {
    let day = |day: &str| format!("202611{day}");
    match (text.split_once('T'), text.len()) {
        (Some((date, time)), _) => format!(";TZID=Europe/Madrid:{}T{time}00", day(date)),
        (None, 2) => format!(";VALUE=DATE:{}", day(text)),
        _ => format!(";TZID=Europe/Madrid:{}T{text}00", day("20")),
    }
}

#[track_caller]
fn check(now: &str, entries: &[&str], english: &str, spanish: &str) {
    Reader::new("en", entries).reads(now, english);
    Reader::new("es", entries).reads(now, spanish);
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = include_str!("../../README.md");
    let (_, shown) = readme
        .split_once("-- run daily-briefing\n")
        .expect("it is shown");
    let lines = shown.lines();
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let shown: Vec<&str> = lines.map(|line| line.trim_start()).collect();
    let folder = Folder::empty();
    folder.run(["init", "."]).prints(&[]);
    let printed = folder.run(["run", "daily-briefing"]).stdout;
    assert_eq!(printed.trim_end(), shown.join("\n").trim_end());
}

#[test]
fn a_day_with_nothing_in_it() {
    check(
        MORNING,
        &[],
        "**Friday 20 November**\nNothing in the calendar: a free day.",
        "**Viernes 20 de noviembre**\nNada en la agenda: día libre.",
    );
}

#[test]
fn a_day_with_one_entry() {
    check(
        MORNING,
        &["1000 1100 Dentist LOCATION:Calle Mayor 4"],
        "**Friday 20 November**\n10:00-11:00  Dentist, Calle Mayor 4",
        "**Viernes 20 de noviembre**\n10:00-11:00  Dentist, Calle Mayor 4",
    );
}

const BUSY: &[&str] = &[
    "0800 0845 Stand-up",
    "0830 0900 Call_the_bank",
    "0900 1000 Design_review LOCATION:Room 2",
    "0930 1030 Dentist LOCATION:Calle Mayor 4\\, Madrid",
    "0945 1000 Ping",
    "1200 1330 Lunch_with_Marta LOCATION:Casa Lucio",
    "1400 1500 School_meeting",
    "1500 1530 Parcel",
    "1700 1800 Gym",
    "2200 21T0100 Night_train LOCATION:Atocha",
    "21T0930 21T1000 Breakfast",
    "21T1100 21T1200 Swimming",
    "21T1300 21T1400 Market",
    "21 22 Bin_collection",
];

#[test]
fn a_day_of_ten_entries_some_at_once() {
    check(
        MORNING,
        BUSY,
        "**Friday 20 November**
08:00-08:45  Stand-up
08:30-09:00  Call the bank  ⚠️ overlaps Stand-up
09:00-10:00  Design review, Room 2
09:30-10:30  Dentist, Calle Mayor 4, Madrid  ⚠️ overlaps Design review
09:45-10:00  Ping  ⚠️ overlaps Design review, Dentist
12:00-13:30  Lunch with Marta, Casa Lucio
14:00-15:00  School meeting
15:00-15:30  Parcel
17:00-18:00  Gym
from 22:00  Night train, Atocha
Free 10:30-12:00, 15:30-17:00, 18:00-22:00

Tomorrow: 09:30 Breakfast, 11:00 Swimming and 2 more",
        "**Viernes 20 de noviembre**
08:00-08:45  Stand-up
08:30-09:00  Call the bank  ⚠️ coincide con Stand-up
09:00-10:00  Design review, Room 2
09:30-10:30  Dentist, Calle Mayor 4, Madrid  ⚠️ coincide con Design review
09:45-10:00  Ping  ⚠️ coincide con Design review, Dentist
12:00-13:30  Lunch with Marta, Casa Lucio
14:00-15:00  School meeting
15:00-15:30  Parcel
17:00-18:00  Gym
desde 22:00  Night train, Atocha
Libre 10:30-12:00, 15:30-17:00, 18:00-22:00

Mañana: 09:30 Breakfast, 11:00 Swimming y 2 más",
    );
}

#[test]
fn asked_in_the_middle_of_the_day() {
    let at = |now: &str, english: &str, spanish: &str| check(now, BUSY, english, spanish);
    at(
        "2026-11-20 10:20",
        "**Friday 20 November**
Earlier: 4 events
09:30-10:30  Dentist, Calle Mayor 4, Madrid · now
12:00-13:30  Lunch with Marta, Casa Lucio
14:00-15:00  School meeting
15:00-15:30  Parcel
17:00-18:00  Gym
from 22:00  Night train, Atocha
Free 10:30-12:00, 15:30-17:00, 18:00-22:00

Tomorrow: 09:30 Breakfast, 11:00 Swimming and 2 more",
        "**Viernes 20 de noviembre**
Ya pasado: 4 eventos
09:30-10:30  Dentist, Calle Mayor 4, Madrid · ahora
12:00-13:30  Lunch with Marta, Casa Lucio
14:00-15:00  School meeting
15:00-15:30  Parcel
17:00-18:00  Gym
desde 22:00  Night train, Atocha
Libre 10:30-12:00, 15:30-17:00, 18:00-22:00

Mañana: 09:30 Breakfast, 11:00 Swimming y 2 más",
    );
    // In a free hour: how long it lasts; and no more once less than an hour is left.
    at(
        "2026-11-20 15:40",
        "**Friday 20 November**
Earlier: 8 events
17:00-18:00  Gym
from 22:00  Night train, Atocha
Free until 17:00, 18:00-22:00

Tomorrow: 09:30 Breakfast, 11:00 Swimming and 2 more",
        "**Viernes 20 de noviembre**
Ya pasado: 8 eventos
17:00-18:00  Gym
desde 22:00  Night train, Atocha
Libre hasta 17:00, 18:00-22:00

Mañana: 09:30 Breakfast, 11:00 Swimming y 2 más",
    );
    at(
        "2026-11-20 21:10",
        "**Friday 20 November**
Earlier: 9 events
from 22:00  Night train, Atocha

Tomorrow: 09:30 Breakfast, 11:00 Swimming and 2 more",
        "**Viernes 20 de noviembre**
Ya pasado: 9 eventos
desde 22:00  Night train, Atocha

Mañana: 09:30 Breakfast, 11:00 Swimming y 2 más",
    );
    check(
        "2026-11-20 11:00",
        &["1000 1100 Dentist"],
        "**Friday 20 November**\nEarlier: 1 event\nNothing more today.",
        "**Viernes 20 de noviembre**\nYa pasado: 1 evento\nHoy no queda nada más.",
    );
}

#[test]
fn days_that_are_only_about_days() {
    check(
        MORNING,
        &[
            "20 21 Bin_collection",
            "19 24 Book_fair",
            "20 21 Ana's_birthday_(1986)",
            "20 21 Cumple_de_Luis DESCRIPTION:Nacido el 20 de noviembre de 2025",
            "20 21 Birthday_of_Eva DESCRIPTION:Room 2026",
            "19T0900 22T1800 Conference",
            "21 22 Rent",
            "21 22 Birthday_of_Leo",
        ],
        "**Friday 20 November**

🎂 Ana's birthday (1986): 40 years
🎂 Birthday of Eva
🎂 Cumple de Luis: 1 year
All day: Book fair (day 2 of 5), Conference (day 2 of 4), Bin collection

Tomorrow: 🎂 Birthday of Leo, Rent",
        "**Viernes 20 de noviembre**

🎂 Ana's birthday (1986): 40 años
🎂 Birthday of Eva
🎂 Cumple de Luis: 1 año
Todo el día: Book fair (día 2 de 5), Conference (día 2 de 4), Bin collection

Mañana: 🎂 Birthday of Leo, Rent",
    );
}

#[test]
fn reminders_that_are_overdue_or_due_today() {
    let told = |language: &str, expected: &str| {
        let reader = Reader::new(language, &["1000 1100 Dentist"]);
        for words in [
            "18 November at 9:00 pay the rent",
            "20 November at 17:00 call the bank",
            "21 November at 17:00 call Ana",
        ] {
            reader.remind(words);
        }
        reader.told("2026-11-19");
        reader.reads(MORNING, expected);
    };
    told(
        "en",
        "**Friday 20 November**
10:00-11:00  Dentist

❗ pay the rent (overdue since Wed 18 Nov 09:00)
⏰ 17:00  call the bank",
    );
    told(
        "es",
        "**Viernes 20 de noviembre**
10:00-11:00  Dentist

❗ pay the rent (pendiente desde mié 18 nov 09:00)
⏰ 17:00  call the bank",
    );
    let reader = Reader::new("en", &[]);
    for number in 1..=7 {
        reader.remind(&format!("18 November at 9:0{number} task"));
    }
    reader.told("2026-11-19");
    let today = reader.run(MORNING, &["today"]).stdout;
    assert!(
        today.contains("\nNothing in the calendar.\n\n❗ task"),
        "{today}"
    );
    assert!(today.ends_with("09:05)\n❗ and 2 more\n"), "{today}");
}

#[test]
fn a_calendar_whose_server_is_gone() {
    for (language, expected) in [
        (
            "en",
            "**Friday 20 November**\n10:00-11:00  Dentist\n\n⚠️ Home could not be updated: this is from 9 hours ago",
        ),
        (
            "es",
            "**Viernes 20 de noviembre**\n10:00-11:00  Dentist\n\n⚠️ Home no se pudo actualizar: esto es de hace 9 horas",
        ),
    ] {
        let reader = Reader::new(language, &[]);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let settings = reader.0.read("config/reveille.toml");
        let settings = settings.replace(
            "\"config/calendar.ics\"",
            &format!("\"http://{address}/c.ics\""),
        );
        reader.0.write("config/reveille.toml", settings);
        let child = reader
            .command("2026-11-19 21:30", &["tomorrow"])
            .spawn()
            .expect("it starts");
        let (mut call, _) = listener.accept().expect("a call");
        drop(listener);
        let _ = call.read(&mut [0; 4096]).expect("a request");
        let text = ics(&["1000 1100 Dentist"]);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\nConnection: close";
        let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        call.write_all(answer.as_bytes()).expect("it is heard");
        Outcome::of(&["tomorrow"], child).prints(&["10:00-11:00  Dentist"]);
        reader.reads(MORNING, expected);
    }
}

#[test]
fn hostile_titles_stay_in_their_lines() {
    let long = "long_".repeat(60);
    let entries = [
        "0900 0930 ```js_**bold LOCATION:# not a heading\\n---\\n| a | b |".to_owned(),
        "0900 0930 [click](http://evil.example)_`x".to_owned(),
        format!("1100 1200 {long}"),
        "1300 1400 \u{202e}evil\u{1b}[31m\u{200f}\\n\\n#_head".to_owned(),
        "1500 1600 \u{202e}\u{200f} LOCATION:\u{2066}".to_owned(),
        "20 21 ~~*a*_&lt\\;b&gt\\;_<b>x".to_owned(),
        "21T0900 21T1000 ```".to_owned(),
    ];
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let words = "long ".repeat(15) + "long…";
    Reader::new("en", &entries).reads(
        MORNING,
        &format!(
            "**Friday 20 November**
09:00-09:30  [click\\](http://evil.example) \\`x
09:00-09:30  \\`\\`\\`js \\*\\*bold, # not a heading, ---, | a | b |  ⚠️ overlaps [click\\](http://evil.example) \\`x
11:00-12:00  {words}
13:00-14:00  evil[31m # head
15:00-16:00  (no title)
Free 09:30-11:00, 12:00-13:00, 14:00-15:00

All day: \\~\\~\\*a\\* \\&lt;b\\&gt; \\<b>x

Tomorrow: 09:00 \\`\\`\\`"
        ),
    );
}

/// What a model answers is held to the facts: the plain text's own words pass, an hour that is not free does not.
#[test]
fn the_words_of_the_plain_text_are_in_the_facts() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answers = |language: &str, now: &str, change: (&str, &str)| {
        let mut entries = BUSY.to_vec();
        entries.push("20 21 Ana's_birthday_(1986)");
        entries.push("19 24 Book_fair");
        let reader = Reader::new(language, &entries);
        let text = reader.run(now, &["today"]).stdout;
        let answer: &'static str = text.trim_end().replacen(change.0, change.1, 1).leak();
        let model = runtime.block_on(Ollama::start(Script::says(answer)));
        let settings = reader.0.read("config/reveille.toml");
        let settings = settings.replace("http://127.0.0.1:11434", &model.url);
        reader.0.write("config/reveille.toml", settings);
        let said = reader.run(now, &["daily-briefing"]).stdout;
        (said == format!("{answer}\n"), said)
    };
    for language in ["en", "es"] {
        for now in [MORNING, "2026-11-20 15:40"] {
            let (kept, said) = answers(language, now, ("", ""));
            assert!(kept, "{said}");
        }
    }
    for change in [
        ("15:30-17:00", "15:30-16:40"),
        ("40 years", "41 years"),
        ("2 more", "77 more"),
    ] {
        let (kept, said) = answers("en", MORNING, change);
        assert!(
            !kept && said.contains("did not keep to the facts"),
            "{change:?}: {said}"
        );
    }
}

#[test]
fn the_evening_before() {
    let reader = Reader::new("es", &[&["21 22 Cumple_de_Ana_(1990)"], BUSY].concat());
    let tomorrow = reader.run(MORNING, &["tomorrow"]).stdout;
    let expected = "**Mañana, sábado 21 de noviembre**
hasta 01:00  Night train, Atocha
09:30-10:00  Breakfast
11:00-12:00  Swimming
13:00-14:00  Market
Libre 08:00-09:30, 10:00-11:00, 12:00-13:00

🎂 Cumple de Ana (1990): 36 años
Todo el día: Bin collection
";
    assert_eq!(tomorrow, expected, "\n{tomorrow}");
}
