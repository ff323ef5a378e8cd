//! `free`: whether nothing lies at a time, what does, and when the day has room.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use serde_json::{Value, json};

use super::moments::{self, shown, usual_end};
use super::{Calendar, day};
use crate::calendar::{Item, Moment, Range};
use crate::step::{Context, Done, StepError};
use crate::zone::Tz;

/// When a day has room, by the clock: gaps before and after it are nobody's question.
pub(super) const WAKING: (u32, u32) = (8, 22);

/// A shorter one is no room.
const SHORTEST: TimeDelta = TimeDelta::minutes(30);

type Time = DateTime<FixedOffset>;

impl Calendar {
    pub(super) async fn free(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let moves = self.rendered(context, &self.entry)?;
        let (start, end) = match moves.is_empty() {
            true => {
                let start = self.moment(context, &self.start)?;
                let start =
                    start.ok_or_else(|| StepError::new("no time is said: `start` is empty"))?;
                (start, ending(start, self.moment(context, &self.end)?)?)
            }
            false => {
                let (_, item) = self.meant(context).await?;
                self.moved(context, &item)?
            }
        };
        let last = match end {
            Moment::Day(day) => day - TimeDelta::days(1),
            Moment::At(time) => (time - TimeDelta::nanoseconds(1)).date_naive(),
        };
        let first = day(start);
        let days = u32::try_from((last - first).num_days())
            .unwrap_or(0)
            .min(365)
            + 1;
        let range = Range { start: first, days };
        let held = context.desk().items(&self.from, range).await;
        let held = held.map_err(StepError::new)?;
        let (whole, timed): (Vec<Item>, Vec<Item>) =
            held.items.into_iter().partition(|item| item.all_day);
        let zone = context.settings.timezone;
        let span = (instant(start, zone), instant(end, zone));
        let now = context.clock.now().with_timezone(&zone);
        let gaps = gaps(&timed, (first, days), now);
        let busy: Vec<Item> = timed
            .into_iter()
            .filter(|item| touches(item, span) && (moves.is_empty() || item.entry != moves))
            .collect();
        let whole: Vec<String> = whole.into_iter().map(|item| item.title).collect();
        let this_year = chrono::Datelike::year(&now);
        let result = json!({
            "free": busy.is_empty(), "count": busy.len(), "items": busy, "all_day": whole, "gaps": gaps,
            "start": moments::json(start), "end": moments::json(end),
            "shown": shown((start, end), context.settings.language, this_year),
            "whole_days": matches!(start, Moment::Day(_)), "writable": context.desk().written(None).is_ok(), "warnings": held.warnings,
        });
        Ok(Done {
            cursors: held.cursors,
            ..Done::result(result)
        })
    }
}

/// The end that is said, if it is one, else the usual one.
pub(super) fn ending(start: Moment, end: Option<Moment>) -> Result<Moment, StepError> {
    let end = match (start, end) {
        // Days that a message names end at a midnight.
        (Moment::Day(_), Some(Moment::At(midnight))) if midnight.time() == NaiveTime::MIN => {
            Moment::Day(midnight.date_naive())
        }
        (_, None) => usual_end(start),
        (Moment::At(_), Some(Moment::At(_))) | (Moment::Day(_), Some(Moment::Day(_))) => {
            end.unwrap_or(start)
        }
        (Moment::At(_), Some(Moment::Day(_))) | (Moment::Day(_), Some(Moment::At(_))) => {
            let why = "its start and its end are not of one kind: both days, or both times";
            return Err(StepError::new(why));
        }
    };
    let after = match (start, end) {
        (Moment::At(start), Moment::At(end)) => end > start,
        (Moment::Day(start), Moment::Day(end)) => end > start,
        _ => false,
    };
    match after {
        true => Ok(end),
        false => Err(StepError::new("it would end before it begins")),
    }
}

fn instant(moment: Moment, zone: Tz) -> Time {
    match moment {
        Moment::At(time) => time,
        Moment::Day(day) => clock(day, NaiveTime::MIN, zone),
    }
}

/// The clock's time on a day; what the clocks skip comes after it.
pub(super) fn clock(day: NaiveDate, time: NaiveTime, zone: Tz) -> Time {
    let local = day.and_time(time);
    let tries = [0, 30, 60, 120].map(TimeDelta::minutes).into_iter();
    let mut found = tries.filter_map(|later| zone.from_local_datetime(&(local + later)).earliest());
    let found = found.next().map(|time| time.fixed_offset());
    found.unwrap_or_else(|| local.and_utc().fixed_offset())
}

fn touches(item: &Item, (from, to): (Time, Time)) -> bool {
    match (item.start, item.end) {
        (Moment::At(start), Moment::At(end)) => start < to && end > from,
        _ => false,
    }
}

/// When the days have room, as far as that is to come.
fn gaps(timed: &[Item], (first, days): (NaiveDate, u32), now: DateTime<Tz>) -> Vec<Value> {
    let (zone, now) = (now.timezone(), now.fixed_offset());
    let mut gaps = Vec::new();
    for day in first.iter_days().take(days.min(7) as usize) {
        let hour = |hour| {
            clock(
                day,
                NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default(),
                zone,
            )
        };
        let (mut from, until) = (hour(WAKING.0).max(now), hour(WAKING.1));
        for item in timed {
            if let (Moment::At(start), Moment::At(end)) = (item.start, item.end) {
                if start < until && start - from >= SHORTEST {
                    gaps.push(gap(from, start));
                }
                from = from.max(end);
            }
        }
        if until - from >= SHORTEST {
            gaps.push(gap(from, until));
        }
    }
    gaps
}

fn gap(from: Time, to: Time) -> Value {
    let time = |time: Time| time.format("%H:%M").to_string();
    json!({
        "start": moments::json(Moment::At(from)), "end": moments::json(Moment::At(to)),
        "start_time": time(from), "end_time": time(to),
    })
}
