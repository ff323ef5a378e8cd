//! Values that a person types, each checked as it is read: durations, sizes, zones, cron entries.
//!
//! A value that is wrong fails with `what\nwhat would be right`; the reader puts the file and the line to it.

mod address;
mod cron;
mod many;
mod measure;
mod pattern;
mod span;
mod time;

pub use address::{Listen, WebAddress, is_mailbox, is_web_address};
pub use cron::{CronEntry, Field, Fields, Pace};
pub use many::OneOrMany;
pub use measure::{Celsius, Percent, Size, Span};
pub use pattern::{Glob, Name, Pattern, is_name};
pub use span::At;
pub use time::{ClockTime, QuietHours, Zone};

/// The error of a typed value: what is wrong, and what would be right.
pub(crate) fn wrong<E: serde::de::Error>(
    what: impl std::fmt::Display,
    right: impl std::fmt::Display,
) -> E {
    E::custom(format_args!("{what}\n{right}"))
}

/// Reads a text through a function.
pub(crate) struct Text<T> {
    /// The function; its error says what is wrong and what would be right.
    pub parse: fn(&str) -> Result<T, (String, String)>,
    /// What stands here, for a value that is no text at all.
    pub expected: &'static str,
}

impl<T> serde::de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, in quotes", self.expected)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(|(what, right)| wrong(what, right))
    }
}

/// Deserialises a type from a string through a function, with a JSON Schema of pattern and example.
macro_rules! from_text {
    ($type:ty, $parse:expr, $name:literal, $pattern:expr, $description:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_str(crate::config::value::Text {
                    parse: $parse,
                    expected: $description,
                })
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern: Option<&str> = $pattern;
                let mut schema = schemars::json_schema!({
                    "type": "string", "description": $description
                });
                if let Some(pattern) = pattern {
                    schema.insert("pattern".into(), pattern.into());
                }
                schema
            }
        }
    };
}
pub(crate) use from_text;
