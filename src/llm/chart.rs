//! The picture of what calls took: bars of tokens a day, and what they came to.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};

use super::money::shown;
use super::usage::{Sum, Usage};
use crate::plot::{Chart, SERIES, Series, short};
use crate::template::Locale;

/// What a picture is of.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// How many days back, for people.
    pub days: u64,
    /// The local day on which it begins, in the middle of which that may be.
    pub from: NaiveDate,
    /// The local day on which it ends.
    pub to: NaiveDate,
}

/// Most bars that can be told from each other.
const BARS: u64 = 92;

/// So many days are shown whole, also where the first of them have no calls.
const MONTH: u64 = 32;

/// Bars that have room for a label each, and labels that fit below more.
const LABELLED: usize = 8;

/// The picture of `usage`, stacked by its last side; `saves` where there is a price to save against.
pub fn of<const N: usize>(
    usage: &Usage<N>,
    stretch: Stretch,
    (language, saves): (Locale, bool),
) -> Chart {
    let (from, width, count) = bars(usage, stretch);
    let place = |day: &NaiveDate| {
        let days = day.signed_duration_since(from).num_days().max(0) as u64;
        ((days / width) as usize).min(count - 1)
    };
    let mut values: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (day, tokens) in &usage.days {
        for (name, tokens) in tokens {
            let values = values.entry(name).or_insert_with(|| vec![0; count]);
            values[place(day)] += tokens;
        }
    }
    let sums = usage.by.last().into_iter().flatten();
    let mut parts: Vec<(String, Sum, Vec<u64>)> = sums
        .filter_map(|(name, sum)| Some((name.clone(), sum.clone(), values.remove(&**name)?)))
        .collect();
    // The largest at the bottom: its bars are read off the axis.
    parts.sort_by_key(|(_, sum, _)| std::cmp::Reverse(sum.tokens()));
    let words = Words::of(language);
    let series = series(parts, words.others);
    let all = &usage.all;
    let mut title = words.days(stretch.days);
    title.push_str(&format!(": {} {}", shown(all.cost), words.spent));
    if saves {
        title.push_str(&format!(", {} {}", shown(all.saved()), words.saved));
    }
    Chart {
        title,
        subtitle: words.calls(all, usage.avoided),
        labels: labels((from, width, count), language),
        series,
        nothing: words.nothing.to_owned(),
    }
}

/// The first day, how many days a bar has, and how many bars there are.
fn bars<const N: usize>(usage: &Usage<N>, stretch: Stretch) -> (NaiveDate, u64, usize) {
    let first = usage.days.keys().next().copied().unwrap_or(stretch.to);
    let until =
        |from: NaiveDate| stretch.to.signed_duration_since(from).num_days().max(0) as u64 + 1;
    let from = match until(stretch.from) {
        // The stretch begins as late in a day as it ends: of that day it has a part.
        2..=MONTH if first > stretch.from => stretch.from + Days::new(1),
        ..=MONTH => stretch.from,
        // Long before the first call nothing is to be seen.
        _ => first,
    };
    let days = until(from);
    let width = match days {
        ..=BARS => 1,
        days if days <= 7 * BARS => 7,
        days => 30 * days.div_ceil(30 * BARS),
    };
    (from, width, days.div_ceil(width) as usize)
}

/// As many as can be told apart, and the others as one.
fn series(mut parts: Vec<(String, Sum, Vec<u64>)>, others: &str) -> Vec<Series> {
    let one = |name: String, tokens: u64, cost: u64, values: Vec<u64>, rest: bool| Series {
        name,
        notes: [short(tokens), shown(cost)],
        values,
        rest,
    };
    // One more than fit would be called "others" alone.
    let own = if parts.len() > SERIES - 1 {
        SERIES - 1
    } else {
        parts.len()
    };
    let rest = parts.split_off(own);
    let mut series: Vec<Series> = parts
        .into_iter()
        .map(|(name, sum, values)| one(name, sum.tokens(), sum.cost, values, false))
        .collect();
    if let Some((_, _, first)) = rest.first() {
        let mut values = vec![0; first.len()];
        let (mut tokens, mut cost) = (0, 0);
        for (_, sum, own) in &rest {
            tokens += sum.tokens();
            cost += sum.cost;
            values
                .iter_mut()
                .zip(own)
                .for_each(|(all, own)| *all += own);
        }
        let name = format!("{others} ({})", rest.len());
        series.push(one(name, tokens, cost, values, true));
    }
    series
}

/// What stands below the bars: each one's day, and of many some.
fn labels((from, width, count): (NaiveDate, u64, usize), language: Locale) -> Vec<String> {
    let each = count.div_ceil(LABELLED);
    let letters = |name: &str| name.chars().take(3).collect::<String>();
    let label = |bar: usize| {
        let day = from + Days::new(width * bar as u64);
        let month = language.month(day.month()).map(letters).unwrap_or_default();
        match (each, width) {
            (1, 1) => format!("{} {}", letters(language.weekday(day.weekday())), day.day()),
            (_, ..30) => format!("{} {month}", day.day()),
            _ => format!("{month} {}", day.year()),
        }
    };
    (0..count)
        .map(|bar| match bar % each {
            0 => label(bar),
            _ => String::new(),
        })
        .collect()
}

/// The words of a language.
struct Words {
    day: [&'static str; 2],
    spent: &'static str,
    saved: &'static str,
    call: [&'static str; 2],
    avoided: &'static str,
    others: &'static str,
    nothing: &'static str,
}

impl Words {
    fn of(language: Locale) -> Self {
        match language {
            Locale::En => Words {
                day: ["day", "days"],
                spent: "spent",
                saved: "saved",
                call: ["call", "calls"],
                avoided: "avoided by gates",
                others: "others",
                nothing: "no calls to models",
            },
            Locale::Es => Words {
                day: ["día", "días"],
                spent: "gastado",
                saved: "ahorrado",
                call: ["llamada", "llamadas"],
                avoided: "evitadas",
                others: "otros",
                nothing: "ninguna llamada a modelos",
            },
        }
    }

    fn days(&self, days: u64) -> String {
        format!("{days} {}", self.day[usize::from(days != 1)])
    }

    fn calls(&self, all: &Sum, avoided: u64) -> String {
        let (tokens, calls) = (short(all.tokens()), short(all.calls));
        let call = self.call[usize::from(all.calls != 1)];
        let avoided = format!("{} {}", short(avoided), self.avoided);
        format!("{tokens} tokens, {calls} {call}; {avoided}")
    }
}

#[cfg(test)]
#[path = "chart_tests.rs"]
mod tests;
