//! What a caller has to show.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, ORIGIN};
use chrono::{DateTime, Utc};
use ring::hmac::{self, HMAC_SHA256, Key, Tag};
use ring::rand::SystemRandom;

use super::signature::Signer;
use crate::config::secrets::Secrets;
use crate::trigger::Webhook;

/// What opens a door.
#[derive(Debug)]
pub(super) enum Lock {
    /// Nothing but being a program of this machine.
    Near,
    /// A token, a signature, or both.
    Secret(Box<Keys>),
    /// Nothing: its secret is not there.
    Broken,
}

/// Those that are there are all needed.
#[derive(Debug)]
pub(super) struct Keys {
    token: Option<Token>,
    signer: Option<Signer>,
}

/// Who calls, and what they show.
pub(super) struct Shown<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) from: IpAddr,
    pub(super) now: DateTime<Utc>,
}

/// What a door says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Come in.
    Open,
    /// Not to you.
    Shut,
    /// Not now.
    Broken,
}

/// A bearer token, as a tag under a key of this process: it is compared in constant time, whatever its length.
pub(super) struct Token {
    key: Key,
    tag: Tag,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Lock {
    /// # Errors
    /// Why a secret cannot be had.
    pub(super) fn of(webhook: &Webhook, secrets: &Secrets) -> Result<Self, String> {
        let read = |from: &Option<_>| from.as_ref().map(|from| secrets.get(from)).transpose();
        let (token, signing) = (read(&webhook.token)?, read(&webhook.hmac)?);
        if token.is_none() && signing.is_none() {
            return Ok(Lock::Near);
        }
        let empty = |secret: &crate::net::Secret| secret.expose().is_empty();
        if token.as_ref().is_some_and(empty) || signing.as_ref().is_some_and(empty) {
            return Err("its secret is empty".to_owned());
        }
        let keys = Keys {
            token: token.map(|token| Token::new(token.expose())).transpose()?,
            signer: signing.map(|secret| Signer::new(secret.expose())),
        };
        Ok(Lock::Secret(Box::new(keys)))
    }

    /// What can be said before the body has arrived.
    pub(super) fn head(&self, shown: &Shown<'_>) -> Says {
        let opens = match self {
            Lock::Broken => return Says::Broken,
            // A browser names the page that sends it, which may be anybody's.
            Lock::Near => {
                shown.from.to_canonical().is_loopback() && !shown.headers.contains_key(ORIGIN)
            }
            Lock::Secret(keys) => keys
                .token
                .as_ref()
                .is_none_or(|token| bearer(shown.headers).is_some_and(|given| token.is(given))),
        };
        if opens { Says::Open } else { Says::Shut }
    }

    /// Whether the body is signed, where it has to be.
    pub(super) fn body(&self, shown: &Shown<'_>, body: &[u8]) -> bool {
        match self {
            Lock::Secret(keys) => keys
                .signer
                .as_ref()
                .is_none_or(|signer| signer.signed(shown.headers, shown.now, body)),
            Lock::Near => true,
            Lock::Broken => false,
        }
    }
}

impl Token {
    fn new(token: &str) -> Result<Self, String> {
        let key = Key::generate(HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| "the system gives no random bytes".to_owned())?;
        let tag = hmac::sign(&key, token.as_bytes());
        Ok(Token { key, tag })
    }

    fn is(&self, given: &[u8]) -> bool {
        hmac::verify(&self.key, given, self.tag.as_ref()).is_ok()
    }
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
