//! CalDAV (RFC 4791): the calendars of Nextcloud, iCloud, Fastmail, Radicale and others.
//!
//! `ask` makes requests and puts failures into words, `bodies` writes what is asked, `multistatus` reads what is answered,
//! `path` gives each resource one name; `find` goes from an address to calendars, `sync` tells what changed, `write` changes it.

mod ask;
mod bodies;
mod find;
mod multistatus;
mod path;
mod sync;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use reqwest::header::HeaderValue;
use url::Url;

use super::remote::RemoteError;
use crate::clock::Clock;
use crate::net::{Client, Secret};
use crate::zone::Tz;

/// Whose calendars they are.
#[derive(Debug, Clone)]
pub struct Account {
    /// As the owner wrote it: a server, a principal, a calendar home or one calendar.
    pub url: Url,
    /// The user's name.
    pub user: String,
    /// Sent by https, or by http within the owner's own network.
    pub password: Secret,
}

/// One calendar on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its collection; the path ends in a slash.
    pub url: Url,
    /// What its owner calls it, or the end of its path.
    pub name: String,
    /// Whether the server says that events may be written; true where it does not say.
    pub writable: bool,
}

/// A server and who asks it. Nothing is kept between two calls.
pub struct Dav<'a> {
    client: &'a Client,
    clock: &'a dyn Clock,
    account: &'a Account,
    zone: Tz,
    password: HeaderValue,
}

impl<'a> Dav<'a> {
    /// Nothing is connected yet. The client's policy has to allow the account's host, and its limit of bytes holds for one
    /// answer: 32 MiB is enough for the list of 100,000 events. `zone` is what times without one mean.
    ///
    /// # Errors
    /// The password may not go to such an address.
    pub fn new(
        client: &'a Client,
        clock: &'a dyn Clock,
        account: &'a Account,
        zone: Tz,
    ) -> Result<Self, RemoteError> {
        let password = ask::password(account)?;
        Ok(Dav {
            client,
            clock,
            account,
            zone,
            password,
        })
    }
}

/// Without the password, and without a path that may be secret.
impl fmt::Debug for Dav<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Dav");
        shown.field("origin", &ask::origin(&self.account.url));
        shown.finish_non_exhaustive()
    }
}
