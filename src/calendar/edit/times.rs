//! Times as an event writes them: in its own zone, in UTC, without a zone, or as days.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeZone};

use super::document::{Document, Event, Line, Part};
use crate::calendar::Moment;
use crate::calendar::ics::event::Event as Read;
use crate::calendar::ics::listing::end_of;
use crate::calendar::ics::reader;
use crate::calendar::ics::series::Instance;
use crate::calendar::ics::value::{self, Written};
use crate::calendar::ics::zone::{Stamp, View, ZoneId, ZoneNames, Zones};
use crate::calendar::remote::RemoteError;
use crate::calendar::write::Lines;
use crate::zone::Tz;

/// The zones of a document.
pub struct Times {
    /// All that it names: reading an event adds none.
    pub names: ZoneNames,
    zones: Zones,
    viewer: Tz,
}

/// How a time is written.
#[derive(Debug, Clone)]
pub enum Form {
    /// `VALUE=DATE`.
    Day,
    /// With `Z`.
    Utc,
    /// On the wall clock of a zone; of the viewer's where none is named.
    Local(Option<String>, ZoneId),
}

impl Times {
    /// Those of a document; `viewer` is what times without a zone mean.
    ///
    /// # Errors
    /// It is no calendar.
    pub fn new(ics: &str, document: &Document, viewer: Tz) -> Result<Self, RemoteError> {
        let contents = reader::read(ics.as_bytes());
        let contents = contents.map_err(|error| RemoteError::Answer(error.to_string()))?;
        let mut names = contents.zones;
        for part in &document.parts {
            if let Part::Event(event) = part {
                for tzid in event.lines().filter_map(|line| line.tzid.as_deref()) {
                    names.id(tzid);
                }
            }
        }
        let zones = names.resolve(&mut Vec::new());
        Ok(Times {
            names,
            zones,
            viewer,
        })
    }

    /// For conversions.
    pub fn view(&self) -> View<'_> {
        View {
            zones: &self.zones,
            viewer: self.viewer,
        }
    }

    /// How the line writes its time.
    pub fn form(&mut self, line: &Line) -> Form {
        match value::stamp(line.value.as_bytes()) {
            Some(Written::Date(_)) | None => Form::Day,
            Some(Written::Utc(_)) => Form::Utc,
            Some(Written::Local(_)) => {
                let zone = line.tzid.as_deref();
                let zone = zone.map_or(ZoneId::FLOATING, |tzid| self.names.id(tzid));
                Form::Local(line.tzid.clone(), zone)
            }
        }
    }

    /// One value of the line.
    pub fn stamp(&mut self, line: &Line, value: &str) -> Option<Stamp> {
        let written = value::stamp(value.as_bytes())?;
        let zone = match (written, &line.tzid) {
            (Written::Local(_), Some(tzid)) => self.names.id(tzid),
            _ => ZoneId::FLOATING,
        };
        Some(Stamp::new(written, zone))
    }

    /// A line for a moment. What comes twice on a wall clock is written in UTC where the second is meant.
    pub fn line(&self, name: &str, form: &Form, moment: Moment) -> String {
        let mut lines = Lines::default();
        match (moment, form) {
            (Moment::At(time), Form::Local(tzid, zone)) => {
                let utc = time.naive_utc();
                let local = self.view().to_local(*zone, utc);
                if self.view().to_utc(*zone, local) == utc {
                    let name = match tzid {
                        Some(tzid) if tzid.contains([':', ';', ',']) => {
                            format!("{name};TZID=\"{tzid}\"")
                        }
                        Some(tzid) => format!("{name};TZID={tzid}"),
                        None => name.to_owned(),
                    };
                    lines.add(&name, &wall(local));
                } else {
                    lines.moment(name, moment);
                }
            }
            _ => lines.moment(name, moment),
        }
        lines.0
    }

    /// When an event begins and ends.
    pub fn of(&self, read: &Read) -> (Moment, Moment) {
        let instance = Instance::of(read, self.view());
        if read.start.is_date {
            let day = read.start.local.date();
            let days = chrono::TimeDelta::days(instance.span.days);
            return (Moment::Day(day), Moment::Day(day + days));
        }
        let start = self.moment(read.start.utc(self.view()));
        (start, self.moment(end_of(&instance, self.view())))
    }

    fn moment(&self, utc: NaiveDateTime) -> Moment {
        let offset: FixedOffset = self.viewer.offset_from_utc_datetime(&utc).fix();
        Moment::At(DateTime::from_naive_utc_and_offset(utc, offset))
    }

    /// Whether an EXDATE or RECURRENCE-ID of a series that begins with `start` names the occurrence.
    pub fn meets(&self, stamp: Stamp, start: Stamp, occurrence: Moment) -> bool {
        let view = self.view();
        match occurrence {
            Moment::Day(day) => (start.is_date || stamp.is_date) && stamp.day(view) == day,
            Moment::At(time) if start.is_date || stamp.is_date => {
                stamp.day(view) == view.to_local(start.zone, time.naive_utc()).date()
            }
            Moment::At(time) => stamp.or_in(start.zone).utc(view) == time.naive_utc(),
        }
    }

    /// Gives an event other times, in the form in which it has its own; what is so already is left alone.
    ///
    /// # Errors
    /// It has no start.
    pub fn set(
        &mut self,
        event: &mut Event,
        (start, end): (Moment, Moment),
    ) -> Result<(), RemoteError> {
        let read = event.read(&mut self.names)?;
        let (old_start, old_end) = self.of(&read);
        if same(old_start, start) && same(old_end, end) {
            return Ok(());
        }
        let line = event.line("DTSTART").cloned();
        let line = line.ok_or_else(|| RemoteError::Answer("it has no DTSTART".to_owned()))?;
        let form = self.form(&line);
        if !same(old_start, start) {
            let raw = self.line("DTSTART", &form, start);
            event.set("DTSTART", raw);
        }
        let end_line = event.line("DTEND").cloned();
        if end_line.is_none() && length(old_start, old_end) == length(start, end) {
            return Ok(());
        }
        let end_form = end_line.map(|line| self.form(&line));
        let form = match end_form {
            Some(own @ (Form::Utc | Form::Local(..))) => own,
            _ => form,
        };
        let raw = self.line("DTEND", &form, end);
        event.drop_lines(&["DURATION"]);
        match event.line("DTEND") {
            Some(_) => event.set("DTEND", raw),
            None => event.add_behind(&["DTSTART"], raw),
        }
        Ok(())
    }
}

/// Whether two moments are one.
pub fn same(one: Moment, other: Moment) -> bool {
    match (one, other) {
        (Moment::Day(one), Moment::Day(other)) => one == other,
        (Moment::At(one), Moment::At(other)) => one.timestamp() == other.timestamp(),
        _ => false,
    }
}

/// A wall-clock time as iCalendar writes it.
pub fn wall(local: NaiveDateTime) -> String {
    local.format("%Y%m%dT%H%M%S").to_string()
}

/// In days or in seconds.
fn length(start: Moment, end: Moment) -> (i64, i64) {
    match (start, end) {
        (Moment::Day(start), Moment::Day(end)) => ((end - start).num_days(), 0),
        (Moment::At(start), Moment::At(end)) => (-1, (end - start).num_seconds()),
        _ => (-1, -1),
    }
}
