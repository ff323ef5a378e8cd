//! Google's calendars, through the whole program.

use serde_json::{Value, json};

use super::calendars::jobs;
use crate::fake_google::{Fail, Google, OWN, ROBOT, SECRET};
use crate::support::{Folder, Outcome};

const READ: &str = "https://www.googleapis.com/auth/calendar.readonly";
const WRITE: &str = "https://www.googleapis.com/auth/calendar.events";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Who {
    Robot,
    /// For reading and writing.
    Person,
    /// For reading only.
    Reader,
}

pub struct World {
    pub runtime: tokio::runtime::Runtime,
    pub google: Google,
    pub folder: Folder,
}

impl World {
    pub fn new(who: Who) -> World {
        World::with(who, "")
    }

    /// With more keys of the calendar `home`.
    pub fn with(who: Who, more: &str) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let google = runtime.block_on(Google::start());
        let keys = match who {
            Who::Robot => "service_account.file = \"key.json\"",
            Who::Person | Who::Reader => "client.file = \"client.json\"",
        };
        let settings = format!(
            "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[google.me]\n{keys}\napi_url = \"{}\"\n\n[calendars.home]\ngoogle = \"{OWN}\"\naccount = \"me\"\n{more}",
            google.url
        );
        let folder = jobs(Folder::new())
            .file("config/reveille.toml", settings)
            .file("client.json", google.client_secret())
            .file("key.json", google.service_key());
        let scopes = match who {
            Who::Robot => {
                return World {
                    runtime,
                    google,
                    folder,
                };
            }
            Who::Person => format!("{READ} {WRITE}"),
            Who::Reader => READ.to_owned(),
        };
        let kept = json!({
            "refresh_token": google.signed_in(&scopes), "granted_at": "2026-11-01T00:00:00Z",
            "scopes": scopes.split(' ').collect::<Vec<_>>(),
        });
        folder.write("state/google/me.json", kept.to_string());
        World {
            runtime,
            google,
            folder,
        }
    }

    /// A run by hand on Friday 20 November 2026 at this time in Madrid.
    pub fn runs(&self, time: &str, words: &[&str]) -> Outcome {
        let now = format!("2026-11-20 {time}");
        let words = [&["--now", &now, "run"], words].concat();
        let child = self.folder.unclocked(&words).spawn().expect("it starts");
        Outcome::of(&words, child)
    }

    /// What it prints.
    #[track_caller]
    pub fn says(&self, time: &str, words: &[&str]) -> String {
        let ran = self.runs(time, words);
        assert_eq!(ran.code, 0, "{ran}");
        ran.stdout.trim().trim_end_matches('.').to_owned()
    }

    #[track_caller]
    fn lists(&self, time: &str) -> String {
        self.says(time, &["list"])
    }

    /// The list without handles.
    #[track_caller]
    fn titles(&self, time: &str) -> Vec<String> {
        let list = self.lists(time);
        let items = list.split(';').filter(|item| !item.is_empty());
        let item = |item: &str| item.rsplit_once(' ').map(|(item, _)| item.to_owned());
        items.filter_map(item).collect()
    }

    pub fn has(&self, event: Value) {
        self.google.has(OWN, event);
    }

    /// Changes a word of the configuration.
    pub fn configures(&self, from: &str, to: &str) {
        let settings = self.folder.read("config/reveille.toml");
        assert!(settings.contains(from), "{settings}");
        let settings = settings.replace(from, to);
        self.folder.write("config/reveille.toml", settings);
    }

    /// Nothing secret is in any file of the state, except for the sign-in in its own.
    pub fn keeps_secrets(&self) {
        let key = self.google.service_key();
        let key: Value = serde_json::from_str(&key).expect("JSON");
        let key = key["private_key"].as_str().expect("a key");
        let line = key.lines().nth(3).expect("some lines");
        let secrets = ["1//refresh", "ya29.", SECRET, line, "PRIVATE KEY"];
        let mut folders = vec![self.folder.path("state")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = std::fs::read(&path) {
                    if path.ends_with("google/me.json") {
                        continue;
                    }
                    let text = String::from_utf8_lossy(&bytes);
                    for secret in secrets {
                        assert!(!text.contains(secret), "{secret} is in {}", path.display());
                    }
                }
            }
        }
    }
}

