//! Jobs that a seed chooses.

use std::collections::BTreeMap;

use super::rng::Rng;

/// What the checks have to know of a job.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) text: String,
    /// The most of its runs at once.
    pub(super) max: u32,
    /// The ends of `hook` that start it.
    pub(super) after: Option<&'static str>,
    /// Its program may run again after a crash.
    pub(super) idempotent: bool,
    /// How many messages a good run has.
    pub(super) messages: usize,
}

/// The job that outside events start.
pub(super) const HOOK: &str = "hook";
/// The job that follows it.
pub(super) const CHAIN: &str = "chain";
/// The job that reads the log.
pub(super) const TAIL: &str = "tail";

/// The step that asks.
pub(super) const SURE: &str = "sure";

/// The job that time starts.
pub(super) const TICK: &str = "tick";

fn cron(rng: &mut Rng) -> String {
    let entries = [
        "*/7 * * * *",
        "0 * * * *",
        "30 2 * * *",
        "15 1,2,3 * * *",
        "0 0 1 * * *",
        "* * * * *",
    ];
    let entry = *rng.pick(&entries);
    let zone = *rng.pick(&["Europe/Madrid", "Australia/Lord_Howe", "UTC"]);
    let missed = *rng.pick(&["latest", "all", "skip"]);
    let age = *rng.pick(&["", "max_age = \"2h\"\n"]);
    let jitter = *rng.pick(&["", "", "jitter = \"2m\"\n"]);
    format!(
        "[[trigger]]\ncron = \"{entry}\"\ntimezone = \"{zone}\"\nmissed = \"{missed}\"\n{age}{jitter}\n"
    )
}

/// The jobs of a world, by name; `log` is the file that grows.
pub(super) fn plans(rng: &mut Rng, log: &str) -> BTreeMap<String, Plan> {
    let after = *rng.pick(&["success", "failure", "any"]);
    let mut chain = plan(
        rng,
        &format!("[[trigger]]\nafter = \"{HOOK}\"\non = \"{after}\"\n\n"),
    );
    chain.after = Some(after);
    let mut plans = BTreeMap::new();
    plans.insert(
        HOOK.to_owned(),
        plan(rng, "[[trigger]]\nwebhook = \"hook\"\n\n"),
    );
    plans.insert(CHAIN.to_owned(), chain);
    plans.insert(TAIL.to_owned(), tail(rng, log));
    let cron = cron(rng);
    plans.insert(TICK.to_owned(), plan(rng, &cron));
    plans
}

/// A job with a program that fails at times and one that does not.
fn plan(rng: &mut Rng, triggers: &str) -> Plan {
    let max = 1 + u32::try_from(rng.below(3)).expect("it is small");
    let overlap = *rng.pick(&["queue", "queue", "queue", "skip", "replace"]);
    let priority = *rng.pick(&["low", "normal", "high"]);
    let idempotent = rng.percent(30);
    let retry = if rng.percent(60) {
        format!(
            "retry.attempts = {}\nretry.backoff = \"{}s\"\n",
            1 + rng.below(4),
            1 + rng.below(300)
        )
    } else {
        String::new()
    };
    let mut text = format!(
        "priority = \"{priority}\"\nconcurrency.max = {max}\nconcurrency.overlap = \"{overlap}\"\ntimeout = \"{}m\"\n\n{triggers}",
        1 + rng.below(90)
    );
    text += "[[step]]\nid = \"before\"\nset.n = \"run.id\"\n\n";
    if rng.percent(25) {
        let minutes = 1 + rng.below(120);
        text += &format!(
            "[[step]]\nid = \"{SURE}\"\napprove = \"{{{{ run.id }}}}?\"\nexpires = \"{minutes}m\"\n\n"
        );
    }
    text +=
        &format!("[[step]]\nid = \"flaky\"\nexec = [\"a\"]\nidempotent = {idempotent}\n{retry}\n");
    if rng.percent(50) {
        text += &format!("[[step]]\nid = \"solid\"\nexec = [\"b\"]\nidempotent = {idempotent}\n\n");
    }
    let messages = usize::try_from(rng.below(3)).expect("it is small");
    for number in 0..messages {
        let unknown = *rng.pick(&["retry", "park"]);
        let within = *rng.pick(&["", "", "within = \"10m\"\n"]);
        let held = *rng.pick(&[
            "",
            "",
            "",
            "quiet = \"22:00-07:00\"\n",
            "digest = \"08:00\"\n",
            "quiet = \"07:30-09:00\"\ndigest = \"08:00\"\n",
        ]);
        text += &format!(
            "[[deliver]]\nwebhook = \"http://sink.example/{number}\"\non_unknown = \"{unknown}\"\n{within}{held}text = \"{{{{ job.name }}}} {{{{ run.id }}}} {number}\"\n\n"
        );
    }
    Plan {
        text,
        max,
        after: None,
        idempotent,
        messages,
    }
}

/// A job that tells each line of a log once.
fn tail(rng: &mut Rng, log: &str) -> Plan {
    let mut plan = Plan {
        text: format!(
            "[[trigger]]\nwebhook = \"tail\"\n\n[[step]]\nid = \"log\"\nlog = {log:?}\nsince = \"last-run\"\n\n"
        ),
        max: 1,
        after: None,
        idempotent: false,
        messages: 1,
    };
    if rng.percent(70) {
        plan.text += "[[step]]\nid = \"flaky\"\nexec = [\"a\"]\n\n";
    }
    plan.text += "[[deliver]]\nfile = \"told\"\nappend = true\ntext = \"{{ log.total }}\"\n";
    plan
}
