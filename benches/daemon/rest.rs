//! The start, and what it takes to do nothing.

use std::thread::sleep;
use std::time::Duration;

use super::process::{Place, free_port};
use super::{above, median, row};

const MIB: f64 = 1_048_576.0;

/// Each day at a time of its own, a few that watch files, and one that is called.
pub fn jobs(place: &Place, count: usize) {
    let port = free_port();
    place.settings(&format!("[web]\nlisten = \"127.0.0.1:{port}\"\n"));
    let watched = place.folder.join("watched");
    std::fs::create_dir_all(&watched).expect("a folder");
    for number in 0..count {
        let second = number * 7919 % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let trigger = match number {
            0 => "webhook = \"in\"".to_owned(),
            1..=4 => format!("watch = '{}/{number}-*.txt'", watched.display()),
            _ => format!("cron = \"{second} {minute} {hour} * * *\""),
        };
        place.job(&format!("job-{number}"), &text(&trigger));
    }
}

fn text(trigger: &str) -> String {
    format!(
        "[[trigger]]\n{trigger}\n\n[[step]]\nid = \"words\"\nset.text = \"'it is ' ~ now\"\n\n\
         [[deliver]]\nfile = \"said.txt\"\ntext = \"{{{{ words.text }}}}\"\n"
    )
}

pub fn start(place: &Place) {
    for (count, rounds, bound) in [(100, 21, 8), (10_000, 7, 500)] {
        jobs(place, count);
        // The first start makes the database; the later ones commit nothing before they are ready.
        drop(place.daemon());
        let ready = (0..rounds).map(|_| place.daemon().ready).collect();
        let what = format!("start to READY=1, {count} jobs");
        above(
            &what,
            median(ready),
            Duration::ZERO,
            Duration::from_millis(bound),
        );
    }
}

pub fn idle(place: &Place) {
    for (count, bound) in [(100, 8.0), (10_000, 40.0)] {
        jobs(place, count);
        let daemon = place.daemon();
        sleep(Duration::from_secs(5));
        let (before, span) = (daemon.cpu(), Duration::from_secs(60));
        sleep(span);
        let share = (daemon.cpu() - before).as_secs_f64() / span.as_secs_f64();
        let (pss, what) = (daemon.pss() as f64, format!("idle, {count} jobs"));
        let said = format!("{bound} MiB");
        row(&format!("{what}: PSS"), pss, "MiB", bound * MIB, &said);
        row(&format!("{what}: CPU"), share * 100.0, "%", 0.1, "0.1 %");
    }
}
