use super::*;
use crate::job::Call;
use crate::llm::Price;

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

/// Calls of 1,000 tokens and more, each more than the one before it, of these models on these days.
fn usage(calls: &[(u32, &str)]) -> Usage<1> {
    let mut usage = Usage::default();
    for ((on, model), more) in calls.iter().zip(0..) {
        let call = Call {
            tokens_in: 900,
            tokens_out: 100 + more,
            cost: 1_000_000_000,
            ..Call::default()
        };
        let price = Price {
            input: 1e6,
            cached: None,
            output: 0.0,
        };
        usage.all.add(&call, Some(price));
        let sums = usage.by[0].entry((*model).to_owned()).or_default();
        sums.add(&call, None);
        let tokens = usage.days.entry(day(*on)).or_default();
        *tokens.entry((*model).to_owned()).or_default() += 1000 + more;
    }
    usage.avoided = 3;
    usage
}

fn week(usage: &Usage<1>, language: Locale) -> Chart {
    let stretch = Stretch {
        days: 7,
        from: day(13),
        to: day(20),
    };
    of(usage, stretch, (language, true))
}

#[test]
fn a_day_without_calls_is_a_bar_too_but_for_the_part_of_one_at_the_front() {
    let chart = week(&usage(&[(15, "small"), (20, "small")]), Locale::En);
    assert_eq!(chart.labels.len(), 7);
    assert_eq!(chart.labels[0], "Sat 14");
    assert_eq!(chart.labels[6], "Fri 20");
    assert_eq!(chart.series[0].values, [0, 1000, 0, 0, 0, 0, 1001]);
    let chart = week(&usage(&[(13, "small"), (20, "small")]), Locale::Es);
    assert_eq!(chart.labels[0], "vie 13");
    assert_eq!(chart.series[0].values, [1000, 0, 0, 0, 0, 0, 0, 1001]);
}

#[test]
fn sums_are_said_in_the_language_of_who_reads_it() {
    let calls = usage(&[(15, "small"), (20, "large")]);
    let chart = week(&calls, Locale::En);
    assert_eq!(chart.title, "7 days: 2.0000 spent, 1798.0000 saved");
    assert_eq!(chart.subtitle, "2k tokens, 2 calls; 3 avoided by gates");
    let chart = week(&calls, Locale::Es);
    assert_eq!(chart.title, "7 días: 2.0000 gastado, 1798.0000 ahorrado");
    assert_eq!(chart.series[0].notes, ["1k", "1.0000"]);
    let chart = week(&Usage::default(), Locale::En);
    assert!(chart.series.is_empty());
    assert_eq!(chart.nothing, "no calls to models");
}

#[test]
fn what_is_smaller_than_the_largest_six_is_one_series() {
    let calls = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|model| (20, model));
    let chart = week(&usage(&calls), Locale::En);
    let names: Vec<&str> = chart.series.iter().map(|series| &*series.name).collect();
    assert_eq!(names, ["h", "g", "f", "e", "d", "c", "others (2)"]);
    let others = chart.series.last().unwrap();
    assert_eq!(others.values.last(), Some(&2001));
    assert_eq!(others.notes[1], "2.0000");
    assert!(others.rest);
    let seven = week(&usage(&calls[..6]), Locale::En);
    assert!(seven.series.iter().all(|series| !series.rest));
}

#[test]
fn many_days_share_bars_and_begin_with_the_first_call() {
    let calls = usage(&[(1, "small"), (20, "small")]);
    let mut stretch = Stretch {
        days: 3660,
        from: NaiveDate::from_ymd_opt(2016, 11, 12).unwrap(),
        to: day(20),
    };
    let since = of(&calls, stretch, (Locale::En, false));
    assert_eq!(since.labels.len(), 20);
    assert_eq!(since.labels[0], "1 Nov");
    assert_eq!(since.labels[1], "");
    assert_eq!(since.title, "3660 days: 2.0000 spent");
    let mut old = calls.clone();
    let first = NaiveDate::from_ymd_opt(2025, 11, 20).unwrap();
    old.days
        .insert(first, BTreeMap::from([("small".to_owned(), 5)]));
    let weeks = of(&old, stretch, (Locale::En, false));
    assert_eq!(weeks.labels.len(), 53);
    assert_eq!(weeks.series[0].values.iter().sum::<u64>(), 2006);
    assert_eq!(weeks.series[0].values[0], 5);
    stretch.from = NaiveDate::MIN;
    old.days
        .insert(NaiveDate::MIN, BTreeMap::from([("small".to_owned(), 7)]));
    let ages = of(&old, stretch, (Locale::En, false));
    assert!(ages.labels.len() <= 92, "{}", ages.labels.len());
    assert_eq!(ages.series[0].values.iter().sum::<u64>(), 2013);
}
