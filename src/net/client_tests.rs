//! The client against real sockets.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::clock::TestClock;
use crate::net::Rule;

/// How a test server ends an answer.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Hang,
    RepeatForEver,
}

/// A server that gives each request the same bytes; the heads it got are reported.
async fn serve(answer: impl Into<Vec<u8>>, then: Then) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heads, received) = mpsc::unbounded_channel();
    let answer = answer.into();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(&answer).await.unwrap();
            let _ = heads.send(String::from_utf8(head).unwrap());
            match then {
                Then::Close => {}
                Then::Hang => std::future::pending().await,
                Then::RepeatForEver => while stream.write_all(&[b'x'; 4096]).await.is_ok() {},
            }
        }
    });
    (port, received)
}

fn client(policy: Policy) -> (Client, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(DateTime::UNIX_EPOCH));
    let limits = Limits {
        bytes: 64 << 10,
        ..Limits::default()
    };
    (Client::new(policy, limits, clock.clone()), clock)
}

fn local() -> Policy {
    Policy::allowing(["127.0.0.1"])
}

fn ok(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{head}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

async fn failure(answer: impl Into<Vec<u8>>, then: Then) -> NetError {
    let (port, _heads) = serve(answer, then).await;
    let url = format!("http://127.0.0.1:{port}/bot123:TOKEN/x?key=TOKEN");
    let error = client(local())
        .0
        .get(&url, HeaderMap::new())
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("TOKEN"), "{error}");
    assert!(!format!("{error:?}").contains("TOKEN"), "{error:?}");
    error
}

