//! What becomes of the moments that passed while nothing ran.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Occurrences;
use crate::job::Stretch;
use crate::trigger::Missed;

/// A moment that is later than this was missed.
pub const GRACE: Duration = Duration::from_secs(60);

/// So many of [`Missed::All`] are run at a time.
const BATCH: usize = 100;

/// A moment to run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When it is or was due.
    pub at: DateTime<Utc>,
    /// How many moments that passed the run stands for, its own included; 0 for one on time.
    pub missed: u64,
}

/// What becomes of the moments of a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Not run, because they were too long ago.
    pub too_old: Option<Stretch>,
    /// Not run, because of the trigger's `missed`.
    pub skipped: Option<Stretch>,
    /// Run, in this order.
    pub due: Vec<Due>,
}

/// How a trigger deals with what it missed.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Which of them run.
    pub missed: Missed,
    /// Older ones never do.
    pub max_age: Option<Duration>,
    /// Later than this they were missed: [`GRACE`] and the trigger's jitter.
    pub grace: Duration,
}

/// Plans for the moments after `after` and at `to` at the latest, when it is `now`. Where there are more than can be run at a
/// time, the rest of them is for the next plan: the moments after the last of `due`.
pub fn plan(
    moments: &Occurrences<'_>,
    (after, to): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
    policy: Policy,
) -> Plan {
    let Some(newest) = moments.last(to).filter(|newest| *newest > after) else {
        return Plan::default();
    };
    let missed_before = back(now, policy.grace);
    let oldest = policy.max_age.map(|age| back(now, age));
    let too_old = |due: DateTime<Utc>| oldest.is_some_and(|oldest| due < oldest);
    match policy.missed {
        Missed::Skip if newest < missed_before => Plan {
            skipped: stretch(moments, after, newest),
            ..Plan::default()
        },
        Missed::Latest if too_old(newest) => Plan {
            too_old: stretch(moments, after, newest),
            ..Plan::default()
        },
        Missed::Skip => Plan {
            skipped: until(moments, after, newest),
            due: vec![Due {
                at: newest,
                missed: 0,
            }],
            ..Plan::default()
        },
        Missed::Latest => {
            let skipped = until(moments, after, newest);
            let others = skipped.map_or(0, |stretch| stretch.count);
            let missed = if others > 0 || newest < missed_before {
                others + 1
            } else {
                0
            };
            Plan {
                skipped,
                due: vec![Due { at: newest, missed }],
                ..Plan::default()
            }
        }
        Missed::All => {
            let too_old = oldest
                .and_then(|oldest| until(moments, after, oldest.min(to + TimeDelta::seconds(1))));
            let after = too_old.map_or(after, |stretch| stretch.to);
            let each = std::iter::successors(moments.next(after), |due| moments.next(*due));
            let due = each.take_while(|due| *due <= to).take(BATCH).map(|at| Due {
                at,
                missed: u64::from(at < missed_before),
            });
            Plan {
                too_old,
                skipped: None,
                due: due.collect(),
            }
        }
    }
}

/// The moments after `after` and at `to` at the latest.
pub fn stretch(
    moments: &Occurrences<'_>,
    after: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Option<Stretch> {
    let from = moments.next(after).filter(|from| *from <= to)?;
    Some(Stretch {
        from,
        to: moments.last(to)?,
        count: moments.count(after, to),
    })
}

/// The moments after `after` and before `before`.
fn until(
    moments: &Occurrences<'_>,
    after: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Option<Stretch> {
    stretch(moments, after, moments.previous(before)?)
}

fn back(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(by)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}
