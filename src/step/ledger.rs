//! `ledger`: what calls to models came to lately.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError, stays_inside};
use crate::config::resolve::Scope;
use crate::config::value::{At, Span};
use crate::llm::chart::{self, Stretch};
use crate::llm::usage::{Sum, Usage};
use crate::plot::{Chart, FORMATS, Format};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// How far back, as `7d`.
    ledger: Span,
    /// A picture of it, `.png` or `.svg`, relative to the workspace.
    plot: Option<At<String>>,
}

/// What calls to models came to.
#[derive(Debug, Clone)]
pub struct Ledger {
    back: Duration,
    plot: Option<String>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Ledger> {
        if let Some(plot) = &self.plot {
            if !stays_inside(&plot.value) {
                let what = format!("`{}` leaves the workspace", plot.value);
                let right = "write a path relative to the workspace, without `..`";
                scope.error(plot.span.clone(), what, right);
            }
            if Format::of(&plot.value).is_none() {
                let what = format!("`{}` is not the name of a picture", plot.value);
                scope.error(plot.span.clone(), what, FORMATS);
            }
        }
        Some(Ledger {
            back: self.ledger.0,
            plot: self.plot.map(|plot| scope.path(plot)),
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
        if self.plot.is_some() {
            example["picture"] = "week.png".into();
        }
        Declaration {
            effects: self.plot.is_some(),
            outside_text: false,
            private: false,
            timeout: Duration::from_secs(30),
            example,
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let (result, chart) = self.look(context).await?;
        if let (Some(chart), Some(path)) = (chart, result["picture"].as_str()) {
            draw(context, path.to_owned(), chart).await?;
        }
        Ok(Done::result(result))
    }

    /// What it would give, without its picture being drawn.
    ///
    /// # Errors
    /// The store cannot be read, or the picture's path cannot be rendered.
    pub async fn plan(&self, context: &Context<'_>) -> Result<Value, StepError> {
        Ok(self.look(context).await?.0)
    }

    async fn look(&self, context: &Context<'_>) -> Result<(Value, Option<Chart>), StepError> {
        let (settings, back, now) = (context.settings, self.back, context.clock.now());
        let (zone, reference) = (settings.timezone, settings.reference);
        let since = TimeDelta::from_std(back).unwrap_or(TimeDelta::MAX);
        let since = now.checked_sub_signed(since).unwrap_or_default();
        let read = context.store.read(move |reader| {
            Usage::read(reader, since, (zone, reference), |row, day| {
                [row.job.clone(), day.to_string(), row.call.model.clone()]
            })
        });
        let usage = read
            .await
            .map_err(|error| StepError::new(error.to_string()))?;
        let days = back.as_secs() / 86_400;
        let mut result = usage.all.json();
        result["days"] = days.into();
        result["avoided"] = usage.avoided.into();
        let mut chart = None;
        if let Some(path) = &self.plot {
            result["picture"] = context.render(path)?.into();
            let [from, to] = [since, now].map(|at| at.with_timezone(&zone).date_naive());
            let stretch = Stretch { days, from, to };
            let reader = (settings.language, reference.is_some());
            chart = Some(chart::of(&usage, stretch, reader));
        }
        let [jobs, by_day, models] = usage.by;
        result["models"] = rows(models);
        result["jobs"] = rows(jobs);
        result["by_day"] = rows(by_day);
        Ok((result, chart))
    }
}

/// Draws a picture into the workspace.
async fn draw(context: &Context<'_>, path: String, chart: Chart) -> Result<(), StepError> {
    let workspace = context.workspace();
    let format = Format::of(&path).ok_or_else(|| {
        StepError::new(format!("`{path}` is not the name of a picture: {FORMATS}"))
    })?;
    let work = tokio::task::spawn_blocking(move || {
        let bytes = chart.draw(format).map_err(|error| error.to_string())?;
        let written = workspace.write(&path, &bytes);
        written.map_err(|error| error.to_string())
    });
    work.await
        .map_err(|error| StepError::new(format!("a bug: {error}")))?
        .map_err(StepError::new)
}