pub fn event(id: &str, title: &str, start: &str, end: &str) -> Value {
    let at = |text: &str| match text.len() {
        10 => json!({ "date": text }),
        _ => json!({ "dateTime": format!("{text}:00+01:00"), "timeZone": "Europe/Madrid" }),
    };
    json!({ "id": id, "summary": title, "start": at(start), "end": at(end) })
}

/// On Mondays at 18:00 since the 2nd.
pub fn yoga(id: &str) -> Value {
    let mut yoga = event(id, "Yoga", "2026-11-02T18:00", "2026-11-02T19:00");
    yoga["recurrence"] = json!(["RRULE:FREQ=WEEKLY"]);
    yoga
}

pub fn set(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

fn last(text: &str) -> &str {
    text.rsplit(' ').next().expect("an end")
}

#[test]
fn entries_are_made_found_moved_deleted_and_put_back() {
    for who in [Who::Robot, Who::Person] {
        let world = World::new(who);
        assert_eq!(world.lists("06:59"), "");
        let made = world.says(
            "06:59",
            &[
                "new",
                "--set",
                "title=Dentist; \"x\"",
                "--set",
                "at=tuesday at 17:30",
            ],
        );
        assert!(made.starts_with("Tue 24 Nov 17:30-18:30 "), "{made}");
        assert_eq!(world.google.count(OWN), 1);
        // So soon after, nothing is asked again: it is known from the change itself.
        world.google.calls();
        let listed = world.lists("06:59");
        assert!(listed.starts_with("17:30 Dentist; \"x\" "), "{listed}");
        assert_eq!(world.google.asked(), [""; 0]);
        let free = |at: &str| world.says("07:01", &["free", "--set", &set("at", at)]);
        assert_eq!(
            free("2026-11-24 18:00"),
            "False Tue 24 Nov 18:00-19:00 Dentist; \"x\""
        );
        assert_eq!(free("2026-11-24 18:30"), "True Tue 24 Nov 18:30-19:30 ");
        let entry = world.says("07:02", &["find", "--set", "words=dentists"]);
        assert_eq!(
            last(listed.trim_end_matches(';')),
            entry,
            "it is called the same"
        );
        let moved = world.says(
            "07:02",
            &[
                "move",
                "--set",
                &set("entry", &entry),
                "--set",
                "at=2026-11-25 09:00",
            ],
        );
        assert!(
            moved.starts_with("Tue 24 Nov 17:30-18:30 -> Wed 25 Nov 09:00-10:00 "),
            "{moved}"
        );
        assert!(world.lists("07:03").starts_with("09:00 "));
        let undo = set("undo", last(&moved));
        assert_eq!(
            world.says("07:04", &["undo", "--set", &undo]),
            "update Dentist; \"x\" Tue 24 Nov 17:30-18:30"
        );
        assert!(world.lists("07:05").starts_with("17:30 "));
        let dropped = world.says("07:06", &["drop", "--set", &set("entry", &entry)]);
        assert_eq!(world.lists("07:06"), "");
        assert_eq!(world.lists("07:07"), "");
        let undo = set("undo", last(&dropped));
        world.says("07:08", &["undo", "--set", &undo]);
        assert!(world.lists("07:08").starts_with("17:30 Dentist"));
        assert!(world.lists("07:09").starts_with("17:30 Dentist"));
        world
            .runs("07:10", &["undo", "--set", &undo])
            .says(1, &["there is nothing to undo, or it was undone already"]);
        let undo = set("undo", last(&made));
        world.runs("07:10", &["undo", "--set", &undo]).says(
            1,
            &["it is too late: a change can be undone for ten minutes"],
        );
        world.keeps_secrets();
    }
}

#[test]
fn one_occasion_is_moved_deleted_and_put_back_and_its_series_stays() {
    for (who, id) in [(Who::Robot, "yoga"), (Who::Person, "yoga_R20261102T170000")] {
        let world = World::new(who);
        world.has(yoga(id));
        let list = world.lists("06:59");
        assert!(list.starts_with("18:00 Yoga "), "{list}");
        let entry = last(list.trim_end_matches(';')).to_owned();
        let entry = set("entry", &entry);
        // To another day, and from there to a third: it is called the same, and the others stay.
        let shift = |time: &str, at: &str| {
            let at = set("at", at);
            world.says(time, &["move", "--set", &entry, "--set", &at])
        };
        shift("07:00", "2026-11-24 20:00");
        let list = world.lists("07:00");
        assert_eq!(format!("entry={}", last(list.trim_end_matches(';'))), entry);
        let moved = shift("07:01", "2026-11-25 21:00");
        assert!(
            moved.starts_with("Tue 24 Nov 20:00-21:00 -> Wed 25 Nov 21:00-22:00"),
            "{moved}"
        );
        assert_eq!(world.titles("07:01"), ["21:00 Yoga"]);
        // Back to where it was before, not to where its series has it.
        world.says("07:02", &["undo", "--set", &set("undo", last(&moved))]);
        assert_eq!(world.titles("07:02"), ["20:00 Yoga"]);
        assert_eq!(world.titles("07:03"), ["20:00 Yoga"]);
        let dropped = world.says("07:04", &["drop", "--set", &entry]);
        assert!(dropped.starts_with("Tue 24 Nov 20:00-21:00 "), "{dropped}");
        let november = |time: &str| {
            let list = world.says(time, &["find", "--set", "words=yoga"]);
            list.len() / 8
        };
        // 60 days have nine Mondays: from 23 November to 18 January.
        assert_eq!(world.titles("07:04"), [""; 0]);
        assert_eq!(november("07:04"), 8);
        assert_eq!(world.titles("07:05"), [""; 0]);
        assert_eq!(november("07:05"), 8);
        world.says("07:06", &["undo", "--set", &set("undo", last(&dropped))]);
        assert_eq!(world.titles("07:06"), ["20:00 Yoga"]);
        assert_eq!(november("07:07"), 9);
        assert_eq!(world.titles("07:07"), ["20:00 Yoga"]);
        // Another occasion than the one that was moved.
        let find = world.says("07:08", &["find", "--set", "words=yoga"]);
        let third = set("entry", &find[16..24]);
        let dropped = world.says("07:08", &["drop", "--set", &third]);
        assert!(dropped.starts_with("Mon 7 Dec 18:00-19:00 "), "{dropped}");
        assert_eq!(world.titles("07:08"), ["20:00 Yoga"]);
        assert_eq!(november("07:09"), 8);
        // With its series everything of it goes.
        let mut series = world.google.event(OWN, id).expect("there");
        series["status"] = "cancelled".into();
        world.has(series);
        assert_eq!(november("07:10"), 0);
        assert_eq!(world.titles("07:10"), [""; 0]);
    }
}

#[test]
fn a_series_that_was_declined_leaves_nothing_behind_when_it_goes() {
    let world = World::new(Who::Robot);
    let mut series = yoga("yoga");
    series["attendees"] = json!([{ "self": true, "responseStatus": "declined" }]);
    world.has(series.clone());
    let mut one = world
        .google
        .event(OWN, "yoga_20261123T170000Z")
        .expect("an occasion");
    one["attendees"] = json!([{ "self": true, "responseStatus": "accepted" }]);
    one["iCalUID"] = series["iCalUID"].clone();
    one["iCalUID"] = "yoga@google.com".into();
    world.has(one);
    assert_eq!(world.titles("06:59"), ["18:00 Yoga"]);
    series["status"] = "cancelled".into();
    world.has(series);
    assert_eq!(world.titles("07:00"), [""; 0]);
}

#[test]
fn what_nobody_goes_to_is_left_out() {
    let world = World::new(Who::Robot);
    world.has(yoga("yoga"));
    let mut away = world
        .google
        .event(OWN, "yoga_20261123T170000Z")
        .expect("an occasion");
    away["status"] = "cancelled".into();
    world.has(away);
    let mut no = event("no", "No", "2026-11-24T10:00", "2026-11-24T11:00");
    no["attendees"] = json!([{ "self": true, "responseStatus": "declined" }]);
    world.has(no.clone());
    let mut desk = event("desk", "Home office", "2026-11-24", "2026-11-25");
    desk["eventType"] = "workingLocation".into();
    world.has(desk);
    world.has(event("trip", "Trip", "2026-11-24", "2026-11-26"));
    assert_eq!(world.titles("06:59"), ["Trip"]);
    // They change their mind, and another one is called off.
    no["attendees"][0]["responseStatus"] = "accepted".into();
    world.has(no);
    let mut trip = world.google.event(OWN, "trip").expect("there");
    trip["status"] = "cancelled".into();
    world.has(trip);
    assert_eq!(world.titles("07:00"), ["10:00 No"]);
}

#[test]
fn a_list_comes_in_pages_and_anew_where_google_forgot() {
    let world = World::new(Who::Robot);
    world.google.pages_of(3);
    for hour in 10..18 {
        let (id, start) = (format!("e{hour}"), format!("2026-11-20T{hour}:00"));
        world.has(event(
            &id,
            &format!("E{hour}"),
            &start,
            &format!("2026-11-20T{hour}:30"),
        ));
    }
    assert_eq!(world.titles("06:59").len(), 8);
    let mut gone = world.google.event(OWN, "e10").expect("there");
    gone["status"] = "cancelled".into();
    world.has(gone);
    world.google.forgets();
    assert_eq!(world.titles("07:00").len(), 7);
    let asked = world.google.calls();
    let tokens = asked
        .iter()
        .filter(|call| call.query.contains_key("syncToken"));
    assert_eq!(tokens.count(), 1, "then all there is");
    assert_eq!(world.titles("07:01").len(), 7);
    let asked = world.google.asked();
    assert_eq!(
        asked,
        [
            "POST token".to_owned(),
            format!("GET calendars/{OWN}/events")
        ]
    );
}

#[test]
fn an_access_token_that_ended_is_renewed_and_a_sign_in_that_ended_is_said_with_the_command() {
    let world = World::new(Who::Reader);
    world.has(event("a", "Party", "2026-11-21T20:00", "2026-11-21T23:00"));
    let events = format!("GET calendars/{OWN}/events");
    let token = "POST token".to_owned();
    assert_eq!(world.titles("06:59"), ["20:00 Party"]);
    assert_eq!(world.google.asked(), [token.clone(), events.clone()]);
    // Nothing new: one request, two where the token at hand has ended, three where Google had to say so.
    assert_eq!(world.titles("07:00"), ["20:00 Party"]);
    assert_eq!(world.google.asked(), std::slice::from_ref(&events));
    let kept = world.folder.read("state/google/me.json");
    let mut kept: Value = serde_json::from_str(&kept).expect("JSON");
    kept["expires_at"] = "2026-11-01T00:00:00Z".into();
    world.folder.write("state/google/me.json", kept.to_string());
    assert_eq!(world.titles("07:01"), ["20:00 Party"]);
    assert_eq!(world.google.asked(), [token.clone(), events.clone()]);
    world.google.ends_access();
    assert_eq!(world.titles("07:02"), ["20:00 Party"]);
    assert_eq!(world.google.asked(), [events.clone(), token, events]);

    // `list` moves what is known of the last look once in five minutes.
    world.google.revokes();
    let known = world.lists("07:10");
    assert!(known.starts_with("20:00 Party "), "{known}");
    let told = "home could not be brought up to date ([google.me]: the sign-in does not hold any more (invalid_grant: Token has been expired or revoked.)";
    assert!(known.contains(told), "{known}");
    assert!(
        known.contains("run `reveille auth google --account me`): this is from 2026-11-20 06:59"),
        "{known}"
    );
    world.keeps_secrets();
    // Where nothing is known it is an error.
    std::fs::remove_file(world.folder.path("state/reveille.db")).expect("there");
    let failed = world.runs("07:11", &["list"]);
    failed.says(
        1,
        &[
            "home: [google.me]: the sign-in does not hold",
            "run `reveille auth google --account me`",
        ],
    );
    assert_eq!(
        failed.stderr.matches("reveille auth google").count(),
        1,
        "{failed}"
    );
}

#[test]
fn trouble_that_passes_is_waited_for_and_trouble_that_stays_is_said_with_what_is_known() {
    let world = World::new(Who::Robot);
    world.has(event("a", "Party", "2026-11-21T20:00", "2026-11-21T23:00"));
    world.google.fail(Fail::Later(403, 0));
    assert_eq!(world.titles("06:59"), ["20:00 Party"]);
    world.google.fail(Fail::Later(500, 0));
    assert_eq!(world.titles("07:00"), ["20:00 Party"]);
    let quick = world.folder.read("jobs/list.toml");
    let quick = quick.replace(
        "calendar = \"list\"",
        "calendar = \"list\"\ntimeout = \"1s\"",
    );
    for (fails, told) in [
        (
            vec![Fail::Later(500, 0); 3],
            "Google has no time (status 500: Slow down)",
        ),
        (
            vec![Fail::Later(429, 600)],
            "Google has no time (status 429: Slow down)",
        ),
        (vec![Fail::Half], "Google's answer broke off"),
        (vec![Fail::Hang], "no answer within 0.7 s"),
    ] {
        if told.starts_with("no answer") {
            world.folder.write("jobs/list.toml", &quick);
        }
        fails.into_iter().for_each(|fail| world.google.fail(fail));
        let list = world.lists("07:02");
        assert!(list.starts_with("20:00 Party "), "{list}");
        let told = format!("home could not be brought up to date ({told}");
        assert!(list.contains(&told), "{told}: {list}");
        assert!(list.contains("): this is from 2026-11-20 06:59"), "{list}");
    }
    // The way to the sign-in.
    world.google.fail_token(Fail::Hang);
    let list = world.lists("07:02");
    assert!(
        list.contains("Party") && list.contains("no answer within 0.7 s"),
        "{list}"
    );
}

#[test]
fn a_calendar_out_of_reach_is_said_with_what_to_do() {
    let world = World::new(Who::Robot);
    world.configures(OWN, "club@example.org");
    world.runs("06:59", &["list"]).says(
        1,
        &[
            "home: Google refuses calendar `club@example.org`",
            &format!("share it with {ROBOT} (\"See all event details\")"),
        ],
    );
    world.google.read_only("club@example.org");
    assert_eq!(world.lists("06:59"), "");
    world
        .runs(
            "07:00",
            &["new", "--set", "title=x", "--set", "at=tomorrow"],
        )
        .says(
            1,
            &[&format!(
                "share it with {ROBOT} (\"Make changes to events\")"
            )],
        );

    let world = World::new(Who::Reader);
    world.has(event("a", "Party", "2026-11-21T20:00", "2026-11-21T23:00"));
    let entry = world.says("06:59", &["find", "--set", "words=party"]);
    let said = &[
        "home: [google.me]: the sign-in was for reading only: run `reveille auth google --account me --write`",
    ];
    world
        .runs("07:00", &["drop", "--set", &set("entry", &entry)])
        .says(1, said);
    world
        .runs(
            "07:00",
            &["new", "--set", "title=x", "--set", "at=tomorrow"],
        )
        .says(1, said);
    assert_eq!(world.google.count(OWN), 1);
    world.keeps_secrets();
}

#[test]
fn another_calendar_under_the_same_name_begins_anew() {
    let world = World::new(Who::Robot);
    world.has(event("a", "Party", "2026-11-21T20:00", "2026-11-21T23:00"));
    assert_eq!(world.titles("06:59"), ["20:00 Party"]);
    world.google.read_only("club@example.org");
    world.google.has(
        "club@example.org",
        event("b", "Match", "2026-11-22T20:00", "2026-11-22T23:00"),
    );
    world.configures(OWN, "club@example.org");
    world.google.fail(Fail::Later(500, 600));
    // What is known is of another calendar.
    world
        .runs("06:59", &["list"])
        .says(1, &["home: Google has no time"]);
    world.google.calls();
    assert_eq!(world.titles("06:59"), ["20:00 Match"]);
    let calls = world.google.calls();
    assert!(
        calls
            .iter()
            .all(|call| !call.query.contains_key("syncToken")),
        "{calls:?}"
    );
    world.configures("account = \"me\"", "account = \"you\"");
    world.configures("[google.me]", "[google.you]");
    assert_eq!(world.titles("06:59"), ["20:00 Match"]);
    let calls = world.google.calls();
    assert!(
        calls
            .iter()
            .all(|call| !call.query.contains_key("syncToken")),
        "{calls:?}"
    );
}

#[test]
fn many_look_at_once() {
    let world = World::new(Who::Robot);
    world.google.pages_of(20);
    for number in 0..100 {
        let hour = 10 + number % 10;
        let (start, end) = (
            format!("2026-11-21T{hour}:00"),
            format!("2026-11-21T{hour}:30"),
        );
        world.has(event(
            &format!("e{number}"),
            &format!("E{number}"),
            &start,
            &end,
        ));
    }
    for time in ["06:59", "07:00"] {
        let now = format!("2026-11-20 {time}");
        let words = ["--now", &now, "run", "list"];
        let children: Vec<_> = (0..5)
            .map(|_| world.folder.unclocked(&words).spawn().expect("it starts"))
            .collect();
        world.has(event(
            "late",
            "Late",
            "2026-11-21T22:00",
            "2026-11-21T23:00",
        ));
        for child in children {
            let listed = Outcome::of(&words, child);
            assert_eq!(listed.code, 0, "{listed}");
            assert!(listed.stdout.matches(';').count() >= 100, "{listed}");
        }
    }
    assert_eq!(world.titles("07:01").len(), 101);
}
