//! A resolver that gives only checked addresses: what is connected to is what was checked.

use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{NetError, Policy};

/// The system's resolver behind the guard. One refused address refuses the name: else it could be asked again
/// until the one that suits comes first.
pub(super) struct GuardedResolver(pub Arc<Policy>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            let unresolved = |why: String| NetError::Resolve {
                host: host.to_owned(),
                why,
            };
            let found = tokio::net::lookup_host((host, 0)).await;
            let found: Vec<_> = found
                .map_err(|error| unresolved(error.to_string()))?
                .collect();
            if found.is_empty() {
                return Err(unresolved("it has no address".into()).into());
            }
            for address in &found {
                policy.check_address(host, address.ip())?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
