//! Calendars on a server, through the whole program, against a real Radicale where there is one.

use crate::fake_dav::Radicale;
use crate::support::Folder;

const JOBS: &[(&str, &str)] = &[
    (
        "list",
        "calendar = \"list\"\nrange = \"week\"\nTEXT{% for item in x.items %}{{ item.start_time }} {{ item.title }} {{ item.entry }};{% endfor %}{{ x.warnings | join }}",
    ),
    (
        "find",
        "calendar = \"search\"\nwords = \"{{ event.args.words }}\"\nTEXT{% for item in x.items %}{{ item.entry }}{% endfor %}",
    ),
    (
        "free",
        "calendar = \"free\"\nstart = \"{{ event.args.at }}\"\nTEXT{{ x.free }} {{ x.shown }} {% for item in x.items %}{{ item.title }}{% endfor %}",
    ),
    (
        "new",
        "calendar = \"create\"\ntitle = \"{{ event.args.title }}\"\nstart = \"{{ event.args.at }}\"\nTEXT{{ x.shown }} {{ x.undo }}",
    ),
    (
        "move",
        "calendar = \"update\"\nentry = \"{{ event.args.entry }}\"\nstart = \"{{ event.args.at }}\"\nTEXT{{ x.was }} -> {{ x.shown }} {{ x.undo }}",
    ),
    (
        "drop",
        "calendar = \"delete\"\nentry = \"{{ event.args.entry }}\"\nTEXT{{ x.shown }} {{ x.undo }}",
    ),
    (
        "undo",
        "calendar = \"undo\"\nundo = \"{{ event.args.undo }}\"\nTEXT{{ x.undone }} {{ x.title }} {{ x.shown }}",
    ),
];

/// With a job for each verb.
pub(super) fn jobs(mut folder: Folder) -> Folder {
    for (name, step) in JOBS {
        let (step, text) = step.split_once("TEXT").expect("a text");
        folder = folder.job(
            name,
            &format!(
                "[[step]]\nid = \"x\"\n{step}\n[[deliver]]\nconsole = true\ntext = \"{text}.\"\n"
            ),
        );
    }
    folder
}

fn world(server: &Radicale) -> Folder {
    let folder = jobs(Folder::new());
    let url = server.url("/");
    let settings = format!(
        "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[calendars.home]\ncaldav = \"{url}\"\nuser = \"me\"\npassword.env = \"DAV\"\n"
    );
    folder.write("config/reveille.toml", settings);
    folder
}

