//! `[calendars.NAME]`: where events come from.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::read::{Reader, Table};
use crate::config::secret::SecretRef;
use crate::config::value::At;

/// One calendar, as typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredCalendar {
    /// An .ics file (relative to the folder), or an http(s) address, or a reference to a secret address.
    ics: At<AuthoredIcs>,
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

pub(super) fn resolve(reader: &mut Reader<'_>, root: &mut Table<'_>) -> Vec<CalendarSettings> {
    let named = reader.take_named(root, "calendars");
    named
        .into_iter()
        .map(|named| {
            // One that is wrong is known all the same, so that what names it is not wrong too.
            let authored = reader.table::<AuthoredCalendar>(named.table, &[]);
            let (label, local_only) = match &authored {
                Some(authored) => (authored.label.clone(), authored.local_only),
                None => (None, None),
            };
            let place = authored.and_then(|authored| place(reader, authored.ics));
            CalendarSettings {
                label: label.unwrap_or_else(|| named.name.clone()),
                name: named.name,
                place: place.unwrap_or(CalendarPlace::File(String::new())),
                local_only: local_only.unwrap_or(false),
            }
        })
        .collect()
}

fn place(reader: &mut Reader<'_>, ics: At<AuthoredIcs>) -> Option<CalendarPlace> {
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
    if url::Url::parse(&text).is_err() {
        let right = "write https://, the host and the path";
        reader.error(ics.span, "this is not a web address", right);
        return None;
    }
    Some(CalendarPlace::Url(text))
}
