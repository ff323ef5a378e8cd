//! One VEVENT (RFC 5545, section 3.6.1), read into what the briefing needs.

use chrono::NaiveDateTime;

use super::line::ContentLine;
use super::rule::Rule;
use super::value::{self, Span, Written};
use super::zone::{Stamp, View, ZoneId, ZoneNames};

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 2_000;
/// Most RDATEs or EXDATEs of one event.
const MAX_DATES: usize = 20_000;
/// Most rules of one event.
const MAX_RULES: usize = 20;

/// A VEVENT: a single event, a series, or a change to one instance of a series.
#[derive(Debug)]
pub struct Event {
    /// UID; empty where the writer left it out.
    pub uid: String,
    /// DTSTART.
    pub start: Stamp,
    /// How its end is told.
    pub end: End,
    /// SUMMARY.
    pub title: String,
    /// LOCATION.
    pub location: String,
    /// DESCRIPTION, cut.
    pub description: String,
    /// STATUS.
    pub status: Status,
    /// SEQUENCE, then the time it was last changed: of two versions the larger is the newer.
    pub version: (i64, Option<NaiveDateTime>),
    /// Which instance of its series this one replaces.
    pub replaces: Option<Replaces>,
    /// What makes it a series.
    pub recurrence: Option<Box<Recurrence>>,
}

/// RECURRENCE-ID.
#[derive(Debug, Clone, Copy)]
pub struct Replaces {
    /// The instance's original start.
    pub instance: Stamp,
    /// RANGE.
    pub reach: Reach,
}

/// How far a change reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One instance.
    This,
    /// The instance and all later ones (RANGE=THISANDFUTURE).
    ThisAndFuture,
}

/// RRULE, EXRULE, RDATE, EXDATE.
#[derive(Debug, Default)]
pub struct Recurrence {
    /// RRULEs.
    pub rules: Vec<Rule>,
    /// EXRULEs (RFC 2445; gone from RFC 5545, still written).
    pub except_rules: Vec<Rule>,
    /// RDATEs; a PERIOD brings its own end.
    pub dates: Vec<(Stamp, Option<End>)>,
    /// EXDATEs.
    pub except_dates: Vec<Stamp>,
}

/// How an event's end is told.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// DTEND.
    At(Stamp),
    /// DURATION.
    After(Span),
    /// Not at all: a day for a DATE, no time for a DATE-TIME (section 3.6.1).
    Untold,
}

/// STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// CONFIRMED, or not said.
    Confirmed,
    /// TENTATIVE.
    Tentative,
    /// CANCELLED.
    Cancelled,
}

impl End {
    /// How long an event from `start` lasts: nominal for dates and DURATION, exact for DTEND (section 3.8.5.3). An
    /// end before the start counts as none.
    pub fn span(self, start: Stamp, view: View<'_>) -> Span {
        if start.is_date {
            let days = match self {
                End::At(end) => (end.local.date() - start.local.date()).num_days(),
                // Hours mean nothing to a day: what is begun counts.
                End::After(span) => span.days + (span.seconds + 86_399).div_euclid(86_400),
                End::Untold => 1,
            };
            return Span {
                days: days.max(1),
                seconds: 0,
            };
        }
        match self {
            End::At(end) if end.is_date => {
                value::exact(start.utc(view), view.to_utc(start.zone, end.local))
            }
            End::At(end) => value::exact(start.utc(view), end.utc(view)),
            End::After(span) if span.days >= 0 && span.seconds >= 0 => span,
            End::After(_) | End::Untold => Span::default(),
        }
    }
}

/// An event under construction.
#[derive(Debug, Default)]
pub struct Draft {
    /// What was wrong with single properties.
    pub troubles: Vec<String>,
    uid: String,
    start: Option<Stamp>,
    end: Option<Stamp>,
    duration: Option<Span>,
    title: String,
    location: String,
    description: String,
    status: Option<Status>,
    sequence: i64,
    changed: Option<NaiveDateTime>,
    replaces: Option<Replaces>,
    recurrence: Recurrence,
    start_error: Option<String>,
}

