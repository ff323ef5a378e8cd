//! A series and its changed instances (RFC 5545, sections 3.8.4.4 and 3.8.5), worked out for a window.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::event::{Event, Reach, Recurrence, Replaces, Status};
use super::recur::{self, Fuel, TooMuch, Window};
use super::rule::{Ends, Rule};
use super::value::{Span, Written};
use super::zone::{Stamp, View, ZoneId};

/// All events of one UID.
#[derive(Debug)]
pub struct Series {
    /// The event itself; missing where a calendar holds only changed instances, as an invitation to one of them does.
    pub(super) master: Option<Event>,
    pub(super) changes: Vec<Event>,
}

/// One event at one time.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// Where its texts come from.
    pub event: &'a Event,
    /// Its start.
    pub start: Stamp,
    /// How long it lasts.
    pub span: Span,
    /// The start that its series gives it; none where it is no occasion of one.
    pub original: Option<Stamp>,
}

/// Brings events of one UID together. Of two versions the newer stands (SEQUENCE, then the time of the last change).
pub fn group(events: Vec<Event>, warnings: &mut Vec<String>) -> Vec<Series> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(events.len());
    let mut list: Vec<Series> = Vec::with_capacity(events.len());
    let mut older = 0;
    for event in events {
        let next = list.len();
        let place = match event.uid.as_str() {
            "" => next,
            uid => *places.entry(uid.to_owned()).or_insert(next),
        };
        if place == next {
            list.push(Series {
                master: None,
                changes: Vec::new(),
            });
        }
        let series = &mut list[place];
        if event.replaces.is_some() {
            series.changes.push(event);
            continue;
        }
        match &mut series.master {
            Some(master) => {
                older += 1;
                if event.version >= master.version {
                    *master = event;
                }
            }
            None => series.master = Some(event),
        }
    }
    if older > 0 {
        warnings.push(format!(
            "events with another's UID, taken for its older versions: {older}"
        ));
    }
    list
}

impl Series {
    /// What it is called in messages.
    pub fn title(&self) -> &str {
        let event = self.master.as_ref().or(self.changes.first());
        event.map_or("", |event| &event.title)
    }

    /// What its events share; may be empty.
    pub fn uid(&self) -> &str {
        let event = self.master.as_ref().or(self.changes.first());
        event.map_or("", |event| &event.uid)
    }

    /// Whether it is one event at one time.
    pub fn single(&self) -> Option<&Event> {
        let master = self.master.as_ref()?;
        (self.changes.is_empty() && master.recurrence.is_none()).then_some(master)
    }

    /// Every instance that may touch the days from `from` to before `to`, and some more; cancelled ones are left out.
    pub fn instances<'a>(
        &'a self,
        (from, to): (NaiveDate, NaiveDate),
        view: View<'_>,
        fuel: &mut Fuel,
    ) -> Result<Vec<Instance<'a>>, TooMuch> {
        let zone = self.master.as_ref().map(|master| master.start);
        let changes = Changes::new(&self.changes, zone, view);
        let mut found = changes.instances(view);
        let Some(master) = &self.master else {
            return Ok(found);
        };
        let span = master.end.span(master.start, view);
        let longest = changes.longest(span, view).max(master.longest_date(view));
        let reach = |days: i64| TimeDelta::days(days + 2);
        let window = Window {
            from: before(from.into(), reach(longest + changes.shift_days())),
            to: after(to.into(), reach(changes.shift_days())),
        };
        for (local, own_span) in originals(master, window, view, fuel)? {
            let original = Stamp {
                local,
                ..master.start
            };
            if changes.has(original, view) {
                continue;
            }
            let (event, start, span) = match changes.in_force(local) {
                Some((since, change)) => {
                    let Some(local) = change.start.local.checked_add_signed(local - since) else {
                        continue;
                    };
                    let start = Stamp {
                        local,
                        ..change.start
                    };
                    (change, start, change.end.span(change.start, view))
                }
                None => (master, original, own_span.unwrap_or(span)),
            };
            if event.status != Status::Cancelled {
                let original = master.recurrence.is_some().then_some(original);
                found.push(Instance {
                    event,
                    start,
                    span,
                    original,
                });
            }
        }
        Ok(found)
    }
}

