//! One day out of a calendar of 10,000 events, 2,000 of them recurring for ten years: bytes to items.
//!
//! `cargo bench --bench calendar` prints medians; the calendar is the same every time.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use reveille::calendar::cache::{CachedDay, Fingerprint};
use reveille::calendar::ics::Calendar;
use reveille::calendar::{Range, mark_overlaps, merge};
use reveille::clock::{Clock, SystemClock};
use reveille::zone::Tz;

const EVENTS: u32 = 10_000;
const RECURRING: u32 = 2_000;
const ROUNDS: usize = 41;
const RULES: [&str; 10] = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=2000",
    "FREQ=DAILY;UNTIL=20301231T225959Z",
];

fn main() {
    let text = calendar();
    let range = Range::day(NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date"));
    let zone = Tz::named("Europe/Madrid").expect("a zone");
    let calendar = Calendar::parse(text.as_bytes()).expect("a calendar");
    let listing = calendar.items(range, zone);
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let print = Fingerprint::of_file(&file.expect("this program's own"));
    let kept = CachedDay::new(
        print.clone(),
        range,
        zone,
        listing.items.clone(),
        listing.warnings,
    );
    let kept = serde_json::to_string(&kept).expect("serialisable");
    println!(
        "{} MiB, {EVENTS} events, {RECURRING} recurring since 2016: {} items, {} KiB kept",
        text.len() >> 20,
        listing.items.len(),
        kept.len() >> 10
    );
    measure("parse", || Calendar::parse(text.as_bytes()));
    measure("expand one day", || calendar.items(range, zone));
    measure("bytes to items", || {
        let calendar = Calendar::parse(text.as_bytes()).expect("a calendar");
        let mut items = merge(vec![calendar.items(range, zone).items]);
        mark_overlaps(&mut items);
        items
    });
    measure("unchanged: kept JSON to items", || {
        let kept: CachedDay = serde_json::from_str(&kept).expect("readable");
        kept.fits(&print, range, zone).then_some(kept.items)
    });
}

fn measure<T>(what: &str, work: impl Fn() -> T) {
    let clock = SystemClock::default();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = clock.monotonic();
            black_box(work());
            clock.monotonic() - start
        })
        .collect();
    times.sort_unstable();
    println!(
        "{what:>30}: {:8.2} ms",
        times[ROUNDS / 2].as_secs_f64() * 1e3
    );
}

fn calendar() -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n".to_owned();
    let first = NaiveDate::from_ymd_opt(2016, 1, 1).expect("a date");
    for number in 0..EVENTS {
        let recurs = number % (EVENTS / RECURRING) == 0;
        let day = first
            + TimeDelta::days(i64::from(if recurs {
                number % 365
            } else {
                number % 4_000
            }));
        let (hour, minute) = (7 + number % 12, number % 4 * 15);
        let _ = write!(
            text,
            "BEGIN:VEVENT\r\nUID:{number}@bench.example\r\nDTSTAMP:20160101T000000Z\r\nCREATED:20160101T000000Z\r\n\
             DTSTART;TZID=Europe/Madrid:{date}T{hour:02}{minute:02}00\r\n\
             DTEND;TZID=Europe/Madrid:{date}T{end:02}{minute:02}00\r\n\
             SUMMARY:Event number {number}\\, with some people\r\nLOCATION:Calle Mayor {number}\\, Madrid\r\n\
             DESCRIPTION:What there is to say about it takes more than one line\\n and so it \r\n is folded as RFC 5545 \
             asks.\r\nSTATUS:CONFIRMED\r\nSEQUENCE:0\r\nTRANSP:OPAQUE\r\n",
            date = day.format("%Y%m%d"),
            end = hour + 1,
        );
        if recurs {
            let rule = RULES[(number / 5) as usize % RULES.len()];
            let _ = write!(text, "RRULE:{rule}\r\n");
        }
        text.push_str("END:VEVENT\r\n");
    }
    text + "END:VCALENDAR\r\n"
}
