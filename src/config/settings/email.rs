//! `[email]`: the server that takes letters.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::read::{Reader, Table};
use crate::config::secret::SecretRef;
use crate::config::value::{At, is_mailbox};

/// `[email]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredEmail {
    /// The server that takes letters, as `smtp.example.org`.
    server: At<String>,
    /// Its port; 465 for `tls`, 587 for `starttls`, 25 for `none`.
    port: Option<u16>,
    /// How the connection is protected; `tls` when left out.
    security: Option<At<Security>>,
    /// The name to log in with.
    user: Option<String>,
    /// The password for it.
    password: Option<SecretRef>,
    /// Whom letters are from, as `Reveille <me@example.org>`.
    from: At<String>,
    /// The owner's address; `from` when left out.
    to: Option<At<String>>,
}

/// How the connection to the server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Tls,
    /// TLS before anything is told (RFC 3207), never without.
    Starttls,
    /// None, for a server on this machine.
    None,
}

/// The server that takes letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSettings {
    /// Its name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The name to log in with, and where the password for it is kept.
    pub login: Option<(String, SecretRef)>,
    /// Whom letters are from.
    pub from: String,
    /// The owner.
    pub to: String,
}

pub(super) fn resolve(reader: &mut Reader<'_>, root: &mut Table<'_>) -> Option<EmailSettings> {
    let table = reader.take_table(root, "email")?;
    let header = table.span.clone();
    let typed: AuthoredEmail = reader.table(table, &[])?;
    let security = typed.security.as_ref();
    let security = security.map_or_else(Security::default, |security| security.value);
    let login = match (typed.user, typed.password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            reader.error(
                header,
                "`user` has no `password`",
                "name where it is kept: password.env = \"NAME\"",
            );
            return None;
        }
        (None, Some(_)) => {
            reader.error(
                header,
                "`password` has no `user`",
                "write the name to log in with",
            );
            return None;
        }
    };
    let here = ["localhost", "127.0.0.1", "::1"].contains(&typed.server.value.as_str());
    if security == Security::None && login.is_some() && !here {
        let span = typed.security.map_or(header, |security| security.span);
        let right = "write \"tls\" or \"starttls\"";
        reader.error(span, "everybody on the way could read the password", right);
        return None;
    }
    for address in [Some(&typed.from), typed.to.as_ref()].into_iter().flatten() {
        if !is_mailbox(&address.value) {
            let what = format!("`{}` is not an email address", address.value);
            reader.error(
                address.span.clone(),
                what,
                "write name@host, or Name <name@host>",
            );
            return None;
        }
    }
    let to = typed.to.unwrap_or_else(|| typed.from.clone());
    Some(EmailSettings {
        server: typed.server.value,
        port: typed.port.unwrap_or(match security {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::None => 25,
        }),
        security,
        login,
        from: typed.from.value,
        to: to.value,
    })
}