/// The starts of a master's recurrence set within `window` (an RDATE's period brings its own span).
fn originals(
    master: &Event,
    window: Window,
    view: View<'_>,
    fuel: &mut Fuel,
) -> Result<BTreeMap<NaiveDateTime, Option<Span>>, TooMuch> {
    let start = master.start;
    let mut set = BTreeMap::new();
    if window.from <= start.local && start.local < window.to {
        set.insert(start.local, None);
    }
    let Some(recurrence) = &master.recurrence else {
        return Ok(set);
    };
    for rule in &recurrence.rules {
        for local in expand(rule, start, window, view, fuel)? {
            set.insert(local, None);
        }
    }
    for (date, end) in &recurrence.dates {
        let local = original_start(*date, start, view);
        if window.from <= local && local < window.to {
            let at = Stamp { local, ..start };
            set.insert(local, end.map(|end| end.span(at, view)));
        }
    }
    if !set.is_empty() {
        remove_exceptions(&mut set, recurrence, start, window, view, fuel)?;
    }
    Ok(set)
}

fn remove_exceptions(
    set: &mut BTreeMap<NaiveDateTime, Option<Span>>,
    recurrence: &Recurrence,
    start: Stamp,
    window: Window,
    view: View<'_>,
    fuel: &mut Fuel,
) -> Result<(), TooMuch> {
    for rule in &recurrence.except_rules {
        for local in expand(rule, start, window, view, fuel)? {
            set.remove(&local);
        }
    }
    let mut gone = BTreeSet::new();
    let margin = TimeDelta::days(2);
    let near = before(window.from, margin)..after(window.to, margin);
    for date in recurrence
        .except_dates
        .iter()
        .filter(|date| near.contains(&date.local))
    {
        gone.insert(Key::of(*date, start, view));
    }
    set.retain(|local, _| {
        let original = Stamp {
            local: *local,
            ..start
        };
        !original_keys(original, view)
            .iter()
            .any(|key| gone.contains(key))
    });
    Ok(())
}

/// Where an RDATE or RECURRENCE-ID stands on the series' own wall clock; a mere date means the usual time of day.
fn original_start(date: Stamp, start: Stamp, view: View<'_>) -> NaiveDateTime {
    match (start.is_date, date.is_date) {
        (true, _) => date.day(view).into(),
        (false, true) => date.local.date().and_time(start.local.time()),
        (false, false) => date.or_in(start.zone).local_in(start.zone, view),
    }
}

/// A rule's occurrences, UNTIL heeded.
fn expand(
    rule: &Rule,
    start: Stamp,
    window: Window,
    view: View<'_>,
    fuel: &mut Fuel,
) -> Result<Vec<NaiveDateTime>, TooMuch> {
    let last_day = match rule.ends {
        Ends::Until(Written::Date(date)) => date,
        Ends::Until(Written::Local(time) | Written::Utc(time)) => time.date(),
        Ends::Never | Ends::After(_) => NaiveDate::MAX,
    };
    if window.from.date()
        > last_day
            .checked_add_days(chrono::Days::new(2))
            .unwrap_or(NaiveDate::MAX)
    {
        return Ok(Vec::new());
    }
    let mut list = recur::occurrences(rule, start.local, window, fuel)?;
    list.retain(|local| match rule.ends {
        Ends::Never | Ends::After(_) => true,
        // A date holds for its whole day, also where the RFC wanted a time (it is written so all the same).
        Ends::Until(Written::Date(date)) => local.date() <= date,
        Ends::Until(Written::Local(time)) if start.is_date => local.date() <= time.date(),
        Ends::Until(Written::Local(time)) => *local <= time,
        Ends::Until(until @ Written::Utc(_)) if start.is_date => {
            local.date() <= Stamp::new(until, ZoneId::UTC).day(view)
        }
        Ends::Until(Written::Utc(time)) => view.to_utc(start.zone, *local) <= time,
    });
    Ok(list)
}

/// What tells an instance from its fellows: its original start, or the day where only that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Day(NaiveDate),
    Utc(NaiveDateTime),
}

