//! Jobs that would start each other without end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::Job;
use super::diagnostic::{Diagnostic, Source};
use crate::trigger;

/// For each job that waits, the others and where it says so.
type Waits = BTreeMap<String, Vec<(String, Range<usize>)>>;

/// Reports the circles of `after` triggers, each at its first job by name; gives all jobs on them.
pub(super) fn find(
    jobs: &BTreeMap<String, Arc<Job>>,
    sources: &BTreeMap<String, Arc<Source>>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let all = jobs.keys().map(|name| (name, waits(jobs, name).collect()));
    let some = all.filter(|(_, waits): &(_, Vec<_>)| !waits.is_empty());
    let mut left: Waits = some.map(|(name, waits)| (name.clone(), waits)).collect();
    let mut bad = BTreeSet::new();
    loop {
        prune(&mut left);
        let Some(circle) = circle(&left) else {
            return bad;
        };
        let (first, second) = (&circle[0], circle.get(1).unwrap_or(&circle[0]));
        let span = left[first].iter().find(|(other, _)| other == second);
        if let (Some(source), Some((_, span))) = (sources.get(first), span) {
            // Who comes after is started by who was before.
            let mut names = circle.clone();
            names.push(first.clone());
            names.reverse();
            let what = "these jobs would start each other without end";
            let right = "take one `after` of the circle out";
            let found = Diagnostic::error(source, span.clone(), what).label(right);
            problems.push(found.note(format!("the circle: {}", names.join(" -> "))));
        }
        for name in circle {
            left.remove(&name);
            bad.insert(name);
        }
    }
}

/// Takes out, again and again, whoever waits for nobody that is left.
fn prune(left: &mut Waits) {
    loop {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, waits| {
            waits.retain(|(other, _)| names.contains(other));
            !waits.is_empty()
        });
        if left.len() == names.len() {
            return;
        }
    }
}

/// Where everybody waits for somebody, whoever is followed ends on a circle.
fn circle(left: &Waits) -> Option<Vec<String>> {
    let mut path: Vec<String> = vec![left.keys().next()?.clone()];
    let mut seen = BTreeMap::from([(path[0].clone(), 0)]);
    loop {
        let (next, _) = left[path.last()?].first()?;
        if let Some(at) = seen.get(next) {
            let mut circle = path.split_off(*at);
            let first = circle.iter().enumerate().min_by_key(|(_, name)| *name)?.0;
            circle.rotate_left(first);
            return Some(circle);
        }
        seen.insert(next.clone(), path.len());
        path.push(next.clone());
    }
}

/// The jobs that `name` waits for, and where it says so.
fn waits<'a>(
    jobs: &'a BTreeMap<String, Arc<Job>>,
    name: &str,
) -> impl Iterator<Item = (String, Range<usize>)> + use<'a> {
    let job = jobs.get(name).filter(|job| job.enabled);
    let triggers = job.into_iter().flat_map(|job| &job.triggers);
    triggers.filter_map(|trigger| match &trigger.kind {
        trigger::Kind::After(after) if trigger.enabled => {
            Some((after.job.clone(), after.span.clone()))
        }
        _ => None,
    })
}
