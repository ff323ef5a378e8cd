//! `ledger`: what calls to models came to lately.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::Span;
use crate::llm::usage::Sum;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// How far back, as `7d`.
    ledger: Span,
}

/// What calls to models came to.
#[derive(Debug, Clone)]
pub struct Ledger {
    back: Duration,
}

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<Ledger> {
        Some(Ledger {
            back: self.ledger.0,
        })
    }
}

fn rows(sums: BTreeMap<String, Sum>) -> Value {
    let rows = sums.into_iter().map(|(name, sum)| {
        let mut row = sum.json();
        row["name"] = name.into();
        row
    });
    rows.collect()
}

impl Ledger {
    pub(super) fn declaration(&self) -> Declaration {
        let sum = |name: &str| {
            let mut row = Sum::default().json();
            row["name"] = name.into();
            row
        };
        let mut example = Sum::default().json();
        example["days"] = 7.into();
        example["avoided"] = 1.into();
        for (key, name) in [
            ("models", "small"),
            ("jobs", "ask"),
            ("by_day", "2026-11-20"),
        ] {
            example[key] = json!([sum(name)]);
        }
        Declaration {
            effects: false,
            outside_text: false,
            private: false,
            timeout: Duration::from_secs(30),
            example,
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let (settings, back) = (context.settings, self.back);
        let (zone, reference) = (settings.timezone, settings.reference);
        let since = TimeDelta::from_std(back).unwrap_or(TimeDelta::MAX);
        let since = context.clock.now().checked_sub_signed(since);
        let since = since.unwrap_or_default();
        let read = context.store.read(move |reader| {
            let mut all = Sum::default();
            let mut sums: [BTreeMap<String, Sum>; 3] = Default::default();
            reader.ledger(since, |row| {
                all.add(&row.call, reference);
                let day = row.at.with_timezone(&zone).format("%F").to_string();
                let keys = [row.call.model.clone(), row.job, day];
                for (sums, key) in sums.iter_mut().zip(keys) {
                    sums.entry(key).or_default().add(&row.call, reference);
                }
            })?;
            let avoided = reader.calls_avoided(since)?;
            Ok((all, sums, avoided))
        });
        let (all, [models, jobs, days], avoided) = read
            .await
            .map_err(|error| StepError::new(error.to_string()))?;
        let mut result = all.json();
        result["days"] = (back.as_secs() / 86_400).into();
        result["avoided"] = avoided.into();
        result["models"] = rows(models);
        result["jobs"] = rows(jobs);
        result["by_day"] = rows(days);
        Ok(Done::result(result))
    }
}
