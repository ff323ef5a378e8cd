//! `webhook`: an HTTP request to the daemon's listener.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::secret::SecretRef;
use crate::config::value::{At, Name, Size};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// The name in the address: `/hooks/NAME`.
    webhook: At<Name>,
    /// A secret that the sender shows in the `Authorization: Bearer` header.
    token: Option<SecretRef>,
    /// A secret that the sender signs the body with: HMAC-SHA256 in `X-Hub-Signature-256`, or Standard Webhooks.
    hmac: Option<SecretRef>,
    /// The largest body taken; 256KiB when left out.
    max_bytes: Option<Size>,
}

/// A place that others may call.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The name in the address.
    pub name: String,
    /// A bearer secret.
    pub token: Option<SecretRef>,
    /// A signing secret.
    pub hmac: Option<SecretRef>,
    /// The largest body taken, in bytes.
    pub max_bytes: u64,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Webhook> {
        let name = self.webhook.value.0;
        if self.token.is_none() && self.hmac.is_none() && !scope.settings.web.is_private() {
            let what = format!("anybody who reaches the listener may call `{name}`");
            let right = "give it `token.env = \"NAME\"` or `hmac.env = \"NAME\"`, or let [web] listen on 127.0.0.1 only";
            scope.error(self.webhook.span, what, right);
        }
        Some(Webhook {
            name,
            token: self.token,
            hmac: self.hmac,
            max_bytes: self.max_bytes.map_or(256 << 10, |size| size.0),
        })
    }
}

pub(super) fn event_example() -> Value {
    json!({
        "kind": "webhook",
        "name": "door",
        "body": crate::template::OPAQUE,
        "headers": crate::template::OPAQUE
    })
}
