use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use super::{DAY, Pi, cron};
use crate::engine::outbox::aloud;
use crate::engine::timetable::Metronome;
use crate::engine::{Alerts, Intake, Outbox, Queue};
use crate::store::faults::{self, Fault, Point};
use crate::store::{Listing, Reader, StoreError};

/// A timetable that runs by itself.
struct Running {
    second: Arc<Notify>,
    beat: watch::Receiver<Duration>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Lets the timetable of `pi` run by itself; another takes its place.
async fn run(pi: &mut Pi) -> Running {
    pi.start().await;
    let other = super::Timetable::new(&pi.engine, pi.intake.clone(), super::machine(&pi.folder));
    let table = std::mem::replace(&mut pi.table, other.unwrap());
    let (second, beat) = (Arc::new(Notify::new()), table.beat());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(table.run(Arc::clone(&second), async {
        let _ = stopped.await;
    }));
    pi.clock.sleeping(1).await;
    Running {
        second,
        beat,
        stop,
        task,
    }
}

#[tokio::test]
async fn it_wakes_at_the_moment_itself() {
    let mut pi = Pi::with("2026-11-20T05:59:30Z", &cron("0 7 * * *", "")).await;
    let running = run(&mut pi).await;
    pi.clock.advance(Duration::from_millis(29_999));
    pi.clock.sleeping(1).await;
    assert!(pi.due().is_empty());
    pi.clock.advance(Duration::from_millis(1));
    pi.clock.sleeping(1).await;
    assert_eq!(pi.due().len(), 1, "without anybody telling it of a second");
    drop(running);
}

#[tokio::test]
async fn a_second_tells_of_a_leap() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("0 7 * * *", "")).await;
    let mut running = run(&mut pi).await;
    pi.clock.set_wall(super::at("2026-11-20T07:11"));
    running.beat.mark_unchanged();
    running.second.notify_one();
    running.beat.changed().await.unwrap();
    assert_eq!(pi.slots(), ["11-20 06:00 1 caught_up leapt"]);
}

#[tokio::test]
async fn new_jobs_are_taken_when_they_are_loaded() {
    let mut pi = Pi::with("2026-11-20T05:59:30Z", &cron("0 9 * * *", "")).await;
    let mut running = run(&mut pi).await;
    running.beat.mark_unchanged();
    let loaded = super::loaded(pi.folder.path().into(), &[("x", &cron("0 7 * * *", ""))]);
    pi.jobs.send_replace(loaded);
    running.beat.changed().await.unwrap();
    pi.clock.sleeping(1).await;
    pi.clock.advance(Duration::from_secs(30));
    pi.clock.sleeping(1).await;
    assert_eq!(pi.due(), ["2026-11-20 07:00+01:00"]);
}

#[tokio::test]
async fn a_clean_end_is_known_to_the_second() {
    let mut pi = Pi::with("2026-11-20T05:00", &cron("0 7 * * *", "")).await;
    let running = run(&mut pi).await;
    pi.clock.advance(Duration::from_secs(17));
    running.stop.send(()).unwrap();
    running.task.await.unwrap();
    pi.off(DAY).await;
    let trigger = "cron:0 7 * * * Europe/Madrid";
    let slot = pi
        .engine
        .store
        .read_now(|reader| reader.slot("x", trigger, super::at("2026-11-20T06:00")));
    let (from, to) = (
        super::at("2026-11-20T05:00:17Z"),
        super::at("2026-11-21T05:00:17Z"),
    );
    let expected =
        crate::store::SlotEnd::CaughtUp(crate::job::RunId(1), crate::job::Reason::Off { from, to });
    assert_eq!(slot.unwrap().map(|slot| slot.end), Some(expected));
}

#[tokio::test]
async fn the_metronome_beats() {
    let metronome = Metronome::start().await.unwrap();
    let second = metronome.second();
    second.notified().await;
    second.notified().await;
    metronome.stop().await;
}

#[tokio::test]
async fn a_disk_that_was_full_for_slots_alone_is_told_of() {
    let mut pi = Pi::with("2026-11-20T05:59:30Z", &cron("0 7 * * *", "")).await;
    let alerts = Alerts::load(&pi.engine, pi.jobs.subscribe()).await.unwrap();
    let (engine, latest) = (pi.engine.clone(), pi.jobs.subscribe());
    pi.engine.alerts = Some(alerts.clone());
    let outbox = Outbox::new(engine, latest.clone(), aloud());
    alerts.sent_by(&outbox);
    let queue = Queue::new(pi.engine.clone(), outbox, latest);
    queue.stop();
    pi.intake = Intake::new(queue);
    let mut running = run(&mut pi).await;

    let full = |point| match point {
        Point::Commit => Fault::Fail(StoreError::Full),
        Point::Read | Point::Committed => Fault::Wait(0),
    };
    faults::choose(Some(Box::new(full)));
    running.beat.mark_unchanged();
    pi.clock.advance(Duration::from_secs(30));
    running.beat.changed().await.unwrap();
    assert!(pi.due().is_empty(), "it could not be written down");

    faults::choose(None);
    pi.clock.advance(Duration::from_secs(7));
    running.second.notify_one();
    let said = || {
        let all = |reader: &Reader<'_>| reader.outbox(Listing::All, 10);
        let all = pi.engine.store.read_now(all).unwrap();
        all.first().map(|told| told.message.body.clone())
    };
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        if said().is_some() {
            break;
        }
    }
    assert_eq!(pi.due(), ["2026-11-20 07:00+01:00"]);
    let from = "Nothing could be written from Fri 20 Nov 07:00 to Fri 20 Nov 07:00";
    let told = said().unwrap();
    assert!(told.starts_with(from), "{told}");
}
