//! From a delivery of the job file to a message of the outbox.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::telegram::{Recipient, Target as TelegramTarget};
use super::{Delivery, Kind};
use crate::config::{Job, Settings};
use crate::job::{Digest, NewDelivery, Policy, Quiet};
use crate::store::DIGEST;
use crate::template::{Roots, TemplateError, Templates};

/// No run starts earlier than this before its moment.
const EARLIEST: TimeDelta = TimeDelta::minutes(10);

/// What messages are made of: a run at its end.
#[derive(Debug)]
pub struct Making<'a> {
    /// The job.
    pub job: &'a Job,
    /// The configuration.
    pub settings: &'a Settings,
    /// The present moment.
    pub now: DateTime<Utc>,
    /// What renders.
    pub templates: &'a Templates,
    /// What templates see.
    pub roots: &'a Roots,
    /// Who worded what a step gave, and where; nobody where no model did.
    pub worded: Option<&'a str>,
}

impl Making<'_> {
    pub(super) fn render(&self, name: &str, template: &str) -> Result<String, TemplateError> {
        let context = self.roots.context();
        self.templates.render(name, template, &context)
    }

    /// The due instant of a run that started early, to deliver on time.
    fn held(&self) -> Option<DateTime<Utc>> {
        let event = self
            .roots
            .get("event")
            .filter(|event| event["kind"] == "cron")?;
        let due: DateTime<Utc> = event["due_at"].as_str()?.parse().ok()?;
        // One that lies further ahead is of a clock that was put back meanwhile.
        (due > self.now && due <= self.now + EARLIEST).then_some(due)
    }

    /// The chat that the event came from. No other event has one: what it holds may be anybody's word.
    pub(super) fn origin(&self) -> Option<i64> {
        let event = self.roots.get("event")?;
        let chat = matches!(event["kind"].as_str(), Some("telegram" | "reminder"));
        chat.then(|| event["chat"]["id"].as_i64())?
    }

    /// The topic of that chat.
    pub(super) fn thread(&self) -> Option<i64> {
        self.origin()?;
        self.roots.get("event")?["chat"]["thread"].as_i64()
    }

    /// Whether a person asked on a terminal, which then is the origin.
    fn asked(&self) -> bool {
        let event = self.roots.get("event");
        event.is_some_and(|event| event["kind"] == "hand" && event["asked"] == true)
    }

    /// The message that the event is, if it is one.
    pub(super) fn message(&self) -> Option<i64> {
        self.origin()?;
        self.roots.get("event")?["message"].as_i64()
    }
}

/// Renders the delivery at `position` of the job; `None` when there is nothing to send.
///
/// # Errors
/// A template that does not render.
pub fn prepare(making: &Making<'_>, position: usize) -> Result<Option<NewDelivery>, TemplateError> {
    let delivery = &making.job.deliveries[position];
    let context = making.roots.context();
    if let Some(when) = &delivery.when
        && !making.templates.truthy(when, &context)?
    {
        return Ok(None);
    }
    let text = making.templates.render("text", &delivery.text, &context)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut body = None;
    let (place, target) = match &delivery.kind {
        Kind::Console(console) => (String::new(), typed(console.target(making))),
        Kind::File(file) => {
            let target = file.target(making)?;
            (target.path.clone(), typed(target))
        }
        Kind::Webhook(webhook) => {
            body = webhook.body(making)?;
            let target = webhook.target(making)?;
            (target.url.to_string(), typed(target))
        }
        Kind::Email(email) => {
            let target = email.target(making)?;
            (target.to.join(", "), typed(target))
        }
        Kind::Telegram(telegram) if telegram.to == Recipient::Origin && making.asked() => {
            let target = json!({ "job": making.job.name });
            let text = worded(making, delivery, text);
            return Ok(Some(NewDelivery::usual("console", "", target, &text)));
        }
        Kind::Telegram(telegram) => {
            let target = telegram.target(making, position)?;
            (target.place(), typed(target))
        }
    };
    // What is sent as JSON says nothing beside it.
    let body = body.unwrap_or_else(|| worded(making, delivery, text));
    let mut message = NewDelivery::usual(delivery.kind.word(), &place, target, body.trim_end());
    message.policy = policy(delivery, making);
    message.lane += &beyond(&message.policy, making, position);
    let held = making.held();
    if held.is_some() {
        message.lane += " held";
    }
    let due_at = message.policy.first_due(held.unwrap_or(making.now));
    message.due_at = (due_at > making.now).then_some(due_at);
    // From when it may go out: quiet hours do not use it up.
    let within = delivery
        .within
        .and_then(|span| TimeDelta::from_std(span).ok());
    message.expires_at = within.and_then(|within| due_at.checked_add_signed(within));
    Ok(Some(message))
}

/// The text, with who worded it where that is asked for.
fn worded(making: &Making<'_>, delivery: &Delivery, text: String) -> String {
    let text = text.trim_end();
    match making.worded.filter(|_| delivery.from) {
        Some(by) => format!("{text}\n\n_{by}_"),
        None => text.to_owned(),
    }
}

/// Where the delivery at `position` grows as a model writes; `None` where it does not, or not at once.
pub fn streams(making: &Making<'_>, position: usize) -> Option<TelegramTarget> {
    let delivery = &making.job.deliveries[position];
    let Kind::Telegram(telegram) = &delivery.kind else {
        return None;
    };
    let held = delivery.quiet.is_some() || delivery.digest.is_some() || making.held().is_some();
    let terminal = telegram.to == Recipient::Origin && making.asked();
    if !telegram.stream || held || terminal || telegram.edit {
        return None;
    }
    let target = telegram.target(making, position).ok()?;
    target.file.is_none().then_some(target)
}

fn typed(target: impl Serialize) -> Value {
    serde_json::to_value(target).expect("a target is texts and numbers")
}

fn policy(delivery: &Delivery, making: &Making<'_>) -> Policy {
    let zone = making.settings.timezone;
    let quiet = delivery.quiet.filter(|_| !delivery.urgent);
    Policy {
        quiet: quiet.map(|hours| Quiet {
            from: hours.from,
            to: hours.to,
            zone,
        }),
        digest: delivery.digest.map(|at| Digest { at: at.0, zone }),
        on_unknown: delivery.on_unknown,
        // Runs that overlap have no order, so neither have their requests.
        width: match &delivery.kind {
            Kind::Webhook(_) if making.job.max_runs > 1 => making.job.max_runs,
            _ => 0,
        },
    }
}

/// What is held back does not stand in the way of what is not: it has a lane of its own.
fn beyond(policy: &Policy, making: &Making<'_>, position: usize) -> String {
    let mut beyond = String::new();
    if let Some(quiet) = &policy.quiet {
        let (from, to) = (quiet.from.format("%H:%M"), quiet.to.format("%H:%M"));
        beyond += &format!(" quiet {from}-{to}");
    }
    if let Some(digest) = &policy.digest {
        let (job, number) = (&making.job.name, position + 1);
        beyond += &format!("{DIGEST}{job} {number} {}", digest.at.format("%H:%M"));
    }
    beyond
}
