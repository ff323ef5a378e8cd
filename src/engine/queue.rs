//! Who runs now and who waits: places in all, places for each job, people before heartbeats.

mod seat;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::run::Deliver;
use super::work::{Follower, Work};
use super::{Engine, Loaded, Outbox};
use crate::config::Job;
use crate::config::job_file::{Overlap, Priority};
use crate::job::{RunId, TriggerKind};
use crate::store::Version;

pub(super) use seat::Reserved;
pub use seat::Seat;

/// Who goes first: people, then the job's priority, then the order of arrival.
type Rank = (Reverse<bool>, Reverse<Priority>, u64);

/// The runs of one daemon.
pub struct Queue {
    pub(super) engine: Engine,
    pub(super) outbox: Outbox,
    pub(super) latest: watch::Receiver<Arc<Loaded>>,
    state: Mutex<State>,
    /// Told when the last run ended.
    idle: Notify,
    /// The texts that are known to be kept, by hash.
    kept: Mutex<HashSet<String>>,
    /// Who follows runs that wait for a word.
    followers: Mutex<HashMap<RunId, (Deliver, Follower)>>,
    /// Told when a run begins to wait for one.
    pub(super) asked: Notify,
    /// Told when a run changed reminders.
    pub(super) reminded: Notify,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    /// Places that nobody has.
    free: usize,
    stopped: bool,
    /// Somebody gives places away.
    seating: bool,
    /// How many have a seat, those included that left their place for a while.
    under_way: usize,
    arrivals: u64,
    /// Those who need nothing but a place.
    ready: BTreeMap<Rank, Turn>,
    jobs: HashMap<String, OfJob>,
}

/// The runs of one job.
#[derive(Default)]
struct OfJob {
    /// With a seat, or about to have one.
    seats: u32,
    under_way: Vec<(RunId, Arc<Notify>)>,
    /// In the order of their ranks; on the heap each, for thousands may wait and more come.
    waiting: VecDeque<(Rank, Box<Work>)>,
}

/// What a free place is given to.
enum Turn {
    Begins(Box<Work>),
    GoesOn(Arc<Away>),
}

/// What may become of an event of a job just now.
pub(super) enum Room {
    /// Its run has a seat.
    Now(Reserved),
    /// Its run waits.
    Later,
    /// There is none beside the run that is under way, whose number may not be known yet.
    Taken(Option<RunId>),
}

/// Whether a run has left its place for a while.
#[derive(Default)]
struct Away {
    /// Read and written under the queue's lock.
    gone: AtomicBool,
    back: Notify,
}

impl Queue {
    /// A queue with so many places as the settings say.
    pub fn new(engine: Engine, outbox: Outbox, latest: watch::Receiver<Arc<Loaded>>) -> Arc<Self> {
        let free = engine.loaded.settings.max_runs;
        Arc::new(Queue {
            engine,
            outbox,
            latest,
            state: Mutex::new(State {
                free,
                ..State::default()
            }),
            idle: Notify::new(),
            kept: Mutex::default(),
            followers: Mutex::default(),
            asked: Notify::new(),
            reminded: Notify::new(),
        })
    }

