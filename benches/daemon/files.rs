//! From a change of a file to the first step.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread::sleep;
use std::time::Duration;

use chrono::Utc;
use notify::{EventKind, RecursiveMode, Watcher};

use super::process::Place;
use super::rows::Bare;
use super::{above, median, millis, percentile};

const CHANGES: usize = 50;

/// Longer than one change takes from end to end.
const APART: Duration = Duration::from_millis(100);

pub fn change(place: &Place) {
    let watched = place.folder.join("watched");
    fs::create_dir(&watched).expect("a folder");
    place.settings("");
    place.job(
        "files",
        &format!(
            "[[trigger]]\nwatch = '{}/*.txt'\nsettle = \"0s\"\n\n[[step]]\nid = \"words\"\nset.text = \"event.path\"\n",
            watched.display()
        ),
    );
    let bare = bare(place);
    let daemon = place.daemon();
    // Until it has looked around.
    sleep(Duration::from_secs(2));
    let mut changes = Vec::new();
    for number in 0..CHANGES {
        put(&place.folder, &watched, number);
        changes.push(Utc::now().timestamp_micros());
        sleep(APART);
    }
    sleep(Duration::from_secs(1));
    drop(daemon);
    let database = place.database();
    let sql = "SELECT started_at FROM steps WHERE position = 0 ORDER BY run_id";
    let mut statement = database.prepare(sql).expect("the schema is known");
    let started = statement.query_map([], |row| row.get::<_, i64>(0));
    let started: Vec<i64> = started
        .expect("read")
        .map(|at| at.expect("a time"))
        .collect();
    assert_eq!(started.len(), CHANGES, "a run for each change");
    let took = started.iter().zip(&changes);
    let took: Vec<_> = took
        .map(|(started, changed)| Duration::from_micros((started - changed).max(0) as u64))
        .collect();
    let p90 = percentile(took.clone(), 90);
    let what = format!("file change to first step, p50 (p90 {:.2} ms)", millis(p90));
    above(&what, median(took), bare, Duration::from_millis(2));
}

/// Moves a new file into the folder: one change for whoever watches.
fn put(beside: &Path, folder: &Path, number: usize) {
    let new = beside.join("new");
    fs::write(&new, format!("file {number}\n")).expect("written");
    fs::rename(new, folder.join(format!("{number}.txt"))).expect("moved");
}

/// What a loop takes that does nothing but hear of the change and commit a row.
fn bare(place: &Place) -> Duration {
    let folder = place.folder.join("bare");
    fs::create_dir(&folder).expect("a folder");
    let rows = Bare::new(&place.folder);
    let (sender, receiver) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if matches!(event, Ok(event) if matches!(event.kind, EventKind::Modify(_))) {
            let _ = sender.send(());
        }
    })
    .expect("inotify");
    let watch = watcher.watch(&folder, RecursiveMode::NonRecursive);
    watch.expect("the folder can be watched");
    let (written, changed) = channel();
    let waiting = std::thread::spawn(move || {
        while receiver.recv().is_ok() {
            rows.commit();
            let _ = written.send(Utc::now());
        }
    });
    let mut took = Vec::new();
    for number in 0..CHANGES {
        put(&place.folder, &folder, number);
        let at = Utc::now();
        let written = changed.recv().expect("the loop hears of it");
        took.push((written - at).to_std().unwrap_or_default());
        sleep(Duration::from_millis(20));
        while changed.try_recv().is_ok() {}
    }
    drop(watcher);
    waiting.join().expect("the loop ends");
    median(took)
}
