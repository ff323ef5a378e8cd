//! `create`, `update`, `delete`, and `undo` of those.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Calendar;
use super::free::{clock, ending};
use super::moments::{self, shown};
use super::server::{Written, short};
use crate::calendar::remote::{Draft, RemoteError, Resource, Target};
use crate::calendar::{Item, Moment, Range};
use crate::config::settings::CalendarSettings;
use crate::job::CursorKey;
use crate::step::{Context, Done, StepError};

/// So long a change can be undone.
const UNDONE_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// An entry that is meant lies within so many days from yesterday.
const MEANT_WITHIN: u32 = 400;

/// A change, as it is kept to be undone.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Change {
    calendar: String,
    verb: String,
    id: String,
    /// What lay there before; nothing before it was made.
    etag: Option<String>,
    ics: Option<String>,
    /// What lies there since then.
    since: Option<String>,
    title: String,
    shown: String,
    until: DateTime<Utc>,
    /// What the step gave.
    result: Value,
}

/// A change that was made: where, and what was and is there.
struct Made<'a> {
    source: &'a CalendarSettings,
    verb: &'static str,
    id: String,
    before: Option<Resource>,
    now: Option<Resource>,
    title: String,
    times: (Moment, Moment),
    /// When it was before.
    was: Option<(Moment, Moment)>,
}

impl Calendar {
    pub(super) async fn create(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let title = self.rendered(context, &self.title)?;
        if title.is_empty() {
            return Err(StepError::new("it has no title: `title` is empty"));
        }
        let start = self.moment(context, &self.start)?;
        let start = start.ok_or_else(|| StepError::new("no time is said: `start` is empty"))?;
        let end = ending(start, self.moment(context, &self.end)?)?;
        let desk = context.desk();
        let source = desk.written(self.into.as_deref()).map_err(StepError::new)?;
        let draft = Draft {
            uid: self.uid(context, &title)?,
            title: title.clone(),
            location: self.rendered(context, &self.location)?,
            description: self.rendered(context, &self.description)?,
            start,
            end,
            zone: context.settings.timezone,
        };
        let server = Written::open(desk, source).await.map_err(failed(source))?;
        let (id, now) = server.create(&draft).await.map_err(failed(source))?;
        let made = Made {
            source,
            verb: "create",
            id,
            before: None,
            now: Some(now),
            title,
            times: (start, end),
            was: None,
        };
        let handle = short(&json!([draft.uid]));
        Ok(done(context, handle, made))
    }

    /// The same for every try of one run, and for nothing else. By the words for the time: after midnight `tomorrow` is another
    /// day, not another event.
    fn uid(&self, context: &Context<'_>, title: &str) -> Result<String, StepError> {
        let event = context.scope.get("event").cloned().unwrap_or_default();
        let now = context.scope.get("now").cloned().unwrap_or_default();
        let what = (title, self.rendered(context, &self.start)?);
        let all = json!([context.run.0, context.step, event, now, what]);
        let (one, two) = (short(&json!([1, all])), short(&json!([2, all])));
        Ok(format!("reveille{one}{two}"))
    }

    pub(super) async fn update(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let (source, item) = self.meant(context).await?;
        let given = |text: String, known: &str| match text.is_empty() {
            true => known.to_owned(),
            false => text,
        };
        let (start, end) = self.moved(context, &item)?;
        let draft = Draft {
            uid: item.uid.clone(),
            title: given(self.rendered(context, &self.title)?, &item.title),
            location: given(self.rendered(context, &self.location)?, &item.location),
            description: item.description.clone(),
            start,
            end,
            zone: context.settings.timezone,
        };
        let (server, id, seen) = self.target(context, source, &item).await?;
        let target = Target {
            id: &id,
            seen: &seen,
            occurrence: item.original,
        };
        let (id, now) = server
            .update(&target, &draft)
            .await
            .map_err(failed(source))?;
        let made = Made {
            source,
            verb: "update",
            id,
            before: Some(seen),
            now: Some(now),
            title: draft.title,
            times: (draft.start, draft.end),
            was: Some((item.start, item.end)),
        };
        let handle = short(&json!([
            context.run.0,
            context.step,
            made.id,
            context.clock.now()
        ]));
        Ok(done(context, handle, made))
    }

