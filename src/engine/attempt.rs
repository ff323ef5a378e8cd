//! One attempt at a step, and what is written down of it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::job::{StepEnd, StepRecord};
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