    /// The texts of a job where they may not be kept yet.
    pub(super) fn unkept(&self, loaded: &Loaded, job: &Job) -> Option<Version> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.contains(&job.hash);
        drop(kept);
        if known { None } else { loaded.version(job) }
    }

    /// It is not known any more which texts are kept.
    pub(super) fn forget_kept(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }

    /// The texts of a job are kept now.
    pub(super) fn kept(&self, job: &Job) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = kept.contains(&job.hash) || kept.insert(job.hash.clone());
    }

    /// Somebody follows a run that waits for a word.
    pub(super) fn follows_on(&self, run: RunId, deliver: Deliver, follower: Follower) {
        let mut followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        followers.insert(run, (deliver, follower));
    }

    /// Who followed the run before it waited.
    pub(super) fn follower(&self, run: RunId) -> Option<(Deliver, Follower)> {
        let mut followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        followers.remove(&run)
    }

    /// What may become of an event of `job`.
    pub(super) fn room(self: &Arc<Self>, job: &Job, kind: TriggerKind) -> Room {
        let mut state = self.lock();
        let rank = state.rank(job.priority, kind);
        let State {
            free,
            stopped,
            ready,
            jobs,
            ..
        } = &mut *state;
        let of_job = jobs.entry(job.name.clone()).or_default();
        if of_job.seats >= job.max_runs {
            return match job.overlap {
                Overlap::Skip => Room::Taken(of_job.under_way.first().map(|(run, _)| *run)),
                Overlap::Queue | Overlap::Replace => Room::Later,
            };
        }
        if *stopped || *free == 0 || !ready.is_empty() || !of_job.waiting.is_empty() {
            return Room::Later;
        }
        *free -= 1;
        of_job.seats += 1;
        Room::Now(Reserved {
            queue: Arc::clone(self),
            job: Some(job.name.clone()),
            rank,
        })
    }

    /// A run that is written down as queued: it begins when there is a seat.
    pub(super) fn push(self: &Arc<Self>, work: Work) {
        self.enter(work, true);
    }

    /// A run that waited for a word: it goes on when there is a seat, and takes no other's place.
    pub(super) fn push_again(self: &Arc<Self>, work: Work) {
        self.enter(work, false);
    }

    fn enter(self: &Arc<Self>, mut work: Work, is_new: bool) {
        let mut state = self.lock();
        // Where none begins any more nobody is to wait for it.
        let _gone = work.follower.take_if(|_| state.stopped);
        let rank = state.rank(work.job.priority, work.kind);
        let of_job = state.jobs.entry(work.job.name.clone()).or_default();
        let (mut replaced, by) = (Vec::new(), work.run);
        let replaces = is_new && work.job.overlap == Overlap::Replace;
        if replaces && of_job.seats >= work.job.max_runs {
            // One seat is enough; told twice, the oldest ends once.
            if let Some((_, cancel)) = of_job.under_way.first() {
                cancel.notify_one();
            }
            replaced.extend(of_job.waiting.drain(..).map(|(_, older)| older));
        }
        let at = of_job.waiting.partition_point(|(other, _)| *other < rank);
        let job = work.job.name.clone();
        of_job.waiting.insert(at, (rank, Box::new(work)));
        self.fill(&mut state, &job);
        self.seat(state);
        for older in replaced {
            tokio::spawn(older.replaced(Arc::clone(self), by));
        }
    }

    /// Stops a run: one that waits is taken out and given back, one under way ends as cancelled.
    pub(super) fn cancel(self: &Arc<Self>, run: RunId) -> Cancelled {
        let mut state = self.lock();
        for of_job in state.jobs.values_mut() {
            if let Some((_, cancel)) = of_job.under_way.iter().find(|(other, _)| *other == run) {
                cancel.notify_one();
                return Cancelled::UnderWay;
            }
            let waits = of_job.waiting.iter().position(|(_, work)| work.run == run);
            if waits.and_then(|at| of_job.waiting.remove(at)).is_some() {
                return Cancelled::Waiting;
            }
        }
        let waits = |turn: &Turn| matches!(turn, Turn::Begins(work) if work.run == run);
        let rank = state.ready.iter().find(|(_, turn)| waits(turn));
        let Some(rank) = rank.map(|(rank, _)| *rank) else {
            return Cancelled::Unknown;
        };
        if let Some(Turn::Begins(work)) = state.ready.remove(&rank) {
            state.vacate(&work.job.name);
            self.fill(&mut state, &work.job.name);
            self.seat(state);
        }
        Cancelled::Waiting
    }

    /// No run begins any more.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        // Whoever follows a run that waits hears that it is let go of.
        let waiting = state.jobs.values_mut();
        let waiting = waiting.flat_map(|of_job| &mut of_job.waiting);
        let mut gone: Vec<_> = waiting.map(|(_, work)| work.follower.take()).collect();
        gone.extend(state.ready.values_mut().map(|turn| match turn {
            Turn::Begins(work) => work.follower.take(),
            Turn::GoesOn(_) => None,
        }));
        drop(state);
        let mut followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        followers.clear();
    }

    /// Completes once no run is under way.
    pub async fn emptied(&self) {
        loop {
            let idle = self.idle.notified();
            if self.under_way() == 0 {
                return;
            }
            idle.await;
        }
    }

    /// How many runs are under way, those included that back off.
    pub fn under_way(&self) -> usize {
        self.lock().under_way
    }

    /// How many runs wait for a seat.
    pub fn waiting(&self) -> usize {
        let state = self.lock();
        let waiting = state.jobs.values().map(|of_job| of_job.waiting.len());
        waiting.sum::<usize>() + state.ready.len()
    }

    /// Places that nobody has.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.lock().free
    }

    /// How many want a place back that they left for a while.
    #[cfg(test)]
    pub(super) fn coming_back(&self) -> usize {
        let state = self.lock();
        let back = state.ready.values();
        back.filter(|turn| matches!(turn, Turn::GoesOn(_))).count()
    }

    /// Those of a job that wait are ready while the job has seats for them.
    fn fill(&self, state: &mut State, job: &str) {
        let Some(of_job) = state.jobs.get_mut(job) else {
            return;
        };
        while let Some((_, next)) = of_job.waiting.front()
            && of_job.seats < next.job.max_runs
        {
            let (rank, work) = of_job.waiting.pop_front().expect("there is a first one");
            of_job.seats += 1;
            state.ready.insert(rank, Turn::Begins(work));
        }
    }

    /// Gives free places to those who are ready, one at a time and without the lock: a runtime that is taken down drops
    /// what is spawned on the spot, and with it the seat.
    fn seat<'q>(self: &'q Arc<Self>, mut state: MutexGuard<'q, State>) {
        // Whoever is at it already goes on with what there is to do now.
        if std::mem::replace(&mut state.seating, true) {
            return;
        }
        while let Some((rank, turn)) = state.next() {
            match turn {
                Turn::GoesOn(away) => {
                    away.gone.store(false, Ordering::Relaxed);
                    away.back.notify_one();
                }
                Turn::Begins(work) => {
                    let seat = self.sit(&mut state, rank, &work);
                    drop(state);
                    // On the heap: a task moves its future about.
                    tokio::spawn(Box::pin(work.execute(seat)));
                    state = self.lock();
                }
            }
        }
        state.seating = false;
    }

    /// A seat for a run that has its place.
    fn sit(self: &Arc<Self>, state: &mut State, rank: Rank, work: &Work) -> Seat {
        let cancel = Arc::new(Notify::new());
        state.under_way += 1;
        let of_job = state.jobs.entry(work.job.name.clone()).or_default();
        of_job.under_way.push((work.run, Arc::clone(&cancel)));
        Seat {
            queue: Arc::clone(self),
            job: work.job.name.clone(),
            rank,
            run: work.run,
            away: Arc::default(),
            cancel,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a wish to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelled {
    UnderWay,
    Waiting,
    Unknown,
}

impl State {
    /// The next who gets a place, if there is one.
    fn next(&mut self) -> Option<(Rank, Turn)> {
        if self.stopped || self.free == 0 {
            return None;
        }
        let next = self.ready.pop_first()?;
        self.free -= 1;
        Some(next)
    }

    fn rank(&mut self, priority: Priority, kind: TriggerKind) -> Rank {
        let person = matches!(kind, TriggerKind::Hand | TriggerKind::Telegram);
        self.arrivals += 1;
        (Reverse(person), Reverse(priority), self.arrivals)
    }

    /// A seat of the job is free again.
    fn vacate(&mut self, job: &str) {
        if let Some(of_job) = self.jobs.get_mut(job) {
            of_job.seats -= 1;
            if of_job.seats == 0 && of_job.waiting.is_empty() && of_job.under_way.is_empty() {
                self.jobs.remove(job);
            }
        }
    }
}
