//! `next`, `why`, `pause`, `resume`.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use reveille::clock::{Clock, TestClock};
use reveille::job::{
    Claimed, Event, Fate, Outcome, Passed, Reason, RunState, SlotClaim, Stretch, TriggerKind,
};
use reveille::store::{Accepted, Along, Mode, RunUpdate, Start, Store, TimedTrigger};

use crate::support::Folder;

/// A job of one cron trigger.
fn cron(trigger: &str) -> String {
    format!("[[trigger]]\n{trigger}\n\n[[step]]\nid = \"events\"\nset.n = \"1\"\n")
}

fn briefing() -> Folder {
    Folder::new().job(
        "daily-briefing",
        &cron("cron = \"0 7 * * *\"\nmax_age = \"3h\""),
    )
}

/// Asserts what `words` prints.
#[track_caller]
fn says<const N: usize>(folder: &Folder, words: [&str; N], expected: &str) {
    folder.run(words).is(0, expected, "");
}

#[test]
fn coming_slots_are_listed() {
    let folder = briefing();
    says(
        &folder,
        ["next", "daily-briefing", "-n", "3", "--now", "2026-10-24"],
        "Sat 24 Oct 2026 07:00 CEST   in 7 h\n\
         Sun 25 Oct 2026 07:00 CET    clocks went back at 03:00\n\
         Mon 26 Oct 2026 07:00 CET\n",
    );
    let folder = folder.job(
        "nap",
        &cron("cron = \"30 13 * * *\"\ntimezone = \"Asia/Tokyo\""),
    );
    says(
        &folder,
        ["next", "-n", "3"],
        "Fri 20 Nov 2026 07:00 CET               daily-briefing  in 60 s\n\
         Sat 21 Nov 2026 13:30 JST (Asia/Tokyo)  nap\n\
         Sat 21 Nov 2026 07:00 CET               daily-briefing\n",
    );
}

#[test]
fn gaps_and_repeats_are_marked() {
    let folder = Folder::with(&cron("cron = \"30 2 * * *\""));
    says(
        &folder,
        ["next", "x", "-n", "3", "--now", "2027-03-27 02:00"],
        "Sat 27 Mar 2027 02:30 CET    in 30 min\n\
         Sun 28 Mar 2027 03:00 CEST   there is no 02:30, clocks went forward at 02:00\n\
         Mon 29 Mar 2027 02:30 CEST\n",
    );
    says(
        &folder,
        ["next", "x", "-n", "2", "--now", "2026-10-25"],
        "Sun 25 Oct 2026 02:30 CEST   in 3 h, the first 02:30 of two\n\
         Mon 26 Oct 2026 02:30 CET    clocks went back at 03:00\n",
    );
    let folder = Folder::with(&cron("cron = \"*/30 2 * * *\""));
    says(
        &folder,
        ["next", "x", "-n", "4", "--now", "2026-10-25"],
        "Sun 25 Oct 2026 02:00 CEST   in 2 h\n\
         Sun 25 Oct 2026 02:30 CEST\n\
         Sun 25 Oct 2026 02:00 CET    clocks went back at 03:00\n\
         Sun 25 Oct 2026 02:30 CET\n",
    );
}

#[test]
fn what_does_not_come_says_why() {
    let check = |job: &str, expected: &str| {
        Folder::with(job).run(["next", "x"]).is(0, "", expected);
    };
    let daily = cron("cron = \"@daily\"");
    check(
        &format!("enabled = false\n{daily}"),
        "`x` is switched off: `enabled = false` in its file\n",
    );
    check(
        &cron("cron = \"@daily\"\nenabled = false"),
        "the cron triggers of `x` are switched off: `enabled = false`\n",
    );
    check(
        &cron("startup = true"),
        "`x` has no cron trigger: it starts by startup\n",
    );
    check(
        "[[step]]\nset.n = \"1\"\n",
        "`x` has no trigger: it runs when somebody says `reveille run x`\n",
    );
    Folder::new()
        .run(["next"])
        .is(0, "", "no job has a cron trigger that is switched on\n");
    Folder::new()
        .run(["next", "y"])
        .says(2, &["there is no job `y`"]);
}

