//! Failures that the owner hears of once: which they are, where he hears of them, and when they are over.

mod fingerprint;
mod notice;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::sync::watch;

use super::outbox::WeakOutbox;
use super::{Engine, EngineError, Loaded, Outbox, Stale};
use crate::config::Settings;
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::config::folder::SETTINGS;
use crate::config::settings::Notify;
use crate::delivery::to_owner;
use crate::job::{NewDelivery, Outcome, RunId, Saying, TriggerKind};
use crate::journal::{self, Level};
use crate::store::{Heard, News, Store, Told, Words};

pub use notice::{Notice, Subject};
pub(super) use words::buttons;

/// Tells the owner; clones are the same. Only a daemon has it: whoever starts a run at a terminal sees how it ends.
#[derive(Clone)]
pub struct Alerts {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// The process that sends what there is to say.
    owner: String,
    latest: watch::Receiver<Arc<Loaded>>,
    /// The outbox holds these alerts.
    outbox: OnceLock<WeakOutbox>,
    /// What has alerts: a good run of anything else need not look for them. The number grows with each failure.
    open: Mutex<HashMap<String, u64>>,
    /// Since when nothing could be written.
    no_room: Mutex<Option<DateTime<Utc>>>,
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

/// What a run's end is to the owner, on its way into the commit of that end.
#[derive(Debug)]
pub(super) struct OfRun {
    /// For the commit.
    pub news: News,
    /// What was known of its job before.
    known: u64,
}

impl Alerts {
    /// Alerts as an earlier life left them, to be told in the words of the `latest` reading.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load(
        engine: &Engine,
        latest: watch::Receiver<Arc<Loaded>>,
    ) -> Result<Self, EngineError> {
        let open = engine.store.read(|reader| reader.alerts()).await?;
        let inner = Inner {
            store: engine.store.clone(),
            owner: engine.lock.clone(),
            latest,
            outbox: OnceLock::new(),
            open: Mutex::new(open.into_iter().map(|alert| (alert.about, 0)).collect()),
            no_room: Mutex::default(),
        };
        Ok(Alerts {
            inner: Arc::new(inner),
        })
    }

    /// Gives what there is to say to `outbox` from now on.
    pub fn sent_by(&self, outbox: &Outbox) {
        // There is one outbox in a process.
        let _ = self.inner.outbox.set(outbox.downgrade());
    }

    /// What the end of a run is to the owner, if anything; a person who started it sees for himself.
    pub(super) fn of_run(
        &self,
        job: &str,
        kind: TriggerKind,
        run: RunId,
        outcome: &Outcome,
    ) -> Option<OfRun> {
        let verb = match outcome {
            Outcome::Ok | Outcome::NothingToSay(_) => {
                let known = *self.open().get(job)?;
                let news = self.news(job.to_owned(), Some(run), Heard::Good, words::over);
                return Some(OfRun { news, known });
            }
            Outcome::Failed(_) if kind == TriggerKind::Hand => return None,
            Outcome::Failed(_) => words::Verb::Failed,
            Outcome::Interrupted(_) => words::Verb::Interrupted,
            Outcome::Skipped(_) | Outcome::Cancelled | Outcome::TooOld => return None,
        };
        let reason = outcome.reason().unwrap_or_default().to_owned();
        let fingerprint = fingerprint::fingerprint(outcome.word(), &reason);
        let heard = Heard::Bad {
            fingerprint,
            reason,
        };
        let known = self.failing(job);
        let say = move |tongue: &words::Tongue, alert: &_, saying| {
            words::run(tongue, verb, alert, saying)
        };
        let news = self.news(job.to_owned(), Some(run), heard, say);
        Some(OfRun { news, known })
    }

    /// What a run's end was to the owner is on the disk: `told` goes out.
    pub(super) fn committed(&self, of_run: &OfRun, told: Told) {
        if of_run.news.heard == Heard::Good {
            self.over(&of_run.news.about, of_run.known);
        }
        self.send(told);
    }

    /// Tells of something of the program itself: of what holds on once, and then at most once a day, until it is over.
    pub async fn tell(&self, mut notice: Notice) {
        notice.scrub(&self.loaded().secrets);
        let (about, heard) = match notice.subject() {
            None => (String::new(), Heard::Once),
            Some(subject) => {
                let reason = notice.reason();
                let fingerprint = match subject {
                    // The place of a mistake is what a person needs of it.
                    Subject::File(_) => fingerprint::exact(&reason),
                    Subject::Place(_)
                    | Subject::Watch(_)
                    | Subject::Chats
                    | Subject::Budget
                    | Subject::SignIn(_) => fingerprint::fingerprint("", &reason),
                };
                let heard = Heard::Bad {
                    fingerprint,
                    reason,
                };
                (subject.to_string(), heard)
            }
        };
        if heard != Heard::Once {
            self.failing(&about);
        }
        let say = move |tongue: &words::Tongue, _: &_, _| notice.say(tongue);
        self.hear(self.news(about, None, heard, say)).await;
    }

    /// What was told of a subject is over.
    pub async fn over_with(&self, subject: &Subject) {
        let about = subject.to_string();
        let Some(known) = self.open().get(&about).copied() else {
            return;
        };
        let news = self.news(about.clone(), None, Heard::Good, words::over);
        if self.hear(news).await {
            self.over(&about, known);
        }
    }

