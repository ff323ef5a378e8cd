//! A client that keeps so many events in flight, and the sink that they end in: HTTP/1.1 written by hand.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};

/// Sends `events` events to `hook`, `width` in flight: each connection sends its next one once the sink has its last.
/// Gives the time from the first to the moment at which the sink had all of them.
pub fn drive(
    hook: SocketAddr,
    sink: std::net::TcpListener,
    events: usize,
    width: usize,
) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime starts");
    LocalSet::new().block_on(&runtime, async {
        let arrived: Rc<Vec<Notify>> = Rc::new((0..width).map(|_| Notify::new()).collect());
        sink.set_nonblocking(true).expect("a flag");
        let sink = TcpListener::from_std(sink).expect("in the runtime");
        spawn_local(receive(sink, Rc::clone(&arrived)));
        let mut connections = Vec::new();
        for _ in 0..width {
            let stream = TcpStream::connect(hook).await.expect("the daemon listens");
            stream.set_nodelay(true).expect("a flag");
            connections.push(stream);
        }
        let left = Rc::new(RefCell::new(events));
        let begun = Instant::now();
        let senders = connections.into_iter().enumerate().map(|(slot, stream)| {
            spawn_local(send(stream, slot, Rc::clone(&arrived), Rc::clone(&left)))
        });
        for sender in Vec::from_iter(senders) {
            sender.await.expect("no connection breaks");
        }
        begun.elapsed()
    })
}

async fn send(
    mut stream: TcpStream,
    slot: usize,
    arrived: Rc<Vec<Notify>>,
    left: Rc<RefCell<usize>>,
) {
    let body = format!("{{\"n\": {slot}}}");
    let request = format!(
        "POST /hooks/in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = Vec::new();
    loop {
        match &mut *left.borrow_mut() {
            0 => return,
            left => *left -= 1,
        }
        stream.write_all(request.as_bytes()).await.expect("sent");
        let head = message(&mut stream, &mut answer)
            .await
            .expect("an answer")
            .0;
        assert!(head.starts_with("HTTP/1.1 202"), "{head}");
        arrived[slot].notified().await;
    }
}

async fn receive(sink: TcpListener, arrived: Rc<Vec<Notify>>) {
    while let Ok((mut stream, _)) = sink.accept().await {
        let arrived = Rc::clone(&arrived);
        spawn_local(async move {
            let _ = stream.set_nodelay(true);
            let mut bytes = Vec::new();
            while let Some((_, body)) = message(&mut stream, &mut bytes).await {
                let slot: usize = body.trim().parse().expect("the slot's number");
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer).await.expect("answered");
                arrived[slot].notify_one();
            }
        });
    }
}

/// The next message of a connection, its head and its body; `None` where it ended.
async fn message(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().ok())?
            });
            let whole = end + 4 + length.unwrap_or(0);
            if bytes.len() >= whole {
                let body = String::from_utf8_lossy(&bytes[end + 4..whole]).into_owned();
                bytes.drain(..whole);
                return Some((head, body));
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}
