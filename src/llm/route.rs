//! An ordered chain of models: the first that gives a usable answer wins.

use std::time::Duration;

use super::books::Books;
use super::lanes::Waits;
use super::{Allowed, Answer, BudgetNews, LlmError, Request, Said, Servers, call};
use crate::clock::{Clock, timeout};
use crate::job::Call;
use crate::net::Client;

/// A route as it is asked; its chain is not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name in the configuration.
    pub name: String,
    /// What the message was taken for, where that decided.
    pub class: Option<&'static str>,
    /// Tried in this order.
    pub chain: Vec<Allowed>,
}

/// What a route is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Allows the hosts of the chain.
    pub net: &'a Client,
    /// What is known of the servers.
    pub servers: &'a Servers,
    /// Where calls are written down.
    pub books: &'a Books<'a>,
}

/// Why one model gave no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The model's name in the configuration.
    pub model: String,
    /// Why.
    pub error: LlmError,
    /// What the owner can do about it.
    pub hint: Option<String>,
}

/// Asks the models of `route` in order until one answers; `on_delta` starts over (with an empty string) whenever another begins.
///
/// # Errors
/// Why each model of the chain gave no answer.
pub async fn ask(
    asking: Asking<'_>,
    route: &Route,
    request: &Request,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, Vec<Failure>> {
    let mut failures: Vec<Failure> = Vec::new();
    let clock = asking.clock;
    let deadline = request.within.map(|within| clock.monotonic() + within);
    for model in &route.chain {
        let left = deadline.map(|deadline| deadline.saturating_sub(clock.monotonic()));
        if left.is_some_and(|left| left.is_zero()) && !failures.is_empty() {
            break;
        }
        match one(asking, (route, model), request, left, on_delta).await {
            Ok(answer) => return Ok(answer),
            Err(error) => {
                on_delta("");
                failures.push(Failure {
                    model: model.name.clone(),
                    hint: error.hint(model),
                    error,
                });
            }
        }
    }
    Err(failures)
}

async fn one(
    asking: Asking<'_>,
    (route, model): (&Route, &Allowed),
    request: &Request,
    left: Option<Duration>,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, LlmError> {
    let Asking {
        clock,
        net,
        servers,
        books,
    } = asking;
    if let Some(recorded) = servers.recorded(books.step) {
        let said = Said {
            text: recorded?,
            calls: Vec::new(),
        };
        let usage = Call {
            model: model.name.clone(),
            backend: model.backend(),
            ..Call::default()
        };
        return Ok(Answer { said, usage });
    }
    let waits = clock.monotonic();
    let patience = left.unwrap_or(model.timeouts.total);
    let who = Waits {
        person: books.person,
        job: books.job,
    };
    let place = timeout(clock, patience, servers.place(model, who)).await;
    let _place = place.map_err(|_| LlmError::Lane(patience))?;
    servers.may_ask(model, clock.monotonic())?;
    let waited = clock.monotonic().saturating_sub(waits);
    // The call ends by itself, so that it is written down: one that is dropped is not.
    let model = match left {
        Some(left) => model.clone().within(left.saturating_sub(waited)),
        None => model.clone(),
    };
    let begun = books.begin(route, &model, request).await;
    match &begun {
        Err(LlmError::Budget { name, .. }) => servers.heard(BudgetNews::Spent(name.clone())),
        Ok(_) if model.counts() => servers.heard(BudgetNews::Room),
        _ => {}
    }
    let begun = begun.inspect_err(|_| servers.not_asked(&model, clock.monotonic()))?;
    let called = call(clock, net, &model, request, on_delta).await;
    let now = clock.monotonic();
    let error = called.result.as_ref().err();
    servers.ended(&model, error, (called.call.total, now));
    let usage = books.end(begun, (&model, request), called.call).await;
    called.result.map(|said| Answer { said, usage })
}

#[cfg(test)]
#[path = "route_tests.rs"]
pub(in crate::llm) mod tests;
