//! A refresh by hand: it tells why one failed, and what Google says beside the token, which yup-oauth2 keeps to itself.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use url::form_urlencoded::Serializer;
use yup_oauth2::ApplicationSecret;

use super::account::{LIMIT, Write, again};
use crate::calendar::remote::RemoteError;
use crate::clock::{Clock, timeout};
use crate::net::{Client, HeaderMap, HeaderValue, Limits, Method, NetError, Policy, retry_after};

/// What Google answers (RFC 6749, section 5.1).
pub(super) struct Fresh {
    pub(super) access_token: String,
    /// How long the access token lasts.
    pub(super) lasts: Duration,
    /// What the person said yes to; none where it does not tell.
    pub(super) scopes: Option<Vec<String>>,
    /// How long the refresh token lasts, where that is limited.
    pub(super) refresh_lasts: Option<Duration>,
}

/// Why it gives nothing.
pub(super) enum Failed {
    /// The token is revoked, has ended, or belongs to another client: Google's word and its sentence.
    Grant(String),
    /// The client is deleted or its secret is wrong.
    Client(String),
    Busy(String, Option<Duration>),
    Net(String),
    Answer(String),
}

impl Failed {
    pub(super) fn into_remote(self, name: &str, write: Write) -> RemoteError {
        match self {
            Failed::Grant(said) => again(
                name,
                format_args!(
                    "the sign-in does not hold any more ({said}); while the consent screen is in Testing it ends after 7 days: \
                     publish the app"
                ),
                write,
            ),
            Failed::Client(said) => RemoteError::SignIn {
                why: format!("[google.{name}]: Google does not know the OAuth client ({said})"),
                right: "look whether it was deleted or its secret was renewed, then sign in again"
                    .to_owned(),
            },
            Failed::Busy(why, after) => RemoteError::Busy { why, after },
            Failed::Net(why) => RemoteError::Net(why),
            Failed::Answer(why) => RemoteError::Answer(why),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: u32,
    scope: Option<String>,
    refresh_token_expires_in: Option<u32>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

/// Asks for an access token.
pub(super) async fn refresh(
    secret: &ApplicationSecret,
    refresh_token: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Fresh, Failed> {
    let limits = Limits {
        bytes: 1 << 16,
        ..Limits::default()
    };
    let client = Client::new(Policy::typed(), limits, Arc::clone(clock));
    let body = Serializer::new(String::new())
        .append_pair("client_id", &secret.client_id)
        .append_pair("client_secret", &secret.client_secret)
        .append_pair("refresh_token", refresh_token)
        .append_pair("grant_type", "refresh_token")
        .finish();
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert("content-type", kind);
    let asked = async {
        let url = &secret.token_uri;
        let sent = client.request(Method::POST, url, headers, body.into_bytes());
        sent.await?.read().await
    };
    let answer = match timeout(&**clock, LIMIT, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(Failed::Net(error.to_string())),
        Err(_) => {
            let (origin, limit) = ("Google's sign-in".to_owned(), LIMIT);
            return Err(Failed::Net(NetError::Timeout { origin, limit }.to_string()));
        }
    };
    let status = answer.status.as_u16();
    if status == 429 || status >= 500 {
        let after = answer.headers.get("retry-after");
        let after = after.and_then(|value| retry_after(value.to_str().ok()?, clock.now()));
        let why = format!("Google's sign-in has trouble (status {status})");
        return Err(Failed::Busy(why, after));
    }
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) {
        return Err(refused(&refusal));
    }
    let read: Option<Answer> = serde_json::from_slice(&answer.body).ok();
    let read = read.filter(|_| status < 300).ok_or_else(|| {
        Failed::Answer(format!(
            "Google's sign-in, status {status}, without a token"
        ))
    })?;
    let seconds = |count: u32| Duration::from_secs(count.into());
    Ok(Fresh {
        access_token: read.access_token,
        lasts: seconds(read.expires_in),
        scopes: read
            .scope
            .map(|scope| scope.split(' ').map(str::to_owned).collect()),
        refresh_lasts: read.refresh_token_expires_in.map(seconds),
    })
}

/// RFC 6749, section 5.2.
fn refused(refusal: &Refusal) -> Failed {
    let mut said = refusal.error.clone();
    if let Some(description) = &refusal.error_description {
        said.push_str(": ");
        said.push_str(description);
    }
    let said = one_line(&said);
    match refusal.error.as_str() {
        "invalid_grant" | "access_denied" | "expired_token" | "admin_policy_enforced" => {
            Failed::Grant(said)
        }
        "invalid_client" | "unauthorized_client" | "deleted_client" | "disabled_client" => {
            Failed::Client(said)
        }
        _ => Failed::Answer(format!("Google's sign-in refuses: {said}")),
    }
}

/// What somebody else said, fit for a line of ours.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}
