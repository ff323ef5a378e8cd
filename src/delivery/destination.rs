//! Where a request goes: an address that anybody may know, or the name of the place where a secret one is kept.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::secret::{Address, SecretRef};
use crate::config::secrets::Secrets;
use crate::config::value::is_web_address;

/// The address of a request, as rows keep it: a text, or `{"env": "NAME"}` and its like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Destination {
    /// One that anybody may know.
    Typed(String),
    /// Where one is kept that is a secret.
    Secret(SecretRef),
}

impl From<Address> for Destination {
    fn from(address: Address) -> Self {
        match address {
            // In the form that the URL standard gives it: one address has one lane.
            Address::Typed(address) => {
                let normal = Url::parse(&address.0).map(String::from);
                Destination::Typed(normal.unwrap_or(address.0))
            }
            Address::Secret(secret) => Destination::Secret(secret),
        }
    }
}

/// For people, and the name of the lane: never what is kept.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Typed(url) => f.write_str(url),
            Destination::Secret(secret) => {
                let (place, name) = secret.parts();
                write!(f, "{place} {name}")
            }
        }
    }
}

impl Destination {
    /// The address itself.
    ///
    /// # Errors
    /// A secret one that is not there, or is no web address, in words for the owner that do not tell it.
    pub fn url(&self, secrets: &Secrets) -> Result<String, String> {
        let secret = match self {
            Destination::Typed(url) => return Ok(url.clone()),
            Destination::Secret(secret) => secret,
        };
        let kept = secrets.get(secret)?;
        let url = kept.expose().trim();
        if !is_web_address(url) {
            return Err(format!(
                "the {secret} holds no web address: write http:// or https:// and the host there"
            ));
        }
        Ok(url.to_owned())
    }

    /// Takes a secret `url` out of what is said of it, in parts too: errors name the host, and services repeat the path.
    pub fn conceal(&self, url: &str, said: &mut String) {
        let (Destination::Secret(_), Ok(url)) = (self, Url::parse(url)) else {
            return;
        };
        let mut hide = |part: &str, stands_for: &str| {
            if part.len() >= TELLING && said.contains(part) {
                *said = said.replace(part, stands_for);
            }
        };
        let name = self.to_string();
        hide(url.as_str(), &name);
        hide(&url.origin().ascii_serialization(), &name);
        hide(url.host_str().unwrap_or_default(), &name);
        let path = url.path().trim_matches('/');
        let query = url.query().unwrap_or_default();
        let login = [url.username(), url.password().unwrap_or_default()];
        let whole = [path, query].into_iter().chain(login);
        let parts = path.split('/').chain(query.split(['&', '=']));
        for part in whole.chain(parts) {
            hide(part, "***");
        }
    }
}

/// Bytes of a part of an address that may be a secret for itself; shorter ones would take innocent words out.
const TELLING: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_address_is_told() {
        let secret = Destination::Secret(SecretRef::Env("NTFY_URL".to_owned()));
        let url = "https://ntfy.example:8443/api/hunter2hunter2?auth=opensesame";
        let check = |said: &str, expected: &str| {
            let mut said = said.to_owned();
            secret.conceal(url, &mut said);
            assert_eq!(said, expected);
        };
        check(url, "env NTFY_URL");
        check(
            "https://ntfy.example:8443 answered with status 404: no POST /api/hunter2hunter2",
            "env NTFY_URL answered with status 404: no POST /***",
        );
        check(
            "`ntfy.example` cannot be resolved",
            "`env NTFY_URL` cannot be resolved",
        );
        check("hunter2hunter2 is unknown", "*** is unknown");
        check("opensesame is wrong", "*** is wrong");
    }

    #[test]
    fn an_address_of_an_older_row_is_read() {
        let check = |row: &str, shown: &str| {
            let read: Destination = serde_json::from_str(row).unwrap();
            assert_eq!(read.to_string(), shown);
            assert_eq!(serde_json::to_string(&read).unwrap(), row);
        };
        check("\"http://127.0.0.1/hook\"", "http://127.0.0.1/hook");
        check("{\"env\":\"NTFY_URL\"}", "env NTFY_URL");
        check("{\"file\":\"ntfy\"}", "file ntfy");
    }
}
