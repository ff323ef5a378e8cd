//! `jobs/NAME.toml` to a [`Job`]. Pure.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::diagnostic::{Diagnostic, Severity, Source};
use super::job_steps::resolve_steps;
use super::read::{Reader, Table, split_off};
use super::resolve::{Scope, World};
use super::settings::{AuthoredBudget, Budget};
use super::value::Span;
use super::words::without_consequences;
use crate::delivery::{self, Delivery};
use crate::hash::fnv1a;
use crate::step::Step;
use crate::template::Templates;
use crate::trigger::{self, Trigger};

/// The keys at the top of a job file, as typed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredJob {
    /// What the job does, in one line; people see it in listings and as the command's help.
    description: Option<String>,
    /// `false` switches the job off.
    enabled: Option<bool>,
    /// Who goes first when runs wait.
    priority: Option<Priority>,
    /// The longest a run may take.
    timeout: Option<Span>,
    /// Nothing that this job reads reaches a cloud model.
    local_only: Option<bool>,
    /// What the taint check would refuse and the owner wants all the same.
    allow: Option<Vec<String>>,
    /// What its calls to models may take.
    budget: Option<AuthoredBudget>,
    /// Runs at once.
    concurrency: Option<AuthoredConcurrency>,
}

/// `concurrency`, as typed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AuthoredConcurrency {
    /// How many runs of this job at once; 1 when left out.
    max: Option<NonZeroU32>,
    /// What happens to an event while they are under way.
    overlap: Option<Overlap>,
}

/// Who goes first when runs wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// After the others.
    Low,
    /// In order.
    #[default]
    Normal,
    /// Before the others.
    High,
}

/// What happens to an event while the job is at its limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// Its run waits.
    #[default]
    Queue,
    /// Its run is skipped.
    Skip,
    /// The run under way is cancelled for it.
    Replace,
}

/// A job, ready to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file's name without `.toml`.
    pub name: String,
    /// What it does, in one line.
    pub description: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Who goes first.
    pub priority: Priority,
    /// The longest a run may take.
    pub timeout: Duration,
    /// Nothing that it reads reaches a cloud model.
    pub local_only: bool,
    /// What the taint check lets pass.
    pub allow: Vec<String>,
    /// What its calls to models may take.
    pub budget: Budget,
    /// Runs at once.
    pub max_runs: u32,
    /// Events beyond that.
    pub overlap: Overlap,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// Where the result goes.
    pub deliveries: Vec<Delivery>,
    /// Whether a template names `event.stdin`.
    pub reads_stdin: bool,
    /// What `event` may hold: every field of every trigger, by example.
    pub event_fields: Vec<String>,
    /// The files of `prompts/` that it names.
    pub prompts: Vec<String>,
    /// Tells this text of it, with its prompts, from every other.
    pub hash: String,
}

impl Job {
    /// What a job with these texts is told by.
    pub fn hash_of<'t>(text: &str, prompts: impl Iterator<Item = &'t String>) -> String {
        let mut all = fnv1a(text.as_bytes());
        for prompt in prompts {
            all = all.rotate_left(7) ^ fnv1a(prompt.as_bytes());
        }
        format!("{all:016x}")
    }
}

const LISTS: &[&str] = &["trigger", "step", "deliver"];

/// Names that templates have already.
pub(super) const TAKEN: &[&str] = &[
    "event", "job", "run", "now", "item", "language", "loop", "self",
];

/// Reads one job file. Everything wrong with it is reported; `None` when anything was.
pub fn resolve(
    name: &str,
    source: &Arc<Source>,
    world: &World,
    checker: &Templates,
    problems: &mut Vec<Diagnostic>,
) -> Option<Job> {
    let mut found = Vec::new();
    let mut reader = Reader {
        source,
        problems: &mut found,
    };
    let mut root = reader.parse(&source.text);
    let syntax = reader.problems.len();
    let does_nothing = ["step", "deliver"]
        .iter()
        .all(|list| !root.keys.contains_key(*list));
    let triggers = reader.take_tables(&mut root, "trigger");
    let steps = reader.take_tables(&mut root, "step");
    let deliveries = reader.take_tables(&mut root, "deliver");
    let typed: AuthoredJob = reader.table(root, LISTS).unwrap_or_default();
    let concurrency = typed.concurrency.unwrap_or_default();
    let mut scope = Scope {
        source,
        settings: &world.settings,
        world,
        problems: &mut found,
        examples: examples(name),
        outside: BTreeSet::from(["event".to_owned()]),
        hand_typed: false,
        checker,
        prompts: BTreeSet::new(),
    };
    let triggers = resolve_triggers(&mut scope, triggers);
    scope.hand_typed = !triggers.iter().any(|trigger| trigger.kind.lets_others_in());
    let event = trigger::event_example(&triggers);
    let event_fields = event.keys().cloned().collect();
    scope
        .examples
        .insert("event".to_owned(), Value::Object(event));
    if does_nothing && syntax == 0 {
        scope.error(
            0..0,
            "this job does nothing",
            "add a [[step]] and a [[deliver]]",
        );
    }
    let steps = resolve_steps(&mut scope, steps);
    let deliveries = resolve_deliveries(&mut scope, deliveries);
    let prompts = Vec::from_iter(scope.prompts);
    let texts = prompts.iter().filter_map(|name| world.prompts.get(name));
    let hash = Job::hash_of(&source.text, texts.map(|prompt| &prompt.text));
    let job = Job {
        name: name.to_owned(),
        description: typed.description.unwrap_or_default(),
        enabled: typed.enabled.unwrap_or(true),
        priority: typed.priority.unwrap_or_default(),
        timeout: typed
            .timeout
            .map_or(Duration::from_secs(3600), |span| span.0),
        local_only: typed.local_only.unwrap_or(world.settings.local_only),
        allow: typed.allow.unwrap_or_default(),
        budget: typed.budget.unwrap_or_default().into(),
        max_runs: concurrency.max.map_or(1, NonZeroU32::get),
        overlap: concurrency.overlap.unwrap_or_default(),
        triggers,
        steps,
        deliveries,
        reads_stdin: names_stdin(source, world),
        event_fields,
        prompts,
        hash,
    };
    let clean = !found.iter().any(|found| found.severity == Severity::Error);
    without_consequences(&mut found, 0, syntax);
    problems.append(&mut found);
    clean.then_some(job)
}