    /// When an entry is once it is moved. A day alone keeps its time, a time alone its day, and it stays as long as it is where
    /// no end is said.
    pub(super) fn moved(
        &self,
        context: &Context<'_>,
        item: &Item,
    ) -> Result<(Moment, Moment), StepError> {
        let zone = context.settings.timezone;
        let now = context.clock.now().with_timezone(&zone);
        let text = self.rendered(context, &self.start)?;
        let start = match (self.moment(context, &self.start)?, item.start) {
            (None, known) => known,
            (Some(Moment::Day(day)), Moment::At(time)) => {
                Moment::At(clock(day, time.with_timezone(&zone).time(), zone))
            }
            (Some(Moment::At(time)), Moment::At(known)) if moments::is_of_any_day(&text, now) => {
                let day = known.with_timezone(&zone).date_naive();
                Moment::At(clock(day, time.with_timezone(&zone).time(), zone))
            }
            (Some(start), _) => start,
        };
        let end = match self.moment(context, &self.end)? {
            Some(end) => Some(end),
            None => match (start, item.start, item.end) {
                (Moment::At(now), Moment::At(start), Moment::At(end)) => {
                    Some(Moment::At(now + (end - start)))
                }
                (Moment::Day(now), Moment::Day(start), Moment::Day(end)) => {
                    Some(Moment::Day(now + (end - start)))
                }
                _ => None,
            },
        };
        Ok((start, ending(start, end)?))
    }

    pub(super) async fn delete(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let entry = self.rendered(context, &self.entry)?;
        // Another try of a run that was killed since: the entry is not known any more.
        let handle = handle(context, &entry);
        if let Some(change) = change(context, &handle).await? {
            return Ok(Done::result(change.result));
        }
        let (source, item) = self.meant(context).await?;
        let (server, id, seen) = self.target(context, source, &item).await?;
        let target = Target {
            id: &id,
            seen: &seen,
            occurrence: item.original,
        };
        let (id, now) = match server.delete(&target).await {
            // Somebody was faster, or an earlier try.
            Err(RemoteError::Gone) => (id.clone(), None),
            deleted => deleted.map_err(failed(source))?,
        };
        let left = now.clone();
        let made = Made {
            source,
            verb: "delete",
            id: id.clone(),
            before: Some(seen),
            now,
            title: item.title,
            times: (item.start, item.end),
            was: None,
        };
        let done = done(context, handle, made);
        server.keep(id, left.as_ref(), done.cursors.clone()).await;
        Ok(done)
    }

    pub(super) async fn undone(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let handle = self.rendered(context, &self.undo)?;
        let change = change(context, &handle).await?;
        let change = change
            .ok_or_else(|| StepError::new("there is nothing to undo, or it was undone already"))?;
        if context.clock.now() > change.until {
            return Err(StepError::new(
                "it is too late: a change can be undone for ten minutes",
            ));
        }
        let desk = context.desk();
        let source = desk
            .written(Some(&change.calendar))
            .map_err(StepError::new)?;
        let server = Written::open(desk, source).await.map_err(failed(source))?;
        let resource = |etag: Option<String>, ics: Option<String>| Resource {
            etag: etag.unwrap_or_default(),
            ics: ics.unwrap_or_default(),
        };
        match change.ics {
            Some(ics) => {
                let was = resource(change.etag, Some(ics));
                let over = change.since.map(|etag| resource(Some(etag), None));
                server
                    .restore(&change.id, &was, over.as_ref())
                    .await
                    .map_err(failed(source))?;
            }
            None => {
                let seen = resource(change.since, None);
                let target = Target {
                    id: &change.id,
                    seen: &seen,
                    occurrence: None,
                };
                match server.delete(&target).await {
                    Err(RemoteError::Gone) => {}
                    deleted => {
                        let (id, left) = deleted.map_err(failed(source))?;
                        server.keep(id, left.as_ref(), Vec::new()).await;
                    }
                }
            }
        }
        let result = json!({
            "title": change.title, "shown": change.shown, "calendar": source.label, "undone": change.verb,
        });
        Ok(Done {
            cursors: vec![(key(&handle), None)],
            ..Done::result(result)
        })
    }

