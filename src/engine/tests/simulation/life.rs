//! One life of a daemon: it begins, things happen, it ends or dies.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::hands;
use super::stage::on_stage;
use super::world::{Offers, World, job_of};
use crate::clock::Clock;
use crate::engine::{Daemon, Engine, Intake, Patience, Taken, Timetable, approvals};
use crate::job::{Event, RunId, TriggerKind};
use crate::store::lock::ProcessLock;
use crate::store::{Delivery, DeliveryState, Filter, Listing, Mode, Reader, RunRow, Store};

/// What a life is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Things happen, and it may die of them.
    Troubled,
    /// The last one: what is open comes to its end.
    Last,
}

/// How long, by the simulated clock, everything has time to come to its end.
const LONGEST: Duration = Duration::from_secs(60 * 24 * 3600);

pub(super) fn live(world: &mut World, life: Life) {
    world.begin_life(life == Life::Last);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime");
    let death = on_stage(|stage| Arc::clone(&stage.death)).expect("there is a stage");
    let lock = ProcessLock::acquire(&world.state(), world.clock.id()).expect("the lock");
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = death.notified() => {}
            () = whole(world, lock.name(), life) => {}
        }
    });
    // Whatever was under way is gone with it.
    drop(runtime);
    drop(lock);
    assert_eq!(world.open(), 0, "files are held beyond a life");
}

async fn whole(world: &mut World, lock: &str, life: Life) {
    let store = Store::open(&world.state(), world.clock.clone(), Mode::Inline).expect("it opens");
    assert_eq!(store.notices, []);
    let engine = Engine {
        clock: world.clock.clone(),
        loaded: Arc::new(world.load()),
        store: store.store,
        state: world.state(),
        lock: lock.to_owned(),
        patience: Patience::Endless,
        alerts: None,
        servers: Arc::default(),
        commands: Arc::default(),
    };
    if life == Life::Troubled && world.rng.percent(20) {
        hands::emit(world, &engine.store, &engine).await;
    }
    let daemon = Daemon::start(engine.clone())
        .await
        .expect("nothing fails yet");
    let timetable = Timetable::new(&engine, daemon.intake.clone(), world.machine());
    let timetable = timetable.expect("nothing fails yet");
    world.second = Arc::default();
    let (end, ended) = oneshot::channel::<()>();
    let timetable = timetable.run(Arc::clone(&world.second), async {
        let _ = ended.await;
    });
    let timetable = tokio::spawn(timetable);
    // As the daemon does itself, with what brings events; it ends with the life.
    let expires = tokio::spawn(approvals::expire(daemon.intake.clone()));
    settle().await;
    match life {
        Life::Troubled => {
            for _ in 0..5 + world.rng.below(40) {
                happen(world, &daemon).await;
            }
            if world.rng.percent(40) {
                on_stage(|stage| stage.full = false);
                expires.abort();
                drop(end);
                stop(world, daemon).await;
            }
        }
        Life::Last => {
            for job in world.plans.keys() {
                daemon.store().resume(job).await.expect("it is written");
            }
            bring_again(world, &daemon.intake).await;
            pass(world, Duration::from_secs(600)).await;
            // A start may be later by the jitter.
            world.until = world.clock.now() - TimeDelta::minutes(2);
            drop(end);
            settle().await;
            assert!(timetable.is_finished());
            come_to_an_end(world, &daemon).await;
            // What was written to the log since is told by one more run.
            world.complete();
            let key = format!("{} last", super::jobs::TAIL);
            offer(&world.offers, &daemon.intake, &world.clock, key)
                .await
                .expect("it is taken");
            come_to_an_end(world, &daemon).await;
            let queue = Arc::clone(&daemon.queue);
            assert_eq!((queue.under_way(), queue.waiting()), (0, 0));
            assert_eq!(queue.free(), world.places, "places leaked");
            expires.abort();
            stop(world, daemon).await;
        }
    }
}

/// Something happens.
async fn happen(world: &mut World, daemon: &Daemon) {
    match world.rng.below(100) {
        0..4 => hands::start(world, daemon),
        4..8 => {
            let rows = last(daemon);
            if !rows.is_empty() {
                hands::replay(world, daemon, &rows);
            }
        }
        8..40 => {
            let (key, _) = world.key();
            world
                .offers
                .lock()
                .expect("nobody panicked")
                .entry(key.clone())
                .or_default();
            let offered = offer(&world.offers, &daemon.intake, &world.clock, key);
            if world.rng.percent(10) {
                // Whoever asked goes away before it has an answer.
                for _ in 0..world.rng.below(6) {
                    tokio::task::yield_now().await;
                }
                offered.abort();
            }
        }
        40..65 => {
            let most = Duration::from_secs(1 + world.rng.below(120));
            pass(world, most).await;
        }
        65..70 => {
            let most = Duration::from_secs(world.rng.below(20_000));
            pass(world, most).await;
        }
        70..73 => {
            settle().await;
            world.step_clock();
        }
        73..80 => world.grow(),
        80..86 => {
            let rows = last(daemon);
            if !rows.is_empty() {
                let run = world.rng.pick(&rows).run;
                let intake = daemon.intake.clone();
                tokio::spawn(async move { drop(intake.cancel(run).await) });
            }
        }
        86..90 => {
            world.edit();
            daemon.reload(world.load());
        }
        90..92 => {
            let names: Vec<_> = world.plans.keys().cloned().collect();
            let name = world.rng.pick(&names).clone();
            let until = world.clock.now() + TimeDelta::hours(1);
            let (store, pauses) = (daemon.store().clone(), world.rng.percent(50));
            tokio::spawn(async move {
                match pauses {
                    true => drop(store.pause(&name, Some(until)).await),
                    false => drop(store.resume(&name).await),
                }
            });
        }
        92..94 => drop(on_stage(|stage| stage.full = true)),
        94..97 => hands::answer(world, daemon),
        _ => drop(on_stage(|stage| stage.full = false)),
    }
    if world.rng.percent(80) {
        settle().await;
    }
}

