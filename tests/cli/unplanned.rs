//! `next` and `why` of what only a running daemon learns of.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reveille::clock::TestClock;
use reveille::job::{CursorKey, Fate, Passed, Reason, Stretch};
use reveille::store::{Mode, Store};
use serde_json::json;

use crate::support::Folder;

const JOB: &str = "[[trigger]]\nid = \"t\"\ncalendar = \"before\"\nby = \"15m\"\n\n[[trigger]]\nreminder = \"due\"\n\n[[step]]\nid = \"a\"\nset.n = \"1\"\n";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// A folder whose daemon knows an entry and a reminder, and passed an entry over.
async fn known() -> Folder {
    let folder = Folder::new().job("go", JOB);
    folder.write(
        "home.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
    );
    folder.write(
        "config/reveille.toml",
        "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[calendars.home]\nics = \"home.ics\"\n",
    );
    let clock = Arc::new(TestClock::at(at("2026-11-20T05:00:00Z")));
    let store = Store::open(&folder.path("state"), clock, Mode::Inline).expect("a store");
    let key = |owner: &str, step: &str, name: &str| CursorKey {
        owner: owner.into(),
        step: step.into(),
        name: name.into(),
    };
    let ahead = json!({
        "wants": 1, "since": "2026-11-19T00:00:00Z",
        "coming": [{ "due": "2026-11-20T08:45:00.5Z", "title": "Dentist" }]
    });
    let reminder = json!({
        "text": "tea\nand more", "due": "2026-11-20T09:00:00Z", "told": null, "repeats": null, "until": null,
        "chat": null, "person": "owner", "spanish": false
    });
    let changes = vec![
        (key("go", "before", "t"), Some(ahead)),
        (key("reminders", "", "ab12cd34"), Some(reminder)),
    ];
    store.store.remember(changes).await.expect("it is written");
    let due = at("2026-11-19T08:45:00.5Z");
    let passed = Passed {
        stretch: Stretch {
            from: due,
            to: due,
            count: 1,
        },
        fate: Fate::TooOld,
        reason: Reason::Busy,
    };
    store
        .store
        .pass("go", "t", passed)
        .await
        .expect("it is written");
    folder
}

#[tokio::test]
async fn entries_and_reminders_that_are_known_are_listed() {
    let folder = known().await;
    let next = folder.run(["next", "go"]);
    next.prints(&["09:45 CET", "in 3 h, Dentist", "10:00 CET", "tea\n"]);
    folder.run(["next"]).prints(&["go  in 3 h, Dentist"]);
    let why = folder.run(["why", "go", "2026-11-20"]);
    why.prints(&["due in 3 h: Dentist", "due in 3 h: tea"]);
    let why = folder.run(["why", "go", "2026-11-19"]);
    why.prints(&["too old to run when it could (the program was busy)"]);
    let none = folder.run(["why", "go", "2026-11-21"]);
    none.prints(&["none is known of an entry or a reminder"]);
}

#[test]
fn what_is_not_known_is_not_denied() {
    let folder = Folder::new().job(
        "go",
        "[[trigger]]\nreminder = \"due\"\n\n[[step]]\nid = \"a\"\nset.n = \"1\"\n",
    );
    let said = "nothing is known to come that starts `go` (it starts by reminder); a running daemon looks at calendars\n";
    folder.run(["next", "go"]).is(0, "", said);
}
