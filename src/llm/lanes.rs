//! Lanes to servers: so many questions at once, a person's before those of jobs, and jobs in turns.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Who waits for a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits<'a> {
    /// Somebody asked and looks at a screen.
    pub person: bool,
    /// The job.
    pub job: &'a str,
}

/// The lanes, by the addresses of their servers; clones are the same ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<String, Lane>>>);

#[derive(Debug, Default)]
struct Lane {
    width: usize,
    busy: usize,
    waiting: BTreeMap<Turn, (String, oneshot::Sender<Place>)>,
    /// How many came so far.
    count: u64,
}

/// Who is first: people, then the jobs with the fewest before them, then who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    job: bool,
    before: u64,
    number: u64,
}

/// A place in a lane, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// Nothing once it was given on.
    lanes: Option<Lanes>,
    url: String,
}

impl Lanes {
    /// Waits for a place in the lane to a server.
    pub async fn place(&self, url: &str, width: u32, who: Waits<'_>) -> Place {
        let waits = {
            let mut lanes = self.lock();
            let lane = lanes.entry(url.to_owned()).or_default();
            lane.width = usize::try_from(width).unwrap_or(usize::MAX).max(1);
            if lane.busy < lane.width && lane.waiting.is_empty() {
                lane.busy += 1;
                return self.of(url);
            }
            let (give, waits) = oneshot::channel();
            let mine = lane.waiting.values();
            let before = mine.filter(|(job, _)| job == who.job).count() as u64;
            lane.count += 1;
            let turn = Turn {
                job: !who.person,
                before,
                number: lane.count,
            };
            lane.waiting.insert(turn, (who.job.to_owned(), give));
            // What was given to somebody who is gone may be free.
            self.give(&mut lanes, url);
            waits
        };
        waits.await.expect("no lane is ever closed")
    }

    /// Gives what is free to who is next; whoever does not wait any more is passed over.
    fn give(&self, lanes: &mut HashMap<String, Lane>, url: &str) {
        let Some(lane) = lanes.get_mut(url) else {
            return;
        };
        while lane.busy < lane.width
            && let Some((_, (_, give))) = lane.waiting.pop_first()
        {
            match give.send(self.of(url)) {
                Ok(()) => lane.busy += 1,
                // It is dropped while the lanes are held: it must not ask for them.
                Err(mut place) => place.lanes = None,
            }
        }
    }

    fn of(&self, url: &str) -> Place {
        Place {
            lanes: Some(self.clone()),
            url: url.to_owned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(lanes) = self.lanes.take() else {
            return;
        };
        let mut all = lanes.lock();
        if let Some(lane) = all.get_mut(&self.url) {
            lane.busy = lane.busy.saturating_sub(1);
        }
        lanes.give(&mut all, &self.url);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    const URL: &str = "http://127.0.0.1:1";

    type Waiting = Pin<Box<dyn Future<Output = Place>>>;

    fn waits(lanes: &Lanes, person: bool, job: &'static str) -> Waiting {
        let lanes = lanes.clone();
        let mut waiting: Waiting =
            Box::pin(async move { lanes.place(URL, 1, Waits { person, job }).await });
        assert!((&mut waiting).now_or_never().is_none(), "{job}");
        waiting
    }

    #[tokio::test]
    async fn a_person_is_first_and_jobs_take_turns() {
        let lanes = Lanes::default();
        let job = |job| Waits { person: false, job };
        let first = lanes.place(URL, 1, job("a")).await;
        let mut waiting: Vec<(&str, Waiting)> = Vec::new();
        for name in ["a", "a", "a", "b", "c"] {
            waiting.push((name, waits(&lanes, false, name)));
        }
        waiting.push(("person", waits(&lanes, true, "ask")));
        // Who does not wait any more takes nobody's place.
        drop(waits(&lanes, true, "gone"));
        let (mut place, mut order) = (Some(first), Vec::new());
        while !waiting.is_empty() {
            drop(place.take());
            let found = waiting
                .iter_mut()
                .position(|(_, one)| match one.as_mut().now_or_never() {
                    Some(given) => {
                        place = Some(given);
                        true
                    }
                    None => false,
                });
            order.push(waiting.remove(found.unwrap()).0);
        }
        assert_eq!(order, ["person", "a", "b", "c", "a", "a"]);
    }

    #[tokio::test]
    async fn a_place_that_was_given_to_somebody_who_left_is_given_on() {
        let lanes = Lanes::default();
        let who = Waits {
            person: false,
            job: "a",
        };
        let first = lanes.place(URL, 1, who).await;
        let (second, third) = (waits(&lanes, false, "a"), waits(&lanes, false, "b"));
        drop(first);
        // It was given a place and never looked.
        drop(second);
        drop(third.await);
        drop(lanes.place(URL, 1, who).await);
    }

    #[tokio::test]
    async fn a_thousand_wait_and_are_nothing_once_they_had_their_turn() {
        let lanes = Lanes::default();
        let who = Waits {
            person: false,
            job: "a",
        };
        let first = lanes.place(URL, 1, who).await;
        let all: Vec<Waiting> = (0..1_000).map(|_| waits(&lanes, false, "a")).collect();
        drop(first);
        for one in all {
            drop(one.await);
        }
        assert!(lanes.lock()[URL].waiting.is_empty());
        assert_eq!(lanes.lock()[URL].busy, 0);
    }
}
