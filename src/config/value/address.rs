//! Addresses.

use std::net::SocketAddr;

use super::from_text;

type Wrong = (String, String);

/// An http or https address with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(pub String);

from_text!(
    WebAddress,
    web_address,
    "WebAddress",
    Some("^https?://."),
    "a web address, as \"https://example.org/\""
);

/// Where a listener listens: an IP address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

from_text!(
    Listen,
    listen,
    "Listen",
    Some(":[0-9]+$"),
    "an IP address and a port, as \"127.0.0.1:8080\""
);

/// Whether `text` is an http or https address with a host.
pub fn is_web_address(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Whether `text` is an email address, `name@host` or `Name <name@host>`.
pub fn is_mailbox(text: &str) -> bool {
    text.parse::<lettre::message::Mailbox>().is_ok()
}

fn web_address(text: &str) -> Result<WebAddress, Wrong> {
    if is_web_address(text) {
        return Ok(WebAddress(text.to_owned()));
    }
    let right = "write http:// or https:// and the host".to_owned();
    Err((format!("`{text}` is not a web address"), right))
}

fn listen(text: &str) -> Result<Listen, Wrong> {
    text.parse().map(Listen).map_err(|_| {
        let right = "write an IP address and a port, as \"127.0.0.1:8080\"".to_owned();
        (format!("`{text}` is not a place to listen"), right)
    })
}