/// What a run by hand prints on Friday 20 November 2026, 09:00 in Madrid.
fn says(folder: &Folder, words: &[&str]) -> String {
    let words = [&["run"], words].concat();
    let ran = folder.run_with(&words, "", &[("DAV", "hunter2")]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.trim().trim_end_matches('.').to_owned()
}

#[test]
fn entries_are_made_found_moved_deleted_and_put_back_and_known_when_the_server_is_gone() {
    let Some(server) = Radicale::start() else {
        return;
    };
    server.make("home", "VEVENT");
    let folder = world(&server);
    let list = || says(&folder, &["list"]);
    assert_eq!(list(), "");

    let made = says(
        &folder,
        &[
            "new",
            "--set",
            "title=Dentist; \"x\"",
            "--set",
            "at=tuesday at 17:30",
        ],
    );
    assert!(made.starts_with("Tue 24 Nov 17:30-18:30 "), "{made}");
    let listed = list();
    assert!(listed.starts_with("17:30 Dentist; \"x\" "), "{listed}");

    let free = |at: &str| says(&folder, &["free", "--set", &format!("at={at}")]);
    assert_eq!(
        free("2026-11-24 18:00"),
        "False Tue 24 Nov 18:00-19:00 Dentist; \"x\""
    );
    assert_eq!(free("2026-11-24 18:30"), "True Tue 24 Nov 18:30-19:30 ");

    let entry = says(&folder, &["find", "--set", "words=dentists"]);
    let moved = says(
        &folder,
        &[
            "move",
            "--set",
            &format!("entry={entry}"),
            "--set",
            "at=2026-11-25 09:00",
        ],
    );
    assert!(
        moved.starts_with("Tue 24 Nov 17:30-18:30 -> Wed 25 Nov 09:00-10:00 "),
        "{moved}"
    );
    let undo = moved.rsplit(' ').next().expect("an end");
    assert_eq!(
        says(&folder, &["undo", "--set", &format!("undo={undo}")]),
        "update Dentist; \"x\" Tue 24 Nov 17:30-18:30"
    );
    assert!(list().starts_with("17:30 "), "{}", list());

    // A time alone keeps the day, a day alone the time.
    for (to, expected) in [
        ("18:00", "Tue 24 Nov 18:00-19:00"),
        ("friday", "Fri 27 Nov 17:30-18:30"),
    ] {
        let entry = says(&folder, &["find", "--set", "words=dentist"]);
        let words = [
            "move",
            "--set",
            &format!("entry={entry}"),
            "--set",
            &format!("at={to}"),
        ];
        let moved = says(&folder, &words);
        assert!(moved.contains(expected), "{moved}");
        let undo = moved.rsplit(' ').next().expect("an end");
        says(&folder, &["undo", "--set", &format!("undo={undo}")]);
    }

    let entry = says(&folder, &["find", "--set", "words=dentist"]);
    let dropped = says(&folder, &["drop", "--set", &format!("entry={entry}")]);
    assert_eq!(list(), "");
    let undo = dropped.rsplit(' ').next().expect("an end");
    says(&folder, &["undo", "--set", &format!("undo={undo}")]);
    assert!(list().starts_with("17:30 Dentist"), "{}", list());
    // It is done once.
    let again = folder.run_with(
        &["run", "undo", "--set", &format!("undo={undo}")],
        "",
        &[("DAV", "hunter2")],
    );
    again.says(1, &["there is nothing to undo, or it was undone already"]);

    drop(server);
    let mut later = folder.unclocked(&["--now", "2026-11-20 09:10", "run", "list"]);
    let known = later.env("DAV", "hunter2").output().expect("it runs");
    let known = String::from_utf8(known.stdout).expect("text");
    assert!(known.starts_with("17:30 Dentist"), "{known}");
    assert!(
        known.contains("home could not be brought up to date ("),
        "{known}"
    );
    assert!(
        known.contains("): this is from 2026-11-20 06:59"),
        "{known}"
    );
    assert!(!known.contains("hunter2"), "{known}");
}

#[test]
fn a_wrong_password_is_said_and_a_calendar_that_is_only_read_is_not_written() {
    let Some(server) = Radicale::start() else {
        return;
    };
    server.make("home", "VEVENT");
    let folder = world(&server);
    let wrong = folder.run_with(&["run", "list"], "", &[("DAV", "wrong")]);
    wrong.says(1, &["home: ", "password"]);
    folder.write(
        "config/reveille.toml",
        "[calendars.club]\nics = \"club.ics\"\n",
    );
    folder.write("club.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
    folder
        .run_with(
            &["run", "new", "--set", "title=x", "--set", "at=tomorrow"],
            "",
            &[],
        )
        .says(
            1,
            &["no calendar here can be written: add a [calendars.NAME] with `google` or `caldav`"],
        );
}

#[test]
fn one_occasion_on_a_server_is_moved_deleted_and_put_back() {
    let Some(server) = Radicale::start() else {
        return;
    };
    server.make("home", "VEVENT");
    let put = |name: &str, text: &str| {
        let answer = server.raw("PUT", &format!("/me/home/{name}.ics"), text);
        assert!(answer.contains(" 201 "), "{answer}");
    };
    put(
        "yoga",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:yoga\r\nDTSTAMP:20261101T000000Z\r\n\
         DTSTART:20261102T170000Z\r\nDTEND:20261102T180000Z\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Yoga\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    let folder = world(&server);
    let list = || says(&folder, &["list"]);
    let entry = list();
    let entry = entry
        .trim_end_matches(';')
        .rsplit(' ')
        .next()
        .expect("an end");
    let set = |key: &str, value: &str| format!("{key}={value}");
    let change = |words: &[&str]| {
        let said = says(&folder, words);
        let undo = said.rsplit(' ').next().expect("an end").to_owned();
        (said, undo)
    };
    let entry = set("entry", entry);
    let (moved, _) = change(&["move", "--set", &entry, "--set", "at=2026-11-24 20:00"]);
    assert!(
        moved.starts_with("Mon 23 Nov 18:00-19:00 -> Tue 24 Nov 20:00-21:00"),
        "{moved}"
    );
    let (moved, undo) = change(&["move", "--set", &entry, "--set", "at=2026-11-25 21:00"]);
    assert!(
        moved.starts_with("Tue 24 Nov 20:00-21:00 -> Wed 25 Nov 21:00-22:00"),
        "{moved}"
    );
    says(&folder, &["undo", "--set", &set("undo", &undo)]);
    assert!(list().starts_with("20:00 Yoga"), "{}", list());
    let (_, undo) = change(&["drop", "--set", &entry]);
    assert_eq!(list(), "");
    let all = || says(&folder, &["find", "--set", "words=yoga"]).len() / 8;
    assert_eq!(all(), 8);
    says(&folder, &["undo", "--set", &set("undo", &undo)]);
    assert!(list().starts_with("20:00 Yoga"), "{}", list());
    assert_eq!(all(), 9);
}
