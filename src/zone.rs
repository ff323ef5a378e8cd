//! Time zones: the IANA database as bytes of the program, behind chrono's own seam.
//!
//! Not chrono-tz: its tables hold a pointer for each change of an offset since 1880, 26,000 of them, which the loader has to
//! relocate at each start and which then stay in memory for good (1 MiB, and half a millisecond of each `reveille` command);
//! they end in 2100, and the newest release of it is a year behind the database.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tz::timezone::{LocalTimeType, TimeZoneRef, TransitionRule};

/// An IANA time zone: its place in [`ZONES`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tz(u16);

struct Zone {
    name: &'static str,
    rules: &'static TimeZoneRef<'static>,
}

const COUNT: usize = tzdb_data::TZ_NAMES.len();

/// In the order of their names, whatever the case.
static ZONES: [Zone; COUNT] = {
    let mut zones = [const { zone_at(0) }; COUNT];
    let mut place = 0;
    while place < COUNT {
        zones[place] = zone_at(place);
        place += 1;
    }
    zones
};

const fn zone_at(place: usize) -> Zone {
    let name = tzdb_data::TZ_NAMES[place];
    let rules = tzdb_data::find_tz(name.as_bytes()).expect("a name of its own list");
    Zone { name, rules }
}

impl Tz {
    /// Universal time.
    pub const UTC: Tz = {
        let mut place = 0;
        while !matches!(tzdb_data::TZ_NAMES[place].as_bytes(), b"UTC") {
            place += 1;
        }
        Tz(place as u16)
    };

    /// The zone of an IANA name, written as the database writes it.
    pub fn named(name: &str) -> Option<Tz> {
        let place = ZONES
            .binary_search_by(|zone| without_case(zone.name, name))
            .ok()?;
        (ZONES[place].name == name).then_some(Tz(place as u16))
    }

    /// Every name, in the order of the alphabet.
    pub fn names() -> impl Iterator<Item = &'static str> {
        tzdb_data::TZ_NAMES.iter().copied()
    }

    /// Its IANA name.
    pub fn name(self) -> &'static str {
        self.zone().name
    }

    fn zone(self) -> &'static Zone {
        &ZONES[usize::from(self.0)]
    }

    /// What holds at a moment, in seconds since 1970.
    fn kind(self, unix: i64) -> &'static LocalTimeType {
        let rules = self.zone().rules;
        rules.find_local_time_type(unix).unwrap_or_else(|_| {
            // Past the last change of a zone without a rule for what follows.
            let last = rules.transitions().last();
            &rules.local_time_types()[last.map_or(0, |last| last.local_time_type_index())]
        })
    }

    /// Every kind of time that the zone ever had, some more than once.
    fn kinds(self) -> impl Iterator<Item = &'static LocalTimeType> {
        let rules = self.zone().rules;
        let rule = match rules.extra_rule() {
            None => [None, None],
            Some(TransitionRule::Fixed(kind)) => [Some(kind), None],
            Some(TransitionRule::Alternate(year)) => [Some(year.std()), Some(year.dst())],
        };
        let known = rules.local_time_types().iter();
        known.chain(rule.into_iter().flatten())
    }
}

fn without_case(left: &str, right: &str) -> Ordering {
    let [left, right] =
        [left, right].map(|text| text.bytes().map(|byte| byte.to_ascii_lowercase()));
    left.cmp(right)
}

/// What a zone's clocks are ahead of universal time by, at one moment, and what that time is called.
#[derive(Clone, Copy)]
pub struct TzOffset {
    zone: Tz,
    kind: &'static LocalTimeType,
}

impl Offset for TzOffset {
    fn fix(&self) -> FixedOffset {
        // The database has none of a day or more.
        FixedOffset::east_opt(self.kind.ut_offset())
            .unwrap_or(FixedOffset::east_opt(0).expect("no offset"))
    }
}

impl TimeZone for Tz {
    type Offset = TzOffset;

