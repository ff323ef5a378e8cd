//! Jobs that start ahead of entries, through the whole daemon.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use super::den::{Den, result};
use super::web::{Answer, Web};
use crate::clock::Clock;
use crate::engine::Ahead;
use crate::job::{Fate, Reason, RunId};
use crate::store::{SlotEnd, SlotRow};

const SETTINGS: &str =
    "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[calendars.home]\nics = \"home.ics\"\n";

fn job(more: &str) -> String {
    format!(
        "[[trigger]]\nid = \"t\"\ncalendar = \"before\"\nby = \"15m\"\n{more}\n[[step]]\nid = \"told\"\nset.event = \"event\"\n"
    )
}

/// A calendar with these entries: uid, start as the clocks of Madrid show it, title.
fn ics(entries: &[(&str, &str, &str)]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n".to_owned();
    for (uid, start, title) in entries {
        let start = match start.len() {
            8 => format!("DTSTART;VALUE=DATE:{start}"),
            _ => format!("DTSTART;TZID=Europe/Madrid:{start}00\r\nDURATION:PT1H"),
        };
        text += &format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\n{start}\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        );
    }
    text + "END:VCALENDAR\r\n"
}

/// It is Friday 20 November 2026, 07:00 in Madrid, and the daemon knows its job.
fn den(more: &str, entries: &[(&str, &str, &str)]) -> Den {
    let mut den = Den::new(SETTINGS, &[("go", &job(more))]);
    den.holds(entries);
    den.die();
    den.live();
    den.looks_ahead();
    den
}

impl Den {
    fn holds(&self, entries: &[(&str, &str, &str)]) {
        std::fs::write(self.path("home.ics"), ics(entries)).unwrap();
    }

    /// Some minutes pass; the titles of all entries that started the job so far, in their order.
    fn after(&self, minutes: u64) -> Vec<String> {
        // Each entry's moment lies within its second.
        self.clock.advance(Duration::from_secs(minutes * 60 + 1));
        self.looks_ahead();
        let title = |event: Value| event["item"]["title"].as_str().unwrap().to_owned();
        self.gone()
            .into_iter()
            .map(|run| title(self.event_before(run)))
            .collect()
    }

    fn gone(&self) -> Vec<RunId> {
        self.runs().into_iter().map(|run| run.run).collect()
    }

    fn event_before(&self, run: RunId) -> Value {
        result(&self.story(run), "told")["event"].clone()
    }

    fn slots(&self) -> Vec<SlotRow> {
        let (from, to) = (
            super::seven() - TimeDelta::days(9),
            super::seven() + TimeDelta::days(400),
        );
        self.read_store(|reader| reader.slots_within("go", "t", from, to))
    }

    fn passed(&self) -> Vec<Fate> {
        let ends = self.slots().into_iter().map(|slot| slot.end);
        let passed = ends.filter_map(|end| match end {
            SlotEnd::Passed(fate, _) => Some(fate),
            _ => None,
        });
        passed.collect()
    }
}

#[test]
fn each_entry_starts_it_once_at_its_moment() {
    let mut den = den(
        "",
        &[
            ("a", "20261120T0900", "Dentist"),
            ("b", "20261120", "Holiday"),
        ],
    );
    assert!(den.after(104).is_empty());
    assert_eq!(den.after(1), ["Dentist"]);
    let event = den.event_before(den.gone()[0]);
    assert_eq!(event["due_at"].as_str().unwrap()[..16], *"2026-11-20T08:45");
    assert_eq!(event["catch_up"], false);
    for _ in 0..2 {
        den.die();
        den.live();
        assert_eq!(den.after(1), ["Dentist"]);
    }
    assert_eq!(den.after(1440), ["Dentist"]);
}

#[test]
fn two_that_begin_together_start_it_twice() {
    let both = [("a", "20261120T0900", "One"), ("b", "20261120T0900", "Two")];
    let den = den("", &both);
    let mut titles = den.after(105);
    titles.sort();
    assert_eq!(titles, ["One", "Two"]);
    assert_eq!(den.after(1).len(), 2);
}

#[test]
fn one_that_moves_starts_it_again_and_one_that_does_not_move_does_not() {
    let den = den("", &[("a", "20261120T0900", "Dentist")]);
    assert_eq!(den.after(105).len(), 1);
    den.holds(&[("a", "20261120T0900", "Dentist!")]);
    assert_eq!(den.after(1).len(), 1);
    den.holds(&[("a", "20261120T1100", "Dentist")]);
    assert_eq!(den.after(1).len(), 1);
    assert_eq!(den.after(118).len(), 2);
    // Back to where it was: that moment is over.
    den.holds(&[("a", "20261120T0900", "Dentist")]);
    assert_eq!(den.after(1).len(), 2);
}

