//! Secrets, by reference only: `key.env = "NAME"`, `key.file = "PATH"`, `key.credential = "NAME"`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::value::WebAddress;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable, or a line of the folder's `.env`.
    Env(String),
    /// A file that only its owner may read (mode 0600), relative to the folder.
    File(String),
    /// A systemd credential, in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Env(name) => write!(f, "environment variable {name}"),
            SecretRef::File(path) => write!(f, "file {path}"),
            SecretRef::Credential(name) => write!(f, "systemd credential {name}"),
        }
    }
}

impl SecretRef {
    /// As it is typed: the word for the place, and the name there.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            SecretRef::Env(name) => ("env", name),
            SecretRef::File(path) => ("file", path),
            SecretRef::Credential(name) => ("credential", name),
        }
    }
}

/// As it is typed: for rows that name where a secret is kept, and never hold one.
impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (place, name) = self.parts();
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(place, name)?;
        map.end()
    }
}

const RIGHT: &str =
    "name where it is kept: .env = \"NAME\", .file = \"PATH\" or .credential = \"NAME\"";

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Place)
    }
}

/// A web address, or where a secret one is kept.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[serde(untagged)]
pub enum Address {
    /// One that anybody may know.
    Typed(WebAddress),
    /// One that is a secret.
    Secret(SecretRef),
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a web address, or where a secret one is kept")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Address, E> {
        WebAddress::deserialize(text.into_deserializer()).map(Address::Typed)
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<Address, A::Error> {
        Place.visit_map(from).map(Address::Secret)
    }
}

struct Place;

impl<'de> Visitor<'de> for Place {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RIGHT)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretRef, E> {
        Err(super::value::wrong("a secret is never written here", RIGHT))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<SecretRef, A::Error> {
        Err(super::value::wrong("a secret is never written here", RIGHT))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<SecretRef, A::Error> {
        let wrong = || super::value::wrong("a secret has one place where it is kept", RIGHT);
        let (place, name) = from.next_entry::<String, String>()?.ok_or_else(wrong)?;
        if from.next_key::<String>()?.is_some() {
            return Err(wrong());
        }
        match place.as_str() {
            "env" => Ok(SecretRef::Env(name)),
            "file" => Ok(SecretRef::File(name)),
            "credential" => Ok(SecretRef::Credential(name)),
            _ => Err(wrong()),
        }
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |place: &str| {
            json_schema!({
                "type": "object",
                "properties": { place: { "type": "string" } },
                "required": [place],
                "additionalProperties": false
            })
        };
        json_schema!({
            "description": "where a secret is kept; it is never written here",
            "oneOf": [one("env"), one("file"), one("credential")]
        })
    }
}
