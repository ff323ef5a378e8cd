//! The listener on 127.0.0.1:0, before a real queue and a real store.

mod disk;
mod ids;
mod moves;
mod refusals;
mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Web;
use super::serve::connections;
use crate::clock::{Clock, TestClock};
use crate::config::Config;
use crate::config::folder::Folder;
use crate::engine::{Daemon, Engine, Loaded, Patience};
use crate::job::Event;
use crate::store::lock::ProcessLock;
use crate::store::{Filter, Mode, Store};
use crate::zone::Tz;

/// A folder, a daemon and its listener.
struct Site {
    folder: TempDir,
    clock: Arc<TestClock>,
    daemon: Daemon,
    store: Store,
    address: SocketAddr,
    _lock: ProcessLock,
    _stop: watch::Sender<bool>,
}

/// A job with one webhook.
fn job(name: &str, keys: &str) -> String {
    format!("[[trigger]]\nwebhook = \"{name}\"\n{keys}\n\n[[step]]\nset.a = \"1\"\n")
}

/// With these jobs: the name, the webhook's name, the webhook's other keys.
async fn site(jobs: &[(&str, &str, &str)]) -> Site {
    Site::on(tempfile::tempdir().unwrap(), jobs).await
}

fn loaded(folder: &Path) -> Loaded {
    let place = Folder::Disk(folder.to_owned());
    let config = Config::resolve(place.read().unwrap(), Tz::UTC);
    assert!(config.problems.is_empty(), "{:?}", config.problems);
    Loaded::new(place, config).0
}

fn write(folder: &Path, jobs: &[(&str, &str, &str)]) {
    std::fs::create_dir_all(folder.join("jobs")).unwrap();
    for (file, name, keys) in jobs {
        std::fs::write(folder.join(format!("jobs/{file}.toml")), job(name, keys)).unwrap();
    }
    std::fs::write(folder.join(".env"), "TOKEN=opensesame\nKEY=hush-hush\n").unwrap();
}

impl Site {
    async fn on(folder: TempDir, jobs: &[(&str, &str, &str)]) -> Self {
        write(folder.path(), jobs);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Arc::new(TestClock::at(now));
        let state = folder.path().join("state");
        let lock = ProcessLock::acquire(&state, clock.id()).unwrap();
        let store = Store::open(&state, clock.clone(), Mode::Threaded)
            .unwrap()
            .store;
        let engine = Engine {
            clock: clock.clone(),
            loaded: Arc::new(loaded(folder.path())),
            store: store.clone(),
            state,
            lock: lock.name().to_owned(),
            alerts: None,
            servers: Arc::default(),
            commands: Arc::default(),
            patience: Patience::Endless,
        };
        let daemon = Daemon::start(engine).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let web = Web::new(&daemon, clock.clone(), Arc::new(|| Ok(())));
        let (stop, stopped) = watch::channel(false);
        let head = Duration::from_millis(50);
        tokio::spawn(async move { connections(listener, &Arc::new(web), head, stopped).await });
        Site {
            folder,
            clock,
            daemon,
            store,
            address,
            _lock: lock,
            _stop: stop,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends one request and gives its status, headers and body.
    async fn send(&self, request: &str) -> (u16, String, Value) {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(&mut stream).await
    }

    /// `POST /hooks/NAME` with these header lines.
    async fn post(&self, name: &str, headers: &[&str], body: &str) -> (u16, Value) {
        let (status, _, value) = self.send(&request(name, headers, body)).await;
        (status, value)
    }

    /// The events of all runs, the newest first.
    fn events(&self) -> Vec<Event> {
        let filter = Filter {
            job: None,
            limit: 100,
            before: None,
        };
        let read = self.store.read_now(|reader| {
            let rows = reader.history(&filter)?;
            rows.iter()
                .map(|row| reader.run(row.run))
                .collect::<Result<Vec<_>, _>>()
        });
        read.unwrap()
            .into_iter()
            .flatten()
            .map(|story| story.event)
            .collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // As a daemon that ends: what waits stays where it is.
        self.daemon.queue.stop();
    }
}

fn request(name: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    format!(
        "POST /hooks/{name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// Reads one answer off a connection.
async fn answer(stream: &mut TcpStream) -> (u16, String, Value) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.split("content-length: ").nth(1).unwrap();
    let length = length.split('\r').next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (status, head, value)
}

/// The hex of a body's HMAC-SHA256.
fn hex(key: &str, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    let tag = ring::hmac::sign(&key, body.as_bytes());
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
