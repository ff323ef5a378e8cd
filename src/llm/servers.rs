//! What this process knows of the servers of models: how busy they are, and which of them rest because they failed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lanes::{Lanes, Place, Waits};
use super::{LlmError, Model, Worth};

/// The servers of models, by their addresses.
#[derive(Debug, Default)]
pub struct Servers {
    /// A small computer answers one question at a time.
    lanes: Lanes,
    inner: Mutex<Inner>,
}

/// Answers of models that were recorded, by step.
pub type Recorded = HashMap<String, VecDeque<String>>;

#[derive(Debug, Default)]
struct Inner {
    /// Nobody is asked: these are the answers.
    recorded: Option<Recorded>,
    /// What is new of budgets.
    news: Option<BudgetNews>,
    /// Servers, and models of them, that failed.
    rests: HashMap<String, Rest>,
}

/// A rest after a failure. When it is over one call finds out whether the model works again; the others wait for what it finds.
#[derive(Debug, Clone)]
struct Rest {
    /// By the monotonic clock.
    until: Duration,
    /// Failures in a row.
    failures: u32,
    why: String,
}

/// What failed rests so many times as long as the failure took, so that a model that is down costs a fraction of the time.
const COSTS: u32 = 10;

/// However often it failed.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is new of budgets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetNews {
    /// This one is used up.
    Spent(String),
    /// A call that counts was made.
    Room,
}

impl Servers {
    /// Takes what is new of budgets since the last time.
    pub fn budget_news(&self) -> Option<BudgetNews> {
        self.inner().news.take()
    }

    pub(super) fn heard(&self, news: BudgetNews) {
        self.inner().news = Some(news);
    }

    /// Servers that nobody asks: models say what they said before.
    pub fn rehearsing(recorded: Recorded) -> Self {
        let servers = Servers::default();
        servers.inner().recorded = Some(recorded);
        servers
    }

    /// What the next model of a step says without being asked; `None` where they are asked.
    pub(super) fn recorded(&self, step: &str) -> Option<Result<String, LlmError>> {
        let mut inner = self.inner();
        let recorded = inner.recorded.as_mut()?;
        let next = recorded.get_mut(step).and_then(VecDeque::pop_front);
        Some(next.ok_or(LlmError::NotRecorded))
    }

    /// Waits for a place in the lane to the model's server; it is given back when what is returned is dropped.
    pub(super) async fn place(&self, model: &Model, who: Waits<'_>) -> Place {
        self.lanes.place(&model.url, model.lane, who).await
    }

    /// Whether the model may be asked; one that rested is asked once before others ask it too.
    ///
    /// # Errors
    /// [`LlmError::Rests`].
    pub(super) fn may_ask(&self, model: &Model, now: Duration) -> Result<(), LlmError> {
        let mut inner = self.inner();
        for key in keys(model) {
            let Some(rest) = inner.rests.get(&key) else {
                continue;
            };
            if let Some(left) = rest.until.checked_sub(now).filter(|left| !left.is_zero()) {
                let why = rest.why.clone();
                return Err(LlmError::Rests { left, why });
            }
        }
        // Whoever finds out may be dropped: then another does.
        inner.until(model, now + model.timeouts.total);
        Ok(())
    }

    /// It may be asked and was not: another finds out.
    pub(super) fn not_asked(&self, model: &Model, now: Duration) {
        self.inner().until(model, now);
    }

    /// What came of a call that took so long.
    pub(super) fn ended(
        &self,
        model: &Model,
        error: Option<&LlmError>,
        (took, now): (Duration, Duration),
    ) {
        let mut inner = self.inner();
        let [server, one] = keys(model);
        let (key, error) = match error.map(|error| (error.worth(), error)) {
            // A server that answers is there, whatever is wrong with one model of it.
            None | Some((Worth::AnotherAnswer, _)) => {
                inner.rests.remove(&server);
                inner.rests.remove(&one);
                return;
            }
            Some((Worth::AnotherModel, error)) => {
                inner.rests.remove(&server);
                (one, error)
            }
            Some((Worth::AnotherServer, error)) => (server, error),
        };
        let failures = inner.rests.get(&key).map_or(0, |rest| rest.failures);
        let wait = took.saturating_mul(COSTS << failures.min(10));
        let wait = wait.max(error.retry_after()).min(LONGEST);
        let rest = Rest {
            until: now + wait,
            failures: failures + 1,
            why: error.to_string(),
        };
        inner.rests.insert(key, rest);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A model that rests, and its server, do so until then.
    fn until(&mut self, model: &Model, until: Duration) {
        for key in keys(model) {
            if let Some(rest) = self.rests.get_mut(&key) {
                rest.until = until;
            }
        }
    }
}

/// The names under which a server and one model of it rest.
fn keys(model: &Model) -> [String; 2] {
    [model.url.clone(), format!("{} {}", model.url, model.model)]
}