#[tokio::test]
async fn an_answer_is_read_whole_and_any_status_is_one() {
    let (port, _heads) = serve(ok("ETag: \"1\"\r\n", b"hello"), Then::Close).await;
    let url = format!("http://127.0.0.1:{port}/");
    let answer = client(local()).0.get(&url, HeaderMap::new()).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (200, &b"hello"[..])
    );
    assert_eq!(answer.headers["etag"], "\"1\"");
    assert!(answer.success().is_ok());

    let (port, _heads) = serve("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", Then::Close).await;
    let url = format!("http://127.0.0.1:{port}/");
    let answer = client(local()).0.get(&url, HeaderMap::new()).await.unwrap();
    let error = answer.success().unwrap_err();
    assert!(
        matches!(error, NetError::Status { status: 503, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_unnamed_host_is_refused_before_it_is_connected_to() {
    let (port, mut heads) = serve(ok("", b"secret"), Then::Close).await;
    let (client, _) = client(Policy::public());
    for host in ["127.0.0.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}/");
        let error = client.get(&url, HeaderMap::new()).await.unwrap_err();
        let rule = Rule::Loopback;
        assert!(
            matches!(error, NetError::Refused { rule: found, .. } if found == rule),
            "{error}"
        );
    }
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
async fn each_hop_is_checked() {
    for (target, refused) in [
        ("http://169.254.169.254/latest", Rule::Metadata),
        ("http://0x7f.2/", Rule::Loopback),
        ("http://localhost:1/", Rule::Loopback),
        ("http://[fd00:ec2::254]/", Rule::Metadata),
    ] {
        let error = failure(redirect(target), Then::Close).await;
        assert!(
            matches!(error, NetError::Refused { rule, .. } if rule == refused),
            "{error}"
        );
    }
    for target in ["file:///etc/passwd", "http://user:pass@example.org/"] {
        let error = failure(redirect(target), Then::Close).await;
        assert!(matches!(error, NetError::Url(_)), "{error}");
    }
    let error = failure(redirect("/again"), Then::Close).await;
    assert!(matches!(error, NetError::Redirect { .. }), "{error}");
}

#[tokio::test]
async fn keys_stay_at_the_first_origin() {
    let (port, mut heads) = serve(ok("", b"there"), Then::Close).await;
    let (first, mut first_heads) =
        serve(redirect(&format!("http://127.0.0.1:{port}/")), Then::Close).await;
    let mut sent = HeaderMap::new();
    sent.insert("x-api-key", HeaderValue::from_static("KEY"));
    sent.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"1\""));
    let url = format!("http://127.0.0.1:{first}/");
    let answer = client(local()).0.get(&url, sent).await.unwrap();
    assert_eq!(answer.body, b"there");
    assert!(first_heads.recv().await.unwrap().contains("KEY"));
    let head = heads.recv().await.unwrap();
    assert!(
        !head.contains("KEY") && head.contains("if-none-match"),
        "{head}"
    );
}

#[tokio::test]
async fn bytes_are_counted_after_decompression_and_without_end() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 8 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 16 << 10);
    let error = failure(ok("Content-Encoding: gzip\r\n", &bomb), Then::Close).await;
    assert!(
        matches!(error, NetError::TooLarge { limit: 65536, .. }),
        "{error}"
    );

    let error = failure("HTTP/1.1 200 OK\r\n\r\n", Then::RepeatForEver).await;
    assert!(matches!(error, NetError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_http_or_breaks_off_is_said_so() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
        b"",
        b"HTTP/1.1 200 OK\r\nCon\0tent: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk",
        b"HTTP/1.1 999999 Odd\r\n\r\n",
    ] {
        let error = failure(answer, Then::Close).await;
        assert!(matches!(error, NetError::Broken { .. }), "{error:?}");
    }
    let junk = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(1000));
    let error = failure(junk, Then::Close).await;
    assert!(matches!(error, NetError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_limit() {
    let slow = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let (port, mut heads) = serve(slow, Then::Hang).await;
    let (client, clock) = client(local());
    let url = format!("http://127.0.0.1:{port}/");
    let asked = client.get(&url, HeaderMap::new());
    let (answer, ()) = tokio::join!(asked, async {
        heads.recv().await.unwrap();
        clock.sleeping(1).await;
        clock.advance(Duration::from_secs(30));
    });
    let error = answer.unwrap_err();
    assert!(matches!(error, NetError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_and_no_such_name_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?TOKEN", free.local_addr().unwrap());
    drop(free);
    let (client, _) = client(local());
    let error = client.get(&url, HeaderMap::new()).await.unwrap_err();
    assert!(matches!(error, NetError::Connect { .. }), "{error:?}");
    assert!(!error.to_string().contains("TOKEN"), "{error}");
    let error = client
        .get("http://no.such.invalid/", HeaderMap::new())
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Resolve { .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_ends_at_its_limit() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    // Linux completes one connection more than the backlog says and leaves the next without an answer.
    let _first = tokio::net::TcpStream::connect(address).await.unwrap();
    let _second = tokio::net::TcpStream::connect(address).await.unwrap();
    let limits = Limits {
        connect: Duration::from_millis(50),
        ..Limits::default()
    };
    let clock = Arc::new(TestClock::at(DateTime::UNIX_EPOCH));
    let client = Client::new(local(), limits, clock);
    let error = client
        .get(&format!("http://{address}/"), HeaderMap::new())
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_post_streams_and_is_not_redirected() {
    let (port, mut heads) = serve(ok("", b"{}\n"), Then::Close).await;
    let (client, _) = client(local());
    let body = serde_json::json!({"a": 1});
    let url = format!("http://127.0.0.1:{port}/api");
    let mut answer = client
        .post_json(&url, HeaderMap::new(), &body)
        .await
        .unwrap();
    assert!(!format!("{answer:?}").contains("/api"), "{answer:?}");
    assert_eq!(answer.chunk().await.unwrap().unwrap(), b"{}\n");
    assert_eq!(answer.chunk().await.unwrap(), None);
    assert!(heads.recv().await.unwrap().starts_with("POST /api "));

    let (port, _heads) = serve(redirect("http://127.0.0.1/"), Then::Close).await;
    let url = format!("http://127.0.0.1:{port}/");
    let error = client
        .post_json(&url, HeaderMap::new(), &body)
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Redirect { .. }), "{error}");
}
