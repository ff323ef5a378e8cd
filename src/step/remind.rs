//! `remind`: what somebody asks to be reminded of. A reminder is a remembered position of nobody's job: it is made with the
//! outcome of the run that made it, and moves in the commit that brings its moment.

mod reminder;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;
use std::time::Duration;

use chrono::DateTime;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::zone::Tz;

pub use reminder::{OWNER, Reminder, key, reminders};

use words::{find, rests, when, wish};

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
    /// Where the file says it.
    span: Range<usize>,
}

/// So many reminders of one person there are at most: whoever may write may not fill a disk.
const MOST: usize = 500;

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
            span: self.remind.span,
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

    /// Where it says that somebody is to be reminded, if it does: some job has to tell it.
    pub(crate) fn adds(&self) -> Option<Range<usize>> {
        (self.verb == Verb::Add).then(|| self.span.clone())
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let all = context.store.read(reminders).await;
        let mut all = all.map_err(|error| StepError::new(error.to_string()))?;
        let person = context.person();
        all.retain(|(_, reminder)| reminder.person == person);
        let words = self
            .words
            .as_ref()
            .map_or(Ok(String::new()), |words| context.render(words))?;
        let words = words.trim();
        let count = all.len();
        match self.verb {
            Verb::List => {
                let show = |(name, reminder): &(String, Reminder)| shown(context, name, reminder);
                let items: Vec<Value> = all.iter().map(show).collect();
                let zone = context.settings.timezone;
                let today = context.clock.now().with_timezone(&zone).date_naive();
                let is_today = |(_, reminder): &&(String, Reminder)| {
                    let due = reminder.due.map(|due| due.with_timezone(&zone));
                    due.is_some_and(|due| due.date_naive() == today)
                };
                let today: Vec<Value> = all.iter().filter(is_today).map(show).collect();
                all.retain(|(_, reminder)| reminder.told.is_some());
                // The moment that was told is meant, and not the one that comes next.
                all.iter_mut().for_each(|(_, reminder)| reminder.due = None);
                let overdue: Vec<Value> = all.iter().map(show).collect();
                Ok(Done::result(json!({
                    "count": items.len(), "items": items, "overdue": overdue, "today": today,
                })))
            }
            Verb::Add => add(context, words, (person, count)),
            Verb::Snooze | Verb::Done | Verb::Cancel => {
                let found = find(all, words, here(context)).map_err(StepError::new)?;
                let (name, reminder, rest) = found;
                match self.verb {
                    Verb::Snooze => snooze(context, &name, (reminder, &rest), count),
                    Verb::Done if reminder.due.is_some() && reminder.repeats.is_some() => {
                        let done = Reminder {
                            told: None,
                            ..reminder
                        };
                        Ok(keeps(context, &name, &done))
                    }
                    _ => Ok(Done {
                        cursors: vec![(key(&name), None)],
                        ..Done::result(shown(context, &name, &reminder))
                    }),
                }
            }
        }
    }
}

fn add(
    context: &Context<'_>,
    words: &str,
    (person, count): (String, usize),
) -> Result<Done, StepError> {
    let wish = wish(words, here(context));
    let event = context.scope.get("event");
    let chat =
        event.filter(|event| matches!(event["kind"].as_str(), Some("telegram" | "reminder")));
    let reminder = Reminder {
        text: wish.text,
        due: wish.due,
        told: None,
        told_at: None,
        repeats: wish.repeats,
        until: wish.until,
        chat: chat.and_then(|event| event["chat"]["id"].as_i64()),
        thread: chat.and_then(|event| event["chat"]["thread"].as_i64()),
        title: called(chat.map(|event| &event["chat"]["title"])),
        name: called(event.map(|event| &event["user"]["name"])),
        person,
        spanish: wish.spanish,
    };
    let name = fresh(context);
    if let Some(problem) = wish.problem {
        let mut result = shown(context, &name, &reminder);
        result["problem"] = problem.into();
        return Ok(Done::result(result));
    }
    has_room(count)?;
    Ok(keeps(context, &name, &reminder))
}

fn called(name: Option<&Value>) -> String {
    let name = name.and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

/// Tells it once more, later.
fn snooze(
    context: &Context<'_>,
    name: &str,
    (mut reminder, rest): (Reminder, &str),
    count: usize,
) -> Result<Done, StepError> {
    let due = rests(rest, here(context)).map_err(StepError::new)?;
    reminder.told = None;
    if reminder.repeats.is_none() || reminder.due.is_none() {
        reminder.repeats = None;
        reminder.due = Some(due);
        return Ok(keeps(context, name, &reminder));
    }
    // One that comes again goes on; told once more in between, it is one of its own.
    has_room(count)?;
    let once = Reminder {
        due: Some(due),
        repeats: None,
        ..reminder.clone()
    };
    let mut done = keeps(context, &fresh(context), &once);
    done.cursors
        .push((key(name), serde_json::to_value(&reminder).ok()));
    Ok(done)
}

fn has_room(count: usize) -> Result<(), StepError> {
    match count < MOST {
        true => Ok(()),
        false => Err(StepError::new(format!(
            "there are {MOST} reminders, and that is the most: cancel some"
        ))),
    }
}

fn here(context: &Context<'_>) -> DateTime<Tz> {
    let zone = &context.settings.timezone;
    context.clock.now().with_timezone(zone)
}

/// A reminder that is so from now on.
fn keeps(context: &Context<'_>, name: &str, reminder: &Reminder) -> Done {
    let value = serde_json::to_value(reminder).ok();
    Done {
        cursors: vec![(key(name), value)],
        ..Done::result(shown(context, name, reminder))
    }
}

/// A name for a reminder that no other has.
fn fresh(context: &Context<'_>) -> String {
    // The end of a UUIDv7 is random.
    let id = context.clock.id().simple().to_string();
    id[id.len() - 8..].to_owned()
}

/// A reminder as templates see it.
fn shown(context: &Context<'_>, name: &str, reminder: &Reminder) -> Value {
    let now = here(context);
    let due = reminder
        .due
        .or(reminder.told)
        .map(|due| due.with_timezone(&now.timezone()));
    json!({
        "reminder": name, "text": reminder.text, "due_at": due.map(|due| due.to_rfc3339()),
        "shown": due.map(|due| when(due, now, context.settings.language)), "repeats": reminder.again(),
        "since": reminder.told.map(|told| when(told.with_timezone(&now.timezone()), now, context.settings.language)),
        "overdue": reminder.told.is_some(), "problem": Value::Null,
    })
}
