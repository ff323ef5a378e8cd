//! The client against a real Radicale, and against a fake that fails on demand.

mod faults;
mod find;
mod radicale;
#[path = "../../../../tests/fakes/radicale.rs"]
mod server;
mod sync;
mod writes;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate};
use url::Url;

use super::{Account, Dav};
use crate::calendar::remote::{Draft, RemoteError, Resource, Target};
use crate::calendar::{Moment, Range};
use crate::clock::TestClock;
use crate::net::{Client, Limits, Policy, Secret};
use crate::zone::Tz;

/// A request as it came.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    path: String,
    head: String,
    body: String,
}

/// A server that answers as a function says; every request is kept.
struct Fake {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    fn new(answer: impl Fn(&Asked) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                if let Some(request) = read(&mut stream) {
                    kept.lock().expect("no panic").push(request.clone());
                    let answer = answer(&request);
                    let _ = stream.write_all(answer.as_bytes());
                    if answer.ends_with(ENDLESS) {
                        while stream.write_all(&[b'x'; 65536]).is_ok() {}
                    }
                }
            }
        });
        Fake {
            url: Url::parse(&format!("http://127.0.0.1:{port}/cal/")).expect("a URL"),
            asked,
        }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    fn user(&self) -> User {
        User::new(self.url.clone(), "me", "hunter2")
    }
}

/// How an answer ends that goes on for ever.
const ENDLESS: &str = "<!--for ever";

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    Some(Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        body: String::from_utf8(body).ok()?,
        head: head.to_ascii_lowercase(),
    })
}

/// An answer with its length, after which the connection closes.
fn answer(status: &str, head: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{head}\r\n{body}",
        body.len()
    )
}

fn multistatus(inner: &str) -> String {
    let body = format!(
        "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" \
         xmlns:s=\"http://calendarserver.org/ns/\">{inner}</d:multistatus>"
    );
    answer(
        "207 Multi-Status",
        "Content-Type: application/xml\r\n",
        &body,
    )
}

/// A response with properties that were found.
fn found(href: &str, properties: &str) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{properties}</d:prop>\
         <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
}

/// A response with a status of its own.
fn status(href: &str, status: u16) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {status} x</d:status></d:response>"
    )
}

/// A client of one account.
struct User {
    client: Client,
    clock: Arc<TestClock>,
    account: Account,
}

impl User {
    fn new(url: Url, user: &str, password: &str) -> Self {
        let now = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
        let clock = Arc::new(TestClock::at(now));
        let limits = Limits {
            bytes: 4 << 20,
            ..Limits::default()
        };
        let host = url.host_str().map(str::to_owned);
        User {
            client: Client::new(Policy::allowing(host), limits, clock.clone()),
            clock,
            account: Account {
                url,
                user: user.to_owned(),
                password: Secret::new(password),
            },
        }
    }

    fn dav(&self) -> Dav<'_> {
        Dav::new(&self.client, &*self.clock, &self.account, Tz::UTC).expect("a client")
    }
}

fn window() -> Range {
    Range {
        start: NaiveDate::from_ymd_opt(2026, 10, 20).expect("a day"),
        days: 430,
    }
}

fn at(text: &str) -> Moment {
    Moment::At(DateTime::parse_from_rfc3339(text).expect("a time"))
}

fn draft(uid: &str, title: &str, start: &str, end: &str) -> Draft {
    Draft {
        uid: uid.to_owned(),
        title: title.to_owned(),
        location: String::new(),
        description: String::new(),
        start: at(start),
        end: at(end),
        zone: Tz::UTC,
    }
}

fn dentist() -> Draft {
    draft(
        "abc123",
        "Dentist",
        "2026-11-24T09:00:00Z",
        "2026-11-24T10:00:00Z",
    )
}

fn event(uid: &str) -> String {
    let dentist = Draft {
        uid: uid.to_owned(),
        ..dentist()
    };
    crate::calendar::write::calendar(&dentist, DateTime::UNIX_EPOCH)
}

fn seen(uid: &str, etag: &str) -> Resource {
    Resource {
        etag: etag.to_owned(),
        ics: event(uid),
    }
}

fn target<'a>(id: &'a str, seen: &'a Resource) -> Target<'a> {
    Target {
        id,
        seen,
        occurrence: None,
    }
}
