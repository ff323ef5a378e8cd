//! `webhook`: an HTTP request to somebody else's service.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::resolve::Scope;
use crate::config::secret::SecretRef;
use crate::config::value::At;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// An http or https address.
    webhook: At<String>,
    /// `POST` when left out.
    method: Option<Method>,
    /// Names and values.
    headers: Option<BTreeMap<String, At<String>>>,
    /// A bearer secret.
    token: Option<SecretRef>,
    /// What is sent; `text` as it is when left out.
    body: Option<At<String>>,
}

/// How the address is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
}

/// A request to somebody else's service.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The address.
    pub url: url::Url,
    /// How it is called.
    pub method: Method,
    /// Names and values, templates.
    pub headers: Vec<(String, String)>,
    /// A bearer secret.
    pub token: Option<SecretRef>,
    /// What is sent, a template.
    pub body: Option<String>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Webhook> {
        let url = match url::Url::parse(&self.webhook.value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                let what = format!("`{}` is not a web address", self.webhook.value);
                let right = "write http:// or https:// and the host";
                scope.error(self.webhook.span, what, right);
                return None;
            }
        };
        let headers = self.headers.unwrap_or_default().into_iter();
        Some(Webhook {
            url,
            method: self.method.unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name, scope.template(value)))
                .collect(),
            token: self.token,
            body: self.body.map(|body| scope.template(body)),
        })
    }
}
