//! Clients that are slow, and clients that say nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use super::frame::{Frame, Kind};
use super::{Output, Place, serve};
use crate::cli::out::{Stream, Terminal};
use crate::clock::TestClock;

const PIPES: Terminal = Terminal {
    stdin: false,
    stdout: false,
    stderr: false,
    colours: false,
};

fn clock() -> Arc<TestClock> {
    let now = DateTime::from_timestamp(1_800_000_000, 0);
    Arc::new(TestClock::at(now.expect("in range")))
}

/// A client, and the verb's end of it.
fn client(clock: &Arc<TestClock>) -> (UnixStream, Output) {
    let (client, daemon) = UnixStream::pair().unwrap();
    let (output, served) = Output::new(PIPES, daemon.into_split(), clock.clone());
    tokio::spawn(served);
    (client, output)
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_a_verb_for_a_bounded_time() {
    let clock = clock();
    let (client, output) = client(&clock);
    let gone = output.clone();
    let mut verb = tokio::task::spawn_blocking(move || {
        for _ in 0..64 {
            output.say(Stream::Out, &[b'x'; 1 << 18]);
        }
    });
    loop {
        let passes = async {
            clock.sleeping(1).await;
            clock.advance(Duration::from_secs(10));
        };
        tokio::select! {
            said = &mut verb => break said.unwrap(),
            () = passes => {}
        }
    }
    gone.hung_up().await;
    drop(client);
}

#[tokio::test]
async fn a_client_that_reads_gets_all_of_it_in_order() {
    let clock = clock();
    let (mut client, output) = client(&clock);
    let verb = tokio::task::spawn_blocking(move || {
        for letter in b'a'..=b'z' {
            output.say(Stream::Out, &[letter; 1 << 18]);
        }
        output.frame(Kind::Exit, &[7]);
    });
    let mut said = Vec::new();
    let code = loop {
        let frame = Frame::read(&mut client).await.unwrap().unwrap();
        match frame.kind {
            Kind::Exit => break frame.bytes,
            _ => said.extend(frame.bytes),
        }
    };
    verb.await.unwrap();
    assert_eq!((said.len(), code), (26 << 18, vec![7]));
    assert!(said.is_sorted());
}

#[tokio::test]
async fn more_stdin_than_was_asked_for_is_a_client_that_is_gone() {
    let clock = clock();
    let (mut client, output) = client(&clock);
    let verb = tokio::task::spawn_blocking(move || output.stdin(8));
    let asked = Frame::read(&mut client).await.unwrap().unwrap();
    assert_eq!(asked, Frame::new(Kind::WantStdin, 8_u64.to_be_bytes()));
    let mut bytes = Vec::new();
    Frame::new(Kind::Stdin, "12345").write(&mut bytes);
    Frame::new(Kind::Stdin, "6789").write(&mut bytes);
    tokio::io::AsyncWriteExt::write_all(&mut client, &bytes)
        .await
        .unwrap();
    let said = verb.await.unwrap().unwrap_err();
    assert!(said.to_string().contains("went away"), "{said}");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let place = Place::take(folder.path(), None).unwrap();
    let (shutdown, told) = oneshot::channel::<()>();
    let verb = |_, _: Output| unreachable!("nobody asked for anything");
    let serving = tokio::spawn(serve(place, clock.clone(), verb, async {
        let _ = told.await;
    }));
    let mut client = UnixStream::connect(folder.path().join("socket"))
        .await
        .unwrap();
    clock.sleeping(1).await;
    clock.advance(Duration::from_secs(5));
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    drop(shutdown);
    serving.await.unwrap();
}