impl Draft {
    /// Whether the property is one that [`Draft::take`] looks at, so that others are never unfolded.
    pub fn wants(name: &[u8]) -> bool {
        const WANTED: [&str; 18] = [
            "UID",
            "DTSTART",
            "DTEND",
            "DURATION",
            "SUMMARY",
            "LOCATION",
            "DESCRIPTION",
            "STATUS",
            "SEQUENCE",
            "RECURRENCE-ID",
            "RRULE",
            "EXRULE",
            "RDATE",
            "EXDATE",
            "DTSTAMP",
            "LAST-MODIFIED",
            "BEGIN",
            "END",
        ];
        name.is_empty()
            || WANTED
                .iter()
                .any(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes()))
    }

    /// Takes in one property. An error is about this property alone: the rest of the event stands.
    pub fn take(&mut self, line: &ContentLine<'_>, zones: &mut ZoneNames) -> Result<(), String> {
        match line.name.to_ascii_uppercase().as_slice() {
            b"UID" => self.uid = value::text(line.value, 1_000),
            b"SUMMARY" => self.title = value::title(line.value),
            b"LOCATION" => self.location = value::location(line.value),
            b"DESCRIPTION" => self.description = value::text(line.value, MAX_DESCRIPTION),
            b"STATUS" => self.status = Some(status(line.value)),
            b"SEQUENCE" => self.sequence = value::text(line.value, 20).parse().unwrap_or(0),
            b"DTSTAMP" | b"LAST-MODIFIED" => {
                if let Some(Written::Utc(time) | Written::Local(time)) = value::stamp(line.value) {
                    self.changed = self.changed.max(Some(time));
                }
            }
            b"DTSTART" => match stamp(line, line.value, zones) {
                Ok(start) => self.start = Some(start),
                Err(error) => self.start_error = Some(error),
            },
            b"DTEND" => self.end = Some(stamp(line, line.value, zones)?),
            b"DURATION" => {
                self.duration =
                    Some(value::duration(line.value).ok_or_else(|| wrong(line, line.value))?);
            }
            b"RECURRENCE-ID" => {
                let reach = match line.param("RANGE") {
                    Some(range) if range.eq_ignore_ascii_case("THISANDFUTURE") => {
                        Reach::ThisAndFuture
                    }
                    _ => Reach::This,
                };
                let instance = stamp(line, line.value, zones)?;
                self.replaces = Some(Replaces { instance, reach });
            }
            b"RRULE" => add_rule(&mut self.recurrence.rules, line)?,
            b"EXRULE" => add_rule(&mut self.recurrence.except_rules, line)?,
            b"RDATE" => {
                let dates = &mut self.recurrence.dates;
                for value in line
                    .value
                    .split(|byte| *byte == b',')
                    .take(MAX_DATES - dates.len())
                {
                    dates.push(period(line, value, zones)?);
                }
            }
            b"EXDATE" => {
                let dates = &mut self.recurrence.except_dates;
                for value in line
                    .value
                    .split(|byte| *byte == b',')
                    .take(MAX_DATES - dates.len())
                {
                    dates.push(stamp(line, value, zones)?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The event, or why it is none.
    pub fn finish(self) -> Result<Event, String> {
        let name = || match self.title.as_str() {
            "" => "an event without a title".to_owned(),
            title => format!("`{title}`"),
        };
        let start = match (self.start, &self.start_error) {
            (Some(start), _) => start,
            (None, Some(error)) => return Err(format!("{} was left out: {error}", name())),
            (None, None) => return Err(format!("{} was left out: it has no DTSTART", name())),
        };
        let end = match (self.end, self.duration) {
            (Some(end), _) => End::At(end),
            (None, Some(duration)) => End::After(duration),
            (None, None) => End::Untold,
        };
        let recurrence = self.recurrence;
        let recurs = !recurrence.rules.is_empty()
            || !recurrence.dates.is_empty()
            || !recurrence.except_dates.is_empty();
        Ok(Event {
            uid: self.uid,
            start,
            end,
            title: self.title,
            location: self.location,
            description: self.description,
            status: self.status.unwrap_or(Status::Confirmed),
            version: (self.sequence, self.changed),
            replaces: self.replaces,
            recurrence: recurs.then(|| Box::new(recurrence)),
        })
    }

    /// What the event is called in messages.
    pub fn title(&self) -> &str {
        if self.title.is_empty() {
            &self.uid
        } else {
            &self.title
        }
    }
}

fn add_rule(rules: &mut Vec<Rule>, line: &ContentLine<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(line.value);
    let rule = Rule::parse(&text).map_err(|error| format!("in its recurrence {error}"))?;
    if rules.len() < MAX_RULES {
        rules.push(rule);
    }
    Ok(())
}

fn stamp(line: &ContentLine<'_>, value: &[u8], zones: &mut ZoneNames) -> Result<Stamp, String> {
    let written = value::stamp(value).ok_or_else(|| wrong(line, value))?;
    let zone = match (written, line.param("TZID")) {
        (Written::Local(_), Some(tzid)) => zones.id(&tzid),
        _ => ZoneId::FLOATING,
    };
    Ok(Stamp::new(written, zone))
}

fn period(
    line: &ContentLine<'_>,
    value: &[u8],
    zones: &mut ZoneNames,
) -> Result<(Stamp, Option<End>), String> {
    let Some(slash) = value.iter().position(|byte| *byte == b'/') else {
        return Ok((stamp(line, value, zones)?, None));
    };
    let (start, end) = (&value[..slash], &value[slash + 1..]);
    let end = match value::duration(end) {
        Some(span) => End::After(span),
        None => End::At(stamp(line, end, zones)?),
    };
    Ok((stamp(line, start, zones)?, Some(end)))
}

fn status(value: &[u8]) -> Status {
    match value.trim_ascii().to_ascii_uppercase().as_slice() {
        b"CANCELLED" | b"CANCELED" => Status::Cancelled,
        b"TENTATIVE" => Status::Tentative,
        _ => Status::Confirmed,
    }
}

fn wrong(line: &ContentLine<'_>, value: &[u8]) -> String {
    let name = String::from_utf8_lossy(line.name).to_ascii_uppercase();
    format!("its {name} `{}` is not understood", value::text(value, 40))
}
