//! Changes to iCalendar text that somebody else wrote: what a change is about is replaced, every other line stays byte for byte.

mod document;
mod shift;
#[cfg(test)]
mod tests;
mod times;

use chrono::{DateTime, Utc};

use super::ics::Calendar;
use super::ics::event::{Event as Read, Reach};
use super::ics::value;
use super::remote::{Draft, RemoteError};
use super::write::{Lines, escaped};
use super::{Moment, Range};
use crate::zone::Tz;
use document::{Document, Event, Part};
use times::{Times, same};

/// What is left of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// A text to write.
    Some(String),
    /// No event: the resource is to be deleted.
    Nothing,
}

/// The text with the title, place and times of `draft` in an event, in a whole series (the draft's times are those of its
/// first occurrence) or in one occurrence, by the start that its rule gives it. UID and description of the draft are not
/// looked at; what the draft says already, as people see it, is not written anew.
///
/// # Errors
/// `Gone` where there is no such occurrence; `Refused` where a series cannot follow; `Answer` for text that cannot be read.
pub fn changed(
    ics: &str,
    occurrence: Option<Moment>,
    draft: &Draft,
    now: DateTime<Utc>,
) -> Result<String, RemoteError> {
    match (draft.start, draft.end) {
        (Moment::Day(start), Moment::Day(end)) if start < end => {}
        (Moment::At(start), Moment::At(end)) if start <= end => {}
        _ => {
            return Err(RemoteError::Refused(
                "it would end before it begins".to_owned(),
            ));
        }
    }
    let mut work = Work::new(ics, draft.zone)?;
    let uid = work.uid.clone();
    match occurrence {
        None => work.change_all(draft, now)?,
        Some(occurrence) => work.change_one(ics, occurrence, draft, now)?,
    }
    let text = work.document.to_string();
    match says(&text, draft, &uid) {
        true => Ok(text),
        false => Err(RemoteError::Answer(
            "its event is written in a way that cannot be changed here".to_owned(),
        )),
    }
}