    /// The item that `entry` means, and its calendar.
    pub(super) async fn meant<'c>(
        &self,
        context: &'c Context<'_>,
    ) -> Result<(&'c CalendarSettings, Item), StepError> {
        let entry = self.rendered(context, &self.entry)?;
        if entry.is_empty() {
            return Err(StepError::new("no entry is said: `entry` is empty"));
        }
        let zone = context.settings.timezone;
        let today = context.clock.now().with_timezone(&zone).date_naive();
        let range = Range {
            start: today - TimeDelta::days(1),
            days: MEANT_WITHIN,
        };
        let desk = context.desk();
        for source in context
            .settings
            .calendars
            .iter()
            .filter(|source| source.place.is_written())
        {
            let held = desk
                .known(source)
                .items(range)
                .await
                .map_err(StepError::new)?;
            if let Some(item) = held.items.into_iter().find(|item| item.entry == entry) {
                return Ok((source, item));
            }
        }
        Err(StepError::new(format!(
            "there is no entry `{entry}` (any more): list the calendar again"
        )))
    }

    /// What lies where an item is from, on its server.
    async fn target<'c>(
        &self,
        context: &'c Context<'_>,
        source: &'c CalendarSettings,
        item: &Item,
    ) -> Result<(Written<'c>, String, Resource), StepError> {
        let desk = context.desk();
        let lies = desk
            .known(source)
            .target(item)
            .await
            .map_err(StepError::new)?;
        let lies = lies.ok_or_else(|| StepError::new(RemoteError::Gone.to_string()))?;
        let server = Written::open(desk, source).await.map_err(failed(source))?;
        let seen = Resource {
            etag: lies.etag,
            ics: lies.ics,
        };
        Ok((server, lies.id, seen))
    }
}

fn failed(source: &CalendarSettings) -> impl Fn(RemoteError) -> StepError {
    let label = source.label.clone();
    move |error| StepError::new(format!("{label}: {error}"))
}

fn key(handle: &str) -> CursorKey {
    CursorKey {
        owner: "calendar".to_owned(),
        step: "undo".to_owned(),
        name: handle.to_owned(),
    }
}

/// What undoes a change is called by: the same for every try of one run.
fn handle(context: &Context<'_>, what: &str) -> String {
    let now = context.scope.get("now").cloned().unwrap_or_default();
    short(&json!([context.run.0, context.step, what, now]))
}

/// A change that can be undone.
async fn change(context: &Context<'_>, handle: &str) -> Result<Option<Change>, StepError> {
    let key = key(handle);
    let read = context.store.read(move |reader| reader.cursor_as(&key));
    read.await
        .map_err(|error| StepError::new(error.to_string()))
}

/// The result of a change, and what undoes it.
fn done(context: &Context<'_>, handle: String, made: Made<'_>) -> Done {
    let now = context.clock.now();
    let settings = context.settings;
    let this_year = now.with_timezone(&settings.timezone).year();
    let show = |times| shown(times, settings.language, this_year);
    let (etag, ics) = made
        .before
        .map_or((None, None), |before| (Some(before.etag), Some(before.ics)));
    let shown = show(made.times);
    let result = json!({
        "title": made.title, "shown": shown, "calendar": made.source.label,
        "start": moments::json(made.times.0), "end": moments::json(made.times.1),
        "was": made.was.map(show), "undo": handle,
    });
    let change = Change {
        calendar: made.source.name.clone(),
        verb: made.verb.to_owned(),
        id: made.id,
        etag,
        ics,
        since: made.now.map(|now| now.etag),
        title: made.title,
        // What undoing it brings back.
        shown: made.was.map_or(shown, show),
        until: now + UNDONE_WITHIN,
        result: result.clone(),
    };
    let kept = serde_json::to_value(change).unwrap_or(Value::Null);
    Done {
        cursors: vec![(key(&handle), Some(kept))],
        ..Done::result(result)
    }
}