/// The last runs.
fn last(daemon: &Daemon) -> Vec<RunRow> {
    let rows = Filter {
        job: None,
        limit: 20,
        before: None,
    };
    let rows = daemon.store().read_now(|reader| reader.history(&rows));
    rows.expect("it is read")
}

/// An event from outside.
pub(super) fn event_of(clock: &dyn Clock, key: &str) -> Event {
    Event {
        id: clock.id(),
        job: job_of(key).to_owned(),
        kind: TriggerKind::Webhook,
        dedupe_key: Some(key.to_owned()),
        payload: json!({ "kind": "webhook", "name": key, "body": {}, "headers": {} }),
        at: clock.now(),
    }
}

/// Brings an event, as a trigger does: once more until it is taken.
fn offer(
    offers: &Offers,
    intake: &Intake,
    clock: &Arc<crate::clock::TestClock>,
    key: String,
) -> JoinHandle<()> {
    let event = event_of(clock.as_ref(), &key);
    let (offers, intake, clock) = (Arc::clone(offers), intake.clone(), Arc::clone(clock));
    tokio::spawn(async move {
        loop {
            let taken = Taken {
                event: event.clone(),
                slot: None,
                cursors: Vec::new(),
            };
            match intake.take(taken).await {
                Ok(accepted) => {
                    let run = accepted.expect("the job is there").run();
                    told(&offers, &key, run);
                    return;
                }
                Err(error) if error.may_pass() => clock.sleep(Duration::from_secs(60)).await,
                Err(error) => panic!("{error}"),
            }
        }
    })
}

/// The same thing is always the same run.
fn told(offers: &Offers, key: &str, run: RunId) {
    let mut offers = offers.lock().expect("nobody panicked");
    let known = offers.insert(key.to_owned(), Some(run)).flatten();
    assert!(
        known.is_none_or(|known| known == run),
        "{key} was {known:?} and is {run}"
    );
}

/// Everything that nobody was told of comes once more, and some that was.
async fn bring_again(world: &mut World, intake: &Intake) {
    let keys: Vec<_> = world
        .offers
        .lock()
        .expect("nobody panicked")
        .clone()
        .into_iter()
        .collect();
    for (key, run) in keys {
        if run.is_none() || world.rng.percent(20) {
            offer(&world.offers, intake, &world.clock, key)
                .await
                .expect("it is taken");
        }
    }
}

/// Lets time pass until nothing is open.
async fn come_to_an_end(world: &World, daemon: &Daemon) {
    let mut passed = Duration::ZERO;
    loop {
        settle().await;
        // Reading hundreds of rows at each step would take longer than all else.
        let idle = daemon.queue.under_way() == 0;
        if idle
            && matches!(open(daemon), (runs, messages) if runs.is_empty() && messages.is_empty())
        {
            return;
        }
        assert!(
            passed < LONGEST && world.clock.next_wake().is_some(),
            "these never end: {:#?}",
            open(daemon)
        );
        passed += world.pass(LONGEST);
    }
}

/// Runs and messages without an end.
fn open(daemon: &Daemon) -> (Vec<RunRow>, Vec<Delivery>) {
    let read = |reader: &Reader<'_>| Ok((reader.active()?, reader.outbox(Listing::Open, 1000)?));
    let (active, mut open) = daemon.store().read_now(read).expect("it is read");
    open.retain(|delivery| {
        matches!(
            delivery.state,
            DeliveryState::Pending | DeliveryState::Sending
        )
    });
    (active, open)
}

/// Lets time pass, step by step.
async fn pass(world: &World, mut left: Duration) {
    settle().await;
    while !left.is_zero() {
        left -= world.pass(left);
        settle().await;
    }
}

async fn stop(world: &World, daemon: Daemon) {
    let stopping = tokio::spawn(daemon.stop());
    let mut passed = Duration::ZERO;
    loop {
        settle().await;
        if stopping.is_finished() {
            return stopping.await.expect("it stops");
        }
        passed += world.pass(Duration::from_secs(1));
        assert!(passed < Duration::from_secs(60), "it does not stop");
    }
}

/// Waits until nothing goes on any more at this moment of the simulated clock.
async fn settle() {
    let look = || on_stage(|stage| (stage.moves, stage.busy)).expect("there is a stage");
    let (mut seen, mut quiet) = (look(), 0);
    while quiet < 25 {
        tokio::task::yield_now().await;
        let now = look();
        quiet = if now == seen && now.1 == 0 {
            quiet + 1
        } else {
            0
        };
        seen = now;
    }
}
