//! Days of the calendar and what a zone's clocks show.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
    Weekday,
};

use crate::zone::Tz;

/// Years that are understood: far enough from the ends of what chrono holds.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9998;

/// The moment at which a zone's clocks show this, the first where they do twice; what they skip is as much later as they skip.
pub(super) fn moment(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Tz>> {
    if !YEARS.contains(&local.year()) {
        return None;
    }
    let shown = zone.from_local_datetime(&local).earliest();
    shown.or_else(|| {
        let before = zone.offset_from_utc_datetime(&(local - TimeDelta::days(1)));
        Some(zone.from_utc_datetime(&(local - before.fix())))
    })
}

/// As [`moment`], but what the clocks skip is the first moment after the gap.
pub(super) fn moment_after_gap(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Tz>> {
    let at = moment(zone, local)?;
    if at.naive_local() == local {
        return Some(at);
    }
    // The change lies where the offset becomes that of `at`.
    let offset = |unix: i64| {
        let at = DateTime::from_timestamp(unix, 0).map(|at| at.naive_utc())?;
        Some(zone.offset_from_utc_datetime(&at).fix())
    };
    let (mut before, mut after) = (at.timestamp() - 86_400, at.timestamp());
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        match offset(middle)? == at.offset().fix() {
            true => after = middle,
            false => before = middle,
        }
    }
    zone.timestamp_opt(after, 0).single()
}

/// A day, so many days on; `None` outside the years that are understood.
pub(super) fn later(day: NaiveDate, days: i64) -> Option<NaiveDate> {
    let moved = match u64::try_from(days) {
        Ok(days) => day.checked_add_days(Days::new(days)),
        Err(_) => day.checked_sub_days(Days::new(days.unsigned_abs())),
    };
    moved.filter(|day| YEARS.contains(&day.year()))
}

/// The same day so many months on, or the last one of that month.
pub(super) fn later_months(day: NaiveDate, months: i32) -> Option<NaiveDate> {
    let by = Months::new(months.unsigned_abs());
    let moved = if months < 0 {
        day.checked_sub_months(by)
    } else {
        day.checked_add_months(by)
    };
    moved.filter(|day| YEARS.contains(&day.year()))
}

/// The first day of a month, so many months on.
pub(super) fn first_of_month(day: NaiveDate, months: i32) -> Option<NaiveDate> {
    later_months(day.with_day(1)?, months)
}

/// How many days the month of a day has.
pub(super) fn days_of_month(day: NaiveDate) -> Option<u32> {
    let first = day.with_day(1)?;
    let next = first.checked_add_months(Months::new(1))?;
    u32::try_from((next - first).num_days()).ok()
}

/// Monday of a day's week.
pub(super) fn monday(day: NaiveDate) -> Option<NaiveDate> {
    later(day, -i64::from(day.weekday().num_days_from_monday()))
}

/// The first such weekday on or after a day.
pub(super) fn on_or_after(day: NaiveDate, weekday: Weekday) -> Option<NaiveDate> {
    let days = (7 + weekday.num_days_from_monday() - day.weekday().num_days_from_monday()) % 7;
    later(day, days.into())
}

/// The nth such weekday of a day's month; -1 is the last.
pub(super) fn nth_of_month(day: NaiveDate, nth: i8, weekday: Weekday) -> Option<NaiveDate> {
    let first = day.with_day(1)?;
    if nth > 0 {
        let found = later(on_or_after(first, weekday)?, 7 * (i64::from(nth) - 1))?;
        return (found.month() == first.month()).then_some(found);
    }
    let end = first_of_month(day, 1)?;
    on_or_after(later(end, -7)?, weekday)
}

/// The first day of this month and number on or after a day; leap days wait for a leap year.
pub(super) fn on_or_after_date(day: NaiveDate, month: u32, number: u32) -> Option<NaiveDate> {
    let years = (day.year()..=day.year() + 8).filter(|year| YEARS.contains(year));
    years
        .filter_map(|year| NaiveDate::from_ymd_opt(year, month, number))
        .find(|found| *found >= day)
}

/// The first day of this number on or after a day; a month without it is passed over.
pub(super) fn on_or_after_number(day: NaiveDate, number: u32) -> Option<NaiveDate> {
    (0..4)
        .filter_map(|months| first_of_month(day, months)?.with_day(number))
        .find(|found| *found >= day)
}
