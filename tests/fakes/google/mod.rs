//! A fake Google on 127.0.0.1:0: the OAuth endpoints and the Calendar API (v3) as far as it is used, failing on demand.
#![allow(dead_code, reason = "each test binary uses a part of it")]

mod events;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How a request fails.
#[derive(Debug, Clone)]
pub enum Fail {
    /// This status with Google's word for it.
    Says(u16, &'static str),
    /// This status, and when to come back, in seconds.
    Later(u16, u64),
    /// 502 with a web page.
    Page,
    /// Nothing is ever said.
    Hang,
    /// It is done, and then nothing is ever said.
    Mute,
    /// The answer breaks off in the middle.
    Half,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET` ...
    pub method: String,
    /// The path, decoded, without what all have in common: `calendars/ID/events`.
    pub path: String,
    /// What stands behind the question mark.
    pub query: BTreeMap<String, String>,
    /// The JSON or the form that it brought.
    pub body: Value,
}

/// The running server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Google {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    url: String,
    /// Events by calendar, each with the number of its last change.
    calendars: BTreeMap<String, Vec<(u64, Value)>>,
    /// Calendars that may be read only.
    read_only: BTreeSet<String>,
    changes: u64,
    /// Sync tokens below this one are not known any more.
    forgotten: u64,
    page: Option<usize>,
    /// Access tokens that hold.
    access: BTreeSet<String>,
    issued: u64,
    /// Refresh tokens that hold, with their scopes.
    refresh: BTreeMap<String, String>,
    /// Codes that were given to browsers: where they went and for which scopes.
    codes: BTreeMap<String, (String, String)>,
    /// Whether the person says no.
    refuses: bool,
    /// What the person allows, where that is less than what they are asked for.
    allows: Option<String>,
    /// Whether the consent screen is in Testing.
    testing: bool,
    fails: VecDeque<Fail>,
    token_fails: VecDeque<Fail>,
    /// Those of one method only.
    method_fails: VecDeque<(&'static str, Fail)>,
    calls: Vec<Call>,
    /// How often something was done and not said.
    muted: u64,
}

impl Google {
    /// Starts it, with one empty calendar, `ana@example.org`.
    pub async fn start() -> Google {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        {
            let mut inner = shared.lock();
            inner.url.clone_from(&url);
            inner.calendars.insert(OWN.to_owned(), Vec::new());
        }
        let router = Router::new()
            .route("/token", post(tokens::token))
            .route("/auth", get(tokens::consent))
            .route("/calendar/v3/users/me/calendarList", get(events::calendars))
            .route(
                "/calendar/v3/calendars/{calendar}/events",
                any(events::list_or_insert),
            )
            .route(
                "/calendar/v3/calendars/{calendar}/events/{event}",
                any(events::one),
            )
            .route(
                "/calendar/v3/calendars/{calendar}/events/{event}/instances",
                get(events::instances),
            )
            .layer(from_fn_with_state(Arc::clone(&shared), at_the_door))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Google { url, shared }
    }

    /// A service account's key, as Google's console gives it.
    pub fn service_key(&self) -> String {
        json!({
            "type": "service_account", "project_id": "home", "private_key_id": "1",
            "private_key": KEY, "client_email": ROBOT, "client_id": "1",
            "auth_uri": format!("{}/auth", self.url), "token_uri": format!("{}/token", self.url),
        })
        .to_string()
    }

    /// An OAuth client's secret, likewise.
    pub fn client_secret(&self) -> String {
        json!({ "installed": {
            "client_id": CLIENT, "client_secret": SECRET, "project_id": "home",
            "auth_uri": format!("{}/auth", self.url), "token_uri": format!("{}/token", self.url),
            "redirect_uris": ["http://localhost"],
        }})
        .to_string()
    }

    /// Somebody signed in for these scopes; gives the refresh token.
    pub fn signed_in(&self, scopes: &str) -> String {
        let mut inner = self.shared.lock();
        inner.issued += 1;
        let token = format!("1//refresh-{}", inner.issued);
        inner.refresh.insert(token.clone(), scopes.to_owned());
        token
    }

    /// Every sign-in is over.
    pub fn revokes(&self) {
        let mut inner = self.shared.lock();
        inner.refresh.clear();
        inner.access.clear();
    }

    /// Access tokens end before their time.
    pub fn ends_access(&self) {
        self.shared.lock().access.clear();
    }

    /// The person says no.
    pub fn refuses(&self) {
        self.shared.lock().refuses = true;
    }

    /// The person ticks only these boxes.
    pub fn allows(&self, scopes: &str) {
        self.shared.lock().allows = Some(scopes.to_owned());
    }

    /// The consent screen is in Testing.
    pub fn is_in_testing(&self) {
        self.shared.lock().testing = true;
    }

    /// The next request to the Calendar API fails so.
    pub fn fail(&self, fail: Fail) {
        self.shared.lock().fails.push_back(fail);
    }

    /// The next request of this method fails so.
    pub fn fail_at(&self, method: &'static str, fail: Fail) {
        self.shared.lock().method_fails.push_back((method, fail));
    }

    /// The next request for a token fails so.
    pub fn fail_token(&self, fail: Fail) {
        self.shared.lock().token_fails.push_back(fail);
    }

    /// Lists go out in pages of so many.
    pub fn pages_of(&self, count: usize) {
        self.shared.lock().page = Some(count);
    }

    /// Sync tokens of before are not known any more.
    pub fn forgets(&self) {
        let mut inner = self.shared.lock();
        inner.changes += 1;
        inner.forgotten = inner.changes;
    }

    /// A calendar more, which may be read only.
    pub fn read_only(&self, calendar: &str) {
        let mut inner = self.shared.lock();
        inner.calendars.entry(calendar.to_owned()).or_default();
        inner.read_only.insert(calendar.to_owned());
    }

    /// Somebody puts an event into a calendar, or another in its place.
    pub fn has(&self, calendar: &str, event: Value) {
        self.shared.lock().put(calendar, event);
    }

    /// An event as it is now.
    pub fn event(&self, calendar: &str, id: &str) -> Option<Value> {
        self.shared.lock().find(calendar, id)
    }

    /// How many events a calendar holds, deleted ones included.
    pub fn count(&self, calendar: &str) -> usize {
        self.shared.lock().calendars[calendar].len()
    }

    /// The requests so far, taken away.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.shared.lock().calls)
    }

    /// The same as `METHOD path`.
    pub fn asked(&self) -> Vec<String> {
        let calls = self.calls().into_iter();
        calls
            .map(|call| format!("{} {}", call.method, call.path))
            .collect()
    }

    /// What was done and not said before does not count any more.
    pub fn speaks(&self) {
        self.shared.lock().muted = 0;
    }

    /// Waits until something was done and not said ([`Fail::Mute`]).
    pub async fn is_mute(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if self.shared.lock().muted > 0 {
                return;
            }
            changed.await;
        }
    }

    /// Waits for the next request that nothing is said to.
    pub async fn is_asked(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if !self.shared.lock().calls.is_empty() {
                return;
            }
            changed.await;
        }
    }
}

/// The calendar that is there from the beginning.
pub const OWN: &str = "ana@example.org";
/// The service account's address.
pub const ROBOT: &str = "robot@home.iam.gserviceaccount.com";
/// The OAuth client, and its secret.
pub const CLIENT: &str = "1.apps.googleusercontent.com";
pub const SECRET: &str = "GOCSPX-hunter2hunter2";
/// A key made for this test, known to everybody.
pub const KEY: &str = include_str!("../../data/google-key.pem");

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("nothing panics while it holds the state")
    }
}

/// Writes every request down, and lets it fail.
async fn at_the_door(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20)
        .await
        .unwrap_or_default();
    let path = parts.uri.path().trim_start_matches("/calendar/v3");
    let decoded = pairs(format!("path={}", path.replace('+', "%2B")).as_bytes());
    let call = Call {
        method: parts.method.to_string(),
        path: decoded["path"].trim_start_matches('/').to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        body: serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(pairs(&bytes))),
    };
    let is_token = call.path == "token";
    let allowed = parts.headers.get(header::AUTHORIZATION).cloned();
    let fail = {
        let mut inner = shared.lock();
        let at = inner.method_fails.front().map(|(method, _)| *method);
        let is_there = !is_token && at == Some(call.method.as_str());
        inner.calls.push(call);
        let fails = if is_token {
            &mut inner.token_fails
        } else {
            &mut inner.fails
        };
        match fails.pop_front() {
            None if is_there => inner.method_fails.pop_front().map(|(_, fail)| fail),
            fail => fail,
        }
    };
    shared.changed.notify_waiters();
    let is_api = parts.uri.path().starts_with("/calendar/");
    if is_api && matches!(fail, None | Some(Fail::Mute)) {
        let token = allowed.as_ref().and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| shared.lock().access.contains(token)) {
            return says(401, "authError", "Invalid Credentials");
        }
    }
    match fail {
        None => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Some(Fail::Says(status, reason)) if is_token => {
            let body = json!({ "error": reason, "error_description": "Bad Request" });
            answer(status, &body)
        }
        Some(Fail::Says(status, reason)) => says(status, reason, "It does not want to"),
        Some(Fail::Later(status, seconds)) => {
            let mut answer = says(status, "rateLimitExceeded", "Slow down");
            answer.headers_mut().insert("retry-after", seconds.into());
            answer
        }
        Some(Fail::Page) => (StatusCode::BAD_GATEWAY, "<html>Bad gateway</html>").into_response(),
        Some(Fail::Hang) => std::future::pending().await,
        Some(Fail::Mute) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await;
            shared.lock().muted += 1;
            shared.changed.notify_waiters();
            std::future::pending().await
        }
        Some(Fail::Half) => {
            let start = async { Ok(Bytes::from_static(b"{\"items\": [")) };
            let end = async {
                // What came before goes out first.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the line breaks"))
            };
            let start = futures_util::stream::once(start);
            Body::from_stream(start.chain(futures_util::stream::once(end))).into_response()
        }
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let kind = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (status, kind, body.to_string()).into_response()
}

/// An error in the form of the Calendar API.
fn says(status: u16, reason: &str, message: &str) -> Response {
    answer(
        status,
        &json!({ "error": {
            "code": status, "message": message,
            "errors": [{ "domain": "global", "reason": reason, "message": message }],
        }}),
    )
}

fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
