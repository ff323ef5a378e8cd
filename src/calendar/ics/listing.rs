//! From instances to items: what touches a range, as the viewer's clock and calendar show it.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
};

use super::super::item::{Item, Moment};
use super::super::range::Range;
use super::Listing;
use super::event::{End, Event, Status};
use super::recur::{Fuel, TooMuch};
use super::series::{Instance, Series};
use super::value::Span;
use super::zone::{Stamp, View, ZoneId, Zones};
use crate::zone::Tz;

/// What one series and one calendar may cost to work out, in units of [`Fuel`] (a few nanoseconds each).
const FUEL_OF_SERIES: u32 = 500_000;
const FUEL_OF_CALENDAR: u32 = 20_000_000;
/// Most items of one listing.
const MAX_ITEMS: usize = 20_000;
/// Most series whose trouble is told by name.
const MAX_NAMED: usize = 10;

/// The items of `range`, in order.
pub fn list(series: &[Series], zones: &Zones, range: Range, viewer: Tz) -> Listing {
    let view = View { zones, viewer };
    let frame = Frame::new(range, view);
    let mut items = Vec::new();
    let mut troubles = Vec::new();
    let mut fuel = FUEL_OF_CALENDAR;
    for one in series {
        if items.len() >= MAX_ITEMS {
            break;
        }
        if let Some(event) = one.single() {
            items.extend(frame.single(event));
            continue;
        }
        let mut own = Fuel(fuel.min(FUEL_OF_SERIES));
        let allowed = own.0;
        let found = one.instances((range.start, range.end()), view, &mut own);
        fuel -= allowed - own.0;
        match found {
            Ok(found) => items.extend(found.iter().filter_map(|instance| frame.item(instance))),
            Err(why) => troubles.push((one.title(), why)),
        }
    }
    let mut warnings = tell(&troubles);
    if items.len() >= MAX_ITEMS {
        items.truncate(MAX_ITEMS);
        warnings.push(format!(
            "more than {MAX_ITEMS} events in these days: the rest was left out"
        ));
    }
    items.sort_by(Item::order);
    Listing { items, warnings }
}

fn tell(troubles: &[(&str, TooMuch)]) -> Vec<String> {
    let named = troubles.iter().take(MAX_NAMED);
    let mut told: Vec<_> = named
        .map(|(title, why)| format!("`{title}` was left out: {why}"))
        .collect();
    if let Some(rest) = troubles
        .len()
        .checked_sub(MAX_NAMED)
        .filter(|rest| *rest > 0)
    {
        told.push(format!("and {rest} more series like these"));
    }
    told
}

/// A range with its bounds worked out once.
struct Frame<'a> {
    view: View<'a>,
    days: (NaiveDate, NaiveDate),
    utc: (NaiveDateTime, NaiveDateTime),
}

impl<'a> Frame<'a> {
    fn new(range: Range, view: View<'a>) -> Self {
        let midnight = |date: NaiveDate| view.to_utc(ZoneId::FLOATING, date.into());
        Frame {
            view,
            days: (range.start, range.end()),
            utc: (midnight(range.start), midnight(range.end())),
        }
    }

    /// The item of an event that does not recur; most are far away, which their dates alone tell.
    fn single(&self, event: &Event) -> Option<Item> {
        if event.status == Status::Cancelled {
            return None;
        }
        if event.start.local.date() > self.days.1 + TimeDelta::days(2) {
            return None;
        }
        let start = event.start.local.date();
        let end = match event.end {
            End::At(end) => end.local.date().max(start),
            End::After(span) => start + TimeDelta::days(span.at_most_days().max(1)),
            End::Untold => start + TimeDelta::days(1),
        };
        if end + TimeDelta::days(2) < self.days.0 {
            return None;
        }
        self.item(&Instance::of(event, self.view))
    }