/// Whether the job, or a prompt that it names, reads what is piped in.
fn names_stdin(source: &Source, world: &World) -> bool {
    let named = |text: &str| text.contains("event.stdin");
    let prompts = &world.prompts;
    named(&source.text)
        || prompts
            .iter()
            .any(|(name, prompt)| source.text.contains(name.as_str()) && named(&prompt.text))
}

/// What every template may name, by example.
fn examples(name: &str) -> Map<String, Value> {
    let all = json!({
        "job": { "name": name, "description": "text" },
        "run": { "id": 1, "attempt": 1 },
        "now": "2026-11-20T07:00:00+01:00",
        "language": "en",
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

fn resolve_triggers(scope: &mut Scope<'_>, tables: Vec<Table<'_>>) -> Vec<Trigger> {
    let mut triggers: Vec<Trigger> = Vec::new();
    for mut table in tables {
        let span = table.span.clone();
        let common = split_off(&mut table, trigger::COMMON);
        let mut reader = reader(scope);
        let common: trigger::Common = reader.table(common, &[]).unwrap_or_default();
        let word = reader.kind(&mut table, "trigger", trigger::WORDS, trigger::COMMON);
        let authored = word.and_then(|word| trigger::Authored::read(word, table, &mut reader));
        let Some(kind) = authored.and_then(|authored| trigger::resolve(authored, scope)) else {
            continue;
        };
        let id = common.id.map_or_else(|| kind.derived_id(), |id| id.0);
        if triggers.iter().any(|trigger| trigger.id == id) {
            let what = format!("two triggers of this job are `{id}`");
            scope.error(span, what, "take one out, or give them an `id` each");
            continue;
        }
        let enabled = common.enabled.unwrap_or(true);
        triggers.push(Trigger { id, enabled, kind });
    }
    // Lists are kept for as long as the daemon lives.
    triggers.shrink_to_fit();
    triggers
}

fn resolve_deliveries(scope: &mut Scope<'_>, tables: Vec<Table<'_>>) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for mut table in tables {
        let span = table.span.clone();
        let common = split_off(&mut table, delivery::COMMON);
        let mut reader = reader(scope);
        let common: Option<delivery::Common> = reader.table(common, &[]);
        let word = reader.kind(&mut table, "deliver", delivery::WORDS, delivery::COMMON);
        let authored = word.and_then(|word| delivery::Authored::read(word, table, &mut reader));
        let kind = authored.and_then(|authored| authored.resolve(scope));
        let Some(common) = common else { continue };
        let text = scope.template(common.text);
        let when = common.when.map(|expression| scope.expression(expression));
        let Some(kind) = kind else { continue };
        if let delivery::Kind::Webhook(webhook) = &kind
            && webhook.body.is_some()
            && common.digest.is_some()
        {
            let what = "a digest gathers texts, and cannot gather a `body`";
            scope.error(span, what, "take `digest` out, or `body`");
            continue;
        }
        deliveries.push(Delivery {
            text,
            when,
            quiet: common.quiet,
            urgent: common.urgent.unwrap_or(false),
            digest: common.digest,
            within: common.within.map(|span| span.0),
            on_unknown: common.on_unknown.unwrap_or_default(),
            from: common.from.unwrap_or(false),
            kind,
        });
    }
    deliveries.shrink_to_fit();
    deliveries
}

pub(super) fn reader<'s>(scope: &'s mut Scope<'_>) -> Reader<'s> {
    Reader {
        source: scope.source,
        problems: scope.problems,
    }
}
