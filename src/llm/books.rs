//! Where calls are written down: before they are made, at the most that they can take, and when they have ended.

use super::money::shown;
use super::route::Route;
use super::{LlmError, Model, Request, estimate};
use crate::job::{Call, RunId};
use crate::journal::{self, Level};
use crate::store::{CallId, Cap, Passed, Store};

/// The ledger, as a step of a run writes it.
#[derive(Debug, Clone)]
pub struct Books<'a> {
    /// Where it is.
    pub store: &'a Store,
    /// The run.
    pub run: RunId,
    /// Its job.
    pub job: &'a str,
    /// Its step.
    pub step: &'a str,
    /// Somebody asked, and waits for the answer.
    pub person: bool,
    /// What its calls may take at most.
    pub caps: Vec<Cap>,
}

/// Why a cap has no room for a call.
fn words(passed: &Passed, worst: &Call) -> String {
    let Passed { cap, tokens, money } = passed;
    let more = worst.tokens_in.saturating_add(worst.tokens_out);
    let left = |most: u64, used: u64| most.saturating_sub(used);
    let (may, has) = match cap.money {
        Some(most) if money.saturating_add(worst.cost) > most => {
            (shown(worst.cost), shown(left(most, *money)))
        }
        _ => {
            let most = cap.tokens.unwrap_or(0);
            (format!("{more} tokens"), left(most, *tokens).to_string())
        }
    };
    format!("this call may take {may}, and {has} is left")
}

impl Books<'_> {
    /// Writes down that a call begins.
    ///
    /// # Errors
    /// [`LlmError::Budget`], and nothing is to be called; the same where it cannot be written down.
    pub(super) async fn begin(
        &self,
        route: &Route,
        model: &Model,
        request: &Request,
    ) -> Result<CallId, LlmError> {
        let (_, output) = estimate(model, request);
        let mut worst = Call {
            step: self.step.to_owned(),
            route: route.name.clone(),
            class: route.class.map(str::to_owned),
            model: model.name.clone(),
            backend: model.backend(),
            tokens_in: request.most_tokens(),
            tokens_out: output.into(),
            counts: model.counts(),
            ..Call::default()
        };
        worst.cost = model.price.map_or(0, |price| price.of(&worst));
        let whose = (self.run, self.job.to_owned());
        let reserved = self
            .store
            .reserve(whose, worst.clone(), self.caps.clone())
            .await;
        let reserved = reserved.map_err(|error| LlmError::Ledger(error.to_string()))?;
        reserved.map_err(|passed| LlmError::Budget {
            why: words(&passed, &worst),
            name: passed.cap.name,
        })
    }

    /// Writes down what a call took, and gives it with what it cost.
    pub(super) async fn end(
        &self,
        id: CallId,
        (model, request): (&Model, &Request),
        mut call: Call,
    ) -> Call {
        let (_, output) = estimate(model, request);
        call.step = self.step.to_owned();
        call.tokens_in = believed(call.tokens_in, request.most_tokens());
        call.tokens_out = believed(call.tokens_out, output.into());
        call.tokens_cached = call.tokens_cached.min(call.tokens_in);
        call.cost = model.price.map_or(0, |price| price.of(&call));
        call.counts = model.counts();
        if let Err(error) = self.store.settle_call(id, call.clone()).await {
            journal::say(Level::Warning, error);
        }
        call
    }
}

/// What a server says of a call's tokens; ten times what it could be is no count, and stands for the most that it could be.
fn believed(told: u64, most: u64) -> u64 {
    match told > most.max(1000).saturating_mul(10) {
        true => most,
        false => told,
    }
}

#[cfg(test)]
#[path = "books_tests.rs"]
mod tests;
