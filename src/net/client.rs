//! Requests: guarded, bounded in time and bytes, and quiet about URLs.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::resolver::GuardedResolver;
use super::{Http, NetError, Policy};
use crate::clock::{Clock, timeout};

const MAX_REDIRECTS: usize = 5;

/// How long a shared connection may be silent before it is asked whether it lives, and how long that answer may take.
const ASK: Duration = Duration::from_secs(20);

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, name resolution and TLS included. Real time, since the network keeps it.
    pub connect: Duration,
    /// Until [`Client::get`] has the whole answer, redirects included, and [`Client::exchange`] one.
    pub total: Duration,
    /// Bytes of one body, after decompression.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(30),
            bytes: 10 << 20,
        }
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Whatever it was: 304 and 404 are answers.
    pub status: StatusCode,
    /// As received.
    pub headers: HeaderMap,
    /// Decompressed.
    pub body: Vec<u8>,
    origin: String,
}

impl Response {
    /// The response, unless its status means failure (400 and above).
    ///
    /// # Errors
    /// [`NetError::Status`].
    pub fn success(self) -> Result<Self, NetError> {
        if self.status.as_u16() < 400 {
            return Ok(self);
        }
        Err(NetError::Status {
            origin: self.origin,
            status: self.status.as_u16(),
        })
    }
}

/// Makes requests under one [`Policy`]. Cheap to make: the connection pools behind it are built when first used.
#[derive(Debug)]
pub struct Client {
    policy: Arc<Policy>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    plain: OnceLock<reqwest::Client>,
    tls: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client; nothing is built or connected yet.
    pub fn new(policy: Policy, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Client {
            policy: Arc::new(policy),
            limits,
            clock,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        }
    }

    /// Gets `url`, following up to five redirects; `headers` that may hold secrets stay at the first origin.
    ///
    /// # Errors
    /// Every [`NetError`] but `Status`: see [`Response::success`].
    pub async fn get(&self, url: &str, headers: HeaderMap) -> Result<Response, NetError> {
        let url = self.policy.check(url)?;
        let origin = origin(&url);
        let limit = self.limits.total;
        timeout(&*self.clock, limit, self.follow(url, headers))
            .await
            .unwrap_or(Err(NetError::Timeout { origin, limit }))
    }

    /// Posts `body` as JSON and gives the answer as it comes. The caller keeps the time; redirects are refused.
    ///
    /// # Errors
    /// Every [`NetError`] but `Status` and `Timeout`.
    pub async fn post_json(
        &self,
        url: &str,
        headers: HeaderMap,
        body: &Value,
    ) -> Result<Streaming, NetError> {
        let url = self.policy.check(url)?;
        let request = self.http(&url)?.post(url.clone());
        let answer = self.send(&url, request.headers(headers).json(body)).await?;
        if answer.status.is_redirection() {
            return Err(not_followed(
                &url,
                "a request with a body goes nowhere else",
            ));
        }
        Ok(answer)
    }

