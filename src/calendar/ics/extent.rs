//! From when to when there is anything of a series.

use chrono::{NaiveDateTime, TimeDelta};

use super::event::Recurrence;
use super::rule::Ends;
use super::series::{Series, after, before};
use super::value::Written;
use super::zone::{Stamp, View};

impl Series {
    /// When it begins, and when nothing of it comes any more; none where it goes on.
    pub fn extent(&self, view: View<'_>) -> (NaiveDateTime, Option<NaiveDateTime>) {
        let (mut first, mut last) = (NaiveDateTime::MAX, Some(NaiveDateTime::MIN));
        for event in self.master.iter().chain(&self.changes) {
            let start = event.start.utc(view);
            let end = match &event.recurrence {
                None => Some(start),
                Some(recurrence) => recurrence.ends().map(|end| end.max(start)),
            };
            let days = event.end.span(event.start, view).at_most_days();
            let days = days.max(event.longest_date(view)) + 2;
            first = first.min(before(start, TimeDelta::days(2)));
            last = last
                .zip(end)
                .map(|(last, end)| last.max(after(end, TimeDelta::days(days))));
        }
        (first, last)
    }

    /// The start that the series gives to the one changed occasion that is here without its series.
    pub fn replaced(&self) -> Option<Stamp> {
        match (&self.master, self.changes.as_slice()) {
            (None, [only]) => only.replaces.map(|replaces| replaces.instance),
            _ => None,
        }
    }
}

impl Recurrence {
    /// When its last occasion is at the latest; none where it goes on, or where that would have to be counted.
    fn ends(&self) -> Option<NaiveDateTime> {
        let mut last = NaiveDateTime::MIN;
        for rule in &self.rules {
            let until = match rule.ends {
                Ends::Until(Written::Date(date)) => date.into(),
                Ends::Until(Written::Local(time) | Written::Utc(time)) => time,
                Ends::Never | Ends::After(_) => return None,
            };
            last = last.max(after(until, TimeDelta::days(2)));
        }
        let dates = self.dates.iter().map(|(date, _)| date.local);
        dates.max().map_or(Some(last), |date| Some(last.max(date)))
    }
}
