//! Reminders through the whole daemon: made by runs, told by a job, once.

mod whose;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::den::{Den, result};
use crate::job::RunId;
use crate::step::remind;

const SETTINGS: &str = "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[telegram]\ntoken.env = \"NOT_THERE\"\nowner = 4711\nusers = [5]\n";

const TELLER: &str = "[[trigger]]\nreminder = \"due\"\n\n[[step]]\nid = \"told\"\nset.event = \"event\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{{ event.text }}\"\n";

fn verb(verb: &str) -> String {
    format!(
        "[[trigger]]\ntelegram = \"/{verb}\"\n\n[[step]]\nid = \"it\"\nremind = \"{verb}\"\nwords = \"{{{{ event.args }}}}\"\n"
    )
}

fn den() -> Den {
    let verbs = ["add", "list", "snooze", "done", "cancel"].map(verb);
    let names = ["add", "list", "snooze", "done", "cancel"];
    let verbs = names.iter().zip(&verbs);
    let mut jobs: Vec<(&str, &str)> = verbs.map(|(name, text)| (*name, text.as_str())).collect();
    jobs.push(("teller", TELLER));
    Den::new(SETTINGS, &jobs)
}

impl Den {
    /// A person says these words to a job; gives what it gave.
    fn said_by(&self, (person, chat): (i64, Value), job: &str, words: &str) -> Value {
        let user = json!({ "id": person, "name": "Ana" });
        let payload =
            json!({ "kind": "telegram", "args": words, "chat": chat, "user": user, "text": words });
        let run = self.tells(job, payload);
        self.emptied();
        result(&self.story(run), "it")
    }

    fn says(&self, job: &str, words: &str) -> Value {
        self.said_by((4711, json!({ "id": 4711 })), job, words)
    }

    /// The runs that told something, the oldest first.
    fn reminded(&self) -> Vec<RunId> {
        let runs = self.runs().into_iter();
        let told = runs.filter(|run| run.job == "teller");
        told.map(|run| run.run).collect()
    }

    fn event_of(&self, run: RunId) -> Value {
        result(&self.story(run), "told")["event"].clone()
    }