#[test]
fn one_whose_moment_is_over_and_that_has_not_begun_starts_it_at_once() {
    let den = den("", &[("a", "20261120T1100", "Dentist")]);
    assert!(den.after(60).is_empty());
    den.holds(&[
        ("a", "20261120T0810", "Dentist"),
        ("new", "20261120T0806", "Call"),
    ]);
    assert_eq!(den.after(1), ["Call", "Dentist"]);
    assert_eq!(den.event_before(den.gone()[0])["catch_up"], true);
}

#[test]
fn one_that_began_in_its_absence_is_written_down_as_too_old() {
    let mut den = den(
        "",
        &[
            ("a", "20261120T0900", "Dentist"),
            ("b", "20261120T1105", "Lunch"),
        ],
    );
    den.die();
    den.clock.advance(Duration::from_secs(4 * 3600));
    den.live();
    assert_eq!(den.after(0), ["Lunch"]);
    assert_eq!(den.passed(), [Fate::TooOld]);
    den.die();
    den.live();
    assert_eq!(den.after(1), ["Lunch"]);
    assert_eq!(den.slots().len(), 2);
}

#[test]
fn a_job_that_rests_skips_them() {
    let den = den("", &[("a", "20261120T0900", "Dentist")]);
    den.block_on(den.store().pause("go", None)).unwrap();
    assert!(den.after(105).is_empty());
    den.block_on(den.store().resume("go")).unwrap();
    assert!(den.after(1).is_empty());
    assert!(matches!(
        den.slots()[0].end,
        SlotEnd::Passed(Fate::Skipped, Reason::Paused { .. })
    ));
}

#[test]
fn only_titles_that_match() {
    let den = den(
        "match = \"(?i)train\"\n",
        &[
            ("a", "20261120T0900", "Dentist"),
            ("b", "20261120T0901", "The TRAIN"),
        ],
    );
    assert_eq!(den.after(110), ["The TRAIN"]);
}

#[test]
fn a_new_trigger_starts_nothing_for_what_is_over() {
    let mut den = Den::new(SETTINGS, &[]);
    den.holds(&[
        ("a", "20261120T0710", "Soon"),
        ("b", "20261120T0730", "Later"),
    ]);
    den.write("go", &job(""));
    den.reload();
    assert_eq!(den.after(0).len(), 0);
    assert_eq!(den.after(15), ["Later"]);
    // As a trigger of other moments it is a new one.
    den.holds(&[("c", "20261120T0800", "Third")]);
    den.write("go", &job("").replace("15m", "1h"));
    den.reload();
    assert_eq!(den.after(1), ["Later"]);
    den.die();
    den.live();
    assert_eq!(den.after(1), ["Later"]);
    assert!(den.passed().is_empty());
}

#[test]
fn clocks_that_change_move_no_moment() {
    let daily = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:d\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=Europe/Madrid:20270301T030500\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Night\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    for (from, dues) in [
        (
            "2027-03-26T12:00:00Z",
            ["03-27 01:50", "03-28 00:50", "03-29 00:50"],
        ),
        (
            "2027-10-29T12:00:00Z",
            ["10-30 00:50", "10-31 01:50", "11-01 01:50"],
        ),
    ] {
        let mut den = Den::new(SETTINGS, &[("go", &job(""))]);
        std::fs::write(den.path("home.ics"), daily).unwrap();
        den.die();
        den.clock.set_wall(from.parse().unwrap());
        den.live();
        let mut next = den.looks_ahead().unwrap();
        while den.gone().len() < 3 {
            let wait = (next - den.clock.now()).to_std().unwrap();
            den.clock.advance(wait);
            next = den.looks_ahead().unwrap();
        }
        let found: Vec<String> = den
            .slots()
            .iter()
            .map(|slot| slot.stretch.from.format("%m-%d %H:%M").to_string())
            .collect();
        assert_eq!(found, dues);
    }
}

