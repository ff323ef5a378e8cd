//! `remind`: what somebody asks to be reminded of. A reminder is a remembered position of nobody's job: it is made with the
//! outcome of the run that made it, and moves in the commit that brings its moment.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{At, Span};
use crate::job::CursorKey;
use crate::moment::{Repeats, said};
use crate::store::{Store, StoreError};
use crate::template::{DateStyle, Locale};
use crate::zone::Tz;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `add`, `list`, `snooze`, `done`, `cancel`.
    remind: At<Verb>,
    /// Of what and when, in words: "tomorrow at 9 call the dentist". After the name of a reminder, until when it rests: "10m".
    words: Option<At<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Add,
    List,
    Snooze,
    Done,
    Cancel,
}

/// Reminders.
#[derive(Debug, Clone)]
pub struct Remind {
    verb: Verb,
    words: Option<String>,
}

/// Whose reminders' positions are.
pub const OWNER: &str = "reminders";

/// The longest text of a reminder, in characters.
const LONGEST: usize = 1000;

/// So many reminders there are at most: whoever may write may not fill a disk.
const MOST: usize = 500;

/// When a day is said and no time.
const MORNING: u32 = 9;

/// How long a snooze lasts that does not say.
const SNOOZE: TimeDelta = TimeDelta::minutes(10);

/// Something that somebody is to be reminded of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reminder {
    /// Of what.
    pub text: String,
    /// When it is due; nothing once it was told and does not come again.
    pub due: Option<DateTime<Utc>>,
    /// When it was told last and nobody said that it is done.
    pub told: Option<DateTime<Utc>>,
    /// What comes again, and until when.
    pub repeats: Option<Repeats>,
    /// Where that ends.
    pub until: Option<DateTime<Utc>>,
    /// The chat that asked; the owner's where it was no chat.
    pub chat: Option<i64>,
    /// Whose it is.
    pub person: String,
    /// Its recurrence is told in Spanish.
    pub spanish: bool,
}

impl Reminder {
    /// As it is once its moment `due` was told at `now`.
    #[must_use]
    pub fn after(mut self, (due, now): (DateTime<Utc>, DateTime<Utc>), zone: Tz) -> Self {
        self.told = Some(due);
        let from = due.max(now).with_timezone(&zone);
        let next = self.repeats.as_ref().and_then(|repeats| repeats.next(from));
        let next = next.map(|next| next.to_utc());
        self.due = next.filter(|next| self.until.is_none_or(|until| *next < until));
        self
    }

    /// How it comes again, in words.
    pub fn again(&self) -> Option<String> {
        let repeats = self.repeats.as_ref()?;
        Some(repeats.words(self.spanish))
    }
}

/// All reminders by their names, the next one first.
///
/// # Errors
/// The store cannot be read.
pub async fn reminders(store: &Store) -> Result<Vec<(String, Reminder)>, StoreError> {
    let read = store.read(|reader| reader.cursors(OWNER, "", ""));
    let all = read.await?.into_iter();
    let all = all.filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)));
    let mut all: Vec<(String, Reminder)> = all.collect();
    all.sort_by_key(|(_, reminder)| (reminder.due.is_none(), reminder.due, reminder.told));
    Ok(all)
}

/// The position of a reminder.
pub fn key(name: &str) -> CursorKey {
    CursorKey {
        owner: OWNER.to_owned(),
        step: String::new(),
        name: name.to_owned(),
    }
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Remind> {
        let verb = self.remind.value;
        if verb != Verb::List && self.words.is_none() {
            let right = match verb {
                Verb::Add => "add words = \"{{ event.text }}\": of what and when",
                _ => "add words = \"{{ event.args }}\": the name of the reminder",
            };
            scope.error(self.remind.span, "it does not say what is meant", right);
            return None;
        }
        Some(Remind {
            verb,
            words: self.words.map(|words| scope.template(words)),
        })
    }
}