    fn passes(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn name(made: &Value) -> &str {
    made["reminder"].as_str().unwrap()
}

#[test]
fn it_is_told_once_whatever_lives_begin_and_end() {
    let mut den = den();
    let made = den.says("add", "in 10 minutes tea");
    assert_eq!(made["problem"], Value::Null);
    assert_eq!(
        (&made["text"], &made["shown"]),
        (&json!("tea"), &json!("today 07:10"))
    );
    den.passes(599);
    assert_eq!(
        den.reminds().map(|at| at.to_rfc3339()),
        Some("2026-11-20T06:10:00+00:00".into())
    );
    assert_eq!(den.reminded(), []);
    den.passes(1);
    den.reminds();
    let told = den.reminded();
    assert_eq!(told.len(), 1);
    let event = den.event_of(told[0]);
    assert_eq!(event["text"], "tea");
    assert_eq!(event["due_at"], "2026-11-20T07:10:00+01:00");
    assert_eq!(event["late"], false);
    assert_eq!(event["reminder"], made["reminder"]);
    for _ in 0..3 {
        den.die();
        den.live();
        den.passes(60);
        den.reminds();
    }
    assert_eq!(den.reminded(), told);
}

/// The daemon hears of a reminder that a run made: nobody has to look.
#[test]
fn a_run_that_makes_one_wakes_who_tells_it() {
    let den = den();
    den.reminds();
    den.says("add", "in 10 seconds tea");
    let due = Duration::from_secs(10);
    while den.clock.next_wake() != Some(due) {
        std::thread::yield_now();
    }
    den.passes(10);
    while den.reminded().is_empty() {
        std::thread::yield_now();
    }
}

#[test]
fn what_came_due_in_its_absence_is_told_late_and_once() {
    let mut den = den();
    den.says("add", "tomorrow at 9 call the dentist");
    den.says("add", "cada día a las 8 pastillas");
    den.die();
    // Until Tuesday, 07:00.
    den.passes(4 * DAY);
    den.live();
    den.reminds();
    let told: Vec<Value> = den
        .reminded()
        .iter()
        .map(|run| den.event_of(*run))
        .collect();
    let what = |event: &Value| format!("{} {} {}", event["text"], event["due_at"], event["late"]);
    let mut what: Vec<_> = told.iter().map(what).collect();
    what.sort();
    assert_eq!(
        what,
        [
            "\"call the dentist\" \"2026-11-21T09:00:00+01:00\" true",
            "\"pastillas\" \"2026-11-23T08:00:00+01:00\" true"
        ]
    );
    // It goes on.
    den.passes(HOUR);
    den.reminds();
    let told = den.reminded();
    assert_eq!(told.len(), 3);
    let event = den.event_of(told[2]);
    assert_eq!(
        (&event["late"], &event["repeats"]),
        (&json!(false), &json!("cada día a las 08:00"))
    );
}

#[test]
fn a_clock_that_leaps_tells_nothing_twice_and_loses_nothing() {
    let den = den();
    den.says("add", "every day at 8 pills");
    den.says("add", "tomorrow at 9 call");
    let now = den.clock_now();
    den.clock.set_wall(now + TimeDelta::days(400));
    den.reminds();
    assert_eq!(den.reminded().len(), 2);
    den.clock.set_wall(now);
    assert_eq!(den.reminds(), Some(now + TimeDelta::hours(1)));
    for day in 1..=3 {
        den.passes(if day == 1 { HOUR } else { DAY });
        den.reminds();
        assert_eq!(den.reminded().len(), 2 + day);
    }
    assert_eq!(
        den.event_of(den.reminded()[4])["due_at"],
        "2026-11-22T08:00:00+01:00"
    );
}

#[test]
fn snoozed_done_and_cancelled() {
    let den = den();
    let tea = den.says("add", "in 1 minute tea");
    let bins = den.says("add", "every day at 8 bins");
    den.passes(60);
    den.reminds();
    let overdue = |count: usize| {
        let list = den.says("list", "");
        assert_eq!(list["overdue"].as_array().unwrap().len(), count, "{list}");
        list
    };
    overdue(1);
    let rests = den.says("snooze", &format!("{} 10m", name(&tea)));
    assert_eq!(rests["shown"], "today 07:11");
    overdue(0);
    den.passes(600);
    den.reminds();
    assert_eq!(den.reminded().len(), 2);
    assert_eq!(den.says("done", name(&tea))["text"], "tea");
    assert_eq!(den.says("list", "")["count"], 1);
    den.passes(HOUR);
    den.reminds();
    let list = overdue(1);
    // What was told is meant, and not what comes next.
    assert_eq!(list["overdue"][0]["due_at"], "2026-11-20T08:00:00+01:00");
    assert_eq!(list["items"][0]["due_at"], "2026-11-21T08:00:00+01:00");
    // It is told once more, and goes on beside that.
    den.says("snooze", &format!("{} 1h", name(&bins)));
    assert_eq!(overdue(0)["count"], 2);
    den.passes(HOUR);
    den.reminds();
    assert_eq!(den.reminded().len(), 4);
    assert_eq!(den.says("done", "bins"), Value::Null, "two fit");
    den.says("done", "");
    den.passes(DAY);
    den.reminds();
    assert_eq!(den.reminded().len(), 5);
    den.says("done", name(&bins));
    assert_eq!(overdue(0)["count"], 1);
    assert_eq!(den.says("cancel", "bins")["text"], "bins");
    den.passes(3 * DAY);
    den.reminds();
    assert_eq!(den.reminded().len(), 5);
    assert_eq!(den.says("snooze", name(&bins)), Value::Null);
}

#[test]
fn a_run_that_fails_or_cannot_tell_makes_none() {
    let den = den();
    den.write(
        "add",
        &format!("{}\n[[step]]\nexec = [\"false\"]\n", verb("add")),
    );
    den.reload();
    den.says("add", "in 1 minute tea");
    assert_eq!(den.says("list", "")["count"], 0);
    den.write("add", &verb("add"));
    den.reload();
    for (words, problem) in [
        ("tea", "when"),
        ("yesterday at 9 tea", "past"),
        ("tomorrow at 9", "what"),
    ] {
        assert_eq!(den.says("add", words)["problem"], problem);
    }
    assert_eq!(den.says("list", "")["count"], 0);
}

#[test]
fn a_job_that_rests_tells_it_when_it_goes_on() {
    let den = den();
    den.says("add", "in 1 minute tea");
    den.block_on(den.store().pause("teller", None)).unwrap();
    den.passes(HOUR);
    den.reminds();
    assert_eq!(den.reminded(), []);
    den.block_on(den.store().resume("teller")).unwrap();
    den.reminds();
    assert_eq!(den.event_of(den.reminded()[0])["late"], true);
    den.reminds();
    assert_eq!(den.reminded().len(), 1);
}

#[test]
fn one_person_fills_nobodys_list() {
    let den = den();
    let made = den.says("add", "tomorrow at 9 apples");
    let key = remind::key(name(&made));
    let one = den.read_store(|reader| reader.cursor(&key)).unwrap();
    let more = (1..500).map(|number| (remind::key(&format!("x{number}")), Some(one.clone())));
    den.block_on(den.store().remember(more.collect())).unwrap();
    assert_eq!(den.says("add", "tomorrow at 9 bread"), Value::Null);
    assert_eq!(den.says("list", "")["count"], 500);
    assert_eq!(
        den.said_by((5, json!({ "id": 5 })), "add", "tomorrow at 9 cake")["text"],
        "cake"
    );
    den.says("cancel", "x1");
    assert_eq!(den.says("add", "tomorrow at 9 dates")["text"], "dates");
}

#[test]
fn what_was_told_is_forgotten_after_thirty_days() {
    let mut den = den();
    den.says("add", "in 1 minute tea");
    den.die();
    den.passes(40 * DAY);
    den.live();
    // It was due long ago, and told just now.
    den.reminds();
    den.passes(29 * DAY);
    den.reminds();
    assert_eq!(den.says("list", "")["count"], 1);
    // A clock that is far ahead for a while forgets nothing.
    let now = den.clock_now();
    den.clock.set_wall(now + TimeDelta::days(300));
    den.reminds();
    den.clock.set_wall(now);
    assert_eq!(den.says("list", "")["count"], 1);
    den.passes(2 * DAY);
    den.says("list", "");
    den.passes(DAY);
    den.reminds();
    assert_eq!(den.says("list", "")["count"], 0);
}

#[test]
fn two_that_tell_at_once_tell_it_once() {
    let den = den();
    for number in 0..20 {
        den.says("add", &format!("in 1 minute tea {number}"));
    }
    den.passes(60);
    // The daemon's own look and this one.
    den.reminds();
    assert_eq!(den.reminded().len(), 20);
}

#[test]
fn nothing_wakes_where_no_job_tells() {
    let mut den = den();
    den.die();
    std::fs::remove_file(den.path("jobs/teller.toml")).unwrap();
    den.live();
    den.says("add", "in 1 minute tea");
    den.passes(DAY);
    assert_eq!(den.says("list", "")["overdue"], json!([]));
    den.write("teller", TELLER);
    den.reload();
    while den.reminded().is_empty() {
        std::thread::yield_now();
    }
    den.reminds();
    assert_eq!(den.event_of(den.reminded()[0])["late"], true);
}

impl Den {
    fn clock_now(&self) -> DateTime<Utc> {
        crate::clock::Clock::now(&*self.clock)
    }
}
