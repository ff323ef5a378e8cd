//! Signs of life follow what really moves.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::{Home, JOB};
use crate::clock::Clock;
use crate::engine::{Part, Ping, Pulse};

const QUIET: &str = "[[step]]\nset = { a = \"1\" }\n";
const EVERY: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

fn home(settings: &str) -> Home {
    Home::new(tempfile::tempdir().unwrap(), settings, QUIET, &[])
}

#[tokio::test]
async fn a_writer_that_cannot_write_is_no_sign_of_life() {
    let home = home("");
    let pulse = Pulse::new(&home.engine, Vec::new());
    assert_eq!(pulse.look().await, Ok(()));
    let other = home.engine.store.seized();
    let (looked, ()) = tokio::join!(pulse.look(), async {
        home.clock.sleeping(1).await;
        home.clock.advance(MINUTE);
    });
    let still = looked.unwrap_err();
    assert_eq!(still.part, "the store");
    drop(other);
    assert_eq!(pulse.look().await, Ok(()));
}

#[tokio::test]
async fn a_look_at_the_store_writes_nothing() {
    let home = home("");
    let pulse = Pulse::new(&home.engine, Vec::new());
    home.run().await;
    let log = home.path().join("state/reveille.db-wal");
    let length = || std::fs::metadata(&log).unwrap().len();
    let before = (length(), std::fs::read(&log).unwrap());
    for _ in 0..10 {
        pulse.look().await.unwrap();
    }
    assert_eq!((length(), std::fs::read(&log).unwrap()), before);
}

#[tokio::test]
async fn a_timetable_that_does_not_tick_is_no_sign_of_life() {
    let home = home("");
    let (beat, beats) = watch::channel(home.clock.monotonic());
    let part = Part::beating("the timetable", MINUTE, beats);
    let pulse = Pulse::new(&home.engine, vec![part]);
    home.clock.advance(MINUTE);
    assert_eq!(pulse.look().await, Ok(()));
    home.clock.advance(EVERY);
    let still = pulse.look().await.unwrap_err();
    assert_eq!(
        still.to_string(),
        "the timetable stands still: nothing for 90 s"
    );
    beat.send_replace(home.clock.monotonic());
    assert_eq!(pulse.look().await, Ok(()));
}

#[tokio::test]
async fn work_without_an_end_is_no_sign_of_life_and_no_work_is() {
    let home = home("");
    let (working, since) = watch::channel(None);
    let part = Part::working("the outbox", MINUTE, move || *since.borrow());
    let pulse = Pulse::new(&home.engine, vec![part]);
    home.clock.advance(MINUTE * 60);
    assert_eq!(pulse.look().await, Ok(()));
    working.send_replace(Some(home.clock.monotonic()));
    home.clock.advance(MINUTE * 2);
    assert_eq!(pulse.look().await.unwrap_err().part, "the outbox");
    working.send_replace(None);
    assert_eq!(pulse.look().await, Ok(()));
}

#[tokio::test]
async fn nobody_is_fed_while_something_stands_still() {
    let home = home("");
    let clock = home.clock.clone();
    let (beat, beats) = watch::channel(Duration::ZERO);
    let parts = vec![Part::beating("the timetable", MINUTE, beats)];
    let (fed, mut feeding) = mpsc::unbounded_channel();
    let pulse = Pulse::new(&home.engine, parts);
    let life = tokio::spawn(pulse.run(EVERY, move || fed.send(()).unwrap()));
    feeding.recv().await.unwrap();
    for _ in 0..10 {
        clock.sleeping(1).await;
        clock.advance(MINUTE * 2);
    }
    clock.sleeping(1).await;
    assert!(feeding.try_recv().is_err());
    beat.send_replace(clock.monotonic());
    clock.advance(EVERY);
    feeding.recv().await.unwrap();
    life.abort();
}

#[tokio::test]
async fn the_service_elsewhere_is_called_in_its_interval_and_only_while_everything_moves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (called, mut calls) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            let head = String::from_utf8(head).unwrap();
            called
                .send(head.lines().next().unwrap().to_owned())
                .unwrap();
        }
    });
    let settings =
        format!("[heartbeat]\nping = \"http://127.0.0.1:{port}/{JOB}\"\nevery = \"2m\"\n");
    let home = home(&settings);
    let (_latest, loaded) = watch::channel(home.engine.loaded.clone());
    let mut ping = Ping::new(home.clock.clone(), loaded);
    ping.alive();
    assert_eq!(calls.recv().await.unwrap(), "GET /story HTTP/1.1");
    ping.alive();
    home.clock.advance(MINUTE);
    ping.alive();
    // Not yet: whatever comes next was called by what follows.
    home.clock.advance(MINUTE);
    assert!(calls.try_recv().is_err());
    ping.alive();
    calls.recv().await.unwrap();
    assert!(calls.try_recv().is_err());
}
