//! `[calendars.NAME]`: where events come from.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::read::{Reader, Table};
use crate::config::secret::SecretRef;
use crate::config::value::At;

/// One calendar, as typed: an .ics, Google's, or one of a CalDAV server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredCalendar {
    /// An .ics file (relative to the folder), or an http(s) address, or a reference to a secret address.
    ics: Option<At<AuthoredIcs>>,
    /// A calendar of Google: `primary`, or its id.
    google: Option<At<String>>,
    /// The account of `[google.NAME]` that sees it; the only one when left out.
    account: Option<At<String>>,
    /// The address of a CalDAV server, or of one calendar on it.
    caldav: Option<At<String>>,
    /// The user there.
    user: Option<String>,
    /// The password of the user, by reference.
    password: Option<SecretRef>,
    /// The name of the calendar there, where it has several.
    calendar: Option<String>,
    /// The name in texts; else the calendar's name.
    label: Option<String>,
    /// Its events never reach a cloud model.
    local_only: Option<bool>,
}

#[derive(Debug, JsonSchema)]
#[serde(untagged)]
enum AuthoredIcs {
    Plain(String),
    Secret(SecretRef),
}

impl<'de> Deserialize<'de> for AuthoredIcs {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = AuthoredIcs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a file, a web address, or where a secret address is kept")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AuthoredIcs, E> {
                Ok(AuthoredIcs::Plain(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<AuthoredIcs, A::Error> {
                let from = serde::de::value::MapAccessDeserializer::new(map);
                SecretRef::deserialize(from).map(AuthoredIcs::Secret)
            }
        }
        from.deserialize_any(Either)
    }
}

/// Where a calendar's events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarPlace {
    /// A file, relative to the folder.
    File(String),
    /// An address that anybody may know.
    Url(String),
    /// An address that is a secret.
    SecretUrl(SecretRef),
    /// A calendar of Google.
    Google {
        /// The name of `[google.NAME]`.
        account: String,
        /// Its id.
        id: String,
    },
    /// A calendar of a CalDAV server.
    Dav {
        /// Where to begin to look.
        url: String,
        /// Who asks.
        login: (String, SecretRef),
        /// Its name there; the first one when left out.
        name: Option<String>,
    },
}

impl CalendarPlace {
    /// Whether events can be made, moved and deleted there.
    pub fn is_written(&self) -> bool {
        matches!(
            self,
            CalendarPlace::Google { .. } | CalendarPlace::Dav { .. }
        )
    }

    /// Where its secret is kept.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            CalendarPlace::SecretUrl(secret) => Some(secret),
            CalendarPlace::Dav { login, .. } => Some(&login.1),
            CalendarPlace::File(_) | CalendarPlace::Url(_) | CalendarPlace::Google { .. } => None,
        }
    }
}

/// One calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSettings {
    /// Its name in `from`.
    pub name: String,
    /// Its name in texts.
    pub label: String,
    /// Where its events come from.
    pub place: CalendarPlace,
    /// Its events never reach a cloud model.
    pub local_only: bool,
}

pub(super) fn resolve(
    reader: &mut Reader<'_>,
    root: &mut Table<'_>,
    accounts: &[&str],
) -> Vec<CalendarSettings> {
    let named = reader.take_named(root, "calendars");
    named
        .into_iter()
        .map(|named| {
            // One that is wrong is known all the same, so that what names it is not wrong too.
            let known = reader.problems.len();
            let authored = reader.table::<AuthoredCalendar>(named.table, &[]);
            let whole = reader.problems.len() == known;
            let (label, local_only) = match &authored {
                Some(authored) => (authored.label.clone(), authored.local_only),
                None => (None, None),
            };
            let span = named.name_span;
            let authored = authored.filter(|_| whole);
            let place = authored.and_then(|authored| place(reader, (span, authored), accounts));
            CalendarSettings {
                label: label.unwrap_or_else(|| named.name.clone()),
                name: named.name,
                place: place.unwrap_or(CalendarPlace::File(String::new())),
                local_only: local_only.unwrap_or(false),
            }
        })
        .collect()
}

fn place(
    reader: &mut Reader<'_>,
    (span, typed): (Range<usize>, AuthoredCalendar),
    accounts: &[&str],
) -> Option<CalendarPlace> {
    let dav = typed.user.is_some() || typed.password.is_some() || typed.calendar.is_some();
    if dav && typed.caldav.is_none() {
        let right = "they belong to `caldav`";
        reader.error(
            span,
            "`user`, `password` and `calendar` have no server",
            right,
        );
        return None;
    }
    match (typed.ics, typed.google, typed.caldav) {
        (Some(ics), None, None) => ics_place(reader, ics),
        (None, Some(id), None) => google_place(reader, (id, typed.account), accounts),
        (None, None, Some(url)) => {
            let (Some(user), Some(password)) = (typed.user, typed.password) else {
                let right = "add user = \"NAME\" and password.env = \"NAME\"";
                reader.error(span, "this calendar does not say who asks", right);
                return None;
            };
            Some(CalendarPlace::Dav {
                url: address(reader, &url)?,
                login: (user, password),
                name: typed.calendar,
            })
        }
        (None, None, None) => {
            let right = "write ics = (a file or an address), google = \"primary\", or caldav = (an address)";
            reader.error(span, "this calendar has no place", right);
            None
        }
        _ => {
            let right = "leave one of ics, google and caldav";
            reader.error(span, "a calendar is in one place", right);
            None
        }
    }
}

fn google_place(
    reader: &mut Reader<'_>,
    (id, account): (At<String>, Option<At<String>>),
    accounts: &[&str],
) -> Option<CalendarPlace> {
    let account = match (account, accounts) {
        (Some(account), _) => reader.one_of(account, "account", accounts.iter().copied())?,
        (None, [only]) => (*only).to_owned(),
        (None, none) => {
            let (what, right) = match none {
                [] => (
                    "no account of Google is configured",
                    "add [google.NAME] with service_account or client",
                ),
                _ => (
                    "there are several accounts of Google",
                    "say which: account = \"NAME\"",
                ),
            };
            reader.error(id.span, what, right);
            return None;
        }
    };
    Some(CalendarPlace::Google {
        account,
        id: id.value,
    })
}

fn ics_place(reader: &mut Reader<'_>, ics: At<AuthoredIcs>) -> Option<CalendarPlace> {
    let text = match ics.value {
        AuthoredIcs::Secret(secret) => return Some(CalendarPlace::SecretUrl(secret)),
        AuthoredIcs::Plain(text) => text.replacen("webcal://", "https://", 1),
    };
    if text.is_empty() {
        let right = "write a file or a web address";
        reader.error(ics.span, "this calendar has no place", right);
        return None;
    }
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return Some(CalendarPlace::File(text));
    }
    let typed = At {
        value: text,
        span: ics.span,
    };
    address(reader, &typed).map(CalendarPlace::Url)
}

/// A web address without a user in it.
fn address(reader: &mut Reader<'_>, typed: &At<String>) -> Option<String> {
    let url = url::Url::parse(&typed.value).ok();
    let Some(url) = url.filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
    else {
        let right = "write https://, the host and the path";
        reader.error(typed.span.clone(), "this is not a web address", right);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let right = "write user = \"NAME\" and password.env = \"NAME\" beside it";
        reader.error(
            typed.span.clone(),
            "a password is never written here",
            right,
        );
        return None;
    }
    Some(typed.value.clone())
}
