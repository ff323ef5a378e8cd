//! Moments that only a running daemon learns of: entries of calendars and reminders.

use chrono::{DateTime, Utc};

use crate::config::Job;
use crate::engine::Ahead;
use crate::step::remind::reminders;
use crate::store::{Store, StoreError};
use crate::trigger::{Kind, Trigger};

/// A trigger, when it starts its job, and for what.
type Moment<'a> = (&'a Trigger, DateTime<Utc>, String);

/// The moments from `from` on that are known of a job; reminders start it where it is the `teller`.
///
/// # Errors
/// The store cannot be read.
pub(super) fn known<'a>(
    store: &Store,
    job: &'a Job,
    teller: Option<&str>,
    from: DateTime<Utc>,
) -> Result<Vec<Moment<'a>>, StoreError> {
    let mut moments = Vec::new();
    for trigger in job.triggers.iter().filter(|trigger| trigger.enabled) {
        match &trigger.kind {
            Kind::Calendar(_) => {
                let ahead = store.read_now(|reader| Ahead::of(reader, &job.name, &trigger.id))?;
                let coming = ahead.into_iter().flat_map(|ahead| ahead.coming);
                moments.extend(coming.map(|coming| (trigger, coming.due, coming.title)));
            }
            Kind::Reminder(_) if teller == Some(&job.name) => {
                let due = store.read_now(reminders)?.into_iter();
                let due =
                    due.filter_map(|(_, reminder)| Some((trigger, reminder.due?, reminder.text)));
                moments.extend(due);
            }
            _ => {}
        }
    }
    moments.retain(|(_, due, _)| *due >= from);
    for (_, _, what) in &mut moments {
        *what = what.lines().next().unwrap_or_default().to_owned();
    }
    Ok(moments)
}
