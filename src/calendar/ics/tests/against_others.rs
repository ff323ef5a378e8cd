//! Expansions that independent implementations made: see `tests/data/ics/README.md`.

use serde::Deserialize;

use super::{Calendar, calendar, data, event, list};
use crate::calendar::item::{Item, Moment};

#[derive(Deserialize)]
struct RuleCase {
    dtstart: String,
    zone: String,
    rule: String,
    from: String,
    days: u32,
    starts: Vec<String>,
}

#[derive(Deserialize)]
struct ListingCase {
    file: String,
    zone: String,
    from: String,
    days: u32,
    items: Vec<[String; 3]>,
}

fn utc(moment: Moment) -> String {
    match moment {
        Moment::Day(date) => date.to_string(),
        Moment::At(time) => time.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

#[test]
fn rules_give_what_dateutil_gives() {
    let cases: Vec<RuleCase> = serde_json::from_slice(&data("rules.json")).expect("cases");
    assert!(cases.len() >= 200);
    let mut wrong = Vec::new();
    for case in &cases {
        let dtstart = match case.dtstart.len() {
            8 => format!("DTSTART;VALUE=DATE:{}", case.dtstart),
            _ => format!("DTSTART;TZID={}:{}", case.zone, case.dtstart),
        };
        let calendar = calendar(&event(&format!("UID:1\n{dtstart}\nRRULE:{}", case.rule)));
        let listing = list(&calendar, &case.from, case.days, &case.zone);
        let found: Vec<_> = listing.items.iter().map(|item| utc(item.start)).collect();
        if found != case.starts || !listing.warnings.is_empty() {
            let extra: Vec<_> = found
                .iter()
                .filter(|start| !case.starts.contains(start))
                .take(5)
                .collect();
            let missing: Vec<_> = case
                .starts
                .iter()
                .filter(|start| !found.contains(start))
                .take(5)
                .collect();
            wrong.push(format!(
                "{} {} {} from {}: extra {extra:?}, missing {missing:?} {:?}",
                case.dtstart, case.zone, case.rule, case.from, listing.warnings
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn calendars_give_what_recurring_ical_events_gives() {
    let cases: Vec<ListingCase> = serde_json::from_slice(&data("listings.json")).expect("cases");
    let mut wrong = Vec::new();
    for case in &cases {
        let calendar = Calendar::parse(&data(&format!("{}.ics", case.file))).expect("a calendar");
        let listing = list(&calendar, &case.from, case.days, &case.zone);
        let line = |item: &Item| [utc(item.start), utc(item.end), item.title.clone()];
        let mut found: Vec<_> = listing.items.iter().map(line).collect();
        // `-`: not compared, as the other implementation is wrong there.
        for item in &mut found {
            let uncompared = [item[0].clone(), "-".to_owned(), item[2].clone()];
            if case.items.contains(&uncompared) {
                *item = uncompared;
            }
        }
        found.sort();
        if found != case.items {
            let extra: Vec<_> = found
                .iter()
                .filter(|item| !case.items.contains(item))
                .collect();
            let missing: Vec<_> = case
                .items
                .iter()
                .filter(|item| !found.contains(item))
                .collect();
            wrong.push(format!(
                "{} {} {}+{}:\n  extra   {extra:?}\n  missing {missing:?}",
                case.file, case.zone, case.from, case.days
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
