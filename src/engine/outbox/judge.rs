//! What follows from one try. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::delivery::{self, Sent};
use crate::hash::fnv1a;
use crate::job::{DeliveryId, LEAPT, NewDelivery, OnUnknown};
use crate::store::{Delivery, Settled};

/// A message to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number.
    pub id: DeliveryId,
    /// The message.
    pub message: NewDelivery,
    /// Tries that failed.
    pub attempts: u32,
    /// Not before.
    pub due_at: DateTime<Utc>,
    /// When it entered the outbox.
    pub since: DateTime<Utc>,
    /// What is known of it: the parts that arrived, whether all of it may have.
    pub progress: Value,
}

impl Row {
    /// A message that was committed just now.
    pub fn new(id: DeliveryId, message: NewDelivery, now: DateTime<Utc>) -> Self {
        Row {
            id,
            attempts: 0,
            due_at: message.due_at.unwrap_or(now),
            since: now,
            progress: Value::Null,
            message,
        }
    }

    /// The first moment from `now` on at which it may be sent.
    pub fn ready_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let leapt = self.due_at - now > LEAPT;
        let due_at = if leapt { now } else { self.due_at.max(now) };
        self.message.policy.due(due_at)
    }

    /// Whether it is written down that its bytes are about to leave: for what is not sent twice, or not without saying so.
    pub fn is_marked(&self) -> bool {
        let once = self.message.policy.on_unknown == OnUnknown::Park;
        once || delivery::tells_repeats(&self.message.kind)
    }

    /// What is left of it once a part arrived.
    pub fn after(self, progress: Value) -> Self {
        Row {
            progress,
            attempts: 0,
            ..self
        }
    }

    /// Its end, when its own time (`within`) has passed.
    pub fn expired(&self, now: DateTime<Utc>) -> Option<Settled> {
        let passed = self.message.expires_at.is_some_and(|last| last < now);
        let why = "the time that it had (`within`) passed before it could be sent";
        passed.then(|| Settled::Failed(why.to_owned()))
    }
}

impl From<Delivery> for Row {
    fn from(delivery: Delivery) -> Self {
        Row {
            id: delivery.id,
            attempts: delivery.attempts,
            due_at: delivery.due_at,
            since: delivery.created_at,
            progress: delivery.progress,
            message: delivery.message,
        }
    }
}

/// Without a `within`, what a place did not take for so long is given up at the next try that fails.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// A server's word counts for so long at most.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// What becomes of a message after a try that ended like `sent`.
pub fn judge(row: &Row, sent: Sent, now: DateTime<Utc>) -> Settled {
    let policy = &row.message.policy;
    let perhaps = matches!(sent, Sent::Unknown(_));
    let (reason, after) = match sent {
        Sent::Delivered(receipt) => return Settled::Sent(receipt),
        Sent::Part(progress) => return Settled::Part(progress),
        Sent::Refused(reason) => return Settled::Failed(reason),
        Sent::Unknown(reason) if policy.on_unknown == OnUnknown::Park => {
            return Settled::Parked(format!("{reason}: it may have arrived"));
        }
        Sent::Unknown(reason) => (reason, None),
        Sent::Again { reason, after } => (reason, after),
    };
    let given_up = row.message.expires_at.unwrap_or(row.since + PATIENCE);
    // A little before, so that the last try is not too late itself.
    let last = given_up - TimeDelta::seconds(1);
    let after = after.and_then(|after| TimeDelta::from_std(after).ok());
    let first = policy.due(now + after.unwrap_or_default().min(LONGEST_WAIT));
    if now >= last || first > last {
        let tries = match row.attempts {
            0 => "once".to_owned(),
            before => format!("{} times", u64::from(before) + 1),
        };
        return Settled::Failed(format!("given up after it was tried {tries}: {reason}"));
    }
    let wait = TimeDelta::from_std(backoff(row.id, row.attempts)).unwrap_or(LONGEST_WAIT);
    let next = policy.due((now + wait).min(last).max(first));
    match perhaps {
        true => Settled::Perhaps(next, reason),
        false => Settled::Again(next, reason),
    }
}