#[test]
fn a_job_rests_and_goes_on() {
    let folder = briefing();
    says(
        &folder,
        ["resume", "daily-briefing"],
        "`daily-briefing` was not paused\n",
    );
    says(
        &folder,
        ["pause", "daily-briefing", "--until", "mon 7:00"],
        "`daily-briefing` is paused until Mon 23 Nov 2026 07:00 CET\n",
    );
    says(
        &folder,
        ["next", "daily-briefing", "-n", "4"],
        "Fri 20 Nov 2026 07:00 CET   in 60 s, paused until Mon 23 Nov 2026 07:00 CET\n\
         Sat 21 Nov 2026 07:00 CET   paused until Mon 23 Nov 2026 07:00 CET\n\
         Sun 22 Nov 2026 07:00 CET   paused until Mon 23 Nov 2026 07:00 CET\n\
         Mon 23 Nov 2026 07:00 CET\n",
    );
    let listed = folder.run(["next", "--json", "-n", "4"]).json();
    assert_eq!(
        (&listed[0]["paused"], &listed[3]["paused"]),
        (&true.into(), &false.into())
    );
    assert_eq!(listed[0]["due_at"], "2026-11-20T07:00:00+01:00");
    says(
        &folder,
        ["why", "daily-briefing", "tomorrow 7:00"],
        "Slot Sat 21 Nov 2026 07:00 CET: to be skipped (the job was paused at Fri 20 Nov 06:59)\n",
    );
    says(
        &folder,
        ["resume", "daily-briefing"],
        "`daily-briefing` goes on; it was paused since Fri 20 Nov 2026 06:59 CET\n",
    );
    says(
        &folder,
        ["next", "daily-briefing", "-n", "1"],
        "Fri 20 Nov 2026 07:00 CET   in 60 s\n",
    );
    folder
        .run(["pause", "daily-briefing", "--until", "yesterday"])
        .says(
            2,
            &["Thu 19 Nov 2026 00:00 CET is past", "\"tomorrow 7:00\""],
        );
    folder
        .run(["pause", "nobody"])
        .says(2, &["there is no job `nobody`"]);
}

#[test]
fn a_moment_without_a_slot_says_why_not() {
    let folder = briefing();
    let why = |when: &str, expected: &str| {
        folder
            .run(["why", "daily-briefing", when])
            .is(0, expected, "");
    };
    why(
        "yesterday 7:05",
        "No slot at Thu 19 Nov 2026 07:05 CET: minute 5 does not fit `0 7 * * *`\n\
         \x20 the one before it is Thu 19 Nov 2026 07:00 CET\n\
         \x20 the one after it is Fri 20 Nov 2026 07:00 CET\n",
    );
    why(
        "tomorrow 7:00",
        "Slot Sat 21 Nov 2026 07:00 CET: due in 24 h\n",
    );
    why(
        "yesterday 7:00",
        "Slot Thu 19 Nov 2026 07:00 CET: did not run: no daemon had loaded it\n",
    );
    why("tomorrow", "Slot Sat 21 Nov 2026 07:00 CET: due in 24 h\n");
    folder
        .run(["why", "daily-briefing", "soon"])
        .says(2, &["`soon` is not a moment", "mon 7:00"]);
    let night = Folder::with(&cron("cron = \"*/30 2 * * 1\""));
    night
        .run(["why", "x", "2026-11-20", "02:30"])
        .prints(&["Friday the 20 does not fit `*/30 2 * * 1`"]);
    let gap = Folder::with(&cron("cron = \"*/30 2 * * *\""));
    gap.run(["why", "x", "2026-03-29 02:30"]).prints(&[
        "Sun 29 Mar 2026 02:30 never was: the clocks went on to Sun 29 Mar 2026 03:00 CEST",
        "`*/30 2 * * *` follows the clocks, which never showed 02:30",
    ]);
    let fixed = Folder::with(&cron("cron = \"30 2 * * *\""));
    fixed
        .run(["why", "x", "2027-03-28 02:30"])
        .prints(&["02:30 never was", "Slot Sun 28 Mar 2027 03:00 CEST: due in"]);
    fixed
        .run(["why", "x", "2026-10-25T02:30:00+01:00"])
        .prints(&["comes once, Sun 25 Oct 2026 02:30 CEST"]);
    let watch = Folder::with(&cron("startup = true"));
    watch
        .run(["why", "x", "7:00"])
        .prints(&["`x` has no cron trigger"]);
}

