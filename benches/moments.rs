//! What it costs to understand what a sentence says of time, over the table of its tests.
//!
//! `cargo bench --bench moments` prints the time for the whole table, of which each phrase is an equal part.

use std::hint::black_box;

use chrono::{DateTime, NaiveDateTime, TimeZone};
use criterion::{Criterion, Throughput};
use reveille::moment::said;
use reveille::zone::Tz;

fn main() {
    let phrases: Vec<(DateTime<Tz>, &str)> = include_str!("../tests/data/phrases.txt")
        .lines()
        .skip(1)
        .map(phrase)
        .collect();
    let long = "hola, mañana a las 9 y media, ".repeat(100_000 / 30);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("moments");
    group.throughput(Throughput::Elements(phrases.len() as u64));
    group.bench_function("the table, a phrase an element", |bencher| {
        bencher.iter(|| {
            for (now, phrase) in &phrases {
                black_box(said(black_box(phrase), *now));
            }
        });
    });
    group.throughput(Throughput::Bytes(long.len() as u64));
    group.bench_function("100,000 characters", |bencher| {
        bencher.iter(|| said(black_box(&long), phrases[0].0));
    });
    group.finish();
}

fn phrase(line: &str) -> (DateTime<Tz>, &str) {
    let mut columns = line.split('\t');
    let (now, phrase) = (
        columns.next().expect("a moment"),
        columns.next().expect("a phrase"),
    );
    let (local, zone) = now.split_once(' ').expect("a zone");
    let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").expect("a local time");
    let zone = Tz::named(zone).expect("a zone of the database");
    (
        zone.from_local_datetime(&local)
            .single()
            .expect("one moment"),
        phrase,
    )
}
