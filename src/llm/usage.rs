//! What some calls come to.

use serde_json::{Value, json};

use super::Price;
use super::money::UNIT;
use crate::job::Call;

/// The sum of some calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub calls: u64,
    /// Of these, how many failed.
    pub failed: u64,
    /// Tokens of prompts.
    pub tokens_in: u64,
    /// Of these, how many the servers had cached.
    pub tokens_cached: u64,
    /// Tokens of answers.
    pub tokens_out: u64,
    /// Microseconds in all.
    total: u128,
    /// Thousand-millionths of the currency.
    pub cost: u64,
    /// What the same tokens would have cost by a reference price.
    reference: u64,
}

impl Sum {
    /// Adds a call.
    pub fn add(&mut self, call: &Call, reference: Option<Price>) {
        self.calls += 1;
        self.failed += u64::from(call.error.is_some());
        self.tokens_in += call.tokens_in;
        self.tokens_cached += call.tokens_cached;
        self.tokens_out += call.tokens_out;
        self.total += call.total.as_micros();
        self.cost += call.cost;
        self.reference += reference.map_or(0, |price| price.of(call));
    }

    /// Seconds of a call.
    pub fn average(&self) -> f64 {
        self.total as f64 / 1e6 / self.calls.max(1) as f64
    }

    /// What was saved against the reference price.
    pub fn saved(&self) -> u64 {
        self.reference.saturating_sub(self.cost)
    }

    /// For programs and templates.
    pub fn json(&self) -> Value {
        json!({
            "calls": self.calls, "failed": self.failed,
            "tokens_in": self.tokens_in, "tokens_cached": self.tokens_cached, "tokens_out": self.tokens_out,
            "seconds": self.average(), "cost": units(self.cost), "saved": units(self.saved()),
        })
    }
}

/// An amount in the currency.
pub fn units(amount: u64) -> f64 {
    amount as f64 / UNIT as f64
}
