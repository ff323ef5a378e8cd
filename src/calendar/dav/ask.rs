//! One request to the server: with the password where it may go, and failures in words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
    LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Method, StatusCode};
use url::{Host, Url};

use super::multistatus::{self, Answer};
use super::{Account, Dav};
use crate::calendar::remote::RemoteError;
use crate::net::{NetError, Response, Rule, refused, retry_after};

const MAX_REDIRECTS: usize = 5;

/// What a write may meet.
#[derive(Debug, Clone, Copy)]
pub enum Condition<'a> {
    /// Nothing.
    Nothing,
    /// This version.
    Version(&'a str),
}

impl Dav<'_> {
    /// PROPFIND or REPORT: an answer in XML, which may be an error's, and where it came from in the end.
    pub(super) async fn ask(
        &self,
        method: &str,
        url: &Url,
        depth: &'static str,
        body: String,
    ) -> Result<(Response, Url), RemoteError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static("depth"),
            HeaderValue::from_static(depth),
        );
        let xml = HeaderValue::from_static("application/xml; charset=utf-8");
        headers.insert(CONTENT_TYPE, xml);
        let method = Method::from_bytes(method.as_bytes());
        let method = method.map_err(|error| RemoteError::Net(error.to_string()))?;
        self.exchange(method, url, headers, body.into_bytes()).await
    }

    /// The same where nothing but a multistatus will do.
    pub(super) async fn multistatus(
        &self,
        method: &str,
        url: &Url,
        depth: &'static str,
        body: String,
    ) -> Result<(Answer, Url), RemoteError> {
        let (response, url) = self.ask(method, url, depth, body).await?;
        self.fine(&response, Doing::Reading)?;
        if response.status != StatusCode::MULTI_STATUS {
            return Err(no_caldav(&url));
        }
        let answer = multistatus::read(&response.body).map_err(RemoteError::Answer)?;
        match answer.is_multistatus {
            true => Ok((answer, url)),
            false => Err(no_caldav(&url)),
        }
    }

    /// GET of one resource: its version and text.
    pub(super) async fn get(&self, url: &Url) -> Result<(Option<String>, Vec<u8>), RemoteError> {
        let (response, _) = self
            .exchange(Method::GET, url, HeaderMap::new(), Vec::new())
            .await?;
        self.fine(&response, Doing::Reading)?;
        Ok((etag(&response), response.body))
    }

    /// PUT of one resource; the answer may be a failure.
    pub(super) async fn put(
        &self,
        url: &Url,
        text: &str,
        condition: Condition<'_>,
    ) -> Result<Response, RemoteError> {
        let mut headers = conditional(condition)?;
        let calendar = HeaderValue::from_static("text/calendar; charset=utf-8");
        headers.insert(CONTENT_TYPE, calendar);
        let body = text.as_bytes().to_vec();
        Ok(self.exchange(Method::PUT, url, headers, body).await?.0)
    }

    /// DELETE of one resource.
    pub(super) async fn remove(
        &self,
        url: &Url,
        condition: Condition<'_>,
    ) -> Result<(), RemoteError> {
        let headers = conditional(condition)?;
        let (response, _) = self
            .exchange(Method::DELETE, url, headers, Vec::new())
            .await?;
        self.fine(&response, Doing::Writing)
    }

    /// One request, with redirects that stay where the password may go.
    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(Response, Url), RemoteError> {
        if !self.is_ours(url) {
            let why = format!("`{}` is not where the calendar is", origin(url));
            return Err(RemoteError::Refused(why));
        }
        headers.insert(AUTHORIZATION, self.password.clone());
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let asked = self
                .client
                .exchange(method.clone(), &url, headers.clone(), body.clone());
            let response = asked.await.map_err(|error| net(&error))?;
            match response.status.as_u16() {
                301 | 302 | 307 | 308 => url = next(&url, response.headers.get(LOCATION))?,
                _ => return Ok((response, url)),
            }
        }
        let why = format!("{} redirects more than five times in a row", origin(&url));
        Err(RemoteError::Answer(why))
    }

    /// Whether the password may go there: to the server that the owner named, or by https to its neighbour where that server
    /// says that the calendars are (iCloud's have a host for each customer).
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        let own = &self.account.url;
        let neighbour = || {
            let (Some(Host::Domain(own)), Some(Host::Domain(other))) = (own.host(), url.host())
            else {
                return false;
            };
            let parent = own.split_once('.').map_or("", |(_, parent)| parent);
            let under = other
                .strip_suffix(parent)
                .is_some_and(|rest| rest.ends_with('.'));
            parent.contains('.') && under
        };
        let both_https = own.scheme() == "https" && url.scheme() == "https";
        let usual_port = url.port().is_none() && own.port().is_none();
        url.origin() == own.origin() || (both_https && usual_port && neighbour())
    }

    /// Whether an answer is not a failure; what it means if it is.
    pub(super) fn fine(&self, response: &Response, doing: Doing) -> Result<(), RemoteError> {
        let status = response.status.as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        let origin = origin(&self.account.url);
        let after = response
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, self.clock.now()));
        let named = multistatus::read(&response.body).map(|answer| answer.conditions);
        let named = named.unwrap_or_default().join(", ");
        let said = match named.as_str() {
            "" => format!("status {status}"),
            named => format!("status {status}, {named}"),
        };
        Err(match (status, doing) {
            (401, _) => self.sign_in(response),
            (403, Doing::Writing) => RemoteError::Refused(format!(
                "{origin} does not let `{}` write there ({said})",
                self.account.user
            )),
            (403, Doing::Reading) => RemoteError::Refused(format!(
                "{origin} does not let `{}` read there ({said})",
                self.account.user
            )),
            (404 | 410, _) => RemoteError::Gone,
            (405 | 501, Doing::Reading) => no_caldav(&self.account.url),
            (412, _) => RemoteError::Changed,
            (423, _) => RemoteError::Busy {
                why: format!("it is locked on {origin} ({said})"),
                after,
            },
            (507, _) if matches!(doing, Doing::Writing) => {
                RemoteError::Refused(format!("there is no room left on {origin} ({said})"))
            }
            (408 | 425 | 429 | 500.., _) => RemoteError::Busy {
                why: format!("{origin} has too much to do or is in trouble ({said})"),
                after,
            },
            (400.., Doing::Writing) => {
                RemoteError::Refused(format!("{origin} does not take the event ({said})"))
            }
            _ => RemoteError::Answer(format!("{origin} answers with {said}")),
        })
    }

    fn sign_in(&self, response: &Response) -> RemoteError {
        let offers = response.headers.get_all(WWW_AUTHENTICATE).iter();
        let mut offers = offers
            .filter_map(|offer| offer.to_str().ok())
            .map(str::to_ascii_lowercase)
            .peekable();
        let origin = origin(&self.account.url);
        let basic = offers.peek().is_none() || offers.any(|offer| offer.contains("basic"));
        match basic {
            true => RemoteError::SignIn {
                why: format!("{origin} does not take this user and password"),
                right: "check `user` and `password`; iCloud, Fastmail and others want an app password, which you make \
                        in their settings"
                    .to_owned(),
            },
            false => RemoteError::SignIn {
                why: format!("{origin} does not take passwords as they are (Basic)"),
                right: "switch Basic authentication on at the server".to_owned(),
            },
        }
    }
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// To learn something.
    Reading,
    /// To change something.
    Writing,
}

