//! An ordered chain of models: the first that gives a usable answer wins.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::{Answer, Lanes, LlmError, Model, Request, Worth, call};
use crate::clock::{Clock, timeout};
use crate::job::Call;
use crate::net::Client;

/// A route as the configuration means it; its chain is not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name in the configuration.
    pub name: String,
    /// Tried in this order.
    pub chain: Vec<Model>,
}

/// What came of asking a route.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The answer, or why each model of the chain gave none.
    pub answer: Result<Answer, Vec<Failure>>,
    /// Every call that was made, failed ones too, in order.
    pub calls: Vec<Call>,
}

/// Why one model gave no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The model's name in the configuration.
    pub model: String,
    /// Why.
    pub error: LlmError,
}

/// The servers that are not worth asking again in this run.
#[derive(Debug, Default)]
pub struct Down(Mutex<BTreeSet<String>>);

impl Down {
    fn contains(&self, url: &str) -> bool {
        let urls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        urls.contains(url)
    }

    fn insert(&self, url: &str) {
        let mut urls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        urls.insert(url.to_owned());
    }
}

/// Asks the models of `route` in order until one answers. `down` is the run's memory of servers that are not there;
/// `on_delta` starts over (with an empty string) whenever another model begins.
pub async fn ask(
    clock: &dyn Clock,
    net: &Client,
    route: &Route,
    request: &Request,
    (lanes, down): (&Lanes, &Down),
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Routed {
    let mut calls = Vec::new();
    let mut failures = Vec::new();
    let deadline = request.within.map(|within| clock.monotonic() + within);
    for model in &route.chain {
        if down.contains(&model.url) {
            failures.push(Failure {
                model: model.name.clone(),
                error: LlmError::Unreachable {
                    url: model.server(),
                    why: "it was not there a moment ago".into(),
                },
            });
            continue;
        }
        let mut model = model.clone();
        let waits = clock.monotonic();
        let patience = deadline.map_or(model.timeouts.total, |deadline| {
            deadline.saturating_sub(waits)
        });
        let Ok(_place) = timeout(clock, patience, lanes.place(&model)).await else {
            failures.push(Failure {
                model: model.name.clone(),
                error: LlmError::Lane(patience),
            });
            continue;
        };
        if let Some(deadline) = deadline {
            // The call ends by itself, so that it is written down: one that is dropped is not.
            let left = deadline.saturating_sub(clock.monotonic());
            if left.is_zero() && !failures.is_empty() {
                break;
            }
            model.timeouts.total = model.timeouts.total.min(left);
        }
        let called = call(clock, net, &model, request, on_delta).await;
        calls.push(called.call.clone());
        match called.result {
            Ok(text) => {
                let usage = called.call;
                let answer = Ok(Answer { text, usage });
                return Routed { answer, calls };
            }
            Err(error) => {
                if error.worth() == Worth::AnotherServer {
                    down.insert(&model.url);
                }
                on_delta("");
                failures.push(Failure {
                    model: model.name.clone(),
                    error,
                });
            }
        }
    }
    Routed {
        answer: Err(failures),
        calls,
    }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
