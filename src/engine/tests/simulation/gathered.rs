//! What was held back: messages that became part of one, and those that had to wait for the end of quiet hours.

use std::collections::BTreeMap;

use super::checks::Ledger;
use super::stage::Stage;
use crate::job::{DeliveryId, OnUnknown};
use crate::store::{Delivery, DeliveryState};

/// The digest that a message went into.
pub(super) fn into_digest(delivery: &Delivery) -> Option<DeliveryId> {
    let DeliveryState::Dropped(reason) = &delivery.state else {
        return None;
    };
    let number = reason.strip_prefix("in the digest ")?;
    Some(DeliveryId(number.parse().expect("a number")))
}

impl Ledger<'_> {
    /// Each message that was gathered is in one digest, and a digest has nothing else.
    pub(super) fn gathered(&self) {
        let mut parts: BTreeMap<DeliveryId, Vec<&str>> = BTreeMap::new();
        for delivery in &self.outbox {
            let gathers = delivery.message.policy.digest.is_some();
            let digest = into_digest(delivery);
            assert_eq!(gathers, digest.is_some(), "{delivery:#?}");
            if let Some(digest) = digest {
                parts
                    .entry(digest)
                    .or_default()
                    .push(&delivery.message.body);
            }
        }
        for (id, parts) in parts {
            let digest = self.outbox.iter().find(|delivery| delivery.id == id);
            let body = &digest.expect("it is there").message.body;
            let said: Vec<_> = body
                .split("\n\n")
                .filter_map(|part| part.split_once('\n'))
                .map(|(_, text)| text)
                .collect();
            assert_eq!(said, parts, "{id:?}");
        }
    }

    /// Whether a message is the digest of others.
    pub(super) fn is_digest(&self, delivery: &Delivery) -> bool {
        let mut all = self.outbox.iter();
        all.any(|other| into_digest(other) == Some(delivery.id))
    }

    /// Nothing goes out in its quiet hours.
    pub(super) fn quiet(&self, stage: &Stage) {
        for arrival in &stage.arrivals {
            let of = |delivery: &&Delivery| delivery.id == arrival.id;
            let policy = self
                .outbox
                .iter()
                .find(of)
                .map(|delivery| &delivery.message.policy);
            // What is written down first may have waited for room to write.
            let Some(policy) = policy.filter(|policy| policy.on_unknown != OnUnknown::Park) else {
                continue;
            };
            assert_eq!(
                policy.due(arrival.left),
                arrival.left,
                "{arrival:?}: {policy:?}"
            );
        }
    }
}
