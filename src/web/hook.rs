//! `POST /hooks/NAME`

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use super::call::{Call, raise};
use super::doors::Door;
use super::lock::{Says, Shown};
use super::{Web, host};
use crate::clock::timeout;
use crate::journal::{self, Level};
use crate::store::Accepted;

/// How long a body may take to arrive.
pub(super) const BODY: Duration = Duration::from_secs(10);

/// How many headers an event keeps, and how long each may be, in bytes.
const HEADERS: (usize, usize) = (32, 1024);

/// The longest name of a delivery that is remembered.
const LONGEST_ID: usize = 200;

/// Who is on the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// How a request ends that brings no event.
pub(super) type Refusal = (StatusCode, &'static str);

pub(super) const UNKNOWN: Refusal = (StatusCode::NOT_FOUND, "there is no such webhook");
pub(super) const SHUT: Refusal = (StatusCode::UNAUTHORIZED, "this webhook is not open to you");
const BROKEN: Refusal = (
    StatusCode::SERVICE_UNAVAILABLE,
    "this webhook is not ready; its owner's log says why",
);
const TOO_LARGE: Refusal = (
    StatusCode::PAYLOAD_TOO_LARGE,
    "the body is larger than this webhook takes",
);
pub(super) const SLOW: Refusal = (StatusCode::REQUEST_TIMEOUT, "the body took too long");
pub(super) const CUT: Refusal = (StatusCode::BAD_REQUEST, "the body did not arrive whole");
const LONG_ID: Refusal = (
    StatusCode::BAD_REQUEST,
    "the delivery's id is longer than 200 bytes",
);
pub(super) const NOT_KEPT: Refusal = (
    StatusCode::SERVICE_UNAVAILABLE,
    "it could not be written down; send it again",
);
pub(super) const NOT_OURS: Refusal = (
    StatusCode::MISDIRECTED_REQUEST,
    "this listener is not called by that name; [web] hosts says which ones it has",
);

/// Answers one request: 202 once every event is on the disk, 200 where all of them were before.
pub(super) async fn hook(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    match take(&web, name, request).await {
        Ok(accepted) => {
            let known = |accepted: &Accepted| matches!(accepted, Accepted::Duplicate(_));
            let status = match accepted.iter().all(known) {
                true => StatusCode::OK,
                false => StatusCode::ACCEPTED,
            };
            let runs: Vec<_> = accepted.iter().map(|accepted| accepted.run()).collect();
            as_json(status, &json!({ "runs": runs }))
        }
        Err(refusal) => refuse(refusal),
    }
}

/// A refusal, as JSON; 503 says when to try again.
pub(super) fn refuse((status, why): Refusal) -> Response {
    let mut response = as_json(status, &json!({ "error": why }));
    let headers = response.headers_mut();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("30"));
    }
    if status == StatusCode::UNAUTHORIZED {
        let scheme = header::HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn as_json(status: StatusCode, value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let text = serde_json::to_string(value).expect("it is texts and numbers");
    (status, kind, text).into_response()
}

async fn take(web: &Web, name: String, request: Request) -> Result<Vec<Accepted>, Refusal> {
    let (parts, body) = request.into_parts();
    let doors = web.doors();
    if !host::is_ours(&parts.headers, &doors.hosts) {
        return Err(NOT_OURS);
    }
    let doors = doors.named(&name).ok_or(UNKNOWN)?;
    let peer = parts.extensions.get::<Peer>().ok_or(SHUT)?;
    let shown = Shown {
        headers: &parts.headers,
        from: peer.0.ip(),
        now: web.clock.now(),
    };
    let said: Vec<Says> = doors.iter().map(|door| door.lock.head(&shown)).collect();
    let mut open: Vec<&Door> = Vec::new();
    let opened = doors.iter().zip(&said);
    open.extend(opened.filter_map(|(door, says)| (*says == Says::Open).then_some(door)));
    let most = open.iter().map(|door| door.max_bytes).max();
    let Some(most) = most else {
        let broken = said.contains(&Says::Broken);
        return Err(if broken { BROKEN } else { SHUT });
    };
    let bytes = match timeout(web.clock.as_ref(), BODY, read(&parts.headers, body, most)).await {
        Ok(read) => read?,
        Err(_) => return Err(SLOW),
    };
    open.retain(|door| door.lock.body(&shown, &bytes));
    if open.is_empty() {
        return Err(SHUT);
    }
    open.retain(|door| bytes.len() <= door.max_bytes);
    if open.is_empty() {
        return Err(TOO_LARGE);
    }
    let jobs: Vec<&str> = open.iter().map(|door| door.job.as_str()).collect();
    let call = call(name, &parts, &bytes)?;
    match raise(&web.intake, &web.clock, &call, &jobs).await {
        // Taken away by a reload in this very moment.
        Ok(accepted) if accepted.is_empty() => Err(UNKNOWN),
        Ok(accepted) => Ok(accepted.into_iter().map(|(_, accepted)| accepted).collect()),
        Err(error) => {
            let what = format!("a call of the webhook `{}` is not kept: {error}", call.name);
            journal::say(Level::Error, what);
            Err(NOT_KEPT)
        }
    }
}

/// The body, at most `most` bytes of it in memory.
pub(super) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Vec<u8>, Refusal> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(TOO_LARGE);
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| CUT)?;
        if bytes.len() + piece.len() > most {
            return Err(TOO_LARGE);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn call(name: String, parts: &Parts, bytes: &[u8]) -> Result<Call, Refusal> {
    let text = |name: &str| parts.headers.get(name)?.to_str().ok();
    let is_json = text("content-type").is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
    });
    let parsed = is_json
        .then(|| serde_json::from_slice(bytes).ok())
        .flatten();
    let body = parsed.unwrap_or_else(|| Value::String(String::from_utf8_lossy(bytes).into_owned()));
    let ids = ["webhook-id", "idempotency-key", "x-github-delivery"];
    // An empty one names nothing: every such delivery would be the same.
    let named = |name| text(name).filter(|id| !id.trim().is_empty());
    let id = ids.into_iter().find_map(named);
    if id.is_some_and(|id| id.len() > LONGEST_ID) {
        return Err(LONG_ID);
    }
    Ok(Call {
        name,
        body,
        headers: kept(&parts.headers),
        id: id.map(str::to_owned),
    })
}

/// The headers that an event keeps: none that opens a door, and none that is about the connection.
fn kept(headers: &HeaderMap) -> Map<String, Value> {
    let is_kept = |name: &HeaderName| {
        let name = name.as_str();
        let secret = [
            "auth",
            "cookie",
            "signature",
            "token",
            "secret",
            "api-key",
            "password",
        ];
        let wire = ["connection", "content-length", "host", "transfer-encoding"];
        !secret.iter().any(|part| name.contains(part)) && !wire.contains(&name)
    };
    let (most, longest) = HEADERS;
    let texts = headers.iter().filter_map(|(name, value)| {
        let text = value.to_str().ok().filter(|text| text.len() <= longest)?;
        is_kept(name).then(|| (name.as_str().to_owned(), Value::String(text.to_owned())))
    });
    texts.take(most).collect()
}
