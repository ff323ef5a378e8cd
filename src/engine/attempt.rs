//! One attempt at a step, and what is written down of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Alerts, Engine, Loaded, Notice, Subject};
use crate::job::{StepEnd, StepRecord};
use crate::llm::BudgetNews;
use crate::step::Step;

/// One attempt at a step of the job: which, and since when by both clocks.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub position: u32,
    pub number: u32,
    pub at: DateTime<Utc>,
    pub since: Duration,
}

/// What is written down of an attempt.
pub(super) fn record(step: &Step, attempt: Attempt, took: Duration, end: &StepEnd) -> StepRecord {
    StepRecord {
        position: attempt.position,
        id: step.id.clone(),
        kind: step.kind.word().to_owned(),
        attempt: attempt.number,
        end: end.word(),
        result: match end {
            StepEnd::Done(value) => Some(value.clone()),
            _ => None,
        },
        error: match end {
            StepEnd::Failed(reason) => Some(reason.clone()),
            _ => None,
        },
        detail: None,
        started_at: attempt.at,
        took,
        moved: Vec::new(),
    }
}

/// Tells the owner once that a budget is used up or that a server of calendars wants a person, and once that it is over.
pub(super) async fn tell_of_news(engine: &Engine, step: &Step) {
    let Some(alerts) = &engine.alerts else {
        return;
    };
    if step.kind.route().is_some() {
        match engine.servers.budget_news() {
            Some(BudgetNews::Spent(reason)) => alerts.tell(Notice::Spent { reason }).await,
            Some(BudgetNews::Room) => alerts.over_with(&Subject::Budget).await,
            None => {}
        }
    }
    tell_of_sign_ins(alerts, &engine.loaded).await;
}

/// The same of servers of calendars alone.
pub(super) async fn tell_of_sign_ins(alerts: &Alerts, loaded: &Loaded) {
    for (account, wrong) in loaded.accounts.news() {
        match wrong {
            Some(reason) => alerts.tell(Notice::SignIn { account, reason }).await,
            None => alerts.over_with(&Subject::SignIn(account)).await,
        }
    }
}

/// Why no model worded the text of a step, where more is known of it than that none is configured.
pub(super) fn plain(detail: Option<&Value>) -> Option<String> {
    let detail =
        detail.filter(|detail| detail["plain"].is_string() || detail["no_answer"].is_array())?;
    let notes = [
        "no_prompt",
        "skipped",
        "no_answer",
        "answer_invented",
        "answer_not_json",
    ];
    let reasons = notes.iter().flat_map(|note| match &detail[note] {
        Value::String(why) if note.starts_with("answer") => {
            vec![format!("{}: {why}", note.replace('_', " "))]
        }
        Value::String(why) => vec![why.clone()],
        Value::Array(list) => list
            .iter()
            .filter_map(|why| Some(why.as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    });
    let reasons: Vec<String> = reasons.collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}
