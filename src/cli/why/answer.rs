//! What became, or becomes, of one due moment.

use std::collections::HashMap;

use chrono::{DateTime, Offset, TimeZone, Utc};

use super::{Kept, Subject};
use crate::cli::history::state_word;
use crate::cli::moment::{Asked, clock, length, shown};
use crate::config::value::Field;
use crate::engine::schedule::Occurrences;
use crate::job::{Fate, Outcome, Reason, RunId, RunState, Stretch};
use crate::store::{Pause, RunStory, SlotEnd, SlotRow, Store, StoreError, TimedTrigger};
use crate::trigger::{Cron, Missed, Trigger};
use crate::zone::Tz;

/// What became, or becomes, of one due moment.
pub(super) struct Answer {
    pub(super) trigger: String,
    pub(super) due: DateTime<Utc>,
    pub(super) zone: Tz,
    /// A word for programs.
    pub(super) state: &'static str,
    pub(super) text: String,
    /// How many share its fate in one row, and from when to when in words.
    pub(super) among: Option<(u64, String)>,
    /// Its run, where that is kept.
    pub(super) story: Option<RunStory>,
}

/// What all answers about a job start from.
pub(super) struct Known<'a> {
    store: Kept<'a>,
    pub(super) subject: Subject<'a>,
    pub(super) now: DateTime<Utc>,
    pub(super) zone: Tz,
    loaded: HashMap<TimedTrigger, DateTime<Utc>>,
    pause: Option<Pause>,
}

impl Answer {
    /// What is to be said of `count` neighbours that it stands for.
    pub(super) fn words(&self, count: usize) -> String {
        match &self.among {
            Some((all, between)) if *all > count as u64 => {
                let one = if count == 1 { "one of" } else { "of" };
                format!("{}, {one} {all} {between}", self.text)
            }
            _ => self.text.clone(),
        }
    }
}

impl<'a> Known<'a> {
    pub(super) fn read(
        store: Kept<'a>,
        subject: Subject<'a>,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Self, StoreError> {
        let (loaded, pause) = match store {
            Some(store) => store.read_now(|reader| {
                Ok((
                    reader.triggers()?,
                    reader.pauses()?.get(subject.name).copied(),
                ))
            })?,
            None => (HashMap::new(), None),
        };
        Ok(Known {
            store,
            subject,
            now,
            zone,
            loaded,
            pause,
        })
    }

    /// The answer about a moment at which a trigger is due.
    pub(super) fn answer(
        &self,
        trigger: &Trigger,
        cron: &Cron,
        due: DateTime<Utc>,
    ) -> Result<Answer, StoreError> {
        let (job, now) = (self.subject.name, self.now);
        let (row, accounted) = match self.store {
            Some(store) => store.read_now(|reader| {
                let row = reader.slot(job, &trigger.id, due)?;
                Ok((row, reader.accounted(job, &trigger.id, now)?))
            })?,
            None => (None, None),
        };
        if let Some(row) = row {
            return self.accounted(row, due, cron.timezone);
        }
        let (state, text) = self.open(trigger, cron, due, accounted);
        Ok(Answer {
            trigger: trigger.id.clone(),
            due,
            zone: cron.timezone,
            state,
            text,
            among: None,
            story: None,
        })
    }

    /// The moments that earlier triggers of the job had: the entry was another then.
    pub(super) fn of_earlier_triggers(
        &self,
        store: &Store,
        asked: &Asked,
    ) -> Result<Vec<Answer>, StoreError> {
        let rows = store.read_now(|reader| {
            let mut rows = Vec::new();
            for trigger in reader.slot_triggers(self.subject.name)? {
                if !self
                    .subject
                    .triggers()
                    .iter()
                    .any(|known| known.id == trigger)
                {
                    for (from, to) in asked.windows.iter().copied() {
                        rows.extend(reader.slots_within(self.subject.name, &trigger, from, to)?);
                    }
                }
            }
            Ok(rows)
        })?;
        let answers = rows.into_iter().map(|row| {
            let due = row.stretch.from.max(asked.from());
            let trigger = row.trigger.clone();
            let mut answer = self.accounted(row, due, self.zone)?;
            answer.text = format!("{} (by an earlier trigger, {trigger})", answer.text);
            Ok(answer)
        });
        answers.collect()
    }

