//! Who asks Google: a service account with its key, or a person who signed in once. Access tokens come from yup-oauth2.
//!
//! Its authenticator answers any failed refresh, one of the network too, with the flow in which a person would sign in, and that
//! waits without end. So the flow here is one that fails at once, and why the refresh failed is found out by asking again, plainly.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use google_calendar3::hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use google_calendar3::hyper_util::client::legacy::Client;
use google_calendar3::hyper_util::client::legacy::connect::HttpConnector;
use google_calendar3::hyper_util::rt::TokioExecutor;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::authenticator_delegate::InstalledFlowDelegate;
use yup_oauth2::{
    ApplicationSecret, ConsoleApplicationSecret, CustomHyperClientBuilder, Error,
    InstalledFlowAuthenticator, InstalledFlowReturnMethod, ServiceAccountAuthenticator,
    ServiceAccountKey,
};

use super::probe;
use super::token::{Kept, Shared, TokenFile};
use crate::calendar::remote::RemoteError;
use crate::clock::{Clock, timeout};

/// How long one request may take, the answer's end included.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

pub(super) type Connector = HttpsConnector<HttpConnector>;

/// What the owner gives for an account, as it was read.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// A service account's key: JSON.
    Service(&'a str),
    /// An app's client secret for installed apps: JSON.
    Client {
        /// The JSON.
        secret: &'a str,
        /// What `reveille auth google` wrote on another machine, if it is kept elsewhere than in the state.
        token: Option<&'a str>,
    },
}

/// Without them.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Service(_) => "Service(***)",
            Credentials::Client { .. } => "Client(***)",
        })
    }
}

/// Somebody in whose name Google is asked.
pub struct Account {
    name: String,
    kind: Kind,
    authenticator: Authenticator<Connector>,
    /// One for all requests: the certificates of authorities take time and memory.
    connector: Connector,
    clock: Arc<dyn Clock>,
}

enum Kind {
    Service(String),
    SignedIn(ApplicationSecret, Arc<TokenFile>),
}

/// Without secrets.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Account");
        shown.field("name", &self.name).finish_non_exhaustive()
    }
}

