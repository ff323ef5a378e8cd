//! iCalendar text as lines that are kept byte for byte until one is replaced.

use std::fmt;

use crate::calendar::ics::event::{Draft as Reading, Event as Read};
use crate::calendar::ics::line::{ContentLine, Lines};
use crate::calendar::ics::zone::ZoneNames;
use crate::calendar::remote::RemoteError;

/// A VCALENDAR in parts.
#[derive(Debug)]
pub struct Document {
    /// In their order.
    pub parts: Vec<Part>,
}

/// A part of a document.
#[derive(Debug)]
pub enum Part {
    /// A VEVENT.
    Event(Event),
    /// One line outside of them.
    Line(Line),
}

/// A VEVENT: its lines from BEGIN to END, nested components included.
#[derive(Debug, Clone)]
pub struct Event {
    lines: Vec<Line>,
}

/// A content line as it is, folds and line end included.
#[derive(Debug, Clone)]
pub struct Line {
    raw: String,
    /// In capitals; empty for what is no content line.
    pub name: String,
    /// Name and parameters, unfolded.
    pub head: String,
    /// Unfolded and still escaped.
    pub value: String,
    /// TZID, without its quotes.
    pub tzid: Option<String>,
}

impl Line {
    /// A line, ended or not.
    pub fn new(raw: String) -> Self {
        let unfolded = Lines::new(raw.as_bytes()).next();
        let unfolded = unfolded.map(|line| line.unfold().into_owned());
        let unfolded = unfolded.unwrap_or_default();
        let Some(content) = ContentLine::parse(&unfolded) else {
            let nothing = String::new;
            return Line {
                raw,
                name: nothing(),
                head: nothing(),
                value: nothing(),
                tzid: None,
            };
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let head = unfolded.len() - content.value.len() - 1;
        Line {
            name: text(content.name).to_ascii_uppercase(),
            head: text(&unfolded[..head]),
            value: text(content.value),
            tzid: content.param("TZID").map(std::borrow::Cow::into_owned),
            raw,
        }
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.name == name && self.value.trim().eq_ignore_ascii_case(value)
    }
}

impl Document {
    /// Takes a text apart.
    ///
    /// # Errors
    /// An event that is not closed.
    pub fn parse(ics: &str) -> Result<Document, RemoteError> {
        let broken = || RemoteError::Answer("its calendar text is broken".to_owned());
        let mut parts = Vec::new();
        let mut open: Option<Event> = None;
        for raw in logical(ics) {
            let line = Line::new(raw);
            let (begins, ends) = (line.is("BEGIN", "VEVENT"), line.is("END", "VEVENT"));
            match &mut open {
                Some(_) if begins => return Err(broken()),
                Some(event) => event.lines.push(line),
                None if begins => open = Some(Event { lines: vec![line] }),
                None => parts.push(Part::Line(line)),
            }
            if ends {
                parts.extend(open.take().map(Part::Event));
            }
        }
        match open {
            Some(_) => Err(broken()),
            None => Ok(Document { parts }),
        }
    }

    /// The event in a place of `parts`.
    pub fn event_mut(&mut self, place: usize) -> Option<&mut Event> {
        match self.parts.get_mut(place) {
            Some(Part::Event(event)) => Some(event),
            _ => None,
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Line(line) => f.write_str(&line.raw)?,
                Part::Event(event) => {
                    for line in &event.lines {
                        f.write_str(&line.raw)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Event {
    /// The places of its own lines, those of nested components left out.
    fn own(&self) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut own = Vec::new();
        for (place, line) in self.lines.iter().enumerate() {
            match line.name.as_str() {
                "BEGIN" => depth += 1,
                "END" => depth = depth.saturating_sub(1),
                _ if depth == 1 => own.push(place),
                _ => {}
            }
        }
        own
    }

    /// Its own lines.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.own().into_iter().map(|place| &self.lines[place])
    }

    /// The last of its lines of that name, which is the one that counts.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines().filter(|line| line.name == name).last()
    }

    /// Puts one line (ended by CRLF) in the place of those of that name, or at the end of its own.
    pub fn set(&mut self, name: &str, raw: String) {
        let mut places = self.own();
        places.retain(|place| self.lines[*place].name == name);
        let line = Line::new(self.ended(raw));
        match places.split_first() {
            Some((first, others)) => {
                self.lines[*first] = line;
                for place in others.iter().rev() {
                    self.lines.remove(*place);
                }
            }
            None => {
                let last = self.own().last().map_or(1, |place| place + 1);
                self.lines.insert(last, line);
            }
        }
    }

    /// Puts one line behind the last of those with one of these names.
    pub fn add_behind(&mut self, names: &[&str], raw: String) {
        let line = Line::new(self.ended(raw));
        let places = self.own().into_iter();
        let last = places
            .rev()
            .find(|place| names.contains(&self.lines[*place].name.as_str()));
        self.lines.insert(last.map_or(1, |place| place + 1), line);
    }

    /// Leaves out its lines of these names.
    pub fn drop_lines(&mut self, names: &[&str]) {
        for place in self.own().into_iter().rev() {
            if names.contains(&self.lines[place].name.as_str()) {
                self.lines.remove(place);
            }
        }
    }

    /// Gives each of its lines the value that `to` finds for it, if it finds one.
    pub fn map_values(
        &mut self,
        mut to: impl FnMut(&Line) -> Result<Option<String>, RemoteError>,
    ) -> Result<(), RemoteError> {
        for place in self.own() {
            let line = &self.lines[place];
            if let Some(value) = to(line)? {
                let mut written = crate::calendar::write::Lines::default();
                written.add(&line.head, &value);
                self.lines[place] = Line::new(self.ended(written.0));
            }
        }
        Ok(())
    }

    /// What our reader makes of it.
    ///
    /// # Errors
    /// It has no start that can be read.
    pub fn read(&self, names: &mut ZoneNames) -> Result<Read, RemoteError> {
        let mut reading = Reading::default();
        for line in self.lines() {
            let unfolded = format!("{}:{}", line.head, line.value);
            if let Some(content) = ContentLine::parse(unfolded.as_bytes()) {
                // What cannot be read of it stays as it is.
                let _ = reading.take(&content, names);
            }
        }
        reading.finish().map_err(RemoteError::Answer)
    }

    /// The line with the line end that the document has.
    fn ended(&self, raw: String) -> String {
        match self.lines.first() {
            Some(first) if !first.raw.ends_with("\r\n") => raw.replace("\r\n", "\n"),
            _ => raw,
        }
    }
}

/// Lines with their folds.
fn logical(ics: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for physical in ics.split_inclusive('\n') {
        match lines.last_mut() {
            Some(line) if physical.starts_with([' ', '\t']) => line.push_str(physical),
            _ => lines.push(physical.to_owned()),
        }
    }
    lines
}
