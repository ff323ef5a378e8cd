//! One request to the Calendar API: its limit in time, its further tries, and what its failure means.
//!
//! The generated calls have no time limit, tell a status only to their delegate, and take an answer that broke off for an empty one.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use google_calendar3::common::{Delegate, Error, Response, Retry};
use serde_json::Value;

use super::Google;
use super::account::{Age, LIMIT};
use super::probe::one_line;
use crate::calendar::remote::RemoteError;
use crate::clock::timeout;
use crate::net::retry_after;

/// How often it is tried.
const TRIES: u32 = 3;
/// The longest wait between two tries; whoever is to wait longer is told so.
const LONGEST: Duration = Duration::from_secs(10);

/// How Google said no.
#[derive(Debug)]
pub(super) struct No {
    pub(super) status: u16,
    /// Its word, as `rateLimitExceeded`; may be empty.
    pub(super) reason: String,
    /// Its sentence; may be empty.
    pub(super) said: String,
    after: Option<Duration>,
}

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// Google answered with a status of failure that another try does not mend.
    No(No),
    /// Anything else.
    Other(RemoteError),
}

impl No {
    /// Whether another try may do it.
    fn is_busy(&self) -> bool {
        let limits = [
            "rateLimitExceeded",
            "userRateLimitExceeded",
            "quotaExceeded",
            "dailyLimitExceeded",
            "backendError",
        ];
        match self.status {
            429 | 500.. => true,
            403 => limits.contains(&self.reason.as_str()),
            _ => false,
        }
    }

    fn busy(self) -> RemoteError {
        let said = if self.said.is_empty() {
            String::new()
        } else {
            format!(": {}", self.said)
        };
        RemoteError::Busy {
            why: format!("Google has no time (status {}{said})", self.status),
            after: self.after,
        }
    }
}

/// What a call hears that its result does not tell; each call has a copy.
#[derive(Debug, Clone, Default)]
pub(super) struct Ear(Arc<Mutex<(u16, Option<String>)>>);

impl Delegate for Ear {
    fn http_failure(&mut self, response: &Response, _: Option<&Value>) -> Retry {
        let after = response.headers().get("retry-after");
        let after = after.and_then(|value| value.to_str().ok());
        if let Ok(mut heard) = self.0.lock() {
            *heard = (response.status().as_u16(), after.map(str::to_owned));
        }
        Retry::Abort
    }
}

impl Google {
    /// Makes a request, again where that may help.
    pub(super) async fn call<T, F, A>(&self, make: F) -> Result<T, Failure>
    where
        F: Fn(Ear) -> A,
        A: Future<Output = Result<(Response, T), Error>>,
    {
        let clock = self.account().clock();
        let (mut tried, mut renewed) = (0, false);
        loop {
            let ear = Ear::default();
            let no = match timeout(&**clock, LIMIT, make(ear.clone())).await {
                Ok(Ok((_, answer))) => return Ok(answer),
                Ok(Err(error)) => match self.heard(&ear, error) {
                    Failure::No(no) => no,
                    other => return Err(other),
                },
                Err(_) => {
                    let why = "Google did not answer within 30 s".to_owned();
                    return Err(Failure::Other(RemoteError::Net(why)));
                }
            };
            if no.status == 401 && !renewed {
                renewed = true;
                let token = self.account().token(&self.scopes(), Age::New).await;
                token.map_err(Failure::Other)?;
                continue;
            }
            if !no.is_busy() {
                return Err(Failure::No(no));
            }
            tried += 1;
            let wait = no.after.unwrap_or(Duration::from_secs(1 << (tried - 1)));
            if tried == TRIES || wait > LONGEST {
                return Err(Failure::Other(no.busy()));
            }
            clock.sleep(wait).await;
        }
    }

    fn heard(&self, ear: &Ear, error: Error) -> Failure {
        let (status, after) = ear.0.lock().map(|heard| heard.clone()).unwrap_or_default();
        let now = self.account().clock().now();
        let after = after.and_then(|text| retry_after(&text, now));
        let net = |why: String| Failure::Other(RemoteError::Net(why));
        match error {
            Error::BadRequest(body) => {
                let body = &body["error"];
                let word = |value: &Value| one_line(value.as_str().unwrap_or_default());
                Failure::No(No {
                    status,
                    reason: word(&body["errors"][0]["reason"]),
                    said: word(&body["message"]),
                    after,
                })
            }
            Error::Failure(_) => Failure::No(No {
                status,
                reason: String::new(),
                said: String::new(),
                after,
            }),
            Error::MissingToken(error) => match error.downcast::<RemoteError>() {
                Ok(ours) => Failure::Other(*ours),
                Err(_) => net("Google's sign-in gave no access token".to_owned()),
            },
            Error::JsonDecodeError(text, _) if text.is_empty() => {
                net("Google's answer broke off".to_owned())
            }
            // Not serde's words: they may show what events hold.
            Error::JsonDecodeError(_, error) => Failure::Other(RemoteError::Answer(format!(
                "Google's answer is not what it should be, at line {}, column {}",
                error.line(),
                error.column()
            ))),
            Error::HttpError(error) => net(format!("no way to Google: {}", root(&error))),
            _ => net("the request to Google came to nothing".to_owned()),
        }
    }
}

impl Failure {
    /// What it means where a calendar `id` was asked for.
    pub(super) fn of(self, google: &Google, id: &str) -> RemoteError {
        let no = match self {
            Failure::Other(error) => return error,
            Failure::No(no) => no,
        };
        let said = if no.said.is_empty() {
            format!("status {}", no.status)
        } else {
            no.said
        };
        match (no.status, no.reason.as_str()) {
            (401, _) => google.sign_in(&format!("Google does not take the access token ({said})")),
            (403, "accessNotConfigured" | "SERVICE_DISABLED") => RemoteError::Refused(
                "the Google Calendar API is not switched on: in Google's console, APIs & Services > Library, enable it".to_owned(),
            ),
            (403, "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT") => {
                google.sign_in("the sign-in does not reach that far")
            }
            (403, _) => RemoteError::Refused(google.not_shared(id, &said)),
            (404, _) => RemoteError::Refused(google.not_shared(id, "there is no such calendar for it")),
            (409 | 412, _) => RemoteError::Changed,
            (410, _) => RemoteError::Gone,
            _ => RemoteError::Answer(format!("Google refuses: {said}")),
        }
    }

    /// The same where an event was asked for.
    pub(super) fn of_event(self, google: &Google, id: &str) -> RemoteError {
        match self {
            Failure::No(No { status: 404, .. }) => RemoteError::Gone,
            other => other.of(google, id),
        }
    }

    /// Google's status, if it gave one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Failure::No(no) => Some(no.status),
            Failure::Other(_) => None,
        }
    }
}

/// What is at the bottom of an error, without the layers above it.
pub(super) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(next) = error.source() {
        error = next;
    }
    one_line(&error.to_string())
}
