//! From bytes to events and zones: components are walked without recursion, so depth costs nothing.

use super::IcsError;
use super::event::{Draft, Event};
use super::line::{ContentLine, Lines};
use super::value;
use super::vtimezone::{Definition, Observance};
use super::zone::ZoneNames;

/// Most warnings that are kept in words; more are counted.
const MAX_WARNINGS: usize = 20;

/// What a file held.
#[derive(Debug, Default)]
pub struct Contents {
    /// Every whole VEVENT, in the file's order.
    pub events: Vec<Event>,
    /// The zones it named and defined.
    pub zones: ZoneNames,
    /// What was wrong with it, in words.
    pub warnings: Vec<String>,
}

/// Reads a whole file.
pub fn read(bytes: &[u8]) -> Result<Contents, IcsError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    refuse_other_formats(bytes)?;
    let mut reader = Reader::default();
    for raw in Lines::new(bytes) {
        if matches!(reader.within, Within::Event(_)) && !Draft::wants(raw.name()) {
            continue;
        }
        match ContentLine::parse(&raw.unfold()) {
            Some(line) => reader.take(&line),
            None => reader.garbled += 1,
        }
    }
    reader.finish()
}

#[derive(Debug, Default)]
struct Reader {
    contents: Contents,
    within: Within,
    /// Components of no interest that are open within the one we are in.
    nested: u32,
    is_open: bool,
    garbled: u32,
    left_out: Vec<String>,
    unsaid: u32,
}

#[derive(Debug, Default)]
enum Within {
    #[default]
    Calendar,
    Event(Box<Draft>),
    Timezone(String, Definition, Option<Observance>),
}

impl Reader {
    fn take(&mut self, line: &ContentLine<'_>) {
        if line.is("BEGIN") {
            self.begin(&component(line));
        } else if line.is("END") {
            self.end(&component(line));
        } else if self.nested == 0 {
            self.property(line);
        }
    }

    fn begin(&mut self, name: &str) {
        match (name, &mut self.within) {
            ("VCALENDAR", _) => self.is_open = true,
            ("VEVENT", _) => {
                if let Within::Event(_) = self.within {
                    self.warn("an event that is never closed was left out".to_owned());
                }
                self.within = Within::Event(Box::default());
                self.nested = 0;
            }
            ("VTIMEZONE", Within::Calendar) => {
                self.within = Within::Timezone(String::new(), Definition::default(), None);
                self.nested = 0;
            }
            ("STANDARD" | "DAYLIGHT", Within::Timezone(_, _, observance)) => {
                *observance = Some(Observance::default());
            }
            _ => self.nested = self.nested.saturating_add(1),
        }
    }

    fn end(&mut self, name: &str) {
        match (name, &mut self.within) {
            ("VCALENDAR", _) => {
                self.is_open = false;
                if let Within::Event(_) = std::mem::take(&mut self.within) {
                    self.warn("an event that is never closed was left out".to_owned());
                }
                self.nested = 0;
            }
            ("VEVENT", Within::Event(draft)) => {
                let draft = std::mem::take(&mut **draft);
                for trouble in &draft.troubles {
                    let title = draft.title();
                    self.warn(format!(
                        "`{title}`: {trouble}; the rest of the event stands"
                    ));
                }
                match draft.finish() {
                    Ok(event) => self.contents.events.push(event),
                    Err(error) => self.warn(error),
                }
                self.within = Within::Calendar;
                self.nested = 0;
            }
            ("VTIMEZONE", Within::Timezone(tzid, definition, _)) => {
                let (tzid, definition) = (std::mem::take(tzid), std::mem::take(definition));
                self.contents
                    .zones
                    .definitions
                    .entry(tzid)
                    .or_insert(definition);
                self.within = Within::Calendar;
                self.nested = 0;
            }
            ("STANDARD" | "DAYLIGHT", Within::Timezone(_, definition, observance)) => {
                definition.add(observance.take().unwrap_or_default());
            }
            _ => self.nested = self.nested.saturating_sub(1),
        }
    }

    fn property(&mut self, line: &ContentLine<'_>) {
        match &mut self.within {
            Within::Calendar => {}
            Within::Event(draft) => {
                let taken = draft.take(line, &mut self.contents.zones);
                // Told at the event's end: its title may follow.
                if let Err(error) = taken
                    && draft.troubles.len() < MAX_WARNINGS
                {
                    draft.troubles.push(error);
                }
            }
            Within::Timezone(_, _, Some(observance)) => observance.take(line),
            Within::Timezone(tzid, _, None) => {
                if line.is("TZID") {
                    *tzid = value::text(line.value, 200);
                }
            }
        }
    }

    fn warn(&mut self, warning: String) {
        if self.left_out.len() < MAX_WARNINGS {
            self.left_out.push(warning);
        } else {
            self.unsaid += 1;
        }
    }

    fn finish(mut self) -> Result<Contents, IcsError> {
        if self.is_open {
            let events = self.contents.events.len();
            return Err(IcsError::CutOff { events });
        }
        if self.unsaid > 0 {
            self.left_out
                .push(format!("and {} more problems like these", self.unsaid));
        }
        if self.garbled > 0 {
            self.left_out.push(format!(
                "lines that are no calendar lines: {}",
                self.garbled
            ));
        }
        self.contents.warnings = self.left_out;
        Ok(self.contents)
    }
}

fn component(line: &ContentLine<'_>) -> String {
    value::text(line.value, 40).to_ascii_uppercase()
}

fn refuse_other_formats(bytes: &[u8]) -> Result<(), IcsError> {
    let begin = bytes.trim_ascii_start();
    let head = &begin[..begin.len().min(1_024)];
    let starts_with = |start: &str| {
        let start = start.as_bytes();
        head.get(..start.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(start))
    };
    if head.is_empty() {
        return Err(IcsError::Empty);
    }
    if starts_with("BEGIN:VCALENDAR") {
        return Ok(());
    }
    let is_page = |mark: &[u8]| {
        head.windows(mark.len())
            .any(|part| part.eq_ignore_ascii_case(mark))
    };
    if head[0] == b'<' && (is_page(b"<html") || is_page(b"<!doctype") || is_page(b"<head")) {
        return Err(IcsError::WebPage);
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(IcsError::Binary("UTF-16"));
    }
    if head.starts_with(b"\x1f\x8b") || head.starts_with(b"PK\x03\x04") {
        return Err(IcsError::Binary("a compressed archive"));
    }
    if head.contains(&0) {
        return Err(IcsError::Binary("it holds zero bytes"));
    }
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Err(IcsError::OtherText(value::text(first, 40)))
}
