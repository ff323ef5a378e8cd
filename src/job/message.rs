//! A message on its way into the outbox, and when it may go out.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::zone::Tz;

/// A message on its way into the outbox: all that sending takes but the secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// The delivery kind: `console`, `file` ...
    pub kind: String,
    /// What is sent in its order, one after the other: the kind and the place.
    pub lane: String,
    /// Who or where, resolved: what the kind needs to send it.
    pub target: Value,
    /// The text.
    pub body: String,
    /// How it is sent.
    pub policy: Policy,
    /// Not before; `None` is at once.
    pub due_at: Option<DateTime<Utc>>,
    /// Not after; `None` is the usual patience with a place that does not answer.
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewDelivery {
    /// A message that goes out at once, in the order of its place.
    pub fn usual(kind: &str, place: &str, target: Value, body: impl Into<String>) -> Self {
        NewDelivery {
            kind: kind.to_owned(),
            lane: format!("{kind} {place}").trim_end().to_owned(),
            target,
            body: body.into(),
            policy: Policy::default(),
            due_at: None,
            expires_at: None,
        }
    }
}

/// How a message is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Held back in these hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// Gathered with the others of its lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// When it is not known whether it arrived.
    #[serde(skip_serializing_if = "is_usual")]
    pub on_unknown: OnUnknown,
    /// So many of its lane may be under way at once, where their runs have no order either; 0 is 1.
    #[serde(skip_serializing_if = "is_usual")]
    pub width: u32,
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Nothing waits longer than for a digest or by a server's word, a day and the hour of a change of clocks: what is due later than so
/// far ahead was written under a clock that leapt, and is due.
pub const LEAPT: TimeDelta = TimeDelta::hours(26);

impl Policy {
    /// The first moment from `moment` on at which it may be sent.
    pub fn due(&self, moment: DateTime<Utc>) -> DateTime<Utc> {
        let quiet = self.quiet.as_ref();
        quiet
            .and_then(|quiet| quiet.until(moment))
            .unwrap_or(moment)
    }

    /// The first moment for a message that is made now.
    pub fn first_due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.due(self.digest.as_ref().map_or(now, |digest| digest.next(now)))
    }
}

/// What happens when the bytes of a request left and no answer came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// Send again: at least once.
    #[default]
    Retry,
    /// Set it aside for a person: at most once.
    Park,
}

/// A stretch of each day in which nothing is heard; it may cross midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Its first moment.
    pub from: NaiveTime,
    /// The first moment after it.
    pub to: NaiveTime,
    /// Whose times these are.
    pub zone: Tz,
}

impl Quiet {
    /// When the quiet around `moment` ends; `None` when there is none.
    ///
    /// The stretch is one of real time: an hour that is repeated within it, or at its ends, is quiet both times.
    pub fn until(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = moment.with_timezone(&self.zone).date_naive();
        let yesterday = today.checked_sub_days(Days::new(1))?;
        [yesterday, today].into_iter().find_map(|day| {
            let last = if self.from < self.to {
                day
            } else {
                day.checked_add_days(Days::new(1))?
            };
            let (from, _) = instants(self.zone, day, self.from)?;
            let (_, to) = instants(self.zone, last, self.to)?;
            (from <= moment && moment < to).then_some(to)
        })
    }
}

/// A time of the day at which messages go out as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The time.
    pub at: NaiveTime,
    /// Whose time it is.
    pub zone: Tz,
}

impl Digest {
    /// The next such moment after `now`.
    pub fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = now.with_timezone(&self.zone).date_naive();
        let days = (0..3).filter_map(|days| today.checked_add_days(Days::new(days)));
        let mut moments = days.filter_map(|day| Some(instants(self.zone, day, self.at)?.0));
        moments.find(|moment| *moment > now).unwrap_or(now)
    }
}

/// The first and the last moment that a clock on the wall shows this; the end of the gap where it never does.
fn instants(zone: Tz, day: NaiveDate, time: NaiveTime) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let wanted = day.and_time(time);
    // Gaps begin and end with a minute, and the longest that zones have known is a day.
    let minutes = (0..=1441).map(|minutes| wanted + TimeDelta::minutes(minutes));
    let mut found = minutes.map(|local| zone.from_local_datetime(&local));
    let found = found.find(|local| local.earliest().is_some())?;
    Some((found.earliest()?.to_utc(), found.latest()?.to_utc()))
}

