//! The task that everything meets in: hints, scans, looks and answers; it sleeps until something is due, and no longer.

mod work;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future;
use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::folders::{Folders, Owner};
use super::hints::{Hint, Hints};
use super::look::Looked;
use super::memory::{CHUNK, Key, Mark};
use super::mounts::Mounts;
use super::pattern::Patterns;
use super::post::Post;
use super::survey::{End, Scope, Seen};
use super::verdict::Answer;
use super::{Notice, Order, Told, Wanted};
use crate::clock::Clock;
use crate::store::Store;

/// The most offers that wait for an answer: what bounds the memory that their contents take.
const MOST_OFFERS: usize = 64;
/// The most files that one look goes to, for events of one file each.
const LOOKS: usize = 16;
/// With so many versions that are not written down, a scan waits.
const MOST_UNSAVED: usize = 10 * CHUNK;
/// The most parts of scans that wait to be heard.
const MOST_SEEN: usize = 64;

/// The state of the task.
pub struct Machine {
    clock: Arc<dyn Clock>,
    store: Store,
    hints: Arc<Hints>,
    folders: Arc<Mutex<Folders>>,
    posts: BTreeMap<Owner, Post>,
    next: u64,
    /// Offers that wait for an answer.
    offers: HashMap<u64, (Owner, Vec<PathBuf>)>,
    /// Orders that wait for first looks around.
    orders: Vec<(HashSet<Owner>, oneshot::Sender<()>)>,
    tells: mpsc::UnboundedSender<Told>,
    sees: mpsc::Sender<(Owner, u64, Seen)>,
    seen: mpsc::Receiver<(Owner, u64, Seen)>,
    ends: mpsc::UnboundedSender<Done>,
    ended: mpsc::UnboundedReceiver<Done>,
    answers: mpsc::UnboundedSender<(u64, Answer)>,
    answered: mpsc::UnboundedReceiver<(u64, Answer)>,
    /// What each look around that is under way looks at.
    scopes: HashMap<Owner, Scope>,
}

/// Work beside the task that is over.
enum Done {
    Looked(Owner, Vec<Looked>),
    Saved(Owner, Vec<PathBuf>, Option<Mark>, Answer),
}

impl Machine {
    /// With no triggers.
    pub fn new(
        clock: Arc<dyn Clock>,
        store: Store,
        most_folders: usize,
        tells: mpsc::UnboundedSender<Told>,
    ) -> Self {
        let hints = Arc::new(Hints::default());
        let folders = Folders::new(Arc::clone(&hints), most_folders);
        let (sees, seen) = mpsc::channel(MOST_SEEN);
        let (ends, ended) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        Machine {
            clock,
            store,
            hints,
            folders: Arc::new(Mutex::new(folders)),
            posts: BTreeMap::new(),
            next: 0,
            offers: HashMap::new(),
            orders: Vec::new(),
            tells,
            sees,
            seen,
            ends,
            ended,
            answers,
            answered,
            scopes: HashMap::new(),
        }
    }