impl Key {
    /// The key that an EXDATE or RECURRENCE-ID of a series names.
    fn of(date: Stamp, start: Stamp, view: View<'_>) -> Self {
        if start.is_date || date.is_date {
            Key::Day(date.day(view))
        } else {
            Key::Utc(date.or_in(start.zone).utc(view))
        }
    }
}

/// The keys that an instance answers to.
fn original_keys(original: Stamp, view: View<'_>) -> [Key; 2] {
    [
        Key::Day(original.local.date()),
        Key::Utc(original.utc(view)),
    ]
}

/// The changed instances of a series.
struct Changes<'a> {
    newest: BTreeMap<Key, &'a Event>,
    /// Changes to this and future instances, by the local time, in the master's zone, that they begin with.
    lasting: BTreeMap<NaiveDateTime, &'a Event>,
}

impl<'a> Changes<'a> {
    fn new(events: &'a [Event], master: Option<Stamp>, view: View<'_>) -> Self {
        let mut changes = Changes {
            newest: BTreeMap::new(),
            lasting: BTreeMap::new(),
        };
        for event in events {
            let Some(Replaces { instance, .. }) = event.replaces else {
                continue;
            };
            let key = Key::of(instance, master.unwrap_or(instance), view);
            let newest = changes.newest.entry(key).or_insert(event);
            if event.version >= newest.version {
                *newest = event;
            }
        }
        for event in changes.newest.values() {
            if let (Some(start), Some(Replaces { instance, reach })) = (master, event.replaces)
                && reach == Reach::ThisAndFuture
            {
                changes
                    .lasting
                    .insert(original_start(instance, start, view), event);
            }
        }
        changes
    }

    fn has(&self, original: Stamp, view: View<'_>) -> bool {
        !self.newest.is_empty()
            && original_keys(original, view)
                .iter()
                .any(|key| self.newest.contains_key(key))
    }

    fn in_force(&self, local: NaiveDateTime) -> Option<(NaiveDateTime, &'a Event)> {
        let (since, event) = self.lasting.range(..=local).next_back()?;
        Some((*since, *event))
    }

    fn instances(&self, view: View<'_>) -> Vec<Instance<'a>> {
        let shown = self
            .newest
            .values()
            .filter(|event| event.status != Status::Cancelled);
        shown.map(|event| Instance::of(event, view)).collect()
    }

    /// How many days before a window an instance may begin and still reach it.
    fn longest(&self, own: Span, view: View<'_>) -> i64 {
        let spans = self
            .lasting
            .values()
            .map(|event| event.end.span(event.start, view));
        spans
            .chain([own])
            .map(Span::at_most_days)
            .max()
            .unwrap_or(0)
    }

    /// How many days a lasting change moves instances by, at most.
    fn shift_days(&self) -> i64 {
        let shift = |(since, event): (&NaiveDateTime, &&Event)| {
            (event.start.local - *since).num_days().abs() + 1
        };
        self.lasting.iter().map(shift).max().unwrap_or(0)
    }
}

impl Event {
    /// The longest of its RDATEs' own periods, in days.
    pub(super) fn longest_date(&self, view: View<'_>) -> i64 {
        let dates = self
            .recurrence
            .iter()
            .flat_map(|recurrence| &recurrence.dates);
        let spans =
            dates.filter_map(|(start, end)| Some(end.as_ref()?.span(*start, view).at_most_days()));
        spans.max().unwrap_or(0)
    }
}

impl<'a> Instance<'a> {
    /// The event at its own time.
    pub fn of(event: &'a Event, view: View<'_>) -> Self {
        Instance {
            event,
            start: event.start,
            span: event.end.span(event.start, view),
            original: event.replaces.map(|replaces| replaces.instance),
        }
    }
}

pub(super) fn before(time: NaiveDateTime, span: TimeDelta) -> NaiveDateTime {
    time.checked_sub_signed(span).unwrap_or(NaiveDateTime::MIN)
}

pub(super) fn after(time: NaiveDateTime, span: TimeDelta) -> NaiveDateTime {
    time.checked_add_signed(span).unwrap_or(NaiveDateTime::MAX)
}
