//! Moments that no entry of cron gives: those before entries of calendars, and reminders.

use super::answer::{Answer, Known};
use crate::cli::known::known;
use crate::cli::moment::{Asked, length};
use crate::job::TriggerKind;
use crate::store::{Filter, Store, StoreError};
use crate::trigger::Kind;

/// So many of the newest runs are looked through for reminders that were told.
const RUNS: u32 = 1000;

impl Known<'_> {
    /// What became, or becomes, of such moments.
    pub(super) fn unplanned(
        &self,
        store: &Store,
        asked: &Asked,
        teller: Option<&str>,
    ) -> Result<Vec<Answer>, StoreError> {
        let Some(job) = self.subject.job.filter(|job| job.enabled) else {
            return Ok(Vec::new());
        };
        let mut answers = Vec::new();
        for trigger in &job.triggers {
            match trigger.kind {
                Kind::Calendar(_) => {
                    for (from, to) in asked.windows.iter().copied() {
                        let rows = store.read_now(|reader| {
                            reader.slots_within(&job.name, &trigger.id, from, to)
                        })?;
                        for row in rows {
                            let due = row.stretch.from.max(from);
                            answers.push(self.accounted(row, due, self.zone)?);
                        }
                    }
                }
                Kind::Reminder(_) => answers.extend(self.told(store, asked, &trigger.id)?),
                _ => {}
            }
        }
        for (trigger, due, what) in known(store, job, teller, self.now)? {
            let asks = |(from, to): &(_, _)| (*from..*to).contains(&due);
            if asked.windows.iter().any(asks) {
                answers.push(Answer {
                    trigger: trigger.id.clone(),
                    due,
                    zone: self.zone,
                    state: "due",
                    text: format!("due in {}: {what}", length(due - self.now)),
                    among: None,
                    story: None,
                });
            }
        }
        Ok(answers)
    }

    /// The runs that told reminders which were due then.
    fn told(&self, store: &Store, asked: &Asked, trigger: &str) -> Result<Vec<Answer>, StoreError> {
        let newest = Filter {
            job: Some(self.subject.name.to_owned()),
            limit: RUNS,
            before: None,
        };
        let mut answers = Vec::new();
        for row in store.read_now(|reader| reader.history(&newest))? {
            if row.trigger != TriggerKind::Reminder || row.accepted_at < asked.from() {
                continue;
            }
            let Some(story) = store.read_now(|reader| reader.run(row.run))? else {
                continue;
            };
            let due = story.event.payload["due_at"].as_str();
            let Some(due) = due.and_then(|due| due.parse().ok()) else {
                continue;
            };
            let asks = |(from, to): &(_, _)| (*from..*to).contains(&due);
            if asked.windows.iter().any(asks) {
                let (state, text, story) = self.run(row.run, due, None)?;
                answers.push(Answer {
                    trigger: trigger.to_owned(),
                    due,
                    zone: self.zone,
                    state,
                    text,
                    among: None,
                    story,
                });
            }
        }
        Ok(answers)
    }
}