    /// The instance as an item, if it touches the range.
    fn item(&self, instance: &Instance<'_>) -> Option<Item> {
        if instance.start.is_date {
            let start = instance.start.local.date();
            let end = start + TimeDelta::days(instance.span.days);
            let touches = start < self.days.1 && end > self.days.0;
            touches.then(|| self.day_item(instance, start, end))
        } else {
            let start = instance.start.utc(self.view);
            let end = end_of(instance, self.view);
            let (from, to) = self.utc;
            let touches = start < to && (end > from || (end == start && start >= from));
            touches.then(|| self.timed_item(instance, start, end))
        }
    }

    fn day_item(&self, instance: &Instance<'_>, start: NaiveDate, end: NaiveDate) -> Item {
        let midnight = self.view.to_utc(ZoneId::FLOATING, start.into());
        let common = Common {
            start: Moment::Day(start),
            end: Moment::Day(end),
            timestamp: midnight.and_utc().timestamp(),
            first_day: start,
            last_day: end - TimeDelta::days(1),
            starts_before: start < self.days.0,
            ends_after: end > self.days.1,
        };
        self.build(instance, common)
    }

    fn timed_item(
        &self,
        instance: &Instance<'_>,
        start: NaiveDateTime,
        end: NaiveDateTime,
    ) -> Item {
        let (from, to) = (self.local(start), self.local(end));
        // An event that ends at midnight does not touch the day that begins then.
        let last = match end > start {
            true => self.local(end - TimeDelta::nanoseconds(1)),
            false => to,
        };
        let common = Common {
            start: Moment::At(from),
            end: Moment::At(to),
            timestamp: start.and_utc().timestamp(),
            first_day: from.date_naive(),
            last_day: last.date_naive().max(from.date_naive()),
            starts_before: start < self.utc.0,
            ends_after: end > self.utc.1,
        };
        self.build(instance, common)
    }

    fn build(&self, instance: &Instance<'_>, common: Common) -> Item {
        let event = instance.event;
        let date = common.first_day.max(self.days.0);
        let number = |days: TimeDelta| u32::try_from(days.num_days()).unwrap_or(0) + 1;
        Item {
            all_day: matches!(common.start, Moment::Day(_)),
            start_time: common.start.time(),
            end_time: common.end.time(),
            start: common.start,
            end: common.end,
            timestamp: common.timestamp,
            date,
            weekday: date.weekday().number_from_monday(),
            day: number(date - common.first_day),
            days: number(common.last_day - common.first_day),
            starts_before: common.starts_before,
            ends_after: common.ends_after,
            title: event.title.clone(),
            location: event.location.clone(),
            description: event.description.clone(),
            status: match event.status {
                Status::Tentative => "tentative".to_owned(),
                Status::Confirmed | Status::Cancelled => "confirmed".to_owned(),
            },
            calendar: String::new(),
            uid: event.uid.clone(),
            entry: String::new(),
            original: instance.original.map(|original| self.view.moment(original)),
            overlaps: Vec::new(),
        }
    }

    fn local(&self, utc: NaiveDateTime) -> DateTime<FixedOffset> {
        self.view.local(utc)
    }
}

impl View<'_> {
    /// A start as the viewer sees it.
    pub fn moment(&self, stamp: Stamp) -> Moment {
        match stamp.is_date {
            true => Moment::Day(stamp.local.date()),
            false => Moment::At(self.local(stamp.utc(*self))),
        }
    }

    fn local(&self, utc: NaiveDateTime) -> DateTime<FixedOffset> {
        let offset = self.viewer.offset_from_utc_datetime(&utc).fix();
        DateTime::from_naive_utc_and_offset(utc, offset)
    }
}

/// What days and times of both kinds of item come down to.
struct Common {
    start: Moment,
    end: Moment,
    timestamp: i64,
    first_day: NaiveDate,
    last_day: NaiveDate,
    starts_before: bool,
    ends_after: bool,
}

/// The end in UTC: days by the calendar, then seconds by the clock.
pub fn end_of(instance: &Instance<'_>, view: View<'_>) -> NaiveDateTime {
    let Span { days, seconds } = instance.span;
    let local = instance.start.local + TimeDelta::days(days);
    view.to_utc(instance.start.zone, local) + TimeDelta::seconds(seconds)
}
