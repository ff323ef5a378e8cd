//! The pieces of a sentence put together: when it begins and ends, what comes again, which days are asked about.

use std::ops::Range;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::Said;
use super::calendar::{later, moment, on_or_after, on_or_after_date};
use super::day::{Day, Shape};
use super::every::{Every, weekdays};
use super::length::Length;
use super::parse::{Piece, What};
use super::repeats::{Repeats, Rule};
use super::time::{Clock, Part, between};
use crate::zone::Tz;

/// The first of each sort of piece, and which words were used.
#[derive(Default)]
struct Slots {
    moment: Option<What>,
    after: Option<Length>,
    length: Option<(Length, Range<usize>)>,
    day: Option<Day>,
    time: Option<Clock>,
    /// More times of what comes again.
    more: Vec<(Clock, Range<usize>)>,
    times: Option<(Clock, Clock)>,
    part: Option<Part>,
    until: Option<(Option<Day>, Option<Clock>)>,
    every: Option<Every>,
    used: Vec<Range<usize>>,
}

/// Puts pieces together, and says which words they were.
pub(super) fn read(pieces: &[Piece], now: DateTime<Tz>) -> (Said, Vec<Range<usize>>) {
    let mut slots = Slots::default();
    for piece in pieces {
        if slots.take(piece) {
            slots.used.push(piece.words.clone());
        }
    }
    let mut said = Said::default();
    // A moment outside the years that are understood is none.
    let _ = slots.fill(&mut said, now);
    let mut used = slots.used;
    if said.start.is_none() && said.end.is_none() {
        used.clear();
    }
    used.sort_by_key(|range| range.start);
    (said, used)
}

fn put<T>(slot: &mut Option<T>, value: T) -> bool {
    let free = slot.is_none();
    if free {
        *slot = Some(value);
    }
    free
}

impl Slots {
    /// Whether the piece says something that no piece before said.
    fn take(&mut self, piece: &Piece) -> bool {
        match &piece.what {
            What::Exact(_) | What::Local(_) => put(&mut self.moment, piece.what.clone()),
            What::After(length) => put(&mut self.after, *length),
            What::Length(length) => {
                // Used only where there is a beginning.
                put(&mut self.length, (*length, piece.words.clone()));
                false
            }
            What::Day(day, part) => {
                let taken = self.day_of(*day);
                if taken && let Some(part) = part {
                    put(&mut self.part, *part);
                }
                taken
            }
            What::Time(clock) => {
                if self.times.is_some() {
                    return false;
                }
                let taken = put(&mut self.time, *clock);
                if !taken {
                    self.more.push((*clock, piece.words.clone()));
                }
                taken
            }
            What::Times(from, to) => self.time.is_none() && put(&mut self.times, (*from, *to)),
            What::Part(part) => put(&mut self.part, *part),
            What::AllDay => self.time.is_none() && self.times.is_none(),
            What::Until(day, clock) => put(&mut self.until, (*day, *clock)),
            What::Every(every) => {
                let mut every = every.clone();
                let taken = match &mut self.every {
                    Some(before) => before.with(&every),
                    None => {
                        if let Some(day) = self.day
                            && every.joined(day)
                        {
                            self.day = None;
                        }
                        self.every = Some(every.clone());
                        true
                    }
                };
                if taken && let Some(part) = every.part {
                    put(&mut self.part, part);
                }
                taken
            }
        }
    }

    fn day_of(&mut self, day: Day) -> bool {
        if self.every.as_mut().is_some_and(|every| every.joined(day)) {
            return true;
        }
        match self.day {
            None => put(&mut self.day, day),
            Some(before) => before.with(day).is_some_and(|both| {
                self.day = Some(both);
                true
            }),
        }
    }

    /// Minutes after midnight, as far as a time is said, and those of the end.
    fn minutes(&self) -> Option<(u32, Option<u32>)> {
        if let Some((from, to)) = self.times {
            let (from, to) = between(from, to, self.part);
            return Some((from, Some(to)));
        }
        let minutes = self.time.map(|time| time.minutes(self.part));
        let minutes = minutes.or_else(|| self.part.map(Part::minutes))?;
        Some((minutes, None))
    }

    fn fill(&mut self, said: &mut Said, now: DateTime<Tz>) -> Option<()> {
        let zone = now.timezone();
        let today = now.date_naive();
        let minutes = self.minutes();
        let mut end = None;
        // "De lunes a viernes a las 9" is each of these days.
        if let (
            None,
            Some(Day {
                shape: Shape::Weekdays(from, to),
                ..
            }),
            Some(_),
        ) = (&self.every, self.day, minutes)
        {
            self.every = Some(Every {
                rule: Rule::Weeks(1, weekdays(from, to)),
                part: None,
            });
            self.day = None;
        }
        if let Some(every) = self.every.take() {
            self.again(every, said, now)?;
        } else if let Some(moment) = self.moment.take() {
            said.start = match moment {
                What::Exact(exact) => {
                    Some(exact.with_timezone(&zone)).filter(|at| (1..=9998).contains(&at.year()))
                }
                What::Local(local) => self::moment(zone, local),
                _ => None,
            };
            end = minutes.and_then(|(_, end)| end);
        } else if let Some(after) = self.after {
            let at = after.after(now)?;
            said.start = Some(at);
            if after.is_days() {
                said.range = Some((at.date_naive(), 1));
                if let Some((minutes, until)) = minutes {
                    said.start = at_minutes(zone, at.date_naive(), minutes);
                    end = until;
                }
            }
        } else if let Some(day) = self.day {
            said.range = Some((day.first, day.count));
            said.whole_days = minutes.is_none();
            said.start = at_minutes(zone, day.first, minutes.map_or(0, |(minutes, _)| minutes));
            end = minutes.and_then(|(_, end)| end);
            if day.count > 1 && said.whole_days {
                said.end = at_minutes(zone, later(day.first, day.count.into())?, 0);
            }
        } else if let Some((minutes, until)) = minutes {
            let coming = at_minutes(zone, today, minutes)?;
            let day = if coming > now {
                today
            } else {
                later(today, 1)?
            };
            said.start = at_minutes(zone, day, minutes);
            end = until;
        }
        if let (Some(start), Some(end), Some((minutes, _))) = (said.start, end, minutes) {
            let day = later(start.naive_local().date(), -i64::from(minutes / 1440))?;
            said.end = at_minutes(zone, day, end);
        }
        self.ends(said, now);
        Some(())
    }