/// The text without one occurrence, by the start that its rule gives it; `zone` is what times without one mean.
///
/// # Errors
/// As [`changed`].
pub fn without(
    ics: &str,
    occurrence: Moment,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Left, RemoteError> {
    let mut work = Work::new(ics, zone)?;
    let change = work.change_of(occurrence);
    if let Some(place) = change {
        work.document.parts.remove(place);
        work.events.retain(|(other, _)| *other != place);
        for (other, _) in &mut work.events {
            *other -= usize::from(*other > place);
        }
    }
    let Some(master) = work.master() else {
        return match (change, work.events.is_empty()) {
            (None, _) => Err(RemoteError::Gone),
            (Some(_), true) => Ok(Left::Nothing),
            (Some(_), false) => Ok(Left::Some(work.document.to_string())),
        };
    };
    if change.is_none() {
        work.has(ics, occurrence)?;
    }
    let (times, document) = (&mut work.times, &mut work.document);
    let event = document.event_mut(master).ok_or(RemoteError::Gone)?;
    let start = event.line("DTSTART").cloned().ok_or(RemoteError::Gone)?;
    let form = times.form(&start);
    let line = times.line("EXDATE", &form, occurrence);
    event.add_behind(&["DTSTART", "RRULE", "RDATE", "EXDATE"], line);
    touch(event, now);
    Ok(Left::Some(document.to_string()))
}

/// Whether the text has an event of this UID with the title, place and times of `draft`.
pub fn says(ics: &str, draft: &Draft, uid: &str) -> bool {
    let Ok(work) = Work::new(ics, draft.zone) else {
        return false;
    };
    work.events.iter().any(|(_, read)| {
        let (start, end) = work.times.of(read);
        read.uid == uid
            && read.title == seen_title(&draft.title)
            && read.location == seen_location(&draft.location)
            && same(start, draft.start)
            && same(end, draft.end)
    })
}

/// The UID of a text.
pub fn uid(ics: &str) -> Option<String> {
    let work = Work::new(ics, Tz::UTC).ok()?;
    Some(work.uid).filter(|uid| !uid.is_empty())
}

/// When an event, or the first occurrence of a series, begins and ends, as seen from `zone`.
pub fn times(ics: &str, zone: Tz) -> Option<(Moment, Moment)> {
    let work = Work::new(ics, zone).ok()?;
    let master = work.master();
    let read = work.events.iter().find(|(place, _)| Some(*place) == master);
    read.or(work.events.first())
        .map(|(_, read)| work.times.of(read))
}

/// A text under change.
struct Work {
    document: Document,
    times: Times,
    uid: String,
    /// Its events as they were read, with their places.
    events: Vec<(usize, Read)>,
}

impl Work {
    fn new(ics: &str, zone: Tz) -> Result<Self, RemoteError> {
        let document = Document::parse(ics)?;
        let mut times = Times::new(ics, &document, zone)?;
        let mut events = Vec::new();
        for (place, part) in document.parts.iter().enumerate() {
            if let Part::Event(event) = part {
                events.push((place, event.read(&mut times.names)?));
            }
        }
        let first = events.first().ok_or(RemoteError::Gone)?;
        let uid = first.1.uid.clone();
        Ok(Work {
            document,
            times,
            uid,
            events,
        })
    }

    /// The place of the event itself; of two versions that of the newer.
    fn master(&self) -> Option<usize> {
        let masters = self
            .events
            .iter()
            .filter(|(_, read)| read.replaces.is_none());
        masters
            .max_by_key(|(_, read)| read.version)
            .map(|(place, _)| *place)
    }

    fn read(&self, place: usize) -> Option<&Read> {
        self.events
            .iter()
            .find(|(other, _)| *other == place)
            .map(|(_, read)| read)
    }

    /// The place of the changed occurrence.
    fn change_of(&self, occurrence: Moment) -> Option<usize> {
        let start = self
            .master()
            .and_then(|place| self.read(place))
            .map(|read| read.start);
        let changes = self.events.iter().filter(|(_, read)| {
            read.replaces.is_some_and(|replaces| {
                let start = start.unwrap_or(replaces.instance);
                replaces.reach == Reach::This
                    && self.times.meets(replaces.instance, start, occurrence)
            })
        });
        changes
            .max_by_key(|(_, read)| read.version)
            .map(|(place, _)| *place)
    }

    /// Whether a series has the occurrence, none of whose changes it is.
    fn has(&self, ics: &str, occurrence: Moment) -> Result<(), RemoteError> {
        let lasting = self.events.iter().any(|(_, read)| {
            read.replaces
                .is_some_and(|replaces| replaces.reach == Reach::ThisAndFuture)
        });
        if lasting {
            return Err(RemoteError::Refused(
                "one of the changes of this series holds for all that follow: change it in the calendar's own program"
                    .to_owned(),
            ));
        }
        let zone = self.times.view().viewer;
        let day = match occurrence {
            Moment::Day(day) => day,
            Moment::At(time) => time.with_timezone(&zone).date_naive(),
        };
        let calendar = Calendar::parse(ics.as_bytes());
        let calendar = calendar.map_err(|error| RemoteError::Answer(error.to_string()))?;
        let master = self.master().and_then(|place| self.read(place));
        let recurs = master.is_some_and(|read| read.recurrence.is_some());
        let mut items = calendar.items(Range::day(day), zone).items.into_iter();
        match recurs && items.any(|item| same(item.start, occurrence)) {
            true => Ok(()),
            false => Err(RemoteError::Gone),
        }
    }

    fn change_all(&mut self, draft: &Draft, now: DateTime<Utc>) -> Result<(), RemoteError> {
        let place = match (self.master(), &self.events[..]) {
            (Some(place), _) => place,
            (None, [(place, _)]) => *place,
            _ => {
                return Err(RemoteError::Refused(
                    "it is only some occurrences of a series".to_owned(),
                ));
            }
        };
        let read = self.read(place).ok_or(RemoteError::Gone)?;
        let (title, location) = (read.title.clone(), read.location.clone());
        if read.replaces.is_none() && (read.recurrence.is_some() || self.events.len() > 1) {
            let read = self.events.iter().find(|(other, _)| *other == place);
            let read = &read.ok_or(RemoteError::Gone)?.1;
            shift::series(&mut self.document, &mut self.times, read, draft.start)?;
        }
        // A changed occurrence whose words are the series' own has its new ones, too.
        for (other, read) in self.events.iter().filter(|(other, _)| *other != place) {
            if let Some(event) = self.document.event_mut(*other) {
                if read.title == title {
                    set_text(event, "SUMMARY", &title, &draft.title, seen_title);
                }
                if read.location == location {
                    set_text(event, "LOCATION", &location, &draft.location, seen_location);
                }
            }
        }
        let event = self.document.event_mut(place).ok_or(RemoteError::Gone)?;
        apply(event, &mut self.times, draft, now)
    }

    fn change_one(
        &mut self,
        ics: &str,
        occurrence: Moment,
        draft: &Draft,
        now: DateTime<Utc>,
    ) -> Result<(), RemoteError> {
        if let Some(place) = self.change_of(occurrence) {
            let event = self.document.event_mut(place).ok_or(RemoteError::Gone)?;
            return apply(event, &mut self.times, draft, now);
        }
        self.has(ics, occurrence)?;
        let master = self.master().ok_or(RemoteError::Gone)?;
        let event = self.document.event_mut(master).ok_or(RemoteError::Gone)?;
        let start = event.line("DTSTART").cloned().ok_or(RemoteError::Gone)?;
        let form = self.times.form(&start);
        let mut one = event.clone();
        one.drop_lines(&["RRULE", "EXRULE", "RDATE", "EXDATE"]);
        one.add_behind(
            &["UID"],
            self.times.line("RECURRENCE-ID", &form, occurrence),
        );
        apply(&mut one, &mut self.times, draft, now)?;
        let last = self.events.last().map_or(master, |(place, _)| *place);
        self.document.parts.insert(last + 1, Part::Event(one));
        Ok(())
    }
}

fn apply(
    event: &mut Event,
    times: &mut Times,
    draft: &Draft,
    now: DateTime<Utc>,
) -> Result<(), RemoteError> {
    let read = event.read(&mut times.names)?;
    set_text(event, "SUMMARY", &read.title, &draft.title, seen_title);
    set_text(
        event,
        "LOCATION",
        &read.location,
        &draft.location,
        seen_location,
    );
    times.set(event, (draft.start, draft.end))?;
    touch(event, now);
    Ok(())
}

/// A text may be longer than what is seen of it, so one that looks the same is left alone.
fn set_text(event: &mut Event, name: &str, old: &str, new: &str, seen: fn(&str) -> String) {
    if old == seen(new) {
        return;
    }
    let mut lines = Lines::default();
    lines.text(name, new);
    match lines.0.is_empty() {
        true => event.drop_lines(&[name]),
        false => event.set(name, lines.0),
    }
}

/// Another version of it (RFC 5545, sections 3.8.7.2 to 3.8.7.4).
fn touch(event: &mut Event, now: DateTime<Utc>) {
    let sequence = event
        .line("SEQUENCE")
        .and_then(|line| line.value.trim().parse::<u32>().ok());
    let sequence = sequence.unwrap_or(0).saturating_add(1).to_string();
    let now = now.format("%Y%m%dT%H%M%SZ").to_string();
    for (name, value) in [
        ("DTSTAMP", &now),
        ("LAST-MODIFIED", &now),
        ("SEQUENCE", &sequence),
    ] {
        let mut lines = Lines::default();
        lines.add(name, value);
        event.set(name, lines.0);
    }
}

/// A title as our reader shows it.
fn seen_title(text: &str) -> String {
    value::title(escaped(text).as_bytes())
}

/// A place as our reader shows it.
fn seen_location(text: &str) -> String {
    value::location(escaped(text).as_bytes())
}
