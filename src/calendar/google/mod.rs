//! Google Calendar, through google-calendar3 and yup-oauth2: who asks ([`Account`]), and what is asked ([`Google`]).
//!
//! `token` keeps a sign-in, `probe` finds out why one fails, `sign_in` makes one. `call` makes one request, `events` tells what
//! changed, `change` changes it, `text` and `old` are the way from Google's JSON to iCalendar and back.

mod account;
mod call;
mod change;
mod events;
#[cfg(test)]
#[path = "../../../tests/fakes/google/mod.rs"]
mod fake;
mod old;
mod probe;
mod sign_in;
#[cfg(test)]
mod tests;
mod text;
mod token;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use google_calendar3::CalendarHub;
use google_calendar3::common::GetToken;
use google_calendar3::hyper_util::client::legacy::Client;
use google_calendar3::hyper_util::rt::TokioExecutor;

use super::remote::RemoteError;
use account::{Age, Connector};

pub use account::{Account, Credentials, Write};
pub use sign_in::{Asking, SIGN_IN_LIMIT, sign_in};
pub use token::Kept;

/// To see calendars and what they hold.
pub const READ: &str = "https://www.googleapis.com/auth/calendar.readonly";
/// To change events.
pub const WRITE: &str = "https://www.googleapis.com/auth/calendar.events";

/// The calendars of an account.
pub struct Google {
    hub: CalendarHub<Connector>,
    account: Arc<Account>,
    write: Write,
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Google");
        shown.field("account", &self.account);
        shown.field("write", &self.write).finish_non_exhaustive()
    }
}

/// A calendar that an account has in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is called by: an address.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether events in it may be changed.
    pub writable: bool,
    /// Whether it is the account's own.
    pub primary: bool,
}

impl Google {
    /// What `account` sees; `write` is what it is asked for. `api_url` stands in for Google's, as `http://127.0.0.1:PORT`. Asks
    /// nobody yet.
    pub fn new(account: Account, write: Write, api_url: Option<&str>) -> Google {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(1)
            .build(account.connector());
        let account = Arc::new(account);
        let mut hub = CalendarHub::new(client, Tokens(Arc::clone(&account)));
        hub.user_agent(concat!("reveille/", env!("CARGO_PKG_VERSION")).to_owned());
        if let Some(url) = api_url {
            let url = url.trim_end_matches('/');
            hub.base_url(format!("{url}/calendar/v3/"));
            hub.root_url(format!("{url}/"));
        }
        Google {
            hub,
            account,
            write,
        }
    }

    /// In whose name it asks.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The calendars in the account's list. A service account's is empty, also when calendars are shared with it.
    ///
    /// # Errors
    /// Every [`RemoteError`] but `Gone` and `Changed`.
    pub async fn calendars(&self) -> Result<Vec<Found>, RemoteError> {
        let mut found = Vec::new();
        let mut page: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let token = &page;
            let answer = self.call(|mut ear| async move {
                let list = self.hub.calendar_list();
                let mut call = list.list().max_results(250).add_scopes(self.scopes());
                if let Some(token) = token {
                    call = call.page_token(token);
                }
                let call = call.param("fields", LISTED);
                call.delegate(&mut ear).doit().await
            });
            let answer = answer
                .await
                .map_err(|failure| failure.of(self, "primary"))?;
            for entry in answer.items.unwrap_or_default() {
                let Some(id) = entry.id else { continue };
                let role = entry.access_role.unwrap_or_default();
                found.push(Found {
                    name: entry
                        .summary_override
                        .or(entry.summary)
                        .unwrap_or_else(|| id.clone()),
                    writable: ["owner", "writer"].contains(&role.as_str()),
                    primary: entry.primary.unwrap_or(false),
                    id,
                });
            }
            page = answer.next_page_token;
            if page.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn scopes(&self) -> Vec<&'static str> {
        match self.write {
            Write::No => vec![READ],
            Write::Yes => vec![READ, WRITE],
        }
    }

    /// What is there to do where a sign-in does not do.
    fn sign_in(&self, why: &str) -> RemoteError {
        account::again(self.account.name(), why, self.write)
    }

    /// Why a calendar is out of reach.
    fn not_shared(&self, id: &str, said: &str) -> String {
        let rights = match self.write {
            Write::No => "See all event details",
            Write::Yes => "Make changes to events",
        };
        match self.account.address() {
            Some(address) => format!(
                "Google refuses calendar `{id}` ({said}): in its settings, share it with {address} (\"{rights}\")"
            ),
            None => format!(
                "Google refuses calendar `{id}` ({said}): `reveille auth status` lists those of the account, and where it may write"
            ),
        }
    }
}

/// Most pages of one answer.
const MOST_PAGES: usize = 1_000;

const LISTED: &str = "nextPageToken,items(id,summary,summaryOverride,primary,accessRole)";

/// An id within a path: the generated calls put it there as it is.
fn in_path(id: &str) -> Result<String, RemoteError> {
    if ["", ".", ".."].contains(&id) {
        return Err(RemoteError::Refused(format!(
            "`{id}` names nothing at Google"
        )));
    }
    let escaped: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    Ok(escaped.replace('+', "%20"))
}

/// Access tokens for the generated calls.
#[derive(Clone)]
struct Tokens(Arc<Account>);

type Got<'a> = Pin<
    Box<
        dyn Future<Output = Result<Option<String>, Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'a,
    >,
>;

impl GetToken for Tokens {
    fn get_token<'a>(&'a self, scopes: &'a [&str]) -> Got<'a> {
        Box::pin(async move {
            let token = self.0.token(scopes, Age::Any).await;
            token.map(Some).map_err(|error| Box::new(error) as _)
        })
    }
}