/// The texts of several messages as one, each below its time.
pub fn digest(parts: &[(DateTime<Utc>, String)], zone: Tz, now: DateTime<Utc>) -> String {
    let today = now.with_timezone(&zone).date_naive();
    let parts = parts.iter().map(|(at, text)| {
        let at = at.with_timezone(&zone);
        let format = if at.date_naive() == today {
            "%H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        format!("{}\n{}", at.format(format), text.trim_end())
    });
    parts.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn time(text: &str) -> NaiveTime {
        NaiveTime::parse_from_str(text, "%H:%M").unwrap()
    }

    fn quiet(hours: &str, moment: &str, ends: Option<&str>) {
        let (from, to) = hours.split_once('-').unwrap();
        let zone = Tz::named("Europe/Madrid").unwrap();
        let (from, to) = (time(from), time(to));
        let quiet = Quiet { from, to, zone };
        assert_eq!(quiet.until(at(moment)), ends.map(at), "{hours} at {moment}");
    }

    #[test]
    fn quiet_hours_are_those_of_the_zone_and_may_cross_midnight() {
        let night = "22:00-07:00";
        quiet(night, "2026-11-20T20:59:59Z", None);
        quiet(night, "2026-11-20T21:00:00Z", Some("2026-11-21T06:00:00Z"));
        quiet(night, "2026-11-21T05:59:59Z", Some("2026-11-21T06:00:00Z"));
        quiet(night, "2026-11-21T06:00:00Z", None);
        let noon = "13:00-15:00";
        quiet(noon, "2026-11-20T12:30:00Z", Some("2026-11-20T14:00:00Z"));
        quiet(noon, "2026-11-20T14:00:00Z", None);
    }

    #[test]
    fn quiet_hours_last_through_both_changes_of_the_clocks() {
        // Back at 03:00 summer time on 25 October, forward at 02:00 on 29 March.
        let night = "22:00-07:00";
        quiet(night, "2026-10-24T20:00:00Z", Some("2026-10-25T06:00:00Z"));
        quiet(night, "2027-03-27T21:00:00Z", Some("2027-03-28T05:00:00Z"));
        // Its end comes twice: the second counts, and nothing slips out between.
        let short = "22:00-02:30";
        quiet(short, "2026-10-25T00:45:00Z", Some("2026-10-25T01:30:00Z"));
        // Its end never comes: at the end of the gap.
        quiet(short, "2027-03-28T00:59:00Z", Some("2027-03-28T01:00:00Z"));
    }

    #[test]
    fn a_digest_comes_at_its_time_of_the_day() {
        let zone = Tz::named("Europe/Madrid").unwrap();
        let digest = |text| Digest {
            at: time(text),
            zone,
        };
        let next = |text, now| digest(text).next(at(now));
        let eight = at("2026-11-20T07:00:00Z");
        assert_eq!(next("08:00", "2026-11-20T06:59:59Z"), eight);
        assert_eq!(next("08:00", "2026-11-20T07:00:00Z"), eight + Days::new(1));
        let gap = next("02:30", "2027-03-28T00:00:00Z");
        assert_eq!(gap, at("2027-03-28T01:00:00Z"));
    }

    #[test]
    fn a_digest_says_when_each_was_said() {
        let parts = [
            (at("2026-11-19T21:10:00Z"), "one\n".to_owned()),
            (at("2026-11-20T05:30:00Z"), "two".to_owned()),
        ];
        let said = digest(
            &parts,
            Tz::named("Europe/Madrid").unwrap(),
            at("2026-11-20T07:00:00Z"),
        );
        assert_eq!(said, "2026-11-19 22:10\none\n\n06:30\ntwo");
    }

    #[test]
    fn the_usual_policy_is_nothing() {
        let usual = serde_json::to_string(&Policy::default()).unwrap();
        assert_eq!(usual, "{}");
        assert_eq!(
            serde_json::from_str::<Policy>("{}").unwrap(),
            Policy::default()
        );
    }
}