    pub(super) fn accounted(
        &self,
        row: SlotRow,
        due: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Answer, StoreError> {
        let among = matches!(row.end, SlotEnd::Passed(..))
            .then(|| among(&row.stretch, zone, self.zone))
            .flatten();
        let (state, text, story) = match row.end {
            SlotEnd::Run(run) => self.run(run, due, None)?,
            SlotEnd::CaughtUp(run, reason) => self.run(run, due, Some(reason))?,
            SlotEnd::Passed(fate, reason) => {
                let (state, word) = match fate {
                    Fate::Skipped => ("skipped", "skipped"),
                    Fate::TooOld => ("too_old", "too old to run when it could"),
                };
                (
                    state,
                    format!("{word} ({})", self.because(reason, due)),
                    None,
                )
            }
        };
        Ok(Answer {
            trigger: row.trigger,
            due,
            zone,
            state,
            text,
            among,
            story,
        })
    }

    /// A slot that has a run.
    pub(super) fn run(
        &self,
        run: RunId,
        due: DateTime<Utc>,
        late: Option<Reason>,
    ) -> Result<(&'static str, String, Option<RunStory>), StoreError> {
        let story = match self.store {
            Some(store) => store.read_now(|reader| reader.run(run))?,
            None => None,
        };
        let because = late.map(|reason| format!(" ({})", self.because(reason, due)));
        let because = because.unwrap_or_default();
        let Some(story) = story else {
            return Ok((
                "ran",
                format!("had run {run}, which is not kept any more{because}"),
                None,
            ));
        };
        let began = story.row.started_at.unwrap_or(story.row.accepted_at);
        let began = clock(began, self.zone, due);
        let (state, word) = match (&story.row.state, late) {
            (RunState::Finished(Outcome::Skipped(_)), _) => ("skipped", "skipped".to_owned()),
            (RunState::Finished(Outcome::Failed(_) | Outcome::Interrupted(_)), Some(_)) => (
                "failed",
                format!("caught up at {began} and {}", state_word(&story.row.state)),
            ),
            (RunState::Finished(Outcome::Failed(_) | Outcome::Interrupted(_)), None) => (
                "failed",
                format!("ran at {began} and {}", state_word(&story.row.state)),
            ),
            (RunState::Queued, _) => ("queued", "waits for its turn".to_owned()),
            (_, Some(_)) => ("caught_up", format!("caught up at {began}")),
            (_, None) => ("ran", format!("ran at {began}")),
        };
        Ok((state, format!("{word}{because}"), Some(story)))
    }

    /// A moment of which nothing is written down.
    fn open(
        &self,
        trigger: &Trigger,
        cron: &Cron,
        due: DateTime<Utc>,
        accounted: Option<DateTime<Utc>>,
    ) -> (&'static str, String) {
        if self.subject.job.is_some_and(|job| !job.enabled) || !trigger.enabled {
            return ("off", "switched off: `enabled = false`".to_owned());
        }
        if due > self.now {
            let wait = length(due - self.now);
            return match self.pause.filter(|pause| pause.holds(due)) {
                Some(pause) => (
                    "paused",
                    format!(
                        "to be skipped ({})",
                        self.because(Reason::Paused { since: pause.since }, due)
                    ),
                ),
                None => ("due", format!("due in {wait}")),
            };
        }
        let key = TimedTrigger {
            job: self.subject.name.to_owned(),
            id: trigger.id.clone(),
            moments: trigger.kind.derived_id(),
        };
        match self.loaded.get(&key) {
            None => (
                "not_loaded",
                "did not run: no daemon had loaded it".to_owned(),
            ),
            Some(loaded) if due <= *loaded => {
                let loaded = shown(*loaded, self.zone, self.zone);
                (
                    "not_loaded",
                    format!("did not run: its moments count from its first load, {loaded}"),
                )
            }
            Some(_) if accounted.is_some_and(|accounted| due < accounted) => (
                "forgotten",
                "is not known any more (`[history] keep`)".to_owned(),
            ),
            Some(_) => {
                let then = match cron.missed {
                    Missed::Skip => "it will be skipped",
                    Missed::Latest | Missed::All => {
                        "it will be made good for as its `missed` and `max_age` say"
                    }
                };
                (
                    "open",
                    format!("has not run yet; when the daemon runs, {then}"),
                )
            }
        }
    }

    /// A reason in words.
    fn because(&self, reason: Reason, due: DateTime<Utc>) -> String {
        let clock = |at| clock(at, self.zone, due);
        match reason {
            Reason::Off { from, to } => {
                format!("the machine was off from {} to {}", clock(from), clock(to))
            }
            Reason::Stopped { from, to } => {
                format!(
                    "Reveille was not running from {} to {}",
                    clock(from),
                    clock(to)
                )
            }
            Reason::Leapt { from, to } => {
                format!(
                    "the clock went from {} to {} at once",
                    clock(from),
                    clock(to)
                )
            }
            Reason::Paused { since } => format!("the job was paused at {}", clock(since)),
            Reason::Busy => "the program was busy".to_owned(),
        }
    }
}

/// Where a moment is one of many that share a fate.
fn among(stretch: &Stretch, zone: Tz, usual: Tz) -> Option<(u64, String)> {
    if stretch.count == 1 {
        return None;
    }
    let (from, to) = (
        shown(stretch.from, zone, usual),
        shown(stretch.to, zone, usual),
    );
    Some((stretch.count, format!("from {from} to {to}")))
}

/// Which field of an entry keeps it from being due.
pub(super) fn misfit(cron: &Cron, asked: &Asked) -> String {
    let zone = cron.timezone;
    let east = zone
        .offset_from_utc_datetime(&asked.from().naive_utc())
        .fix()
        .local_minus_utc();
    let local = asked.from().timestamp() + i64::from(east);
    let at = asked.from().with_timezone(&zone);
    let entry = &cron.entry;
    let fits = |what: String| format!("{what} does not fit `{entry}`");
    if let Some(never) = asked.never
        && entry.fields().misfit(never.and_utc().timestamp()).is_none()
    {
        return format!(
            "`{entry}` follows the clocks, which never showed {}",
            never.format("%H:%M")
        );
    }
    // A whole day is asked about: its first moment says which day does not fit.
    match entry.fields().misfit(local) {
        Some(Field::Month) => fits(at.format("%B").to_string()),
        Some(Field::Day) => fits(at.format("%A the %-d").to_string()),
        Some(Field::Hour) => fits(format!("hour {}", at.format("%-H"))),
        Some(Field::Minute) => fits(format!("minute {}", at.format("%-M"))),
        Some(Field::Second) => fits(format!("second {}", at.format("%-S"))),
        None => {
            let moments = Occurrences::new(entry, zone);
            let once = moments
                .previous(asked.from())
                .map(|due| shown(due, zone, zone));
            format!(
                "a fixed time that the clocks show twice comes once, {}",
                once.unwrap_or_default()
            )
        }
    }
}