impl Account {
    /// The account `name` (`[google.NAME]`), whose sign-in is kept in `folder` (`STATE/google`) as NAME.json. Asks nobody yet.
    ///
    /// # Errors
    /// `SignIn`: what was given is not what it should be, in words without anything of it. `Net`: this machine has no
    /// certificates of authorities.
    pub async fn open(
        name: &str,
        credentials: Credentials<'_>,
        folder: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Account, RemoteError> {
        let connector = connector()?;
        let client = CustomHyperClientBuilder::from(
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build::<_, String>(connector.clone()),
        );
        let (kind, built) = match credentials {
            Credentials::Service(key) => {
                let key = service_key(name, key)?;
                let kind = Kind::Service(key.client_email.clone());
                let built = ServiceAccountAuthenticator::with_client(key, client);
                (kind, built.build().await)
            }
            Credentials::Client { secret, token } => {
                let secret = client_secret(name, secret)?;
                let token = token.map(Kept::parse).transpose();
                let token = token.map_err(|why| again(name, why, Write::No))?;
                let file = Arc::new(TokenFile::new(folder.join(format!("{name}.json")), token));
                let nobody = InstalledFlowReturnMethod::Interactive;
                let built = InstalledFlowAuthenticator::with_client(secret.clone(), nobody, client)
                    .flow_delegate(Box::new(Nobody))
                    .with_storage(Box::new(Shared(Arc::clone(&file))));
                (Kind::SignedIn(secret, file), built.build().await)
            }
        };
        let authenticator = built.map_err(|_| {
            mend(
                name,
                "the private key in the service account's key cannot be read",
                KEY,
            )
        })?;
        Ok(Account {
            name: name.to_owned(),
            kind,
            authenticator,
            connector,
            clock,
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address with which calendars are shared; none for a person.
    pub fn address(&self) -> Option<&str> {
        match &self.kind {
            Kind::Service(address) => Some(address),
            Kind::SignedIn(..) => None,
        }
    }

    /// What is kept of the sign-in; none for a service account, and before anybody signed in.
    pub fn kept(&self) -> Option<Kept> {
        match &self.kind {
            Kind::Service(_) => None,
            Kind::SignedIn(_, file) => file.newest(),
        }
    }

    pub(super) fn connector(&self) -> Connector {
        self.connector.clone()
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// An access token that has not ended; `Age::New` where the one at hand was refused.
    pub(super) async fn token(&self, scopes: &[&str], age: Age) -> Result<String, RemoteError> {
        self.may(scopes)?;
        let asked = async {
            match age {
                Age::Any => self.authenticator.token(scopes).await,
                Age::New => self.authenticator.force_refreshed_token(scopes).await,
            }
        };
        match timeout(&*self.clock, LIMIT, asked).await {
            Err(_) => Err(RemoteError::Net(
                "Google's sign-in did not answer within 30 s".to_owned(),
            )),
            Ok(Ok(token)) => token.token().map(str::to_owned).ok_or_else(|| {
                RemoteError::Answer("Google's sign-in gave no access token".to_owned())
            }),
            Ok(Err(error)) => self.cause(error).await,
        }
    }

    /// Whether the person said yes to these.
    fn may(&self, scopes: &[&str]) -> Result<(), RemoteError> {
        let Kind::SignedIn(_, file) = &self.kind else {
            return Ok(());
        };
        let Some(kept) = file.newest() else {
            return Err(again(&self.name, "nobody has signed in yet", Write::No));
        };
        if scopes.contains(&super::WRITE) && !kept.writes() {
            return Err(again(
                &self.name,
                "the sign-in was for reading only",
                Write::Yes,
            ));
        }
        Ok(())
    }

    async fn cause(&self, error: Error) -> Result<String, RemoteError> {
        let (secret, file) = match &self.kind {
            Kind::Service(_) => return Err(of_service(&self.name, error)),
            Kind::SignedIn(secret, file) => (secret, file),
        };
        let Some(kept) = file.newest() else {
            return Err(again(&self.name, "nobody has signed in yet", Write::No));
        };
        let write = if kept.writes() { Write::Yes } else { Write::No };
        let fresh = probe::refresh(secret, &kept.refresh_token, &self.clock).await;
        let fresh = fresh.map_err(|failed| failed.into_remote(&self.name, write))?;
        // It was a moment's trouble.
        let end = self.clock.now() + fresh.lasts;
        file.refreshed(Some(fresh.access_token.clone()), Some(end));
        Ok(fresh.access_token)
    }
}

impl Kept {
    /// Whether it is good for changes too.
    pub fn writes(&self) -> bool {
        self.scopes.iter().any(|scope| scope == super::WRITE)
    }
}

/// Whether an access token at hand will do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Age {
    Any,
    New,
}

/// Whether a sign-in is for changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// For reading only.
    No,
    /// For changes too.
    Yes,
}

/// In place of a person.
struct Nobody;

impl InstalledFlowDelegate for Nobody {
    fn present_user_url<'a>(
        &'a self,
        _: &'a str,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(async { Err("nobody is there to sign in".to_owned()) })
    }
}

/// HTTP/1.1 only: a connection that went deaf ends with the request that found it out.
pub(super) fn connector() -> Result<Connector, RemoteError> {
    let roots = HttpsConnectorBuilder::new().with_native_roots();
    let roots = roots.map_err(|error| {
        RemoteError::Net(format!("no certificates of authorities are there: {error}"))
    })?;
    Ok(roots.https_or_http().enable_http1().build())
}

const KEY: &str = "in Google's console, IAM > Service accounts > Keys, add a key of type JSON";

const CLIENT: &str = "in Google's console, APIs & Services > Credentials, make an OAuth client of type \"Desktop app\" and download its JSON";

fn service_key(name: &str, text: &str) -> Result<ServiceAccountKey, RemoteError> {
    // What serde says of it may show a part of it.
    let key: ServiceAccountKey = serde_json::from_str(text).map_err(|_| {
        mend(
            name,
            "`service_account` is not a service account's key",
            KEY,
        )
    })?;
    if !is_endpoint(&key.token_uri) {
        return Err(mend(
            name,
            "the `token_uri` of the service account's key cannot be used",
            KEY,
        ));
    }
    Ok(key)
}

pub(super) fn client_secret(name: &str, text: &str) -> Result<ApplicationSecret, RemoteError> {
    let console: Option<ConsoleApplicationSecret> = serde_json::from_str(text).ok();
    let secret = match console {
        Some(ConsoleApplicationSecret {
            installed: Some(secret),
            ..
        }) => secret,
        Some(ConsoleApplicationSecret { web: Some(_), .. }) => {
            return Err(mend(
                name,
                "`client` is a client of type \"Web application\"",
                CLIENT,
            ));
        }
        _ => return Err(mend(name, "`client` is not an OAuth client's JSON", CLIENT)),
    };
    if !is_endpoint(&secret.token_uri) || !is_endpoint(&secret.auth_uri) {
        return Err(mend(
            name,
            "an address in the client's JSON cannot be used",
            CLIENT,
        ));
    }
    Ok(secret)
}

/// Secrets go there: TLS, or this machine. The crates take what hyper takes, or panic.
fn is_endpoint(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else {
        return false;
    };
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    safe && address.parse::<hyper::Uri>().is_ok()
}

/// A refusal of Google's that only a person can mend, for an account's credentials.
fn mend(name: &str, why: &str, right: &str) -> RemoteError {
    RemoteError::SignIn {
        why: format!("[google.{name}]: {why}"),
        right: right.to_owned(),
    }
}

/// The person has to sign in (again).
pub(super) fn again(name: &str, why: impl fmt::Display, write: Write) -> RemoteError {
    let write = if write == Write::Yes { " --write" } else { "" };
    RemoteError::SignIn {
        why: format!("[google.{name}]: {why}"),
        right: format!("run `reveille auth google --account {name}{write}`"),
    }
}

fn of_service(name: &str, error: Error) -> RemoteError {
    match error {
        Error::AuthError(error) => {
            let said = probe::one_line(&error.to_string());
            if said.contains("reasonable timeframe") {
                let why = "Google does not take the service account's word: this machine's clock is wrong";
                return mend(name, why, "see `timedatectl`");
            }
            let why = format!("Google does not take the service account's key ({said})");
            mend(name, &why, &format!("look whether it was deleted; {KEY}"))
        }
        Error::JSONError(_) => RemoteError::Busy {
            why: "Google's sign-in has trouble: its answer is not JSON".to_owned(),
            after: None,
        },
        Error::HttpClientError(error) => RemoteError::Net(format!(
            "no way to Google's sign-in: {}",
            super::call::root(&error)
        )),
        Error::HttpError(error) => RemoteError::Net(format!(
            "Google's sign-in broke off: {}",
            super::call::root(&error)
        )),
        _ => RemoteError::Answer("Google's sign-in gave no access token".to_owned()),
    }
}
