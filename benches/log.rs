//! The `log` step's figures: `cargo bench --bench log`.
//!
//! 1. 1 GiB of log text with a regex, beside `rg -c` with the same regex on the same file in the same run.
//! 2. What one line of 1 GiB adds to the peak resident memory of the process.
//! 3. A second look at an unchanged sparse file of 10 GiB, beside one at an empty file.
//!
//! Needs 1 GiB of room in the folder for temporary files, and `rg` for the first figure.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono::DateTime;
use reveille::step::log::{
    Cancel, LinePattern, LogGlob, Look, Memory, Reading, Since, Surroundings, read,
};
use serde_json::Value;

const GIB: u64 = 1 << 30;
const REGEX: &str = "(?i)error|warn|fail";
const ROUNDS: usize = 9;

fn main() {
    if let Some(path) = env::args().skip_while(|arg| arg != "--peak-of").nth(1) {
        return peak_of(Path::new(&path));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    speed(folder.path());
    long_line(folder.path());
    second_look(folder.path());
}

fn speed(folder: &Path) {
    for (words, every) in [("1 % of lines match", 100), ("20 % of lines match", 5)] {
        let path = folder.join("app.log");
        write_log(&path, every);
        let look = look_at(&path, Since::Start);
        let count = look_once(&look, &Memory::default()).count;
        println!("1 GiB, {words} ({count}):");
        match rg(&path) {
            None => return println!("  `rg` is not installed: nothing to compare with"),
            Some(theirs) => assert_eq!(theirs, count, "both count the same lines"),
        }
        // In turn, so that what else the machine does falls on both.
        let (ours, theirs) = medians(
            || {
                look_once(&look, &Memory::default());
            },
            || {
                rg(&path);
            },
        );
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        println!("  reveille {ours:.0?}, rg -c {theirs:.0?}: {ratio:.2} times rg (1.5 at most)");
    }
}

fn long_line(folder: &Path) {
    let path = folder.join("app.log");
    let mut file = File::create(&path).expect("created");
    let block = vec![b'x'; 1 << 20];
    for _ in 0..1024 {
        file.write_all(&block).expect("written");
    }
    file.write_all(b"\n").expect("written");
    let empty = folder.join("empty.log");
    File::create(&empty).expect("created");
    let (long, none) = (peak(&path), peak(&empty));
    let added = long.saturating_sub(none);
    println!(
        "a line of 1 GiB: peak RSS {long} KiB, of an empty file {none} KiB: {added} KiB added (8192 at most)"
    );
    fs::remove_file(path).expect("removed");
}

fn second_look(folder: &Path) {
    let sparse = folder.join("sparse.log");
    let file = File::create(&sparse).expect("created");
    file.set_len(10 * GIB).expect("a sparse file");
    let empty = folder.join("empty.log");
    let [sparse, empty] = [sparse, empty].map(|path| {
        let look = look_at(&path, Since::LastRun);
        let first = look_once(&look, &Memory::default());
        let cursors: BTreeMap<String, Value> = first
            .changes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let memory = Memory::load(cursors);
        median(|| {
            for _ in 0..1_000 {
                assert_eq!(look_once(&look, &memory).bytes, 0);
            }
        })
    });
    let each = |time: Duration| time / 1_000;
    println!(
        "a second look at 10 GiB unchanged: {:.1?}, at an empty file: {:.1?}",
        each(sparse),
        each(empty)
    );
}

/// The child's part of `long_line`: looks once and prints its peak resident memory.
fn peak_of(path: &Path) {
    look_once(&look_at(path, Since::Start), &Memory::default());
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().nth(1));
    println!("{}", peak.expect("a peak"));
}

fn peak(path: &Path) -> u64 {
    let program = env::current_exe().expect("this program");
    let output = Command::new(program).arg("--peak-of").arg(path).output();
    let output = output.expect("it runs again").stdout;
    let text = String::from_utf8_lossy(&output);
    text.trim().parse().expect("a number")
}

fn look_at(path: &Path, since: Since) -> Look {
    let glob = LogGlob::new(&path.to_string_lossy()).expect("a path");
    let mut look = Look::at(vec![glob]);
    look.since = since;
    look.choice.matches = Some(LinePattern::new(REGEX).expect("valid"));
    look
}

fn look_once(look: &Look, memory: &Memory) -> Reading {
    let never = AtomicBool::new(false);
    let around = Surroundings {
        now: DateTime::from_timestamp(1_795_204_800, 0).expect("in range"),
        zone: reveille::zone::Tz::named("Europe/Madrid").expect("a zone"),
        own: &[],
        cancel: Cancel(&never),
    };
    read(look, memory, around).expect("not cancelled")
}

fn rg(path: &Path) -> Option<u64> {
    let output = Command::new("rg").arg("-c").arg(REGEX).arg(path).output();
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    text.trim().parse().ok()
}

fn median(work: impl FnMut()) -> Duration {
    medians(work, || {}).0
}

fn medians(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let (mut ones, mut others): (Vec<_>, Vec<_>) = (0..ROUNDS)
        .map(|_| (time(&mut one), time(&mut other)))
        .unzip();
    ones.sort();
    others.sort();
    (ones[ROUNDS / 2], others[ROUNDS / 2])
}

/// Lines as syslog writes them, one in `every` of which matches.
fn write_log(path: &Path, every: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("created"));
    let (mut written, mut number) = (0, 0u64);
    while written < GIB {
        number += 1;
        let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
        let pid = number * 7919 % 30_000;
        let what = match number {
            _ if number.is_multiple_of(every) && number.is_multiple_of(2) => {
                "app: ERROR: request to 10.0.3.7:8080 timed out after"
            }
            _ if number.is_multiple_of(every) => {
                "sshd: Failed password for root from 203.0.113.9 port"
            }
            _ => "kernel: device eth0 entered promiscuous mode, flags",
        };
        let line =
            format!("Nov 20 {hour:02}:{minute:02}:{second:02} pi {what} {pid} id {number:x}\n");
        written += line.len() as u64;
        file.write_all(line.as_bytes()).expect("written");
    }
    file.flush().expect("written");
}