/// The header that says who asks.
///
/// # Errors
/// The password may not go there, or cannot be sent.
pub fn password(account: &Account) -> Result<HeaderValue, RemoteError> {
    let Account {
        url,
        user,
        password,
    } = account;
    if url.scheme() != "https" && !at_home(url) {
        return Err(RemoteError::Refused(format!(
            "a password goes to {} by https only: write `https://`",
            origin(url)
        )));
    }
    if user.contains(':') {
        return Err(RemoteError::Refused(
            "a user name has no colon in it".to_owned(),
        ));
    }
    let both = STANDARD.encode(format!("{user}:{}", password.expose()));
    let value = HeaderValue::try_from(format!("Basic {both}"));
    // Base64 is always a header's value.
    let mut value = value.map_err(|error| RemoteError::Net(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the host is this machine or one of the network at home, by its address or by how its name ends.
fn at_home(url: &Url) -> bool {
    const ENDINGS: [&str; 6] = [
        ".local",
        ".localhost",
        ".lan",
        ".home",
        ".internal",
        ".home.arpa",
    ];
    let private = |address| {
        let rule = refused(address);
        matches!(rule, Some(Rule::Loopback | Rule::Private | Rule::LinkLocal))
    };
    match url.host() {
        Some(Host::Ipv4(address)) => private(address.into()),
        Some(Host::Ipv6(address)) => private(address.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || ENDINGS.iter().any(|ending| name.ends_with(ending))
        }
        None => false,
    }
}

/// Where a redirect goes, if the password may go along.
pub(super) fn next(from: &Url, location: Option<&HeaderValue>) -> Result<Url, RemoteError> {
    let to = location.and_then(|to| from.join(to.to_str().ok()?).ok());
    let Some(mut to) = to else {
        let why = format!("{} redirects to nowhere", origin(from));
        return Err(RemoteError::Answer(why));
    };
    // A server behind a proxy takes its own address to be without TLS.
    if from.scheme() == "https"
        && to.scheme() == "http"
        && to.host() == from.host()
        && to.port().is_none()
    {
        let path = to.path().to_owned();
        to = from.clone();
        to.set_path(&path);
    }
    if to.origin() == from.origin() {
        return Ok(to);
    }
    Err(RemoteError::Refused(format!(
        "{} sends on to {}, where the password does not follow: if that is your server, write its address",
        origin(from),
        origin(&to)
    )))
}

fn conditional(condition: Condition<'_>) -> Result<HeaderMap, RemoteError> {
    let mut headers = HeaderMap::new();
    match condition {
        Condition::Nothing => {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        Condition::Version(etag) => {
            let value = HeaderValue::from_str(etag);
            let value = value.map_err(|_| RemoteError::Answer("its ETag is none".to_owned()))?;
            headers.insert(IF_MATCH, value);
        }
    }
    Ok(headers)
}

/// The version that an answer names.
pub fn etag(response: &Response) -> Option<String> {
    let etag = response.headers.get(ETAG)?.to_str().ok()?.trim();
    (!etag.is_empty()).then(|| etag.to_owned())
}

/// Something answers there, in another language.
pub fn no_caldav(url: &Url) -> RemoteError {
    RemoteError::Answer(format!(
        "{} answers, but not as a CalDAV server: is the path of the address right?",
        origin(url)
    ))
}

fn net(error: &NetError) -> RemoteError {
    match error {
        NetError::TooLarge { .. } => RemoteError::Answer(error.to_string()),
        _ => RemoteError::Net(error.to_string()),
    }
}

/// Scheme, host and port: paths may hold what is nobody's business.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
