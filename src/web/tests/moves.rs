//! Where the listener is.

use super::*;
use crate::web::Listener;

/// A port that nobody has just now.
async fn free() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

fn configure(site: &Site, settings: &str) {
    let config = site.folder.path().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("reveille.toml"), settings).unwrap();
    site.daemon.reload(loaded(site.folder.path()));
}

fn web(site: &Site) -> Web {
    Web::new(
        &site.daemon,
        site.clock.clone(),
        Arc::new(|| Err("no".to_owned())),
    )
}

#[tokio::test]
async fn it_is_where_the_configuration_says_and_moves_with_it() {
    let site = site(&[("front", "door", "")]).await;
    let ports = [free().await, free().await];
    configure(
        &site,
        &format!("[web]\nlisten = \"127.0.0.1:{}\"\n", ports[0]),
    );
    let listener = Listener::open(web(&site)).await;
    let mut address = listener.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(listener.serve(async {
        let _ = stopped.await;
    }));
    let at = |port: u16| {
        move |address: &Option<SocketAddr>| address.is_some_and(|address| address.port() == port)
    };
    address.wait_for(at(ports[0])).await.unwrap();
    configure(
        &site,
        &format!("[web]\nlisten = \"127.0.0.1:{}\"\n", ports[1]),
    );
    address.wait_for(at(ports[1])).await.unwrap();
    assert!(TcpStream::connect(("127.0.0.1", ports[0])).await.is_err());
    let mut stream = TcpStream::connect(("127.0.0.1", ports[1])).await.unwrap();
    stream
        .write_all(request("door", &[], "").as_bytes())
        .await
        .unwrap();
    assert_eq!(answer(&mut stream).await.0, 202);
    drop(stop);
    serving.await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "it ended");
}

#[tokio::test]
async fn without_a_webhook_and_a_word_of_the_owner_there_is_none() {
    let site = site(&[]).await;
    let listener = Listener::open(web(&site)).await;
    assert_eq!(*listener.address().borrow(), None);
    configure(
        &site,
        &format!("[web]\nlisten = \"127.0.0.1:{}\"\n", free().await),
    );
    let listener = Listener::open(web(&site)).await;
    assert!(listener.address().borrow().is_some());
}

#[tokio::test]
async fn an_address_that_is_taken_is_tried_again() {
    let site = site(&[("front", "door", "")]).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    configure(&site, &format!("[web]\nlisten = \"127.0.0.1:{port}\"\n"));
    let listener = Listener::open(web(&site)).await;
    let mut address = listener.address();
    assert_eq!(*address.borrow_and_update(), None);
    tokio::spawn(listener.serve(std::future::pending()));
    site.clock.sleeping(1).await;
    drop(taken);
    site.clock.advance(Duration::from_secs(5));
    address.wait_for(Option::is_some).await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let get = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(get).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 503, "as the daemon is");
}