/// 1 s, doubled by each try up to 15 min, a fifth more or less: the same for the same message and try.
fn backoff(id: DeliveryId, attempts: u32) -> Duration {
    let whole = Duration::from_secs(1 << attempts.min(10)).min(Duration::from_secs(900));
    let dice = fnv1a(format!("{} {attempts}", id.0).as_bytes()) % 401;
    whole.mul_f64(0.8 + dice as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Policy, Quiet};

    fn now() -> DateTime<Utc> {
        "2026-11-20T06:00:00Z".parse().unwrap()
    }

    fn row() -> Row {
        let message = NewDelivery::usual("webhook", "http://x/", Value::Null, "a");
        Row::new(DeliveryId(7), message, now())
    }

    fn again(after: Option<u64>) -> Sent {
        Sent::Again {
            reason: "no".to_owned(),
            after: after.map(Duration::from_secs),
        }
    }

    /// The waits between the tries of one message until it is given up, in seconds.
    fn story(mut row: Row, after: Option<u64>) -> (Vec<f64>, String) {
        let (mut waits, mut now) = (Vec::new(), now());
        loop {
            match judge(&row, again(after), now) {
                Settled::Again(next, _) => {
                    waits.push((next - now).as_seconds_f64());
                    (row.attempts, row.due_at, now) = (row.attempts + 1, next, next);
                }
                Settled::Failed(reason) => return (waits, reason),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn tries_thin_out_to_a_quarter_of_an_hour_and_end_after_a_day() {
        let (waits, reason) = story(row(), None);
        let doubled = waits.iter().take(10).enumerate();
        for (tried, wait) in doubled {
            let whole = f64::from(1 << tried);
            assert!((0.8 * whole..=1.2 * whole).contains(wait), "{waits:?}");
        }
        assert!(
            waits[10..waits.len() - 1]
                .iter()
                .all(|wait| (720.0..=1080.0).contains(wait))
        );
        assert_eq!(waits.iter().sum::<f64>().round(), 86_399.0);
        assert!(reason.ends_with("times: no"), "{reason}");
    }

    #[test]
    fn the_last_try_is_as_late_as_within_allows() {
        let mut row = row();
        row.message.expires_at = Some(now() + TimeDelta::minutes(10));
        let (waits, _) = story(row.clone(), None);
        assert_eq!(waits.iter().sum::<f64>().round(), 599.0);
        assert_eq!(row.expired(now() + TimeDelta::minutes(10)), None);
        assert!(row.expired(now() + TimeDelta::minutes(11)).is_some());
    }

    #[test]
    fn a_servers_word_is_kept_and_ends_it_where_it_is_too_long() {
        let Settled::Again(next, _) = judge(&row(), again(Some(300)), now()) else {
            panic!("it is tried again");
        };
        assert_eq!(next, now() + TimeDelta::seconds(300));
        let mut row = row();
        row.message.expires_at = Some(now() + TimeDelta::minutes(4));
        let ended = judge(&row, again(Some(300)), now());
        let reason = "given up after it was tried once: no";
        assert_eq!(ended, Settled::Failed(reason.to_owned()));
    }

    #[test]
    fn a_try_that_would_fall_into_quiet_hours_comes_after_them() {
        let mut row = row();
        let time = |text| chrono::NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        row.message.policy.quiet = Some(Quiet {
            from: time("06:05"),
            to: time("09:00"),
            zone: crate::zone::Tz::UTC,
        });
        let Settled::Again(next, _) = judge(&row, again(Some(600)), now()) else {
            panic!("it is tried again");
        };
        assert_eq!(next, now() + TimeDelta::hours(3));
    }

    #[test]
    fn what_may_have_arrived_is_set_aside_only_where_that_is_asked_for() {
        let unknown = || Sent::Unknown("reset".to_owned());
        assert!(matches!(
            judge(&row(), unknown(), now()),
            Settled::Perhaps(..)
        ));
        let mut row = row();
        row.message.policy = Policy {
            on_unknown: OnUnknown::Park,
            ..Policy::default()
        };
        let parked = "reset: it may have arrived";
        assert_eq!(
            judge(&row, unknown(), now()),
            Settled::Parked(parked.to_owned())
        );
        assert!(matches!(
            judge(&row, again(None), now()),
            Settled::Again(..)
        ));
    }

    #[test]
    fn what_a_clock_that_leapt_put_far_off_is_due() {
        let mut row = row();
        row.due_at = now() + TimeDelta::days(400);
        assert_eq!(row.ready_at(now()), now());
        row.due_at = now() + TimeDelta::hours(23);
        assert_eq!(row.ready_at(now()), row.due_at);
    }
}
