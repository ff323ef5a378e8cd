//! Reminders that are made and that no job would tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Job;
use super::diagnostic::{Diagnostic, Source};
use crate::step;
use crate::trigger::Kind;

/// The job that tells reminders: the first that wants to.
pub fn teller(jobs: &BTreeMap<String, Arc<Job>>) -> Option<&Arc<Job>> {
    let mut jobs = jobs.values().filter(|job| job.enabled);
    jobs.find(|job| {
        let mut triggers = job.triggers.iter();
        triggers.any(|trigger| trigger.enabled && matches!(trigger.kind, Kind::Reminder(_)))
    })
}

/// Warns of steps that make reminders where no job tells them.
pub(super) fn untold(
    jobs: &BTreeMap<String, Arc<Job>>,
    sources: &BTreeMap<String, Arc<Source>>,
    problems: &mut Vec<Diagnostic>,
) {
    if teller(jobs).is_some() {
        return;
    }
    let jobs = jobs.values().filter(|job| job.enabled);
    let steps = jobs.flat_map(|job| job.steps.iter().map(move |step| (job, step)));
    for (job, step) in steps {
        let step::Kind::Remind(remind) = &step.kind else {
            continue;
        };
        if let (Some(span), Some(source)) = (remind.adds(), sources.get(&job.name)) {
            let found = Diagnostic::error(source, span, "no job tells these reminders").warning();
            let right = "one job needs a [[trigger]] with `reminder = \"due\"`";
            problems.push(found.label(right));
        }
    }
}
