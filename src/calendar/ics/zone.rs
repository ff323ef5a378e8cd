//! Time zones as calendars name them, and the way between wall-clock time and UTC.

use std::collections::HashMap;

use chrono::{MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};

use super::value::Written;
use super::vtimezone::{Definition, Transitions};
use super::windows;
use crate::zone::Tz;

/// Most zones that one calendar may name; real ones name a handful.
const MAX_ZONES: usize = 500;

/// A zone of one calendar: its place in [`Zones`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneId(u16);

impl ZoneId {
    /// The viewer's own zone, whatever it is (RFC 5545, section 3.3.5, form 1).
    pub const FLOATING: ZoneId = ZoneId(0);
    /// UTC.
    pub const UTC: ZoneId = ZoneId(1);
}

/// The TZIDs met while a calendar is read; a VTIMEZONE may follow its first use.
#[derive(Debug, Default)]
pub struct ZoneNames {
    names: Vec<String>,
    ids: HashMap<String, ZoneId>,
    /// The VTIMEZONEs, each with its TZID.
    pub definitions: HashMap<String, Definition>,
}

impl ZoneNames {
    /// The zone that `tzid` will resolve to.
    pub fn id(&mut self, tzid: &str) -> ZoneId {
        if let Some(id) = self.ids.get(tzid) {
            return *id;
        }
        match u16::try_from(self.names.len() + 2) {
            Ok(id) if self.names.len() < MAX_ZONES => {
                self.names.push(tzid.to_owned());
                self.ids.insert(tzid.to_owned(), ZoneId(id));
                ZoneId(id)
            }
            _ => ZoneId::FLOATING,
        }
    }

    /// Finds what each name means: the IANA zone of that name or that the name ends in, else the calendar's own
    /// VTIMEZONE, else the Windows zone of that name, else floating, with a warning.
    pub fn resolve(&self, warnings: &mut Vec<String>) -> Zones {
        let mut zones = vec![Zone::Floating, Zone::Iana(Tz::UTC)];
        for name in &self.names {
            let zone = iana(name)
                .or_else(|| Some(Zone::Own(self.definitions.get(name)?.transitions()?)))
                .or_else(|| Some(Zone::Iana(windows::zone(name)?)));
            if zone.is_none() {
                let name: String = name
                    .chars()
                    .filter(|char| !char.is_control())
                    .take(80)
                    .collect();
                warnings.push(format!(
                    "time zone `{name}` is not known: its times are taken as local"
                ));
            }
            zones.push(zone.unwrap_or(Zone::Floating));
        }
        Zones(zones)
    }
}

/// The zones of one calendar, resolved.
#[derive(Debug)]
pub struct Zones(Vec<Zone>);

#[derive(Debug)]
enum Zone {
    Floating,
    Iana(Tz),
    Own(Transitions),
}

/// Zones seen by somebody whose own zone is `viewer`; UTC is kept as naive time here.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The calendar's zones.
    pub zones: &'a Zones,
    /// What floating times mean.
    pub viewer: Tz,
}

impl View<'_> {
    /// Wall-clock time to UTC. A time in a gap takes the offset before the gap, a time that comes twice is the first
    /// (RFC 5545, section 3.3.5).
    pub fn to_utc(self, zone: ZoneId, local: NaiveDateTime) -> NaiveDateTime {
        match &self.zones.0[usize::from(zone.0)] {
            Zone::Floating => to_utc(self.viewer, local),
            Zone::Iana(tz) => to_utc(*tz, local),
            Zone::Own(transitions) => transitions.to_utc(local),
        }
    }

    /// UTC to wall-clock time.
    pub fn to_local(self, zone: ZoneId, utc: NaiveDateTime) -> NaiveDateTime {
        match &self.zones.0[usize::from(zone.0)] {
            Zone::Floating => self.viewer.from_utc_datetime(&utc).naive_local(),
            Zone::Iana(tz) => tz.from_utc_datetime(&utc).naive_local(),
            Zone::Own(transitions) => transitions.to_local(utc),
        }
    }
}

/// A DATE-TIME or DATE together with its zone; a DATE is its midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Wall-clock time in `zone`.
    pub local: NaiveDateTime,
    /// Always floating for a DATE: a day is the same day everywhere.
    pub zone: ZoneId,
    /// Whether it is a DATE.
    pub is_date: bool,
}

impl Stamp {
    /// What was written, in the zone that its TZID named.
    pub fn new(written: Written, tzid: ZoneId) -> Self {
        let (local, zone, is_date) = match written {
            Written::Date(date) => (date.into(), ZoneId::FLOATING, true),
            Written::Local(local) => (local, tzid, false),
            Written::Utc(utc) => (utc, ZoneId::UTC, false),
        };
        Stamp {
            local,
            zone,
            is_date,
        }
    }

