//! All job files of a folder, each for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Source};
use super::resolve::World;
use super::{Job, job_file, value};
use crate::template::Templates;

/// So many jobs are worth a thread.
const WORTH_A_THREAD: usize = 32;

/// Reads each job for itself, in several threads where there are many; in the order of their names.
pub(super) fn each_job<'t>(
    sources: &'t BTreeMap<String, Arc<Source>>,
    world: &World,
    checker: &Templates,
) -> Vec<(&'t String, Option<Job>, Vec<Diagnostic>)> {
    let sources = Vec::from_iter(sources);
    let read = |of_thread: &[(&'t String, &'t Arc<Source>)]| {
        let each = of_thread.iter().map(|(name, source)| {
            let mut found = Vec::new();
            let job = one(name, source, world, checker, &mut found);
            (*name, job, found)
        });
        Vec::from_iter(each)
    };
    let threads = (sources.len() / WORTH_A_THREAD).clamp(1, 4);
    let mut parts = sources.chunks(sources.len().div_ceil(threads).max(1));
    let first = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others = Vec::from_iter(parts.map(|part| scope.spawn(|| read(part))));
        let mut all = read(first);
        for other in others {
            all.extend(other.join().expect("what panics there would have here"));
        }
        all
    })
}

fn one(
    name: &str,
    source: &Arc<Source>,
    world: &World,
    checker: &Templates,
    found: &mut Vec<Diagnostic>,
) -> Option<Job> {
    if !value::is_name(name) {
        let what = format!("`{name}` is not a name for a job");
        let right = "use letters, digits, _ and -, beginning with a letter, 64 at most";
        found.push(Diagnostic::error(source, 0..0, what).label(right));
        return None;
    }
    job_file::resolve(name, source, world, checker, found)
}
