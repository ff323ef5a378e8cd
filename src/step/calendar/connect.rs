//! The servers of calendars, by what the configuration says of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::desk::Desk;
use crate::calendar::Range;
use crate::calendar::dav::{Account, Dav};
use crate::calendar::google::{Google, Write};
use crate::calendar::remote::{Delta, Draft, RemoteError, Resource, Target};
use crate::clock::Clock;
use crate::config::secret::SecretRef;
use crate::config::settings::{CalendarPlace, CalendarSettings};
use crate::job::CursorKey;
use crate::net::{Client, Limits, Policy, Secret};
use crate::zone::Tz;

/// Of one answer of a CalDAV server: enough for the list of 100,000 events.
const MOST_BYTES: u64 = 32 << 20;

/// A server that lists all that it has may take so long for it.
const MOST_TIME: Duration = Duration::from_secs(120);

/// So long before a sign-in ends the owner is told.
const ENDS_SOON: TimeDelta = TimeDelta::hours(49);

/// What a server without sync-collection is asked for: a month back, and so many days in all.
const BACK: TimeDelta = TimeDelta::days(31);
const DAYS: u32 = 432;

/// A calendar on a server, ready to be asked.
pub(super) enum Server {
    Dav(Box<DavServer>),
    Google(Arc<Google>, String),
}

/// The accounts of Google that were asked already: one holds its connections, its certificates and its access token.
#[derive(Debug, Default)]
pub struct Accounts {
    google: Mutex<HashMap<(String, bool), Arc<Google>>>,
    signed: StdMutex<Signed>,
}

/// What is known of who asks, by account of Google or by calendar.
#[derive(Debug, Default)]
struct Signed {
    /// What is wrong, or that nothing is.
    wrong: HashMap<String, Option<String>>,
    news: Vec<(String, Option<String>)>,
}

impl Accounts {
    /// What became of who asks since this was asked last: what a person has to do, or that all is well.
    pub fn news(&self) -> Vec<(String, Option<String>)> {
        let mut signed = self
            .signed
            .lock()
            .expect("nothing panics while it holds it");
        std::mem::take(&mut signed.news)
    }

    fn heard(&self, who: &str, wrong: Option<String>) {
        let mut signed = self
            .signed
            .lock()
            .expect("nothing panics while it holds it");
        if signed.wrong.get(who) != Some(&wrong) {
            signed.wrong.insert(who.to_owned(), wrong.clone());
            signed.news.push((who.to_owned(), wrong));
        }
    }

    /// Takes note of whether a server took who asks.
    pub(super) async fn asked(
        &self,
        desk: &Desk<'_>,
        source: &CalendarSettings,
        failed: Option<&RemoteError>,
    ) {
        let who = match &source.place {
            CalendarPlace::Google { account, .. } => account,
            _ => &source.name,
        };
        match failed {
            Some(RemoteError::SignIn { why, right }) => {
                self.heard(who, Some(format!("{why}: {right}")));
            }
            Some(_) => {}
            None => {
                let known = self.google.lock().await;
                let kept = known
                    .get(&(who.clone(), false))
                    .and_then(|google| google.account().kept());
                let ends = kept.filter(|kept| {
                    kept.ends_at
                        .is_some_and(|end| end - desk.clock.now() < ENDS_SOON)
                });
                self.heard(who, ends.and_then(|kept| kept.warning(desk.clock.now())));
            }
        }
    }

    async fn of(
        &self,
        desk: &Desk<'_>,
        name: &str,
        write: Write,
    ) -> Result<Arc<Google>, RemoteError> {
        let mut known = self.google.lock().await;
        let key = (name.to_owned(), write == Write::Yes);
        if let Some(google) = known.get(&key) {
            return Ok(Arc::clone(google));
        }
        let settings = desk
            .settings
            .google
            .iter()
            .find(|account| account.name == name);
        let settings = settings.ok_or_else(|| RemoteError::SignIn {
            why: format!("there is no account `{name}`"),
            right: format!("add [google.{name}] to config/reveille.toml"),
        })?;
        let clock = Arc::clone(desk.clock);
        let account = settings.account(desk.secrets, desk.state, clock).await?;
        let google = Arc::new(Google::new(account, write, settings.api_url.as_deref()));
        known.insert(key, Arc::clone(&google));
        Ok(google)
    }
}

/// A calendar of a CalDAV server.
pub(super) struct DavServer {
    client: Client,
    clock: Arc<dyn Clock>,
    account: Account,
    zone: Tz,
    collection: Url,
}

impl DavServer {
    fn dav(&self) -> Result<Dav<'_>, RemoteError> {
        Dav::new(&self.client, &*self.clock, &self.account, self.zone)
    }
}

impl Server {
    /// Finds the calendar.
    ///
    /// # Errors
    /// The server, the way there, or who asks.
    pub async fn connect(
        desk: &Desk<'_>,
        source: &CalendarSettings,
        write: Write,
    ) -> Result<Self, RemoteError> {
        match &source.place {
            CalendarPlace::Google { account, id } => {
                let google = desk.accounts.of(desk, account, write).await?;
                Ok(Server::Google(google, id.clone()))
            }
            CalendarPlace::Dav { url, login, name } => {
                let server = connect_dav(desk, (url, login), (&source.name, name.as_deref()));
                server.await.map(|server| Server::Dav(Box::new(server)))
            }
            _ => Err(RemoteError::Refused("it is only read".to_owned())),
        }
    }