    /// Its instant in UTC; for a DATE the viewer's midnight.
    pub fn utc(&self, view: View<'_>) -> NaiveDateTime {
        view.to_utc(self.zone, self.local)
    }

    /// The same, read in a series' zone where it names none: EXDATE and RECURRENCE-ID often leave it out.
    pub fn or_in(self, zone: ZoneId) -> Self {
        match self.zone {
            ZoneId::FLOATING if !self.is_date => Stamp { zone, ..self },
            _ => self,
        }
    }

    /// The day it means for an all-day series. Midnight and the last second of a day in UTC are dates in
    /// disguise; any other time in UTC is the viewer's.
    pub fn day(&self, view: View<'_>) -> NaiveDate {
        let disguised = self.local.num_seconds_from_midnight() == 0 || self.local.second() == 59;
        if self.zone == ZoneId::UTC && !disguised {
            view.to_local(ZoneId::FLOATING, self.local).date()
        } else {
            self.local.date()
        }
    }

    /// Its wall-clock time in another zone; a DATE stays that day's midnight.
    pub fn local_in(&self, zone: ZoneId, view: View<'_>) -> NaiveDateTime {
        if self.is_date || self.zone == zone {
            self.local
        } else {
            view.to_local(zone, self.utc(view))
        }
    }
}

fn to_utc(tz: Tz, local: NaiveDateTime) -> NaiveDateTime {
    let offset = match tz.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
        // 26 hours back is before any gap: the longest (a day left out at the date line) lasts 24.
        MappedLocalTime::None => tz.offset_from_utc_datetime(&(local - TimeDelta::hours(26))),
    };
    local - offset.fix()
}

/// An IANA name, or one with a vendor's prefix: `/freeassociation.sourceforge.net/Europe/Madrid`.
fn iana(tzid: &str) -> Option<Zone> {
    let tzid = tzid.trim();
    if let Ok(tz) = tzid.parse() {
        return Some(Zone::Iana(tz));
    }
    let mut rest = tzid;
    while let Some((_, after)) = rest.split_once('/') {
        rest = after;
        if rest.contains('/')
            && let Ok(tz) = rest.parse()
        {
            return Some(Zone::Iana(tz));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tzid: &str, local: &str, utc: &str) {
        let mut names = ZoneNames::default();
        let id = names.id(tzid);
        let zones = names.resolve(&mut Vec::new());
        let view = View {
            zones: &zones,
            viewer: Tz::named("Asia/Tokyo").unwrap(),
        };
        let found = view.to_utc(id, local.parse().expect("a time"));
        assert_eq!(found, utc.parse().expect("a time"), "{local} {tzid}");
    }

    #[test]
    fn gaps_take_the_offset_before_and_doubles_are_the_first() {
        check(
            "Europe/Madrid",
            "2026-03-29T02:30:00",
            "2026-03-29T01:30:00",
        );
        check(
            "Europe/Madrid",
            "2026-10-25T02:30:00",
            "2026-10-25T00:30:00",
        );
        check(
            "America/New_York",
            "2026-03-08T02:30:00",
            "2026-03-08T07:30:00",
        );
        check(
            "America/New_York",
            "2026-11-01T01:30:00",
            "2026-11-01T05:30:00",
        );
        check(
            "Australia/Lord_Howe",
            "2026-10-04T02:15:00",
            "2026-10-03T15:45:00",
        );
        check(
            "Australia/Lord_Howe",
            "2026-04-05T01:45:00",
            "2026-04-04T14:45:00",
        );
        check("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00");
    }

    #[test]
    fn names_are_found() {
        check(
            "/freeassociation.sourceforge.net/Tzfile/Europe/Madrid",
            "2026-07-01T12:00:00",
            "2026-07-01T10:00:00",
        );
        check(
            "/x/America/Argentina/Buenos_Aires",
            "2026-07-01T12:00:00",
            "2026-07-01T15:00:00",
        );
        check(
            "Romance Standard Time",
            "2026-07-01T12:00:00",
            "2026-07-01T10:00:00",
        );
        check("Nowhere", "2026-07-01T12:00:00", "2026-07-01T03:00:00");
        check("x/EST", "2026-07-01T12:00:00", "2026-07-01T03:00:00");
    }

    #[test]
    fn an_unknown_zone_is_said_and_too_many_are_floating() {
        let mut names = ZoneNames::default();
        for number in 0..=MAX_ZONES {
            names.id(&format!("Nowhere/{number}"));
        }
        assert_eq!(names.id("One/More"), ZoneId::FLOATING);
        let mut warnings = Vec::new();
        names.resolve(&mut warnings);
        assert_eq!(
            warnings[0],
            "time zone `Nowhere/0` is not known: its times are taken as local"
        );
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
        assert!(Stamp::new(Written::Date(day), ZoneId::UTC).is_date);
    }
}