    fn from_offset(offset: &TzOffset) -> Tz {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<TzOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<TzOffset> {
        let shown = local.and_utc().timestamp();
        // A moment that is shown so is as far from it as one of the zone's offsets.
        let (mut first, mut last): (Option<i64>, Option<i64>) = (None, None);
        for kind in self.kinds() {
            let moment = shown - i64::from(kind.ut_offset());
            if self.kind(moment).ut_offset() == kind.ut_offset() {
                first = Some(first.map_or(moment, |first| first.min(moment)));
                last = last.max(Some(moment));
            }
        }
        let offset = |moment| TzOffset {
            zone: *self,
            kind: self.kind(moment),
        };
        match (first, last) {
            (Some(first), Some(last)) if first != last => {
                MappedLocalTime::Ambiguous(offset(first), offset(last))
            }
            (Some(only), _) => MappedLocalTime::Single(offset(only)),
            (None, _) => MappedLocalTime::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> TzOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> TzOffset {
        TzOffset {
            zone: *self,
            kind: self.kind(utc.and_utc().timestamp()),
        }
    }
}

impl FromStr for Tz {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Tz, UnknownZone> {
        Tz::named(name).ok_or(UnknownZone)
    }
}

impl Serialize for Tz {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Tz {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

/// No zone of the database has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time zone is not known")]
pub struct UnknownZone;

impl fmt::Debug for Tz {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Tz {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl fmt::Debug for TzOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.kind.time_zone_designation())
    }
}

impl fmt::Display for TzOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, TimeDelta, Utc};

    use super::*;

    #[test]
    fn every_name_is_found_and_only_as_it_is_written() {
        for name in Tz::names() {
            assert_eq!(Tz::named(name).map(Tz::name), Some(name));
        }
        assert_eq!("europe/madrid".parse::<Tz>(), Err(UnknownZone));
        assert_eq!("Europe/Atlantis".parse::<Tz>(), Err(UnknownZone));
        assert_eq!(serde_json::to_string(&Tz::UTC).unwrap(), r#""UTC""#);
        assert_eq!(
            serde_json::from_str::<Tz>(r#""Asia\/Tokyo""#)
                .unwrap()
                .name(),
            "Asia/Tokyo"
        );
    }

    /// About each change of some zones that the other crate knows, at moments and at local times: the same offset, the same
    /// gap, the same repetition. Where the database changed its mind between the versions of the two, only before that.
    #[test]
    fn it_agrees_with_chrono_tz() {
        let mut changes = 0;
        for (place, theirs) in chrono_tz::TZ_VARIANTS.iter().enumerate() {
            let name = theirs.name();
            let odd = [
                "Australia/Lord_Howe",
                "Africa/Casablanca",
                "Pacific/Apia",
                "Europe/Dublin",
            ]
            .contains(&name);
            if !odd && place % 5 != 0 {
                continue;
            }
            let ours = Tz::named(name).unwrap_or_else(|| panic!("{name}"));
            let offset = |at: DateTime<Utc>| theirs.offset_from_utc_datetime(&at.naive_utc()).fix();
            let mut day: DateTime<Utc> = "1990-01-01T00:00:00Z".parse().unwrap();
            while day.year() < if CHANGED.contains(&name) { 2022 } else { 2040 } {
                let next = day + TimeDelta::days(1);
                if offset(day) != offset(next) {
                    changes += 1;
                    for quarter in 0..=96 {
                        let at = day + TimeDelta::minutes(15 * quarter);
                        assert_eq!(
                            at.with_timezone(&ours).to_string(),
                            at.with_timezone(theirs).to_string(),
                            "{name}"
                        );
                        let local = at.naive_utc() + offset(day);
                        assert_eq!(
                            ours.from_local_datetime(&local).map(|at| at.to_utc()),
                            theirs.from_local_datetime(&local).map(|at| at.to_utc()),
                            "{name} {local}"
                        );
                    }
                }
                day = next;
            }
        }
        assert!(changes > 2_000, "{changes}");
    }

    const CHANGED: [&str; 3] = ["Europe/Chisinau", "America/Vancouver", "Africa/Casablanca"];

    /// British Columbia moved its clocks for the last time in March 2026.
    #[test]
    fn the_database_is_of_this_year() {
        let at: DateTime<Utc> = "2026-12-01T12:00:00Z".parse().unwrap();
        let vancouver = Tz::named("America/Vancouver").unwrap();
        assert_eq!(
            at.with_timezone(&vancouver)
                .offset()
                .fix()
                .local_minus_utc(),
            -7 * 3600
        );
    }

    #[test]
    fn rules_hold_when_its_tables_have_ended() {
        let madrid = Tz::named("Europe/Madrid").unwrap();
        for (at, ahead) in [
            ("2150-01-01T12:00:00Z", 1),
            ("2150-07-01T12:00:00Z", 2),
            ("0001-01-01T00:00:00Z", 0),
        ] {
            let at: DateTime<Utc> = at.parse().unwrap();
            assert_eq!(
                at.with_timezone(&madrid).offset().fix().local_minus_utc() / 3600,
                ahead,
                "{at}"
            );
        }
        assert_eq!(
            DateTime::<Utc>::MAX_UTC.with_timezone(&madrid).to_utc(),
            DateTime::<Utc>::MAX_UTC
        );
    }
}