    /// Runs until nobody orders any more.
    pub async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mounts = Mounts::open();
        let hints = Arc::clone(&self.hints);
        loop {
            self.act();
            let sleep = self.sleep();
            let listens = self
                .posts
                .values()
                .all(|post| post.tracker.unsaved() < MOST_UNSAVED);
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.order(order).await,
                    None => return,
                },
                () = hints.heard() => self.hinted(),
                () = mounts.changed() => self.doubt_all(),
                Some((owner, round, seen)) = self.seen.recv(), if listens => self.see(owner, round, seen),
                Some(done) = self.ended.recv() => self.done(done),
                Some((ticket, answer)) = self.answered.recv() => self.answer(ticket, answer),
                () = sleep => {}
            }
        }
    }

    /// Until the next moment that something is due.
    fn sleep(&self) -> impl Future<Output = ()> + use<> {
        let now = self.clock.monotonic();
        let next = self.posts.values().filter_map(|post| post.wakes(now)).min();
        let sleep = next.map(|at| self.clock.sleep(at.saturating_sub(now)));
        async move {
            match sleep {
                Some(sleep) => sleep.await,
                None => future::pending().await,
            }
        }
    }

    async fn order(&mut self, Order { wanted, done }: Order) {
        let mut gone: Vec<Owner> = self.posts.keys().copied().collect();
        let mut waits = HashSet::new();
        for wanted in wanted {
            let Ok(patterns) = Patterns::new(&wanted.paths, wanted.below) else {
                // Checked when the job was read.
                continue;
            };
            let owner = self.adopt(&wanted, patterns);
            gone.retain(|other| *other != owner);
            if !self.posts[&owner].has_looked() {
                waits.insert(owner);
            }
        }
        for owner in gone {
            self.dismiss(owner).await;
        }
        self.orders.push((waits, done));
        self.release();
    }

    fn adopt(&mut self, wanted: &Wanted, patterns: Patterns) -> Owner {
        let key = Key {
            job: wanted.job.clone(),
            trigger: wanted.trigger.clone(),
        };
        let known = self.posts.iter_mut().find(|(_, post)| post.key == key);
        if let Some((owner, post)) = known {
            post.change(wanted, patterns);
            return *owner;
        }
        self.next += 1;
        let post = Post::new(key, patterns, wanted.pace.clone());
        self.posts.insert(self.next, post);
        self.next
    }

    async fn dismiss(&mut self, owner: Owner) {
        if let Some(post) = self.posts.remove(&owner) {
            self.folders().sweep(owner, u64::MAX, None);
            if let Err(error) = post.key.forget(&self.store).await {
                let text = format!("cannot forget which files were seen: {error}");
                self.notice(post.key.job, text);
            }
        }
    }

    /// Tells those whose triggers have all looked around.
    fn release(&mut self) {
        for (mut waits, done) in mem::take(&mut self.orders) {
            let posts = &self.posts;
            waits.retain(|owner| posts.get(owner).is_some_and(|post| !post.has_looked()));
            if waits.is_empty() {
                let _ = done.send(());
            } else {
                self.orders.push((waits, done));
            }
        }
    }

    fn hinted(&mut self) {
        let now = self.clock.monotonic();
        let said = self.hints.take();
        if said.overflowed {
            self.doubt_all();
        }
        for (place, hint) in said.paths {
            let mut folders = self.folders();
            let ways = folders.ways_to(&place);
            if hint.gone {
                folders.doubt(&place);
            }
            drop(folders);
            for (path, owners) in ways {
                // A folder that went: what is below it is looked for, and its watch let go.
                let hint = Hint {
                    folder: hint.folder || (hint.gone && self.folders().is_way(&path)),
                    ..hint
                };
                for owner in owners {
                    if let Some(post) = self.posts.get_mut(&owner) {
                        post.hint(&path, hint, now);
                    }
                }
            }
        }
    }

    /// Nothing that inotify watches is certain.
    fn doubt_all(&mut self) {
        let now = self.clock.monotonic();
        self.folders().doubt(&PathBuf::new());
        for post in self.posts.values_mut() {
            post.want_all_soon(now);
        }
    }

    fn see(&mut self, owner: Owner, round: u64, seen: Seen) {
        let now = self.clock.monotonic();
        let Some(post) = self
            .posts
            .get_mut(&owner)
            .filter(|post| post.round == round)
        else {
            return;
        };
        let (notices, end) = post.see(seen, now);
        let job = post.key.job.clone();
        for text in notices {
            self.notice(job.clone(), text);
        }
        if let Some(end) = end {
            self.end(owner, &end, now);
        }
    }

    fn end(&mut self, owner: Owner, end: &End, now: Duration) {
        let scope = self.scopes.remove(&owner).unwrap_or(Scope::All);
        let Some(post) = self.posts.get_mut(&owner) else {
            return;
        };
        post.end(end, &scope, now);
        let round = post.round;
        let mut folders = self.folders();
        match &scope {
            Scope::All => folders.sweep(owner, round, None),
            Scope::Below(tops) => {
                for top in tops {
                    folders.sweep(owner, round, Some(top));
                }
            }
        }
        drop(folders);
        self.release();
    }

    fn done(&mut self, done: Done) {
        let now = self.clock.monotonic();
        match done {
            Done::Looked(owner, looked) => self.looked(owner, looked, now),
            Done::Saved(owner, paths, mark, answer) => {
                let Some(post) = self.posts.get_mut(&owner) else {
                    return;
                };
                post.is_saving = false;
                for path in paths {
                    post.tracker.answered(&path, answer, now);
                }
                match (mark, answer) {
                    (Some(mark), Answer::Accepted) => post.saved = Some(mark),
                    (Some(_), Answer::Refused) => post.tracker.rest(now),
                    (None, _) => {}
                }
                self.release();
            }
        }
    }

    fn answer(&mut self, ticket: u64, answer: Answer) {
        let now = self.clock.monotonic();
        let Some((owner, paths)) = self.offers.remove(&ticket) else {
            return;
        };
        if let Some(post) = self.posts.get_mut(&owner) {
            for path in paths {
                post.tracker.answered(&path, answer, now);
            }
        }
    }

    /// Begins whatever is due and may begin.
    fn act(&mut self) {
        let now = self.clock.monotonic();
        let owners: Vec<Owner> = self.posts.keys().copied().collect();
        for owner in owners {
            self.survey(owner, now);
            self.look(owner, now);
            self.save(owner, now);
        }
    }

    fn notice(&self, job: String, text: String) {
        let _ = self.tells.send(Told::Notice(Notice { job, text }));
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().expect("nothing that holds it panics")
    }
}
