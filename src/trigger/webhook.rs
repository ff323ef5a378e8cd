//! `webhook`: an HTTP request to the daemon's listener.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::resolve::Scope;
use crate::config::secret::SecretRef;
use crate::config::value::{Name, Size};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// The name in the address: `/hooks/NAME`.
    webhook: Name,
    /// A secret that the sender shows in the `Authorization: Bearer` header.
    token: Option<SecretRef>,
    /// A secret that the sender signs the body with (HMAC-SHA256).
    hmac: Option<SecretRef>,
    /// The largest body taken.
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
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<Webhook> {
        Some(Webhook {
            name: self.webhook.0,
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
