//! `fetch`: what a web address answers. Read and checked; a later version runs it.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Declaration;
use crate::config::resolve::Scope;
use crate::config::value::{At, Size, is_web_address};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// An http or https address.
    fetch: At<String>,
    /// `GET` when left out.
    method: Option<Method>,
    /// Names and values.
    headers: Option<BTreeMap<String, At<String>>>,
    /// What is sent.
    body: Option<At<String>>,
    /// Private hosts that this step may reach.
    hosts: Option<Vec<String>>,
    /// The most that is read, after decompression.
    max_bytes: Option<Size>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a web address answers.
#[derive(Debug, Clone)]
pub struct Fetch {
    method: Method,
    /// The address, a template.
    pub url: String,
    /// Names and values, templates.
    pub headers: Vec<(String, String)>,
    /// What is sent, a template.
    pub body: Option<String>,
    /// Private hosts that it may reach.
    pub hosts: Vec<String>,
    /// The most that is read, in bytes.
    pub max_bytes: u64,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Fetch> {
        let address = &self.fetch.value;
        if !address.contains("{{") && !is_web_address(address) {
            let what = format!("`{address}` is not a web address");
            scope.error(
                self.fetch.span,
                what,
                "write http:// or https:// and the host",
            );
            return None;
        }
        let headers = self.headers.unwrap_or_default().into_iter();
        Some(Fetch {
            method: self.method.unwrap_or_default(),
            url: scope.template(self.fetch),
            headers: headers
                .map(|(name, value)| (name, scope.template(value)))
                .collect(),
            body: self.body.map(|body| scope.template(body)),
            hosts: self.hosts.unwrap_or_default(),
            max_bytes: self.max_bytes.map_or(1 << 20, |size| size.0),
        })
    }
}

impl Fetch {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: !matches!(self.method, Method::Get | Method::Head),
            outside_text: true,
            private: false,
            timeout: Duration::from_secs(15),
            example: json!({
                "status": 200, "url": "https://example.org/", "body": "text",
                "json": crate::template::OPAQUE, "changed": true
            }),
        }
    }
}
