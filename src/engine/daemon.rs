//! What a daemon consists of, and the order in which it begins and ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::{
    Alerts, Engine, EngineError, Intake, Loaded, Outbox, Part, Pulse, Queue, adopt, approvals,
    before, chats, hear, reminders, startup, tend, warm, watches,
};
use crate::clock;
use crate::journal::{self, Level};
use crate::store::Store;

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The way into it.
    pub intake: Intake,
    /// What executes the runs.
    pub queue: Arc<Queue>,
    /// What sends the messages.
    pub outbox: Outbox,
    /// What tells the owner.
    pub alerts: Alerts,
    latest: watch::Sender<Arc<Loaded>>,
    looks: watch::Sender<bool>,
    edited: Arc<Notify>,
    /// What brings events; it ends with the daemon.
    triggers: JoinSet<()>,
    /// The way for news that Telegram brings.
    bring: mpsc::Sender<chats::Brought>,
    brought: Option<mpsc::Receiver<chats::Brought>>,
    /// What reads the chats, likewise.
    chats: JoinSet<()>,
    _ends: Ends,
}

/// Where a daemon ends, by whatever way, no run begins any more: a runtime that is taken down starts nothing.
#[derive(Debug)]
struct Ends(Arc<Queue>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// How long runs that are under way may go on when the daemon ends.
const DRAIN: Duration = Duration::from_secs(20);

/// How long the first look at the files that jobs watch may go on when the daemon ends.
const LOOK: Duration = Duration::from_secs(5);

/// So much news may wait in memory to be dealt with; more waits at the door.
const BROUGHT: usize = 64;

/// No kind of message takes longer to be sent, or to fail.
const SENDING: Duration = Duration::from_secs(300);

impl Daemon {
    /// Begins: what an earlier life left behind comes first, in its order.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn start(mut engine: Engine) -> Result<Self, EngineError> {
        let (latest, reading) = watch::channel(Arc::clone(&engine.loaded));
        let alerts = Alerts::load(&engine, reading.clone()).await?;
        engine.alerts = Some(alerts.clone());
        let owner = chats::owner(&engine.store)?;
        let outbox = Outbox::new(engine.clone(), reading.clone(), hear(alerts.clone()));
        alerts.sent_by(&outbox);
        outbox.set_owner(owner);
        outbox.begin().await?;
        let queue = Queue::new(engine, outbox.clone(), reading);
        let ends = Ends(Arc::clone(&queue));
        adopt::adopt(&queue).await?;
        let intake = Intake::new(Arc::clone(&queue));
        let (bring, brought) = mpsc::channel(BROUGHT);
        Ok(Daemon {
            intake,
            queue,
            outbox,
            alerts,
            latest,
            looks: watch::Sender::new(false),
            edited: Arc::default(),
            triggers: JoinSet::new(),
            bring,
            brought: Some(brought),
            chats: JoinSet::new(),
            _ends: ends,
        })
    }

    /// From now on files, chats and the start itself bring events by themselves.
    ///
    /// What is due by the clock waits until that is `trusted`.
    pub fn bring_events(&mut self, verbs: chats::Verbs, trusted: &watch::Receiver<bool>) {
        let engine = &self.queue.engine;
        let (clock, store) = (Arc::clone(&engine.clock), engine.store.clone());
        self.triggers.spawn(watches::bring(
            (Arc::clone(&clock), store),
            self.intake.clone(),
            self.looks.clone(),
            Arc::clone(&self.edited),
            self.alerts.clone(),
        ));
        self.read_chats(verbs, true);
        self.triggers
            .spawn(startup::bring(clock, self.intake.clone()));
        self.triggers.spawn(approvals::expire(self.intake.clone()));
        self.triggers.spawn(warm::ahead(
            (
                Arc::clone(&self.queue.engine.clock),
                self.queue.engine.store.clone(),
            ),
            self.intake.reloaded(),
        ));
        self.triggers.spawn(reminders::bring(
            self.queue.engine.clone(),
            self.intake.clone(),
            trusted.clone(),
        ));
        self.triggers.spawn(before::bring(
            self.queue.engine.clone(),
            self.intake.clone(),
            trusted.clone(),
        ));
        self.triggers.spawn(tend::tend(Arc::clone(&self.queue)));
    }

    /// Where news go that Telegram brings.
    pub fn news(&self) -> mpsc::Sender<chats::Brought> {
        self.bring.clone()
    }

    /// From now on the chats are read, and nothing else brings events.
    pub fn bring_chats(&mut self, verbs: chats::Verbs) {
        self.read_chats(verbs, false);
    }

    fn read_chats(&mut self, verbs: chats::Verbs, greets: bool) {
        let Some(brought) = self.brought.take() else {
            return;
        };
        self.chats.spawn(chats::bring(chats::Chats {
            clock: Arc::clone(&self.queue.engine.clock),
            store: self.store().clone(),
            intake: self.intake.clone(),
            alerts: self.alerts.clone(),
            state: self.queue.engine.state.clone(),
            verbs,
            greets,
            brought,
        }));
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.queue.engine.store
    }

    /// Waits until every job that watches files has looked around: what changes afterwards is told, even by a job that was
    /// never loaded before.
    pub async fn looked(&self) {
        // It fails when the daemon ends.
        let _ = self.looks.subscribe().wait_for(|looked| *looked).await;
    }

    /// Completes when a file of the user's folder was edited since it was last asked.
    pub async fn edited(&self) {
        self.edited.notified().await;
    }

    /// Swaps the reading of the user's folder; runs under way keep theirs.
    pub fn reload(&self, loaded: Loaded) {
        self.looks.send_replace(false);
        self.latest.send_replace(Arc::new(loaded));
    }

    /// A look whether everything of it moves, these parts included.
    pub fn pulse(&self, mut parts: Vec<Part>) -> Pulse {
        let outbox = self.outbox.clone();
        let since = move || outbox.sending_since();
        parts.push(Part::working("the outbox", SENDING, since));
        Pulse::new(&self.queue.engine, parts)
    }

    /// Ends: nothing begins any more, and what is under way has some time to end. What does not, is gone on with by the
    /// next start.
    pub async fn stop(mut self) {
        let clock = Arc::clone(&self.queue.engine.clock);
        if !self.triggers.is_empty() {
            // What comes while it is off is found by the next life, where this one has seen what was there before.
            let _ = clock::timeout(clock.as_ref(), LOOK, self.looked()).await;
        }
        self.triggers.shutdown().await;
        self.chats.shutdown().await;
        self.queue.stop();
        let (left, seconds) = (self.queue.under_way(), DRAIN.as_secs());
        if left > 0 {
            let said = format!(
                "it ends; the runs under way ({left}) have {seconds} s, what is left goes on with the next start"
            );
            journal::say(Level::Info, said);
        }
        let _ = clock::timeout(clock.as_ref(), DRAIN, self.queue.emptied()).await;
        let _ = clock::timeout(clock.as_ref(), DRAIN, self.outbox.stop()).await;
    }
}
