//! `[google.NAME]`: in whose name Google is asked.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::calendar::google::{Account, Credentials};
use crate::calendar::remote::RemoteError;
use crate::clock::Clock;
use crate::config::read::{Reader, Table};
use crate::config::secret::SecretRef;
use crate::config::secrets::Secrets;
use crate::config::value::{WebAddress, is_name};

/// An account at Google, as typed: `service_account` or `client`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredGoogle {
    /// Where the key of a service account is kept (JSON).
    service_account: Option<SecretRef>,
    /// Where the secret of an OAuth client for desktop apps is kept (JSON); `reveille auth google` signs in with it.
    client: Option<SecretRef>,
    /// Where a sign-in of another machine is kept; else it is in the state.
    token: Option<SecretRef>,
    /// Another server than Google's Calendar API.
    api_url: Option<WebAddress>,
}

/// An account at Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleSettings {
    /// Its name.
    pub name: String,
    /// What it shows there.
    pub credentials: GoogleCredentials,
    /// Another server than Google's Calendar API.
    pub api_url: Option<String>,
}

/// What an account shows at Google, and where that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleCredentials {
    /// The key of a service account.
    ServiceAccount(SecretRef),
    /// A sign-in.
    Client {
        /// The OAuth client's secret.
        client: SecretRef,
        /// The sign-in, where it is not in the state.
        token: Option<SecretRef>,
    },
}

impl GoogleSettings {
    /// Where its secrets are kept.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let (first, second) = match &self.credentials {
            GoogleCredentials::ServiceAccount(key) => (key, None),
            GoogleCredentials::Client { client, token } => (client, token.as_ref()),
        };
        [first].into_iter().chain(second)
    }

    /// The account, whose sign-in is in the folder `google` of `state`. Asks nobody yet.
    ///
    /// # Errors
    /// `SignIn`: a secret is not there, or is not what it should be; what [`Account::open`] says.
    pub async fn account(
        &self,
        secrets: &Secrets,
        state: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Account, RemoteError> {
        let get = |from: &SecretRef| {
            secrets.get(from).map_err(|why| RemoteError::SignIn {
                why: format!("[google.{}]: {why}", self.name),
                right: "put it there".to_owned(),
            })
        };
        let (first, token) = match &self.credentials {
            GoogleCredentials::ServiceAccount(key) => (get(key)?, None),
            GoogleCredentials::Client { client, token } => {
                (get(client)?, token.as_ref().map(get).transpose()?)
            }
        };
        let credentials = match &self.credentials {
            GoogleCredentials::ServiceAccount(_) => Credentials::Service(first.expose()),
            GoogleCredentials::Client { .. } => Credentials::Client {
                secret: first.expose(),
                token: token.as_ref().map(|token| token.expose()),
            },
        };
        Account::open(&self.name, credentials, &state.join("google"), clock).await
    }
}

pub(super) fn resolve(reader: &mut Reader<'_>, root: &mut Table<'_>) -> Vec<GoogleSettings> {
    let named = reader.take_named(root, "google");
    let mut accounts = Vec::new();
    for one in named {
        let span = one.name_span;
        if !is_name(&one.name) {
            let what = format!("`{}` cannot be an account's name", one.name);
            let right = "it names a file: write letters, digits, `-` and `_`";
            reader.error(span, what, right);
            continue;
        }
        let before = reader.problems.len();
        let Some(typed) = reader.table::<AuthoredGoogle>(one.table, &[]) else {
            continue;
        };
        let credentials = match (typed.service_account, typed.client, typed.token) {
            (Some(key), None, None) => GoogleCredentials::ServiceAccount(key),
            (None, Some(client), token) => GoogleCredentials::Client { client, token },
            (Some(_), None, Some(_)) => {
                let right = "take `token` out: the key is enough";
                reader.error(span, "a service account has no `token`", right);
                continue;
            }
            (Some(_), Some(_), _) => {
                let right = "keep `service_account` or `client`";
                reader.error(span, "this account is two at once", right);
                continue;
            }
            // One that is wrong is told of already.
            (None, None, _) if reader.problems.len() > before => continue,
            (None, None, _) => {
                let right = "write service_account.file = \"KEY.json\", or client.file = \"CLIENT.json\" and sign in with \
                             `reveille auth google`";
                reader.error(span, "this account has nothing to show at Google", right);
                continue;
            }
        };
        let api_url = typed.api_url.map(|url| url.0);
        if api_url.as_deref().is_some_and(is_open) {
            let right = "write https://, or an address of this machine";
            reader.error(
                span,
                "everybody on the way could read the access token",
                right,
            );
            continue;
        }
        accounts.push(GoogleSettings {
            name: one.name,
            credentials,
            api_url,
        });
    }
    accounts
}

/// Whether what is sent there can be read on the way.
fn is_open(address: &str) -> bool {
    let url = url::Url::parse(address).ok();
    let here = ["127.0.0.1", "localhost", "[::1]"];
    url.is_some_and(|url| {
        url.scheme() == "http" && !url.host_str().is_some_and(|host| here.contains(&host))
    })
}
