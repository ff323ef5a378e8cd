//! What the owner hears, of runs and of the program itself.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::Home;
use super::den::Den;
use crate::engine::{Alerts, Notice, Patience, Stale, Subject};
use crate::job::{Alert, CursorKey, Outcome, RunState};
use crate::store::Listing;

/// A job that fails while `broken` is there.
const FRAGILE: &str =
    "[[step]]\nid = \"copy\"\nexec = [\"test\", \"!\", \"-e\", \"FOLDER/broken\"]\n";

fn fragile(settings: &str) -> Den {
    let den = Den::new(settings, &[("backup", FRAGILE)]);
    fs::write(den.path("broken"), "").unwrap();
    den
}

impl Den {
    fn fails(&self) {
        let run = self.happens("backup");
        self.emptied();
        let reason = "step `copy`: exit code 1".to_owned();
        assert_eq!(self.state(run), RunState::Finished(Outcome::Failed(reason)));
    }

    fn mended(&self) {
        fs::remove_file(self.path("broken")).unwrap();
        let run = self.happens("backup");
        self.emptied();
        assert_eq!(self.state(run), RunState::Finished(Outcome::Ok));
    }
}

const FAILED: &str =
    "`backup` failed: step `copy`: exit code 1\n`reveille show 1` tells the whole story";

#[test]
fn a_job_that_fails_again_and_again_is_heard_of_once_and_when_it_works_again() {
    let den = fragile("");
    for _ in 0..3 {
        den.fails();
    }
    assert_eq!(den.told(), [FAILED]);
    den.mended();
    let over = "`backup` works again: it had failed 3 times since Fri 20 Nov 06:00";
    assert_eq!(den.told(), [FAILED, over]);
    den.happens("backup");
    den.emptied();
    assert_eq!(den.told().len(), 2);
    assert_eq!(den.alerts(), []);
}

#[test]
fn it_is_told_in_the_owners_language_and_zone() {
    let den = fragile("[defaults]\nlanguage = \"es\"\ntimezone = \"Europe/Madrid\"\n");
    den.fails();
    den.mended();
    let told = [
        "`backup` falló: step `copy`: exit code 1\n`reveille show 1` lo cuenta todo",
        "`backup` vuelve a funcionar: había fallado una vez, vie 20 nov 07:00",
    ];
    assert_eq!(den.told(), told);
}

#[test]
fn who_starts_a_run_by_hand_sees_himself_how_it_ends() {
    let den = fragile("");
    den.block_on(den.asks("backup")).unwrap();
    assert_eq!(den.told(), [""; 0]);
    den.fails();
    fs::remove_file(den.path("broken")).unwrap();
    den.block_on(den.asks("backup")).unwrap();
    assert_eq!(den.told().len(), 2, "what works by hand works again");
}

#[test]
fn a_daemon_that_died_before_it_told_tells_once() {
    let mut den = fragile("");
    den.fails();
    den.die();
    den.live();
    den.fails();
    assert_eq!(den.told(), [FAILED]);
    den.mended();
    assert_eq!(
        den.told().len(),
        2,
        "a later life knows what an earlier told"
    );
}

#[test]
fn a_run_that_was_interrupted_is_told_of_by_the_next_life() {
    let gated = "[[step]]\nid = \"wait\"\nexec = [\"cat\", \"FOLDER/gate{{ run.id }}\"]\n";
    let mut den = Den::new("", &[("a", gated)]);
    let run = den.happens("a");
    let waits = den.gate(run).reached();
    den.die();
    drop(waits);
    den.live();
    let reason = "the program stopped during step `wait`, which may have had its effect: look before you run it again";
    let told = format!("`a` was interrupted: {reason}\n`reveille show 1` tells the whole story");
    assert_eq!(den.told(), [told.as_str()]);
    den.die();
    den.live();
    assert_eq!(den.told().len(), 1);
}

#[test]
fn a_file_that_does_not_load_is_told_with_its_place_once_and_when_it_loads_again() {
    let mut den = fragile("");
    den.write("backup", "[[stepp]]\nexec = [\"true\"]\n");
    assert_eq!(den.reload(), [Stale::Kept("backup".to_owned())]);
    den.reload();
    den.die();
    den.live();
    let told = den.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let file = den.path("jobs/backup.toml").display().to_string();
    let told = told[0].replace(&file, "FILE");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "FILE does not load; it goes on as it was:");
    let error = "FILE:1:3: unknown key `stepp`: did you mean `step`?";
    assert!(lines.contains(&error), "{told}");
    den.write("backup", FRAGILE);
    den.reload();
    assert_eq!(den.told()[1..], [format!("{file} loads again")]);
}

