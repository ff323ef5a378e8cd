//! `feed`: new entries of RSS, Atom and JSON feeds. Read and checked; a later version runs it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Declaration;
use crate::config::resolve::Scope;
use crate::config::value::{OneOrMany, WebAddress};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Addresses of feeds.
    feed: OneOrMany<WebAddress>,
    /// The most entries told.
    max_items: Option<u32>,
}

/// New entries of feeds.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Addresses of feeds.
    pub urls: Vec<String>,
    /// The most entries told.
    pub max_items: u32,
}

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<Feed> {
        Some(Feed {
            urls: self.feed.0.into_iter().map(|url| url.0).collect(),
            max_items: self.max_items.unwrap_or(20),
        })
    }
}

impl Feed {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: false,
            timeout: Duration::from_secs(30),
            example: json!({
                "items": [{
                    "title": "text", "link": "https://example.org/1", "summary": "text",
                    "published": "2026-11-20T07:00:00+01:00", "feed": "text"
                }],
                "count": 1
            }),
        }
    }
}
