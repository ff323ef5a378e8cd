//! From a message of a chat to its answer, and whose a message is.

use std::time::{Duration, Instant};

use reveille::telegram::intent::{Asked, Claim, Claims, Intents};
use telegram::{TOKEN, Telegram};

use super::process::Place;
use super::rows::Bare;
use super::{above, median, millis, percentile, row};

#[path = "../../tests/fakes/telegram.rs"]
mod telegram;

const MESSAGES: i64 = 200;

/// Longer than Telegram wants between two messages.
const APART: Duration = Duration::from_millis(60);

/// A message is committed, its run with the answer, and that the answer leaves.
const COMMITS: u32 = 3;

pub fn answers(place: &Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let telegram = runtime.block_on(Telegram::start());
    let users: Vec<String> = (1..=MESSAGES).map(|user| user.to_string()).collect();
    place.settings(&format!(
        "[telegram]\ntoken.env = \"BOT\"\napi_url = \"{}\"\nusers = [{}]\n",
        telegram.url,
        users.join(", ")
    ));
    std::fs::write(place.folder.join(".env"), format!("BOT={TOKEN}\n")).expect("written");
    place.job(
        "echo",
        "[[trigger]]\ntelegram = \"/echo\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"**{{ event.args }}**\"\n",
    );
    let bare = Bare::new(&place.folder).commits(COMMITS);
    let daemon = place.daemon();
    let mut took = Vec::new();
    for user in 1..=MESSAGES {
        let began = Instant::now();
        telegram.says(user, "/echo hello");
        runtime.block_on(telegram.saw("sendMessage", took.len() + 1));
        took.push(began.elapsed());
        std::thread::sleep(APART);
    }
    let pss = daemon.pss();
    drop(daemon);
    above(
        "message to its answer, p50",
        median(took.clone()),
        bare,
        Duration::from_millis(5),
    );
    above(
        "message to its answer, p99",
        percentile(took, 99),
        bare,
        Duration::from_millis(15),
    );
    row(
        "the daemon after them: PSS",
        pss as f64,
        "MiB",
        (10 << 20) as f64,
        "10 MiB",
    );
}

const TRIGGERS: usize = 1_000;

pub fn intents(_: &Place) {
    let claim = |number: usize| Claim {
        job: format!("job-{number}"),
        trigger: "telegram".to_owned(),
        kind: match number % 4 {
            0 => Claims::Command(format!("command_{number}")),
            _ => Claims::Text,
        },
        words: vec![
            format!("word{number}"),
            format!("other{number}"),
            "agenda".to_owned(),
        ],
        phrases: vec![format!("what about {number}")],
        regex: number
            .is_multiple_of(10)
            .then(|| format!("buy (?<count>\\d+) of {number}")),
    };
    let intents = Intents::new((0..TRIGGERS).map(claim).collect());
    let mut took = Vec::new();
    for number in 0..TRIGGERS {
        let text = format!(
            "Please tell me what about {number}, is there anything else that I should know on Friday?"
        );
        let began = Instant::now();
        let found = intents.of(Asked {
            text: &text,
            file: false,
        });
        took.push(began.elapsed());
        assert_eq!(found[0].job, format!("job-{number}"));
    }
    let bound = Duration::from_micros(50);
    row(
        "whose a message is, 1000 triggers, p50",
        millis(median(took)),
        "ms",
        millis(bound),
        "0.05 ms",
    );
}
