//! The triggers that wait for entries of calendars.

use chrono::TimeDelta;

use crate::engine::Loaded;
use crate::trigger::{Calendar, Kind};

/// A trigger of a job.
pub(super) struct Wants {
    pub job: String,
    pub id: String,
    pub by: TimeDelta,
    pub calendar: Calendar,
}

/// The triggers that are switched on.
pub(super) fn wanted(loaded: &Loaded) -> Vec<Wants> {
    let jobs = loaded.jobs.values().filter(|job| job.enabled);
    let triggers = jobs.flat_map(|job| job.triggers.iter().map(move |trigger| (job, trigger)));
    let wanted = triggers.filter_map(|(job, trigger)| match &trigger.kind {
        Kind::Calendar(calendar) if trigger.enabled => Some(Wants {
            job: job.name.clone(),
            id: trigger.id.clone(),
            by: TimeDelta::from_std(calendar.by).unwrap_or(TimeDelta::MAX),
            calendar: calendar.clone(),
        }),
        _ => None,
    });
    wanted.collect()
}