#[test]
fn another_mistake_in_a_file_is_told_again() {
    let den = fragile("");
    den.write("backup", "[[stepp]]\n");
    den.reload();
    den.write("backup", "[[step]]\nexecc = 1\n");
    den.reload();
    assert_eq!(den.told().len(), 2);
}

#[test]
fn the_alerts_of_a_job_that_is_gone_go_with_it() {
    let den = fragile("");
    den.fails();
    fs::remove_file(den.path("jobs/backup.toml")).unwrap();
    den.reload();
    assert_eq!(den.alerts(), []);
    assert_eq!(den.told().len(), 1);
}

#[test]
fn what_a_place_does_not_take_is_not_told_there() {
    let email = "[owner]\nnotify = \"email\"\n[email]\nserver = \"127.0.0.1\"\nport = 9\nfrom = \"a@b.c\"\n";
    let den = Den::new(email, &[]);
    let lost = |place: &str| Notice::NotDelivered {
        place: place.to_owned(),
        delivery: crate::job::DeliveryId(7),
        reason: "refused".to_owned(),
    };
    den.block_on(den.alerts_of().tell(lost("webhook http://x/")));
    let kinds = den.told_by();
    assert_eq!(kinds.len(), 1);
    let lane = kinds[0].clone();
    assert!(lane.starts_with("email"), "{lane}");
    for _ in 0..3 {
        den.block_on(den.alerts_of().tell(lost(&lane)));
    }
    assert_eq!(den.told_by()[1..], ["journal"], "once, and elsewhere");
    den.block_on(den.alerts_of().over_with(&Subject::Place(lane)));
    assert_eq!(den.told_by()[2..], ["journal"]);
}

#[test]
fn a_job_without_alerts_costs_its_good_runs_nothing() {
    let den = fragile("");
    let news = || {
        let run = crate::job::RunId(1);
        let kind = crate::job::TriggerKind::Cron;
        den.alerts_of().of_run("backup", kind, run, &Outcome::Ok)
    };
    assert!(news().is_none());
    den.fails();
    assert!(news().is_some());
    den.mended();
    assert!(news().is_none());
}

impl Den {
    /// What the owner was told, in its order.
    pub(super) fn told(&self) -> Vec<String> {
        let own = self.own().into_iter();
        own.map(|delivery| delivery.message.body).collect()
    }

    /// By which lanes he was told.
    fn told_by(&self) -> Vec<String> {
        let own = self.own().into_iter();
        own.map(|delivery| delivery.message.lane).collect()
    }

    fn alerts(&self) -> Vec<Alert> {
        self.read_store(|reader| reader.alerts())
    }
}

#[tokio::test]
async fn a_disk_that_was_full_is_told_of_once_when_there_is_room() {
    let mut home = Home::with(FRAGILE);
    let (_latest, reading) = watch::channel(home.engine.loaded.clone());
    let alerts = Alerts::load(&home.engine, reading).await.unwrap();
    home.engine.alerts = Some(alerts);
    home.engine.patience = Patience::Endless;
    let (engine, clock) = (&home.engine, &home.clock);
    engine.store.room(1).await;
    let write = |name: &str| {
        let key = CursorKey {
            owner: "x".to_owned(),
            step: String::new(),
            name: name.to_owned(),
        };
        let large = Value::String("x".repeat(100_000));
        let change = vec![(key, Some(large))];
        async move {
            engine
                .patiently(|| engine.store.remember(change.clone()))
                .await
        }
    };
    let (one, other, ()) = tokio::join!(write("a"), write("b"), async {
        clock.sleeping(2).await;
        engine.store.room(1_000_000).await;
        clock.advance(Duration::from_secs(60));
    });
    assert_eq!((one, other), (Ok(()), Ok(())));
    // What is told is on its way to the writer, which does one thing after the other.
    tokio::task::yield_now().await;
    engine.store.answer().await.unwrap();
    let own = engine
        .store
        .read_now(|reader| reader.outbox(Listing::All, 10));
    let told: Vec<String> = own
        .unwrap()
        .into_iter()
        .map(|own| own.message.body)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let beginning = "Nothing could be written from Fri 20 Nov 07:00 to Fri 20 Nov 07:01 (";
    assert!(told[0].starts_with(beginning), "{told:?}");
}
