//! How a request fails. No error prints more of a URL than scheme, host and port: paths and queries hold tokens.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use super::Rule;

/// Why there is no answer, or not a usable one. `origin` is `scheme://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Not a URL that may be asked for.
    #[error("the URL cannot be used: {0}")]
    Url(String),
    /// The guard refused an address.
    #[error("`{host}` is refused: {address} is {rule}; name the host in `hosts` to allow it")]
    Refused {
        /// As the URL has it.
        host: String,
        /// What it is or resolved to.
        address: IpAddr,
        /// Why.
        rule: Rule,
    },
    /// The name has no address, or nobody could be asked.
    #[error("`{host}` cannot be resolved: {why}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// No connection, TLS included.
    #[error("no connection to {origin}: {why}")]
    Connect {
        /// Where.
        origin: String,
        /// The cause.
        why: String,
    },
    /// No whole answer in time.
    #[error("{origin} did not answer within {limit:?}")]
    Timeout {
        /// Where.
        origin: String,
        /// The limit that passed.
        limit: Duration,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the answer of {origin} broke off: {why}")]
    Broken {
        /// Where.
        origin: String,
        /// The cause.
        why: String,
    },
    /// A status that means failure.
    #[error("{origin} answered with status {status}")]
    Status {
        /// Where.
        origin: String,
        /// The HTTP status code.
        status: u16,
    },
    /// More than the cap, after decompression.
    #[error("the answer of {origin} is larger than {limit} bytes")]
    TooLarge {
        /// Where.
        origin: String,
        /// The cap in bytes.
        limit: u64,
    },
    /// A redirect that is not followed.
    #[error("{origin} redirects and is not followed: {why}")]
    Redirect {
        /// Where.
        origin: String,
        /// Why not.
        why: String,
    },
    /// The client could not be built.
    #[error("the HTTP client cannot be made: {0}")]
    Setup(String),
}

impl NetError {
    /// Whether not one byte of the request can have arrived.
    pub fn before_sending(&self) -> bool {
        matches!(
            self,
            NetError::Url(_)
                | NetError::Refused { .. }
                | NetError::Resolve { .. }
                | NetError::Connect { .. }
                | NetError::Setup(_)
        )
    }

    /// The kind of a failure of reqwest, without the URL that its own text would show.
    pub fn of(origin: &str, error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(ours) = sources(&error).find_map(|source| source.downcast_ref::<NetError>()) {
            return ours.clone();
        }
        let origin = origin.to_owned();
        let why = sources(&error)
            .last()
            .map_or_else(String::new, |root| root.to_string());
        if error.is_connect() {
            let why = if error.is_timeout() {
                "no answer in time".into()
            } else {
                why
            };
            NetError::Connect { origin, why }
        } else {
            NetError::Broken { origin, why }
        }
    }
}

fn sources<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}