#[test]
fn a_clock_that_was_ahead_takes_no_moment_away() {
    let den = den(
        "",
        &[
            ("a", "20261120T0900", "Dentist"),
            ("b", "20261120T1000", "Lunch"),
        ],
    );
    let now = den.clock.now();
    // Both have begun by a clock that is wrong.
    den.clock.set_wall(now + TimeDelta::hours(9));
    den.looks_ahead();
    assert_eq!(den.passed().len(), 1, "one row of two");
    den.clock.set_wall(now);
    den.looks_ahead();
    assert_eq!(den.after(105), ["Dentist"]);
    assert_eq!(den.after(60), ["Dentist", "Lunch"]);
}

#[test]
fn a_trigger_that_was_loaded_by_a_clock_that_was_ahead_is_not_dead() {
    let mut den = Den::new(SETTINGS, &[("go", &job(""))]);
    den.holds(&[("a", "20261120T0900", "Dentist")]);
    den.die();
    let now = den.clock.now();
    den.clock.set_wall(now + TimeDelta::days(400));
    den.live();
    den.looks_ahead();
    den.clock.set_wall(now);
    den.looks_ahead();
    assert_eq!(den.after(105), ["Dentist"]);
}

#[test]
fn what_is_known_counts_while_a_calendar_does_not_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let good = Answer::Says(
        200,
        String::new(),
        ics(&[("a", "20261120T0900", "Dentist")]),
    );
    let web = runtime.block_on(Web::start(vec![good]));
    let settings = format!(
        "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[calendars.home]\nics = \"{}/a.ics\"\n",
        web.url
    );
    let den = Den::new(&settings, &[("go", &job(""))]);
    den.looks_ahead();
    web.now_answers(vec![Answer::Says(503, String::new(), "busy".into())]);
    assert!(den.after(100).is_empty());
    assert_eq!(den.after(5), ["Dentist"]);
}

#[test]
fn what_comes_is_written_down_for_who_asks() {
    let den = den(
        "",
        &[
            ("a", "20261120T0900", "Dentist"),
            ("b", "20261121T0900", "Later"),
        ],
    );
    let known = |den: &Den| {
        let ahead = den
            .read_store(|reader| Ahead::of(reader, "go", "t"))
            .unwrap();
        ahead
            .coming
            .into_iter()
            .map(|coming| coming.title)
            .collect::<Vec<_>>()
    };
    assert_eq!(known(&den), ["Dentist", "Later"]);
    den.after(105);
    assert_eq!(known(&den), ["Later"]);
}

#[test]
fn a_week_in_which_the_clocks_change_and_meetings_move_tells_each_once_at_its_local_time() {
    let day = |day: u32, hour: &str| format!("202703{day}T{hour}00");
    let uids: Vec<String> = (24..=30).map(|day| format!("standup-{day}")).collect();
    let week = |moved: bool| -> Vec<(String, String)> {
        let at = |date: u32| match (moved, date) {
            // Moved on its eve.
            (true, 27) => day(date, "11"),
            _ => day(date, "09"),
        };
        (24..=30)
            .zip(&uids)
            .map(|(date, uid)| (uid.clone(), at(date)))
            .collect()
    };
    let mut den = den("", &[]);
    // To the midnight that begins Wednesday 24 March 2027.
    den.after((124 * 24 - 7) * 60);
    let hold = |den: &Den, moved: bool| {
        let week = week(moved);
        let entries = week
            .iter()
            .map(|(uid, at)| (uid.as_str(), at.as_str(), "Stand-up"));
        den.holds(&entries.collect::<Vec<_>>());
    };
    hold(&den, false);
    for look in 0..7 * 144 {
        if look == 3 * 144 - 36 {
            hold(&den, true);
        }
        // In the night in which the clocks go forward, and at a meeting's moment.
        if look == 4 * 144 + 15 || look == 2 * 144 + 54 {
            den.die();
            den.live();
        }
        den.after(10);
    }
    let told: Vec<String> = den
        .gone()
        .into_iter()
        .map(|run| den.event_before(run)["due_at"].as_str().unwrap().to_owned())
        .collect();
    let expected = |date: u32| match date {
        27 => "2027-03-27T10:45:00+01:00".to_owned(),
        28..=30 => format!("2027-03-{date}T08:45:00+02:00"),
        _ => format!("2027-03-{date}T08:45:00+01:00"),
    };
    let told: Vec<String> = told
        .iter()
        .map(|at| format!("{}:00{}", &at[..16], &at[at.len() - 6..]))
        .collect();
    assert_eq!(told, (24..=30).map(expected).collect::<Vec<_>>());
    assert!(den.passed().is_empty());
}
