//! Jobs that claim the same message.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::Job;
use super::diagnostic::{Diagnostic, Source};
use crate::telegram::intent::clashes;
use crate::trigger::Kind;

/// Reports commands, words and phrases that two jobs claim, at the later by name; gives all later ones.
pub(super) fn find(
    jobs: &BTreeMap<String, Arc<Job>>,
    sources: &BTreeMap<String, Arc<Source>>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let mut claims = Vec::new();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for job in jobs.values().filter(|job| job.enabled) {
        for trigger in job.triggers.iter().filter(|trigger| trigger.enabled) {
            if let Kind::Telegram(telegram) = &trigger.kind {
                claims.push(telegram.claim(&job.name, &trigger.id));
                spans.push(telegram.span.clone());
            }
        }
    }
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
