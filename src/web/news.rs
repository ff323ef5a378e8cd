//! `POST` to the address that `[telegram] webhook` names: news that Telegram brings.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::oneshot;

use super::Web;
use super::hook::{BODY, CUT, NOT_KEPT, Refusal, SHUT, SLOW, UNKNOWN, read, refuse};
use crate::clock::timeout;
use crate::engine::chats::Brought;
use crate::telegram::{self, hook};

/// The largest update, in bytes; they are small.
const LARGEST: usize = 1 << 20;

/// How long it may take until it is on the disk; Telegram brings it again.
const KEPT: Duration = Duration::from_secs(30);

/// Answers one request: 200 once all that it brings is on the disk.
pub(super) async fn news(State(web): State<Arc<Web>>, request: Request) -> Response {
    match take(&web, request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => refuse(refusal),
    }
}

async fn take(web: &Web, request: Request) -> Result<(), Refusal> {
    let (parts, body) = request.into_parts();
    let loaded = web.intake.loaded();
    let settings = loaded.settings.telegram.as_ref().ok_or(UNKNOWN)?;
    let path = settings.webhook.as_deref().map(path_of).ok_or(UNKNOWN)?;
    if parts.method != Method::POST || parts.uri.path() != path {
        return Err(UNKNOWN);
    }
    let shown = parts.headers.get(hook::HEADER).ok_or(SHUT)?;
    let token = loaded.secrets.get(&settings.token).map_err(|_| SHUT)?;
    if !hook::is_shown(&token, shown.as_bytes()) {
        return Err(SHUT);
    }
    let clock = web.clock.as_ref();
    let bytes = timeout(clock, BODY, read(&parts.headers, body, LARGEST)).await;
    let bytes = bytes.map_err(|_| SLOW)??;
    let update: Value = serde_json::from_slice(&bytes).map_err(|_| CUT)?;
    telegram::number(&update).ok_or(CUT)?;
    let (kept, heard) = oneshot::channel();
    let brought = async {
        web.news
            .send(Brought { update, kept })
            .await
            .map_err(|_| NOT_KEPT)?;
        heard.await.map_err(|_| NOT_KEPT)
    };
    timeout(clock, KEPT, brought).await.unwrap_or(Err(NOT_KEPT))
}

/// The path of an address, `/` where it has none.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or("/").to_owned()
}
