//! `webhook`: an HTTP request to somebody else's service.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::destination::Destination;
use super::{Making, Sending, Sent};
use crate::clock::timeout;
use crate::config::resolve::Scope;
use crate::config::secret::{Address, SecretRef};
use crate::config::value::At;
use crate::net::{self, HeaderMap, HeaderName, HeaderValue, NetError, Streaming};
use crate::template::TemplateError;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// An http or https address, or where it is kept if it is a secret.
    webhook: Address,
    /// `POST` when left out.
    method: Option<Method>,
    /// Names and values.
    headers: Option<BTreeMap<String, At<String>>>,
    /// A bearer secret.
    token: Option<SecretRef>,
    /// What is sent; `text` as it is when left out.
    body: Option<At<String>>,
}

/// How the address is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
}

/// A request to somebody else's service.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The address, or where it is kept.
    pub url: Destination,
    /// How it is called.
    pub method: Method,
    /// Names and values, templates.
    pub headers: Vec<(String, String)>,
    /// A bearer secret.
    pub token: Option<SecretRef>,
    /// What is sent, a template.
    pub body: Option<String>,
}

/// What sending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The address, or where it is kept.
    pub url: Destination,
    /// How it is called.
    pub method: Method,
    /// Names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Where a bearer secret is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Webhook> {
        let headers = self.headers.unwrap_or_default().into_iter();
        Some(Webhook {
            url: self.webhook.into(),
            method: self.method.unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name, scope.template(value)))
                .collect(),
            token: self.token,
            body: self.body.map(|body| scope.template(body)),
        })
    }
}

impl Webhook {
    /// Where the secrets are kept that sending takes.
    pub fn secrets(&self) -> [Option<&SecretRef>; 2] {
        let address = match &self.url {
            Destination::Secret(secret) => Some(secret),
            Destination::Typed(_) => None,
        };
        [address, self.token.as_ref()]
    }

    pub(super) fn target(&self, making: &Making<'_>) -> Result<Target, TemplateError> {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| {
            let value = making.render(name, value)?;
            Ok((name.clone(), value))
        });
        Ok(Target {
            url: self.url.clone(),
            method: self.method,
            headers: headers.collect::<Result<_, TemplateError>>()?,
            token: self.token.clone(),
        })
    }

    /// What is sent, where it is not the delivery's text.
    pub(super) fn body(&self, making: &Making<'_>) -> Result<Option<String>, TemplateError> {
        let body = self.body.as_ref();
        body.map(|body| making.render("body", body)).transpose()
    }
}

/// Until the answer has begun; a service that takes longer has lost the request, or its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Until the answer is read: for the connection to be used again, and for an error's words.
const READING: Duration = Duration::from_secs(5);

/// Bytes of an answer that are read.
const READ: usize = 16 << 10;

impl Target {
    pub(super) async fn send(self, body: &str, sending: Sending<'_>) -> Sent {
        let url = match self.url.url(sending.secrets) {
            Ok(url) => url,
            Err(why) => return Sent::Refused(why),
        };
        let mut sent = self.request(&url, body, sending).await;
        if let Some(reason) = sent.reason() {
            self.url.conceal(&url, reason);
        }
        sent
    }

    async fn request(&self, url: &str, body: &str, sending: Sending<'_>) -> Sent {
        let headers = match self.headers(body, sending) {
            Ok(headers) => headers,
            Err(why) => return Sent::Refused(why),
        };
        let body = match self.method {
            Method::Get => Vec::new(),
            Method::Post | Method::Put => body.as_bytes().to_vec(),
        };
        let method = match self.method {
            Method::Get => net::Method::GET,
            Method::Post => net::Method::POST,
            Method::Put => net::Method::PUT,
        };
        let channels = sending.channels;
        let request = channels.http.request(method, url, headers, body);
        let answer = match timeout(&*channels.clock, PATIENCE, request).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.before_sending() => return Sent::later(error),
            Ok(Err(error)) => return Sent::Unknown(error.to_string()),
            Err(late) => return Sent::Unknown(late.to_string()),
        };
        self.verdict(url, answer, sending).await
    }

    fn headers(&self, body: &str, sending: Sending<'_>) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let known = HeaderName::from_bytes(name.as_bytes());
            let known = known.map_err(|_| format!("`{name}` cannot be the name of a header"))?;
            // A header is one line.
            let value = value.replace(|c: char| c.is_control(), " ");
            let value = HeaderValue::from_bytes(value.trim().as_bytes());
            let value = value.map_err(|_| format!("the header `{name}` cannot be sent"))?;
            headers.insert(known, value);
        }
        if !headers.contains_key("content-type") && self.method != Method::Get {
            // Somebody who writes a JSON body means JSON.
            let json = body.starts_with(['{', '['])
                && serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
            let kind = if json {
                "application/json"
            } else {
                "text/plain; charset=utf-8"
            };
            headers.insert("content-type", HeaderValue::from_static(kind));
        }
        if let Some(token) = &self.token {
            let token = sending.secrets.get(token)?;
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
            let mut value = value.map_err(|_| "the token holds what no header may".to_owned())?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        Ok(headers)
    }

    /// What an answer means: RFC 9110, section 15.
    async fn verdict(&self, url: &str, mut answer: Streaming, sending: Sending<'_>) -> Sent {
        let status = answer.status;
        let after = answer.headers.get("retry-after").cloned();
        let mut said = Vec::new();
        let reading = async {
            while said.len() < READ
                && let Ok(Some(chunk)) = answer.chunk().await
            {
                said.extend(chunk);
            }
        };
        // The status is the answer; what follows it only helps.
        let _ = timeout(&*sending.channels.clock, READING, reading).await;
        if status.is_success() {
            return Sent::Delivered(Some(json!({ "status": status.as_u16() })));
        }
        let error = NetError::Status {
            origin: answer.origin().to_owned(),
            status: status.as_u16(),
        };
        let hide = |line: &mut String| {
            self.url.conceal(url, line);
            sending.secrets.scrub(line);
        };
        let reason = match first_words(&said, hide) {
            Some(words) => format!("{error}: {words}"),
            None => error.to_string(),
        };
        match status.as_u16() {
            408 | 425 | 429 | 500.. => Sent::Again {
                reason,
                after: after.and_then(|after| {
                    let now = sending.channels.clock.now();
                    net::retry_after(after.to_str().ok()?, now)
                }),
            },
            300..400 => Sent::Refused(format!(
                "{reason} (it redirects; write the address that it leads to)"
            )),
            _ => Sent::Refused(reason),
        }
    }
}

/// The beginning of an answer, where it is a text for people; secrets go before it is cut, which would leave half of one.
fn first_words(said: &[u8], hide: impl Fn(&mut String)) -> Option<String> {
    let text = std::str::from_utf8(said).ok()?.trim();
    let line = text.lines().next()?;
    let telling = !line.starts_with('<') && !line.contains(char::is_control);
    telling.then(|| {
        let mut line = line.to_owned();
        hide(&mut line);
        line.chars().take(120).collect()
    })
}
