//! Calendars on servers, as they are kept: 20,000 events, 300 of them recurring, and two smaller ones. What a day's query takes, what
//! a list of three calendars takes that asks no server, and what memory all that needs.
//!
//! `cargo bench --bench calendars` prints medians and RSS; the calendars are the same every time.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use reveille::calendar::Range;
use reveille::clock::{Clock, SystemClock};
use reveille::config::Config;
use reveille::config::folder::Folder;
use reveille::engine::Loaded;
use reveille::hash::fnv1a;
use reveille::job::CursorKey;
use reveille::step::Desk;
use reveille::store::{Changed, Entry, Mode, Store};
use reveille::zone::Tz;
use serde_json::json;

const ROUNDS: usize = 101;
const SIZES: [(&str, u32); 3] = [("work", 20_000), ("family", 2_000), ("club", 500)];
const RULES: [&str; 6] = [
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=YEARLY",
    "FREQ=DAILY;COUNT=30",
    "FREQ=WEEKLY;COUNT=10",
];

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let now: DateTime<Utc> = "2026-11-20T06:00:00Z".parse().expect("a time");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::fixed(now));
    let loaded = settings(folder.path());
    let state = folder.path().join("state");
    let opened = Store::open(&state, Arc::clone(&clock), Mode::Threaded).expect("a store");
    let store = opened.store;
    let before = rss("VmRSS");
    for (name, count) in SIZES {
        let position = position(&loaded, name, now);
        let whole = Changed {
            whole: true,
            here: (0..count).map(entry).collect(),
            gone: Vec::new(),
        };
        let start = clock.monotonic();
        let taken = store.take_entries(name.to_owned(), whole, vec![position]);
        runtime.block_on(taken).expect("written");
        let took = (clock.monotonic() - start).as_secs_f64() * 1e3;
        println!("{:>36}: {took:8.2} ms", format!("{count} events are taken"));
    }
    println!(
        "{:>36}: {:8.2} MiB, at most {:.2} more",
        "RSS after it",
        mib(rss("VmRSS")),
        mib(rss("VmHWM") - before)
    );
    let desk = Desk {
        clock: &clock,
        settings: &loaded.settings,
        folder: &loaded.folder,
        secrets: &loaded.secrets,
        store: &store,
        accounts: &loaded.accounts,
        state: &state,
        limit: Duration::from_secs(60),
    };
    let first = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date");
    let query = |from: &[&str], day: i64| {
        let from: Vec<String> = from.iter().map(|name| (*name).to_owned()).collect();
        let range = Range::day(first + TimeDelta::days(day));
        let held = runtime.block_on(desk.items(&from, range)).expect("held");
        assert!(held.warnings.is_empty(), "{:?}", held.warnings);
        assert!(!held.items.is_empty());
        held.items.len()
    };
    query(&[], 0);
    let before = rss("VmRSS");
    let days = measure(&clock, "one day of 20,000 events", |round| {
        query(&["work"], round)
    });
    let after = rss("VmRSS");
    println!(
        "{:>36}: {:8.2} MiB, {:+.2} MiB in {ROUNDS} days ({days} items)",
        "RSS",
        mib(after),
        mib(after) - mib(before)
    );
    measure(&clock, "today of three calendars", |_| query(&[], 0));
}

fn measure(clock: &Arc<dyn Clock>, what: &str, work: impl Fn(i64) -> usize) -> usize {
    let mut times = Vec::new();
    let mut items = 0;
    for round in 0..ROUNDS {
        let start = clock.monotonic();
        items += work(i64::try_from(round).expect("small"));
        times.push(clock.monotonic() - start);
    }
    times.sort_unstable();
    let at = |share: usize| times[ROUNDS * share / 100].as_secs_f64() * 1e3;
    println!(
        "{what:>36}: {:8.2} ms, 99 % within {:.2} ms",
        at(50),
        at(99)
    );
    items
}

fn settings(folder: &Path) -> Loaded {
    let mut text =
        "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[google.me]\nservice_account.env = \"NONE\"\n"
            .to_owned();
    for (name, _) in SIZES {
        let _ = write!(text, "\n[calendars.{name}]\ngoogle = \"{name}\"\n");
    }
    std::fs::create_dir_all(folder.join("config")).expect("a folder");
    std::fs::create_dir_all(folder.join("jobs")).expect("a folder");
    std::fs::write(folder.join("config/reveille.toml"), text).expect("written");
    let folder = Folder::Disk(folder.to_owned());
    let config = Config::resolve(folder.read().expect("a folder"), Tz::UTC);
    Loaded::new(folder, config).0
}

/// The server was asked right now.
fn position(
    loaded: &Loaded,
    name: &str,
    now: DateTime<Utc>,
) -> (CursorKey, Option<serde_json::Value>) {
    let calendars = loaded.settings.calendars.iter();
    let mut calendars = calendars.filter(|calendar| calendar.name == name);
    let place = &calendars.next().expect("it is configured").place;
    let key = CursorKey {
        owner: format!("calendar:{name}"),
        step: String::new(),
        name: "synced".to_owned(),
    };
    let place = fnv1a(format!("{place:?}").as_bytes());
    (
        key,
        Some(json!({ "place": place, "token": "x", "at": now })),
    )
}

/// Ten years of them around today; of 1,000 fifteen recur.
fn entry(number: u32) -> Entry {
    let first = NaiveDate::from_ymd_opt(2021, 11, 20).expect("a date");
    let day = first + TimeDelta::days(i64::from(number * 7 % 3_650));
    let (hour, date) = (7 + number % 12, day.format("%Y%m%d"));
    let recurs = number % 200 < 3;
    let rule = match recurs {
        true => format!("RRULE:{}\r\n", RULES[(number / 200) as usize % RULES.len()]),
        false => String::new(),
    };
    let ics = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Reveille//EN\r\nBEGIN:VEVENT\r\nUID:event{number}@google.com\r\n\
         DTSTART;TZID=Europe/Madrid:{date}T{hour:02}0000\r\nDTEND;TZID=Europe/Madrid:{date}T{end:02}0000\r\n{rule}\
         SUMMARY:Event number {number}\\, with some people\r\nLOCATION:Calle Mayor {number}\\, Madrid\r\n\
         DESCRIPTION:What there is to say about it takes more than one line\\n and so it \r\n is folded as RFC 5545 \
         asks.\r\nSTATUS:CONFIRMED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        end = hour + 1,
    );
    let calendar = reveille::calendar::ics::Calendar::parse(ics.as_bytes()).expect("a calendar");
    let zone = Tz::named("Europe/Madrid").expect("a zone");
    let (uid, first, last) = calendar.extent(zone).expect("it holds one");
    Entry {
        id: format!("event{number}"),
        uid,
        etag: format!("\"{number}000000\""),
        first,
        last,
        ics,
    }
}

/// Of this process, in KiB.
fn rss(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    number.expect("a number")
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
