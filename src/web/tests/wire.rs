//! Slow, broken and busy connections.

use super::*;

#[tokio::test]
async fn a_connection_is_kept_and_requests_may_follow_each_other_unawaited() {
    let site = site(&[("front", "door", "")]).await;
    let mut stream = site.connect().await;
    for _ in 0..3 {
        stream
            .write_all(request("door", &[], "a").as_bytes())
            .await
            .unwrap();
        assert_eq!(answer(&mut stream).await.0, 202);
    }
    let three = request("door", &[], "a").repeat(3);
    stream.write_all(three.as_bytes()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(answer(&mut stream).await.0, 202);
    }
    assert_eq!(site.events().len(), 6);
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_after_ten_seconds() {
    let site = site(&[("front", "door", "")]).await;
    let mut stream = site.connect().await;
    let half = "POST /hooks/door HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf";
    stream.write_all(half.as_bytes()).await.unwrap();
    site.clock.sleeping(1).await;
    site.clock.advance(Duration::from_secs(10));
    assert_eq!(answer(&mut stream).await.0, 408);
    assert!(site.events().is_empty());
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_no_event() {
    let site = site(&[("front", "door", "")]).await;
    let mut stream = site.connect().await;
    let half = "POST /hooks/door HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf";
    stream.write_all(half.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(
        !rest.starts_with(b"HTTP/1.1 2"),
        "{}",
        String::from_utf8_lossy(&rest)
    );
    assert!(site.events().is_empty());
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let site = site(&[("front", "door", "")]).await;
    for said in ["", "POST /hooks/door HTTP/1.1\r\nHost: "] {
        let mut stream = site.connect().await;
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP/1.1 2"));
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_next_one_is_served() {
    let site = site(&[("front", "door", "")]).await;
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "x".repeat(1 << 20)
    );
    let many = "X: y\r\n".repeat(1000);
    let many = format!("POST /hooks/door HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"hello\r\n\r\n",
        b"POST /hooks/door HTTP/9.9\r\n\r\n",
        b"POST /hooks/door HTTP/1.1\r\nContent-Length: -1\r\nHost: localhost\r\n\r\n",
        b"POST /hooks/door HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nHost: localhost\r\n\r\nx",
        b"POST /hooks/\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let mut stream = site.connect().await;
        let _ = stream.write_all(garbage).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(site.post("door", &[], "").await.0, 202);
    assert_eq!(site.events().len(), 1);
}

#[tokio::test]
async fn a_watcher_hears_how_the_daemon_is() {
    let site = site(&[("front", "door", "")]).await;
    let get = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    assert_eq!(site.send(get).await.0, 200);
}
