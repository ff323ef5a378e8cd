//! What messages the jobs claim, and jobs that claim the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Source};
use super::{Job, Settings};
use crate::telegram::intent::{Claim, Intents, clashes};
use crate::trigger::Kind;

/// Reports commands, words and phrases that two jobs claim, at the later by name; gives all later ones.
pub(super) fn find(
    jobs: &BTreeMap<String, Arc<Job>>,
    sources: &BTreeMap<String, Arc<Source>>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let (claims, spans): (Vec<Claim>, Vec<Range<usize>>) = claims(jobs).unzip();
    let mut bad = BTreeSet::new();
    for (said, [first, second]) in clashes(&claims) {
        let (first, name) = (&claims[first].job, &claims[second].job);
        if let Some(source) = sources.get(name) {
            let what = format!("`{said}` is claimed by the job `{first}` too");
            let found = Diagnostic::error(source, spans[second].clone(), what);
            problems.push(found.label("take it out of one of them"));
        }
        bad.insert(name.clone());
    }
    bad
}

/// Reports names among the jobs that users may start which no job has.
pub(super) fn unknown(
    settings: &Settings,
    source: &Arc<Source>,
    jobs: &BTreeMap<String, Arc<Source>>,
    problems: &mut Vec<Diagnostic>,
) {
    let telegram = settings.telegram.iter();
    let named = telegram.flat_map(|telegram| telegram.jobs.values().flatten());
    for name in named.filter(|name| !jobs.contains_key(&name.value)) {
        let what = format!("there is no job `{}`", name.value);
        let found = Diagnostic::error(source, name.span.clone(), what);
        problems.push(found.warning().label("this user cannot start it"));
    }
}

/// Whose a message is, for these jobs.
pub fn intents(jobs: &BTreeMap<String, Arc<Job>>) -> Intents {
    Intents::new(claims(jobs).map(|(claim, _)| claim).collect())
}

/// What the jobs claim, and where their files say so.
fn claims(jobs: &BTreeMap<String, Arc<Job>>) -> impl Iterator<Item = (Claim, Range<usize>)> {
    let jobs = jobs.values().filter(|job| job.enabled);
    let triggers = jobs.flat_map(|job| job.triggers.iter().map(move |trigger| (job, trigger)));
    triggers.filter_map(|(job, trigger)| match &trigger.kind {
        Kind::Telegram(telegram) if trigger.enabled => Some((
            telegram.claim(&job.name, &trigger.id),
            telegram.span.clone(),
        )),
        _ => None,
    })
}
