//! The sender with real SQLite, a clock that a test moves, and services on 127.0.0.1.

mod answers;
mod digest;
mod disk;
mod lanes;
mod letters;
mod restart;
mod services;
mod sink;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use self::sink::{Answer, OK, Sink};
use super::{Hear, Heard, Outbox};
use crate::clock::{Clock, TestClock};
use crate::config::Config;
use crate::config::diagnostic::Source;
use crate::config::folder::{Folder, Texts};
use crate::delivery::Said;
use crate::engine::{Engine, Loaded, Patience};
use crate::job::{DeliveryId, NewDelivery};
use crate::store::lock::ProcessLock;
use crate::store::{Delivery, DeliveryState, Mode, Store};
use crate::zone::Tz;

/// A process with an outbox. It is 07:00 in Madrid on Friday 20 November 2026.
struct Home {
    folder: TempDir,
    clock: Arc<TestClock>,
    engine: Engine,
    loaded: watch::Sender<Arc<Loaded>>,
    heard: mpsc::UnboundedReceiver<String>,
    hear: Hear,
    lock: Option<ProcessLock>,
}

impl Home {
    fn new() -> Self {
        let clock = Arc::new(TestClock::at("2026-11-20T06:00:00Z".parse().unwrap()));
        Home::at(tempfile::tempdir().unwrap(), clock, "")
    }

    fn at(folder: TempDir, clock: Arc<TestClock>, settings: &str) -> Self {
        let state = folder.path().to_owned();
        let lock = ProcessLock::acquire(&state, crate::clock::SystemClock::default().id()).unwrap();
        let dynamic = clock.clone() as Arc<dyn Clock>;
        let store = Store::open(&state, dynamic.clone(), Mode::Threaded);
        let loaded = Arc::new(loaded(&folder, settings));
        let (sender, heard) = mpsc::unbounded_channel();
        let hear = move |heard: Heard<'_>| drop(sender.send(line(heard)));
        let engine = Engine {
            clock: dynamic,
            loaded: Arc::clone(&loaded),
            store: store.unwrap().store,
            lock: lock.name().to_owned(),
            state,
            patience: Patience::Endless,
            alerts: None,
            servers: Arc::default(),
            commands: Arc::default(),
        };
        Home {
            folder,
            clock,
            engine,
            loaded: watch::Sender::new(loaded),
            heard,
            hear: Arc::new(hear),
            lock: Some(lock),
        }
    }

    /// The process died, and another one is there.
    fn again(self) -> Self {
        let Home {
            folder,
            clock,
            engine,
            lock,
            ..
        } = self;
        drop((engine, lock));
        Home::at(folder, clock, "")
    }

    async fn start(&self) -> Outbox {
        let (engine, loaded) = (self.engine.clone(), self.loaded.subscribe());
        let outbox = Outbox::new(engine, loaded, Arc::clone(&self.hear));
        outbox.begin().await.unwrap();
        outbox
    }

    /// Commits messages, as the end of a run does.
    async fn commit(&self, messages: Vec<NewDelivery>) -> Vec<(DeliveryId, NewDelivery)> {
        let ids = self.engine.store.say(messages.clone(), &self.engine.lock);
        ids.await.unwrap().into_iter().zip(messages).collect()
    }

    async fn send(&self, outbox: &Outbox, messages: Vec<NewDelivery>) -> Vec<DeliveryId> {
        let committed = self.commit(messages).await;
        let ids = committed.iter().map(|(id, _)| *id).collect();
        outbox.offer(committed);
        ids
    }

    fn row(&self, id: DeliveryId) -> Delivery {
        let row = self.engine.store.read_now(|reader| reader.delivery(id));
        row.unwrap().expect("it is kept")
    }

    fn state(&self, id: DeliveryId) -> DeliveryState {
        self.row(id).state
    }

    fn words(&self, ids: &[DeliveryId]) -> Vec<&'static str> {
        ids.iter().map(|id| self.state(*id).word()).collect()
    }

    /// Lets time pass once `count` tasks wait for it.
    async fn pass(&self, count: usize, time: Duration) {
        self.clock.sleeping(count).await;
        self.clock.advance(time);
    }
}

/// Waits until so many tries were written down.
async fn settled(outbox: &Outbox, count: u64) {
    let mut progress = outbox.progress();
    progress
        .wait_for(|settled| *settled >= count)
        .await
        .unwrap();
}

fn loaded(folder: &TempDir, settings: &str) -> Loaded {
    let settings = format!("[defaults]\ntimezone = \"Europe/Madrid\"\n{settings}");
    let texts = Texts {
        settings: Some(Source::new("config/reveille.toml", settings)),
        jobs: BTreeMap::new(),
        prompts: BTreeMap::new(),
        unreadable: Vec::new(),
        stamp: crate::config::stamp::Stamp::default(),
    };
    let config = Config::resolve(texts, Tz::UTC);
    assert_eq!(config.problems, []);
    Loaded::new(Folder::Disk(folder.path().to_owned()), config).0
}

fn line(heard: Heard<'_>) -> String {
    match heard {
        Heard::Said(Said::Console { job, text }) => format!("{job} says {text}"),
        Heard::Said(Said::Journal { level, text }) => format!("{level:?} {text}"),
        Heard::Said(Said::Instead { text }) => format!("instead {text}"),
        Heard::Well(lane) => format!("well: {lane}"),
        Heard::Undelivered(delivery) => {
            let why = delivery.reason.as_deref().unwrap_or_default();
            format!("{} {}: {why}", delivery.message.body, delivery.state.word())
        }
    }
}

fn post(sink: &Sink, body: &str) -> NewDelivery {
    let target = json!({ "url": sink.url, "method": "POST" });
    NewDelivery::usual("webhook", &sink.url, target, body)
}

fn posts(sink: &Sink, bodies: &[&str]) -> Vec<NewDelivery> {
    bodies.iter().map(|body| post(sink, body)).collect()
}

fn wide(mut message: NewDelivery, width: u32) -> NewDelivery {
    message.policy.width = width;
    message
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