impl Remind {
    pub(super) fn declaration(&self) -> Declaration {
        let one = json!({
            "reminder": "text", "text": "text", "due_at": "2026-11-20T09:00:00+01:00", "shown": "text", "since": "text", "repeats": "text",
            "overdue": false, "problem": "when"
        });
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(30),
            example: match self.verb {
                Verb::List => {
                    json!({ "items": [one], "count": 1, "overdue": [one], "today": [one] })
                }
                _ => one,
            },
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let all = reminders(context.store).await;
        let mut all = all.map_err(|error| StepError::new(error.to_string()))?;
        let person = context.person();
        let count = all.len();
        all.retain(|(_, reminder)| reminder.person == person);
        let words = self
            .words
            .as_ref()
            .map_or(Ok(String::new()), |words| context.render(words))?;
        let words = words.trim();
        match self.verb {
            Verb::List => {
                let show = |(name, reminder): &(String, Reminder)| shown(context, name, reminder);
                let items: Vec<Value> = all.iter().map(show).collect();
                let overdue = items.iter().filter(|item| item["overdue"] == true);
                let overdue: Vec<Value> = overdue.cloned().collect();
                let zone = context.settings.timezone;
                let today = context.clock.now().with_timezone(&zone).date_naive();
                let is_today = |(_, reminder): &&(String, Reminder)| {
                    let due = reminder.due.map(|due| due.with_timezone(&zone));
                    due.is_some_and(|due| due.date_naive() == today)
                };
                let today: Vec<Value> = all.iter().filter(is_today).map(show).collect();
                Ok(Done::result(json!({
                    "count": items.len(), "items": items, "overdue": overdue, "today": today,
                })))
            }
            Verb::Add if count >= MOST => Err(StepError::new(format!(
                "there are {MOST} reminders, and that is the most: cancel some"
            ))),
            Verb::Add => add(context, words, person),
            Verb::Snooze | Verb::Done | Verb::Cancel => {
                let (name, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
                let found = all.into_iter().find(|(known, _)| known == name);
                let (_, reminder) = found.ok_or_else(|| {
                    StepError::new(format!("there is no reminder `{name}` (any more)"))
                })?;
                self.change(context, name, (reminder, rest.trim()))
            }
        }
    }

    fn change(
        &self,
        context: &Context<'_>,
        name: &str,
        (mut reminder, rest): (Reminder, &str),
    ) -> Result<Done, StepError> {
        let before = shown(context, name, &reminder);
        let now = context.clock.now();
        match self.verb {
            // One that comes again goes on; told once more in between, it is one of its own.
            Verb::Snooze if reminder.repeats.is_some() => {
                let due = snoozed(rest, now.with_timezone(&context.settings.timezone))?;
                let once = Reminder {
                    due: Some(due),
                    told: None,
                    repeats: None,
                    ..reminder.clone()
                };
                reminder.told = None;
                let new = fresh(context);
                return Ok(Done {
                    cursors: vec![
                        (key(name), serde_json::to_value(&reminder).ok()),
                        (key(&new), serde_json::to_value(&once).ok()),
                    ],
                    ..Done::result(shown(context, &new, &once))
                });
            }
            Verb::Snooze => {
                reminder.due = Some(snoozed(
                    rest,
                    now.with_timezone(&context.settings.timezone),
                )?);
                reminder.told = None;
            }
            Verb::Done if reminder.due.is_some() && reminder.repeats.is_some() => {
                reminder.told = None;
            }
            _ => {
                return Ok(Done {
                    cursors: vec![(key(name), None)],
                    ..Done::result(before)
                });
            }
        }
        Ok(Done {
            cursors: vec![(key(name), serde_json::to_value(&reminder).ok())],
            ..Done::result(shown(context, name, &reminder))
        })
    }
}

fn add(context: &Context<'_>, words: &str, person: String) -> Result<Done, StepError> {
    let now = context
        .clock
        .now()
        .with_timezone(&context.settings.timezone);
    let said = said(words, now);
    let text: String = said.rest.chars().take(LONGEST).collect();
    let due = match (said.start, said.whole_days) {
        (Some(day), true) => morning(day, now),
        (start, _) => start,
    };
    let mut repeats = said.repeats;
    if repeats.as_ref().is_some_and(Repeats::whole_days) {
        // "Every Monday" is every Monday at nine.
        repeats = crate::moment::said(&format!("{words} at {MORNING}:00"), now).repeats;
    }
    let due = match &repeats {
        Some(repeats) => repeats.next(now),
        None => due,
    };
    let due = due.map(|due| due.to_utc());
    let problem = match due {
        None => Some("when"),
        Some(due) if due <= now => Some("past"),
        Some(_) if text.trim().is_empty() => Some("what"),
        Some(_) => None,
    };
    let event = context.scope.get("event");
    let chat = event.filter(|event| event["kind"] == "telegram");
    let reminder = Reminder {
        text: text.trim().to_owned(),
        due,
        told: None,
        repeats,
        until: said.end.filter(|end| *end > now).map(|end| end.to_utc()),
        chat: chat.and_then(|event| event["chat"]["id"].as_i64()),
        person,
        spanish: said.spanish,
    };
    let name = fresh(context);
    let mut result = shown(context, &name, &reminder);
    let Some(problem) = problem else {
        return Ok(Done {
            cursors: vec![(key(&name), serde_json::to_value(&reminder).ok())],
            ..Done::result(result)
        });
    };
    result["problem"] = problem.into();
    Ok(Done::result(result))
}

/// A name for a reminder that no other has.
fn fresh(context: &Context<'_>) -> String {
    // The end of a UUIDv7 is random.
    let id = context.clock.id().simple().to_string();
    id[id.len() - 8..].to_owned()
}

/// A day's morning; today, where that is over, an hour from now.
fn morning(day: DateTime<Tz>, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    let time = NaiveTime::from_hms_opt(MORNING, 0, 0)?;
    let at = day
        .timezone()
        .from_local_datetime(&day.date_naive().and_time(time))
        .earliest()?;
    let over = day.date_naive() == now.date_naive() && at <= now;
    Some(if over { now + TimeDelta::hours(1) } else { at })
}

/// Until when something rests: a length of time, or words for a moment.
fn snoozed(rest: &str, now: DateTime<Tz>) -> Result<DateTime<Utc>, StepError> {
    let until = match Span::parse(rest) {
        _ if rest.is_empty() => Some(now + SNOOZE),
        Ok(span) => TimeDelta::from_std(span.0)
            .ok()
            .and_then(|span| now.checked_add_signed(span)),
        Err(_) => {
            let said = said(rest, now);
            match (said.start, said.whole_days) {
                (Some(day), true) => morning(day, now),
                (start, _) => start,
            }
        }
    };
    let until = until
        .filter(|until| *until > now)
        .map(|until| until.to_utc());
    until.ok_or_else(|| {
        StepError::new(format!(
            "`{rest}` is no time that comes: 10m, 2h, tomorrow at 9"
        ))
    })
}

/// A reminder as templates see it.
fn shown(context: &Context<'_>, name: &str, reminder: &Reminder) -> Value {
    let zone = context.settings.timezone;
    let now = context.clock.now().with_timezone(&zone);
    let due = reminder
        .due
        .or(reminder.told)
        .map(|due| due.with_timezone(&zone));
    json!({
        "reminder": name, "text": reminder.text, "due_at": due.map(|due| due.to_rfc3339()),
        "shown": due.map(|due| when(due, now, context.settings.language)), "repeats": reminder.again(),
        "since": reminder.told.map(|told| when(told.with_timezone(&zone), now, context.settings.language)),
        "overdue": reminder.told.is_some(), "problem": Value::Null,
    })
}

/// "today 17:00", "tomorrow 09:00", "Mon 23 Nov 09:00".
fn when(due: DateTime<Tz>, now: DateTime<Tz>, locale: Locale) -> String {
    let (day, today) = (due.date_naive(), now.date_naive());
    let near = match ((day - today).num_days(), locale) {
        (0, Locale::En) => "today".to_owned(),
        (0, Locale::Es) => "hoy".to_owned(),
        (1, Locale::En) => "tomorrow".to_owned(),
        (1, Locale::Es) => "mañana".to_owned(),
        _ => locale.date(day, DateStyle::Short, chrono::Datelike::year(&today)),
    };
    format!("{near} {}", due.format("%H:%M"))
}