    /// What comes again, and its first time.
    fn again(&mut self, every: Every, said: &mut Said, now: DateTime<Tz>) -> Option<()> {
        let zone = now.timezone();
        let minutes = self.minutes();
        let mut all: Vec<u32> = minutes.iter().map(|(minutes, _)| *minutes).collect();
        for (clock, words) in self.more.drain(..) {
            all.push(clock.minutes(None));
            self.used.push(words);
        }
        let mut at: Vec<NaiveTime> = all
            .iter()
            .filter_map(|minutes| of_minutes(*minutes))
            .collect();
        at.sort_unstable();
        at.dedup();
        let stepped = matches!(every.rule, Rule::Minutes(_) | Rule::Hours(_));
        if stepped {
            at.clear();
        }
        let begins = self.day.map(|day| day.first.and_time(NaiveTime::MIN));
        let mut first = begins.unwrap_or(now.naive_local());
        if stepped && let Some(minutes) = minutes.and_then(|(minutes, _)| of_minutes(minutes)) {
            first = first.date().and_time(minutes);
        }
        let after = moment(zone, first)?.max(now);
        let after = if begins.is_some() && after > now {
            after - TimeDelta::seconds(1)
        } else {
            after
        };
        // Steps are counted from the first day that is named.
        let each = match &every.rule {
            Rule::Weeks(_, days) if !days.is_empty() => Some(Rule::Weeks(1, days.clone())),
            Rule::Months(_, Some(on)) => Some(Rule::Months(1, Some(*on))),
            Rule::Years(_, Some(on)) => Some(Rule::Years(1, Some(*on))),
            _ => None,
        };
        if let Some(each) = each {
            first = Repeats::new(each, at.clone(), first)
                .next(after)?
                .naive_local();
            if !stepped {
                first = first.date().and_time(NaiveTime::MIN);
            }
        }
        let repeats = Repeats::new(every.rule, at, first);
        let start = repeats.next(after)?;
        said.whole_days = repeats.whole_days();
        said.start = Some(start);
        if let Some((from, Some(to))) = minutes
            && !stepped
        {
            said.end = at_minutes(
                zone,
                start.date_naive(),
                to.saturating_sub(from - from % 1440),
            );
        }
        said.repeats = Some(repeats);
        Some(())
    }

    /// Where it ends, by a length or "until".
    fn ends(&mut self, said: &mut Said, now: DateTime<Tz>) {
        if let Some((day, clock)) = self.until {
            let end = until(day, clock, said, now);
            if let (Some(end), Some((first, _)), true) = (end, said.range, clock.is_none())
                && let Ok(days) = u32::try_from((end.date_naive() - first).num_days())
            {
                said.range = Some((first, days.max(1)));
            }
            said.end = end.or(said.end);
            return;
        }
        let Some((length, words)) = self.length.take() else {
            return;
        };
        let Some(start) = said.start.filter(|_| said.end.is_none()) else {
            return;
        };
        if said.whole_days && !length.is_days() {
            return;
        }
        said.end = length.after(start);
        self.used.push(words);
        if let (true, Some((first, _)), Some(last)) = (
            said.whole_days,
            said.range,
            length.day_after(start.date_naive()),
        ) {
            let days = u32::try_from((last - first).num_days()).unwrap_or(1);
            said.range = Some((first, days));
        }
    }
}

fn until(
    day: Option<Day>,
    clock: Option<Clock>,
    said: &Said,
    now: DateTime<Tz>,
) -> Option<DateTime<Tz>> {
    let zone = now.timezone();
    let start = said.start.unwrap_or(now);
    let first = start.date_naive();
    let Some(day) = day else {
        let minutes = clock?.minutes(None);
        let mut tries = [0, 720, 1440]
            .iter()
            .filter(|more| **more != 720 || minutes < 720);
        return tries
            .find_map(|more| at_minutes(zone, first, minutes + more).filter(|end| *end > start));
    };
    // A name that comes before the beginning is the next such day after it.
    let last = match day.shape {
        Shape::Weekday(weekday) if day.first < first => on_or_after(first, weekday)?,
        Shape::Date(month, number) if day.first < first => on_or_after_date(first, month, number)?,
        Shape::Number(number) if day.first < first => {
            super::calendar::on_or_after_number(first, number)?
        }
        _ => later(day.first, i64::from(day.count) - 1)?,
    };
    match clock {
        Some(clock) => at_minutes(zone, last, clock.minutes(None)),
        None => at_minutes(zone, later(last, 1)?, 0),
    }
}

fn of_minutes(minutes: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(minutes / 60 % 24, minutes % 60, 0)
}

/// So many minutes after a day's midnight, as the clocks show it.
fn at_minutes(zone: Tz, day: NaiveDate, minutes: u32) -> Option<DateTime<Tz>> {
    let local: NaiveDateTime =
        later(day, i64::from(minutes / 1440))?.and_time(of_minutes(minutes)?);
    moment(zone, local)
}