    /// What changed since `token`; `versions` are the ids and versions that are known.
    pub async fn changes(
        &self,
        token: Option<&str>,
        versions: &[(String, String)],
    ) -> Result<Delta, RemoteError> {
        match self {
            Server::Google(google, id) => google.changes(id, token).await,
            Server::Dav(server) => {
                let today = server.clock.now().with_timezone(&server.zone).date_naive();
                let window = Range {
                    start: today - BACK,
                    days: DAYS,
                };
                let dav = server.dav()?;
                dav.changes(&server.collection, token, versions, window)
                    .await
            }
        }
    }

    /// Makes an event; gives where, and what lies there.
    pub async fn create(&self, draft: &Draft) -> Result<(String, Resource), RemoteError> {
        match self {
            Server::Google(google, id) => google.create(id, draft).await,
            Server::Dav(server) => server.dav()?.create(&server.collection, draft).await,
        }
    }

    /// Changes an event or an occasion of it; gives where, and what lies there.
    pub async fn update(
        &self,
        target: &Target<'_>,
        draft: &Draft,
    ) -> Result<(String, Resource), RemoteError> {
        match self {
            Server::Google(google, id) => google.update(id, target, draft).await,
            Server::Dav(server) => {
                let updated = server
                    .dav()?
                    .update(&server.collection, target, draft)
                    .await?;
                Ok((target.id.to_owned(), updated))
            }
        }
    }

    /// Deletes an event or an occasion of it; gives where, and what is left there.
    pub async fn delete(
        &self,
        target: &Target<'_>,
    ) -> Result<(String, Option<Resource>), RemoteError> {
        match self {
            Server::Google(google, id) => google.delete(id, target).await,
            Server::Dav(server) => {
                let left = server.dav()?.delete(&server.collection, target).await?;
                Ok((target.id.to_owned(), left))
            }
        }
    }

    /// Puts back what was there; `over` is what a change left.
    pub async fn restore(
        &self,
        id: &str,
        was: &Resource,
        over: Option<&Resource>,
    ) -> Result<(String, Resource), RemoteError> {
        match self {
            Server::Google(google, calendar) => google.restore(calendar, id, was, over).await,
            Server::Dav(server) => {
                let restored = server
                    .dav()?
                    .restore(&server.collection, id, was, over)
                    .await?;
                Ok((id.to_owned(), restored))
            }
        }
    }
}

async fn connect_dav(
    desk: &Desk<'_>,
    (url, (user, password)): (&str, &(String, SecretRef)),
    (source, name): (&str, Option<&str>),
) -> Result<DavServer, RemoteError> {
    let password = desk
        .secrets
        .get(password)
        .map_err(|why| RemoteError::SignIn {
            why,
            right: "the calendar's `password` says where it is kept".to_owned(),
        })?;
    let url = Url::parse(url).map_err(|error| RemoteError::Answer(error.to_string()))?;
    // The owner wrote the address, so its host is allowed, a private one too.
    let policy = Policy::allowing(url.host_str().map(str::to_owned));
    let limits = Limits {
        bytes: MOST_BYTES,
        total: MOST_TIME,
        ..Limits::default()
    };
    let account = Account {
        url: url.clone(),
        user: user.clone(),
        password: Secret::new(password.expose()),
    };
    let mut server = DavServer {
        client: Client::new(policy, limits, Arc::clone(desk.clock)),
        clock: Arc::clone(desk.clock),
        account,
        zone: desk.settings.timezone,
        collection: url.clone(),
    };
    let key = CursorKey {
        owner: format!("calendar:{source}"),
        step: String::new(),
        name: "collection".to_owned(),
    };
    let asked = json!([url.as_str(), user, name]);
    if let Some(known) = known(desk, &key, &asked).await {
        server.collection = known;
        return Ok(server);
    }
    let found = server.dav()?.find(name).await?;
    let mut found = found.into_iter();
    let Some(first) = found.next() else {
        return Err(RemoteError::Refused(match name {
            Some(name) => format!("there is no calendar `{name}` on the server"),
            None => "there is no calendar on the server".to_owned(),
        }));
    };
    let others: Vec<String> = found.map(|found| found.name).collect();
    if name.is_none() && !others.is_empty() {
        let all = [vec![first.name], others].concat().join("`, `");
        return Err(RemoteError::Refused(format!(
            "the server has several calendars: say which, as calendar = \"NAME\", of `{all}`"
        )));
    }
    server.collection = first.url;
    let keep = json!({ "asked": asked, "collection": server.collection.as_str() });
    // Without it the next look finds the calendar again.
    let _ = desk.store.remember(vec![(key, Some(keep))]).await;
    Ok(server)
}

/// The collection that an earlier look found for the same question.
async fn known(desk: &Desk<'_>, key: &CursorKey, asked: &Value) -> Option<Url> {
    let key = key.clone();
    let read = desk.store.read(move |reader| reader.cursor(&key)).await;
    let known = read.ok()??;
    let same = known["asked"] == *asked;
    same.then(|| known["collection"].as_str()?.parse().ok())?
}
