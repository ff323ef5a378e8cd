//! What some calls come to.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::Price;
use super::money::UNIT;
use crate::job::Call;
use crate::store::{LedgerRow, Reader, StoreError};
use crate::zone::Tz;

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

    /// Tokens of prompts and answers.
    pub fn tokens(&self) -> u64 {
        self.tokens_in.saturating_add(self.tokens_out)
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

/// The calls of a stretch of time, added up while they are read: in all, and by `N` of their sides.
#[derive(Debug, Clone)]
pub struct Usage<const N: usize> {
    /// In all.
    pub all: Sum,
    /// By each side.
    pub by: [BTreeMap<String, Sum>; N],
    /// Tokens of each local day, by the last side.
    pub days: BTreeMap<NaiveDate, BTreeMap<String, u64>>,
    /// When the first one began.
    pub first: Option<DateTime<Utc>>,
    /// Runs that needed none, of jobs that ask.
    pub avoided: u64,
}

impl<const N: usize> Default for Usage<N> {
    fn default() -> Self {
        Usage {
            all: Sum::default(),
            by: std::array::from_fn(|_| BTreeMap::new()),
            days: BTreeMap::new(),
            first: None,
            avoided: 0,
        }
    }
}

impl<const N: usize> Usage<N> {
    /// Adds up the calls since then; `sides` names what a call, on its local day, belongs to.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(
        reader: &Reader<'_>,
        since: DateTime<Utc>,
        (zone, reference): (Tz, Option<Price>),
        sides: impl Fn(&LedgerRow, NaiveDate) -> [String; N],
    ) -> Result<Self, StoreError> {
        let mut usage = Usage::default();
        reader.ledger(since, |row| {
            let day = row.at.with_timezone(&zone).date_naive();
            let sides = sides(&row, day);
            usage.add(&row, day, reference, sides);
        })?;
        usage.avoided = reader.calls_avoided(since)?;
        Ok(usage)
    }

    fn add(
        &mut self,
        row: &LedgerRow,
        day: NaiveDate,
        reference: Option<Price>,
        sides: [String; N],
    ) {
        let call = &row.call;
        self.first.get_or_insert(row.at);
        self.all.add(call, reference);
        if let Some(last) = sides.last() {
            let tokens = self.days.entry(day).or_default();
            *tokens.entry(last.clone()).or_default() += call.tokens_in + call.tokens_out;
        }
        for (sums, side) in self.by.iter_mut().zip(sides) {
            sums.entry(side).or_default().add(call, reference);
        }
    }
}

/// An amount in the currency.
pub fn units(amount: u64) -> f64 {
    amount as f64 / UNIT as f64
}
