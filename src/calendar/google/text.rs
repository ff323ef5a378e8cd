//! From Google's JSON to iCalendar: one VCALENDAR for each thing that has an id there.

use chrono::{DateTime, MappedLocalTime, TimeZone, Utc};
use google_calendar3::api::{Event, EventDateTime};

use crate::calendar::remote::Resource;
use crate::calendar::write::Lines;
use crate::zone::Tz;

/// What is asked of an event.
pub(super) const FIELDS: &str = "id,etag,status,iCalUID,summary,location,description,start,end,recurrence,recurringEventId,\
     originalStartTime,transparency,eventType,attendees(self,responseStatus)";

/// Longest description, in characters.
pub(super) const MAX_DESCRIPTION: usize = 2_000;

/// Its UID, where Google tells it: not always of a cancelled instance.
pub(super) fn uid(event: &Event) -> Option<&str> {
    let uid = event.i_cal_uid.as_deref();
    uid.filter(|uid| !uid.is_empty())
}

/// What an event is to us; none where it is gone, or is none of ours: declined, or where somebody works.
///
/// An instance that is left out is a cancelled one: its series would else show it where its rule has it.
pub(super) fn resource(event: &Event, uid: &str) -> Option<Resource> {
    let shown = !is_cancelled(event) && !is_left_out(event);
    let original = event.original_start_time.as_ref();
    let original = original.filter(|_| event.recurring_event_id.is_some());
    let start = event.start.as_ref().filter(|_| shown).or(original)?;
    if !shown && original.is_none() {
        return None;
    }
    let is_series = event.recurrence.is_some();
    let mut lines = Lines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("VERSION", "2.0");
    lines.add("PRODID", "-//Reveille//EN");
    lines.add("BEGIN", "VEVENT");
    lines.text("UID", uid);
    if let Some(original) = original {
        time(&mut lines, "RECURRENCE-ID", original, false)?;
    }
    time(&mut lines, "DTSTART", start, is_series)?;
    if shown {
        if let Some(end) = &event.end {
            time(&mut lines, "DTEND", end, is_series)?;
        }
        for line in event.recurrence.iter().flatten() {
            rule(&mut lines, line);
        }
        lines.text("SUMMARY", event.summary.as_deref().unwrap_or_default());
        lines.text("LOCATION", event.location.as_deref().unwrap_or_default());
        lines.text("DESCRIPTION", &cut(event.description.as_deref()));
    }
    let status = match event.status.as_deref() {
        _ if !shown => "CANCELLED",
        Some("tentative") => "TENTATIVE",
        _ => "CONFIRMED",
    };
    lines.add("STATUS", status);
    if event.transparency.as_deref() == Some("transparent") {
        lines.add("TRANSP", "TRANSPARENT");
    }
    lines.add("END", "VEVENT");
    lines.add("END", "VCALENDAR");
    Some(Resource {
        etag: event.etag.clone().unwrap_or_default(),
        ics: lines.0,
    })
}

/// A description as it is kept.
pub(super) fn cut(description: Option<&str>) -> String {
    let description = description.unwrap_or_default();
    description.chars().take(MAX_DESCRIPTION).collect()
}

pub(super) fn is_cancelled(event: &Event) -> bool {
    event.status.as_deref() == Some("cancelled")
}

fn is_left_out(event: &Event) -> bool {
    let mut attendees = event.attendees.iter().flatten();
    let declined = attendees.any(|attendee| {
        attendee.self_ == Some(true) && attendee.response_status.as_deref() == Some("declined")
    });
    declined || event.event_type.as_deref() == Some("workingLocation")
}

/// A day, or a time by the clock of its own zone; in UTC where that would be no certain moment. A series needs the zone: its rule
/// goes by that clock.
fn time(lines: &mut Lines, name: &str, time: &EventDateTime, is_series: bool) -> Option<()> {
    if let Some(day) = time.date {
        lines.add(
            &format!("{name};VALUE=DATE"),
            &day.format("%Y%m%d").to_string(),
        );
        return Some(());
    }
    let at = time.date_time?;
    let zone = time.time_zone.as_deref().and_then(Tz::named);
    let zone = zone.filter(|zone| *zone != Tz::UTC && (is_series || is_certain(*zone, at)));
    match zone {
        Some(zone) => lines.add(
            &format!("{name};TZID={}", zone.name()),
            &at.with_timezone(&zone).format("%Y%m%dT%H%M%S").to_string(),
        ),
        None => lines.add(name, &at.format("%Y%m%dT%H%M%SZ").to_string()),
    }
    Some(())
}

/// Whether the clock of `zone` shows this moment's time once.
fn is_certain(zone: Tz, at: DateTime<Utc>) -> bool {
    let local = at.with_timezone(&zone).naive_local();
    matches!(zone.from_local_datetime(&local), MappedLocalTime::Single(_))
}

/// A line of a series as Google gives it, unless it is something else than one line of its four kinds.
fn rule(lines: &mut Lines, line: &str) {
    let Some((name, value)) = line.split_once(':') else {
        return;
    };
    let kind = name.split(';').next().unwrap_or_default();
    let known = ["RRULE", "EXRULE", "RDATE", "EXDATE"];
    if known.contains(&kind) && !line.chars().any(char::is_control) {
        lines.add(name, value);
    }
}