    /// Tells which files of the user's folder do not load, each with its errors, and which load again; forgets alerts of
    /// jobs that are not there any more.
    pub async fn folder(&self, wrong: &[Diagnostic], stale: &[Stale]) {
        let mut broken: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for found in wrong
            .iter()
            .filter(|found| found.severity == Severity::Error)
        {
            let of_file = broken.entry(&found.source.path).or_default();
            of_file.push(found.brief());
        }
        for (path, errors) in &broken {
            let name = Path::new(path).file_stem().unwrap_or_default();
            let of_file = |stale: &&Stale| match stale {
                Stale::Kept(job) | Stale::Out(job) => name == job.as_str(),
                Stale::Settings => path.ends_with(SETTINGS),
            };
            let notice = Notice::File {
                path: (*path).to_owned(),
                errors: errors.clone(),
                stale: stale.iter().find(of_file).cloned(),
            };
            self.tell(notice).await;
        }
        let known: Vec<String> = self.open().keys().cloned().collect();
        let mut gone = Vec::new();
        for about in known {
            match Subject::of(&about) {
                Some(Subject::File(path)) if !broken.contains_key(path.as_str()) => {
                    self.over_with(&Subject::File(path)).await;
                }
                Some(Subject::Watch(job))
                    if !job.is_empty() && !self.loaded().jobs.contains_key(&job) =>
                {
                    gone.push(about);
                }
                None if !self.loaded().jobs.contains_key(&about) && broken.is_empty() => {
                    gone.push(about);
                }
                Some(_) | None => {}
            }
        }
        if gone.is_empty() {
            return;
        }
        self.open().retain(|about, _| !gone.contains(about));
        if let Err(error) = self.inner.store.forget_alerts(gone).await {
            journal::say(Level::Warning, error);
        }
    }

    /// Nothing can be written down from `now` on.
    pub(super) fn no_room(&self, now: DateTime<Utc>) {
        self.inner
            .no_room
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(now);
    }

    /// Something was written down after it had waited because of `reason`.
    pub(super) fn room(&self, now: DateTime<Utc>, reason: &EngineError) {
        let since = self
            .inner
            .no_room
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(from) = since else {
            return;
        };
        let notice = Notice::DiskWasFull {
            from,
            to: now,
            reason: reason.to_string(),
        };
        let alerts = self.clone();
        tokio::spawn(async move { alerts.tell(notice).await });
    }

    async fn hear(&self, news: News) -> bool {
        match self.inner.store.tell(news.clone()).await {
            Ok(told) => {
                self.send(told);
                true
            }
            Err(error) => {
                if let Heard::Bad { reason, .. } = news.heard {
                    journal::say(Level::Error, reason);
                }
                journal::say(Level::Error, format!("the owner cannot be told: {error}"));
                false
            }
        }
    }

    fn news(
        &self,
        about: String,
        run: Option<RunId>,
        heard: Heard,
        say: impl Fn(&words::Tongue, &crate::job::Alert, crate::job::Saying) -> String
        + Send
        + Sync
        + 'static,
    ) -> News {
        let loaded = self.loaded();
        News {
            about,
            run,
            heard,
            owner: self.inner.owner.clone(),
            words: Words::new(move |alert, saying| {
                let text = say(&words::Tongue::of(&loaded.settings), alert, saying);
                let mut messages = messages(&loaded.settings, &alert.about, &text);
                let of_job = saying != Saying::Over && Subject::of(&alert.about).is_none();
                if let Some(run) = alert.run.filter(|_| of_job) {
                    let job = Some(alert.about.as_str());
                    let buttons = words::buttons(loaded.settings.language, run, job);
                    let chats = messages.iter_mut().filter(|one| one.kind == "telegram");
                    chats.for_each(|one| one.target["buttons"] = json!(buttons));
                }
                messages
            }),
        }
    }

    /// Something has an alert from now on.
    fn failing(&self, about: &str) -> u64 {
        let mut open = self.open();
        let number = open.entry(about.to_owned()).or_default();
        *number += 1;
        *number
    }

    /// Nothing is open about something, unless it failed meanwhile.
    fn over(&self, about: &str, known: u64) {
        let mut open = self.open();
        if open.get(about) == Some(&known) {
            open.remove(about);
        }
    }

    fn send(&self, told: Told) {
        if let Some(outbox) = self.inner.outbox.get() {
            outbox.offer(told);
        }
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.inner.latest.borrow())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        let open = self.inner.open.lock();
        open.unwrap_or_else(PoisonError::into_inner)
    }
}

/// One message for each place where the owner wants to hear; none goes to the place that it is about.
fn messages(settings: &Settings, about: &str, text: &str) -> Vec<NewDelivery> {
    let mut messages: Vec<_> = settings
        .notify
        .iter()
        .map(|notify| to_owner(*notify, settings, text))
        .collect();
    messages.retain(|message| Subject::Place(message.lane.clone()).to_string() != about);
    if messages.is_empty() {
        messages.push(to_owner(Notify::Journal, settings, text));
    }
    messages
}
