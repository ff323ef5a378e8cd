//! What a daemon takes over when it starts: runs that wait in the queue, and those that an earlier life left.

use std::sync::Arc;

use super::following::Ended;
use super::queue::Queue;
use super::recovery::{self, Left};
use super::run::Deliver;
use super::work::{self, Row, Work};
use super::{Engine, EngineError};
use crate::config::Job;
use crate::job::{Outcome, RunId, RunState, TriggerKind, Wait};
use crate::journal::{self, Level};
use crate::store::{Orphan, RunRow, StoreError};

/// Takes over every run without an outcome that is nobody's: those that cannot be gone on with end as interrupted.
pub(super) async fn adopt(queue: &Arc<Queue>) -> Result<(), EngineError> {
    let engine = &queue.engine;
    let mut works = Vec::new();
    // Before any orphan ends: what follows from its end is pushed with it.
    let active = engine.store.read(|reader| reader.active()).await?;
    for orphan in engine.store.recover().await? {
        let row = &orphan.story.row;
        let reason = match job(engine, row).await? {
            Some(job) if goes_on(&orphan, &job) => {
                match engine.store.adopt(&orphan, &engine.lock).await {
                    Ok(()) => {
                        let stands = match row.state {
                            RunState::Waiting(Wait::Until(moment)) => Row::BackedOff(moment),
                            _ => Row::Adopted,
                        };
                        works.push(waiting(engine, row.run, row.trigger, job, stands));
                    }
                    Err(StoreError::Taken(_) | StoreError::AlreadyFinished(_)) => {}
                    Err(error) => return Err(error),
                }
                continue;
            }
            Some(_) => recovery::reason(&orphan),
            None => "its job does not load any more as it was when the run began".to_owned(),
        };
        let left = recovery::end(engine, Some(queue), orphan, reason).await?;
        left.iter().for_each(tell);
    }
    for row in active {
        if row.state != RunState::Queued {
            continue;
        }
        match job(engine, &row).await? {
            Some(job) => works.push(waiting(engine, row.run, row.trigger, job, Row::Kept(None))),
            None => skip(queue, &row).await?,
        }
    }
    works.sort_by_key(|work| work.run);
    works.into_iter().for_each(|work| queue.push(work));
    Ok(())
}

/// Ends a run whose job is not there any more as it was.
pub(super) async fn skip(queue: &Arc<Queue>, row: &RunRow) -> Result<(), EngineError> {
    let reason = "its job does not load any more as it was when the event came";
    let ended = Ended {
        run: row.run,
        job: &row.job,
        kind: row.trigger,
        outcome: &Outcome::Skipped(reason.to_owned()),
    };
    work::end(queue, ended).await
}

fn tell(left: &Left) {
    let Left { run, job, reason } = left;
    let said = format!("run {run} of `{job}` was interrupted: {reason}");
    journal::say(Level::Warning, said);
}

/// The job as the run is pinned to it.
pub(super) async fn job(engine: &Engine, row: &RunRow) -> Result<Option<Arc<Job>>, EngineError> {
    if let Some(job) = engine.loaded.jobs.get(&row.job)
        && job.hash == row.job_hash
    {
        return Ok(Some(Arc::clone(job)));
    }
    let hash = row.job_hash.clone();
    let version = engine
        .store
        .read(move |reader| reader.version(&hash))
        .await?;
    Ok(version.and_then(|version| engine.loaded.pinned(&version)))
}

/// Whether the run can be gone on with: nobody waits for it at a terminal, and no step that was under way may have had
/// an effect that must not come twice.
fn goes_on(orphan: &Orphan, job: &Job) -> bool {
    let story = &orphan.story;
    if story.row.trigger == TriggerKind::Hand {
        return false;
    }
    let Some(under_way) = story.under_way() else {
        return true;
    };
    let step = job.steps.get(under_way.position as usize);
    step.is_some_and(|step| step.kind.is_idempotent())
}

fn waiting(engine: &Engine, run: RunId, kind: TriggerKind, job: Arc<Job>, row: Row) -> Work {
    Work {
        run,
        job,
        loaded: Arc::clone(&engine.loaded),
        kind,
        row,
        deliver: Deliver::Leave,
        follower: None,
    }
}
