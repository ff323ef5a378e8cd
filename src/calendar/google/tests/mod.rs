//! Google Calendar against a server that speaks as Google does.

mod access;
mod reading;
mod writing;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake::{self, Fail, OWN};
use super::*;
use crate::calendar::look::{Looked, bytes_of};
use crate::calendar::remote::{Delta, Draft, Resource, Target};
use crate::calendar::{Moment, Range};
use crate::clock::{Clock, TestClock};
use crate::zone::Tz;

/// A fake Google and a client of it.
struct World {
    server: fake::Google,
    google: Google,
    clock: Arc<TestClock>,
    folder: TempDir,
}

/// When everything happens.
const NOW: &str = "2026-11-20T06:00:00Z";

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(NOW.parse().expect("a time")))
}

impl World {
    /// A service account that may do this.
    async fn robot(write: Write) -> World {
        let server = fake::Google::start().await;
        let (clock, folder) = (clock(), tempfile::tempdir().expect("a folder"));
        let key = server.service_key();
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let account = Account::open("home", Credentials::Service(&key), folder.path(), shared);
        let account = account.await.expect("an account");
        World::of(server, account, write, clock, folder)
    }

    /// A person who signed in for these scopes.
    async fn person(scopes: &[&str], write: Write) -> World {
        let server = fake::Google::start().await;
        let (clock, folder) = (clock(), tempfile::tempdir().expect("a folder"));
        let kept = Kept {
            refresh_token: server.signed_in(&scopes.join(" ")),
            access_token: None,
            expires_at: None,
            granted_at: NOW.parse().expect("a time"),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ends_at: None,
            email: None,
        };
        let path = folder.path().join("home.json");
        kept.write(&path).expect("written");
        let account = person(&server, &folder, &clock, None).await;
        World::of(server, account.expect("an account"), write, clock, folder)
    }

    fn of(
        server: fake::Google,
        account: Account,
        write: Write,
        clock: Arc<TestClock>,
        folder: TempDir,
    ) -> World {
        let google = Google::new(account, write, Some(&server.url));
        World {
            server,
            google,
            clock,
            folder,
        }
    }

    /// Everything that the calendar holds.
    async fn all(&self) -> Delta {
        self.google.changes("primary", None).await.expect("a delta")
    }

    /// Waits for `work`, which rests this long in between.
    async fn resting<T>(&self, rest: Duration, work: impl Future<Output = T>) -> T {
        let passes = async {
            loop {
                self.clock.sleeping(1).await;
                if self.clock.next_wake() == Some(rest) {
                    self.clock.advance(rest);
                    return std::future::pending().await;
                }
                // Limits are longer: the rest is yet to come.
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = work => done,
            never = passes => never,
        }
    }

    /// Waits for `work`, to which nothing is ever said, for 30 s.
    async fn deaf<T>(&self, work: impl Future<Output = T>) -> T {
        self.server.calls();
        let passes = async {
            self.server.is_asked().await;
            self.clock.advance(Duration::from_secs(30));
        };
        tokio::join!(work, passes).0
    }
}

async fn person(
    server: &fake::Google,
    folder: &TempDir,
    clock: &Arc<TestClock>,
    token: Option<&str>,
) -> Result<Account, RemoteError> {
    let secret = &server.client_secret();
    let credentials = Credentials::Client { secret, token };
    let shared = Arc::clone(clock) as Arc<dyn Clock>;
    Account::open("home", credentials, folder.path(), shared).await
}

/// An event from then to then, RFC 3339.
fn event(id: &str, title: &str, start: &str, end: &str) -> Value {
    let at = |text: &str| match text.len() {
        10 => json!({ "date": text }),
        _ => json!({ "dateTime": text, "timeZone": "Europe/Madrid" }),
    };
    json!({ "id": id, "summary": title, "start": at(start), "end": at(end) })
}

fn at(text: &str) -> Moment {
    Moment::At(DateTime::parse_from_rfc3339(text).expect("a time"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// What all that `delta` has is on a day, seen from Madrid: `HH:MM-HH:MM title`.
fn on(delta: &Delta, date: &str) -> Vec<String> {
    let texts = delta
        .changes
        .iter()
        .filter_map(|change| change.now.as_ref());
    let whole: String = texts.map(|resource| resource.ics.as_str()).collect();
    if whole.is_empty() {
        return Vec::new();
    }
    let madrid = Tz::named("Europe/Madrid").expect("a zone");
    let looked = bytes_of(whole.as_bytes(), Range::day(day(date)), madrid);
    let Looked {
        items, warnings, ..
    } = looked.expect("a calendar");
    assert!(warnings.is_empty(), "{warnings:?}\n{whole}");
    items
        .iter()
        .map(|item| format!("{}-{} {}", item.start_time, item.end_time, item.title))
        .collect()
}

/// The one change of a delta.
fn only(delta: &Delta) -> (&str, Option<&Resource>) {
    let [change] = &delta.changes[..] else {
        panic!("{delta:?}");
    };
    (&change.id, change.now.as_ref())
}

fn draft(uid: &str, title: &str, start: &str, end: &str) -> Draft {
    let moment = |text: &str| match text.len() {
        10 => Moment::Day(day(text)),
        _ => at(text),
    };
    Draft {
        uid: uid.to_owned(),
        title: title.to_owned(),
        location: String::new(),
        description: String::new(),
        start: moment(start),
        end: moment(end),
        zone: Tz::named("Europe/Madrid").expect("a zone"),
    }
}