/// A database as a daemon leaves it.
struct Past {
    folder: Folder,
    clock: Arc<TestClock>,
    store: Store,
}

const TRIGGER: &str = "cron:0 7 * * * Europe/Madrid";

fn at(text: &str) -> DateTime<Utc> {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

impl Past {
    async fn since(first: &str) -> Self {
        let folder = briefing();
        let clock = Arc::new(TestClock::at(at(first)));
        let store =
            Store::open(&folder.path("state"), clock.clone(), Mode::Inline).expect("a store");
        let trigger = TimedTrigger {
            job: "daily-briefing".to_owned(),
            id: TRIGGER.to_owned(),
            moments: TRIGGER.to_owned(),
        };
        store
            .store
            .load_triggers(vec![trigger])
            .await
            .expect("it is written");
        Past {
            folder,
            clock,
            store: store.store,
        }
    }

    /// A run that takes 4.1 s.
    async fn run(&self, due: &str, when: Claimed, now: &str, outcome: Outcome) {
        self.clock.set_wall(at(now));
        let event = Event {
            id: self.clock.id(),
            job: "daily-briefing".to_owned(),
            kind: TriggerKind::Cron,
            dedupe_key: None,
            payload: serde_json::json!({ "kind": "cron" }),
            at: at(now),
        };
        let slot = SlotClaim {
            trigger: TRIGGER.to_owned(),
            due_at: at(due),
            when,
            passed: None,
        };
        let along = Along {
            slot: Some(slot),
            ..Along::default()
        };
        let accepted = self
            .store
            .accept_along(event, "hash", Start::RunningBy("me".to_owned()), along)
            .await;
        let Ok(Accepted::New(run)) = accepted else {
            panic!("{accepted:?}");
        };
        self.clock
            .set_wall(at(now) + TimeDelta::milliseconds(4_100));
        let update = RunUpdate {
            state: Some(RunState::Finished(outcome)),
            ..RunUpdate::of(run)
        };
        self.store.record(update).await.expect("it is written");
    }

    async fn pass(&self, from: &str, to: &str, count: u64, fate: Fate, reason: Reason) {
        let stretch = Stretch {
            from: at(from),
            to: at(to),
            count,
        };
        let passed = Passed {
            stretch,
            fate,
            reason,
        };
        self.store
            .pass("daily-briefing", TRIGGER, passed)
            .await
            .expect("it is written");
    }

    #[track_caller]
    fn why(&self, when: &str, expected: &str) {
        self.folder
            .run(["why", "daily-briefing", when])
            .is(0, expected, "");
    }
}

#[tokio::test]
async fn every_past_moment_has_its_story() {
    let past = Past::since("2026-11-10T12:00:00Z").await;
    let (from, to) = (at("2026-11-19T05:41:00Z"), at("2026-11-19T07:11:00Z"));
    past.run(
        "2026-11-11T06:00:00Z",
        Claimed::InTime,
        "2026-11-11T06:00:00Z",
        Outcome::Ok,
    )
    .await;
    let failed = Outcome::Failed("step `events`: no network".to_owned());
    past.run(
        "2026-11-12T06:00:00Z",
        Claimed::InTime,
        "2026-11-12T06:00:00Z",
        failed,
    )
    .await;
    let asleep = Reason::Leapt {
        from: at("2026-11-12T20:00:00Z"),
        to: at("2026-11-16T12:00:00Z"),
    };
    past.pass(
        "2026-11-13T06:00:00Z",
        "2026-11-15T06:00:00Z",
        3,
        Fate::Skipped,
        asleep,
    )
    .await;
    past.pass(
        "2026-11-16T06:00:00Z",
        "2026-11-16T06:00:00Z",
        1,
        Fate::TooOld,
        asleep,
    )
    .await;
    let rest = Reason::Paused {
        since: at("2026-11-16T18:00:00Z"),
    };
    past.pass(
        "2026-11-17T06:00:00Z",
        "2026-11-17T06:00:00Z",
        1,
        Fate::Skipped,
        rest,
    )
    .await;
    past.run(
        "2026-11-19T06:00:00Z",
        Claimed::CaughtUp(Reason::Off { from, to }),
        "2026-11-19T07:12:00Z",
        Outcome::Ok,
    )
    .await;
    past.why(
        "yesterday 7:00",
        "Slot Thu 19 Nov 2026 07:00 CET: caught up at 08:12 (the machine was off from 06:41 to 08:11)\n\
         \x20 run #3  ok in 4.1 s\n",
    );
    past.why(
        "2026-11-11 07:00",
        "Slot Wed 11 Nov 2026 07:00 CET: ran at 07:00\n  run #1  ok in 4.1 s\n",
    );
    past.why(
        "2026-11-12 07:00",
        "Slot Thu 12 Nov 2026 07:00 CET: ran at 07:00 and failed\n  run #2  failed in 4.1 s (step `events`: no network)\n",
    );
    past.why(
        "2026-11-14 07:00",
        "Slot Sat 14 Nov 2026 07:00 CET: skipped (the clock went from Thu 12 Nov 21:00 to Mon 16 Nov 13:00 at once), \
         one of 3 from Fri 13 Nov 2026 07:00 CET to Sun 15 Nov 2026 07:00 CET\n",
    );
    past.why(
        "mon 7:00",
        "Slot Mon 16 Nov 2026 07:00 CET: too old to run when it could (the clock went from Thu 12 Nov 21:00 to 13:00 at once)\n",
    );
    past.why(
        "tue 7:00",
        "Slot Tue 17 Nov 2026 07:00 CET: skipped (the job was paused at Mon 16 Nov 19:00)\n",
    );
    past.why(
        "2026-11-10 07:00",
        "Slot Tue 10 Nov 2026 07:00 CET: did not run: its moments count from its first load, Tue 10 Nov 2026 13:00 CET\n",
    );
    past.why(
        "wed 7:00",
        "Slot Wed 18 Nov 2026 07:00 CET: is not known any more (`[history] keep`)\n",
    );
    past.why("today 6:59", "No slot at Fri 20 Nov 2026 06:59 CET: hour 6 does not fit `0 7 * * *`\n  the one before it is Thu 19 Nov 2026 07:00 CET\n  the one after it is Fri 20 Nov 2026 07:00 CET\n");
    let shown = past.folder.run([
        "why",
        "daily-briefing",
        "today 7:00",
        "--now",
        "2026-11-20 07:30",
    ]);
    shown.prints(&["has not run yet; when the daemon runs, it will be made good for"]);
    // The entry was changed since: what the old one did is still told.
    let folder = past
        .folder
        .job("daily-briefing", &cron("cron = \"0 8 * * *\""));
    folder
        .run(["why", "daily-briefing", "2026-11-12 07:00"])
        .prints(&["ran at 07:00 and failed (by an earlier trigger, cron:0 7 * * *"]);
    let answer = folder
        .run(["why", "daily-briefing", "2026-11-12 07:00", "--json"])
        .json();
    assert_eq!(answer["slots"][0]["state"], "failed");
    assert_eq!(answer["slots"][0]["run"], 2);
    // The job is gone: what it did is still told.
    std::fs::remove_file(folder.path("jobs/daily-briefing.toml")).expect("removed");
    folder
        .run(["why", "daily-briefing", "2026-11-12 07:00"])
        .prints(&["ran at 07:00 and failed (by an earlier trigger, cron:0 7 * * *"]);
    folder.run(["why", "daily-briefing", "2026-11-12 07:30"]).prints(&[
        "No slot at Thu 12 Nov 2026 07:30 CET: none of `daily-briefing`, which is no longer there",
    ]);
}