    /// Makes one request and gives the answer as it comes, a redirect included. The caller keeps the time.
    ///
    /// # Errors
    /// Every [`NetError`] but `Status`, `Timeout` and `Redirect`; [`NetError::before_sending`] tells whether it can have arrived.
    pub async fn request(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Streaming, NetError> {
        let url = self.policy.check(url)?;
        let request = self.http(&url)?.request(method, url.clone());
        self.send(&url, request.headers(headers).body(body)).await
    }

    /// Makes one request and reads its answer, which a redirect is too: whether it is followed, and with what, is the caller's.
    ///
    /// # Errors
    /// Every [`NetError`] but `Status` and `Redirect`.
    pub async fn exchange(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response, NetError> {
        let (origin, limit) = (origin(url), self.limits.total);
        let exchange = async {
            let answer = self.request(method, url.as_str(), headers, body).await?;
            answer.read().await
        };
        timeout(&*self.clock, limit, exchange)
            .await
            .unwrap_or(Err(NetError::Timeout { origin, limit }))
    }

    async fn follow(&self, mut url: Url, mut headers: HeaderMap) -> Result<Response, NetError> {
        for _ in 0..=MAX_REDIRECTS {
            let request = self.http(&url)?.get(url.clone());
            let answer = self.send(&url, request.headers(headers.clone())).await?;
            let Some(next) = self.redirect(&url, &answer)? else {
                return answer.read().await;
            };
            if next.origin() != url.origin() {
                headers = harmless(&headers);
            }
            url = next;
        }
        Err(not_followed(&url, "more than five in a row"))
    }

    fn redirect(&self, from: &Url, answer: &Streaming) -> Result<Option<Url>, NetError> {
        let Some(location) = answer.headers.get(header::LOCATION) else {
            return Ok(None);
        };
        if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let next = location.to_str().ok().and_then(|to| from.join(to).ok());
        let next = next.ok_or_else(|| not_followed(from, "its target is not a URL"))?;
        if from.scheme() == "https" && next.scheme() == "http" {
            return Err(not_followed(from, "from https to http"));
        }
        self.policy.check_url(&next)?;
        Ok(Some(next))
    }

    async fn send(
        &self,
        url: &Url,
        request: reqwest::RequestBuilder,
    ) -> Result<Streaming, NetError> {
        let origin = origin(url);
        match request.send().await {
            Ok(response) => Ok(Streaming {
                status: response.status(),
                headers: response.headers().clone(),
                limit: self.limits.bytes,
                received: 0,
                response,
                origin,
            }),
            Err(error) => Err(NetError::of(&origin, error)),
        }
    }

    /// The client behind it, for a library that makes its own requests to `url`; the caller keeps the time.
    ///
    /// # Errors
    /// The address is not one, or is refused; [`NetError::Setup`].
    pub fn behind(&self, url: &str) -> Result<(Http, Url), NetError> {
        let url = self.policy.check(url)?;
        Ok((self.http(&url)?.clone(), url))
    }

    /// Loading the root certificates takes milliseconds, so plain http does without.
    fn http(&self, url: &Url) -> Result<&reqwest::Client, NetError> {
        let tls = url.scheme() == "https";
        let cell = if tls { &self.tls } else { &self.plain };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.limits.connect)
            // One that many requests share outlives each of them: what is deaf has to be found by asking.
            .http2_keep_alive_interval(ASK)
            .http2_keep_alive_timeout(ASK)
            .dns_resolver(Arc::new(GuardedResolver(Arc::clone(&self.policy))))
            .tls_built_in_root_certs(tls)
            .user_agent(concat!("reveille/", env!("CARGO_PKG_VERSION")));
        let built = builder.build();
        let built = built.map_err(|error| NetError::Setup(error.without_url().to_string()))?;
        Ok(cell.get_or_init(|| built))
    }
}

/// An answer under way. Dropping it closes the connection.
pub struct Streaming {
    /// The status line's code.
    pub status: StatusCode,
    /// As received.
    pub headers: HeaderMap,
    response: reqwest::Response,
    origin: String,
    limit: u64,
    received: u64,
}

/// Without reqwest's own answer, which shows the URL.
impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Streaming");
        shown.field("status", &self.status);
        shown.field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Streaming {
    /// Whose it is: scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The next decompressed bytes; `None` at the end.
    ///
    /// # Errors
    /// `Broken`, or `TooLarge` once the limit is passed.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, NetError> {
        let chunk = self.response.chunk().await;
        let chunk = chunk.map_err(|error| NetError::of(&self.origin, error))?;
        self.received += chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.received > self.limit {
            return Err(NetError::TooLarge {
                origin: self.origin.clone(),
                limit: self.limit,
            });
        }
        Ok(chunk.map(Vec::from))
    }

    /// All that is left of it.
    ///
    /// # Errors
    /// As [`Streaming::chunk`].
    pub async fn read(mut self) -> Result<Response, NetError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body,
            origin: self.origin,
        })
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn not_followed(from: &Url, why: &str) -> NetError {
    NetError::Redirect {
        origin: origin(from),
        why: why.to_owned(),
    }
}

/// What may travel to another origin: everything else could be a key.
fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = [
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
    ];
    let found = kept.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.clone();
        Some((name, value))
    });
    found.collect()
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
