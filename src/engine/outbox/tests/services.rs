//! Deliveries as people write them, to the services that people have.

use super::*;
use crate::config::Job;
use crate::delivery::{Making, prepare};
use crate::template::Templates;

/// Sends what a job with this delivery would, and gives what the service saw.
async fn seen(delivery: &str) -> sink::Seen {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let delivery = delivery.replace("URL", &sink.url);
    let job = format!("[[step]]\nid = \"x\"\nset.n = \"1\"\n\n[[deliver]]\n{delivery}\n");
    let job = job_of(&job);
    let roots = json!({ "x": { "n": "say \"hello\"\nto Añá" }, "job": { "name": "story" } });
    let loaded = Arc::clone(&home.engine.loaded);
    let now = home.clock.now();
    let making = Making {
        job: &job,
        settings: &loaded.settings,
        now,
        templates: &Templates::new(loaded.settings.language, loaded.settings.timezone, now),
        roots: &roots.as_object().unwrap().clone().into_iter().collect(),
    };
    let message = prepare(&making, 0).unwrap().unwrap();
    let outbox = home.start().await;
    home.send(&outbox, vec![message]).await;
    settled(&outbox, 1).await;
    sink.seen().remove(0)
}

fn job_of(text: &str) -> Arc<Job> {
    let texts = Texts {
        settings: None,
        jobs: BTreeMap::from([("story".to_owned(), Source::new("jobs/story.toml", text))]),
        prompts: BTreeMap::new(),
        unreadable: Vec::new(),
        stamp: crate::config::stamp::Stamp::default(),
    };
    let config = Config::resolve(texts, Tz::UTC);
    assert_eq!(config.problems, []);
    Arc::clone(&config.jobs["story"])
}

fn header<'s>(seen: &'s sink::Seen, name: &str) -> Option<&'s str> {
    let mut lines = seen.head.lines();
    lines.find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[tokio::test]
async fn ntfy_gets_a_text_with_headers() {
    let seen = seen(
        "webhook = \"URL\"\nheaders.Title = \"{{ x.n }}\"\nheaders.Tags = \"sunny\"\ntext = \"{{ x.n }}\"",
    )
    .await;
    assert!(seen.head.starts_with("POST /hook HTTP/1.1\r\n"));
    assert_eq!(seen.body, "say \"hello\"\nto Añá");
    assert_eq!(header(&seen, "title"), Some("say \"hello\" to Añá"));
    assert_eq!(header(&seen, "tags"), Some("sunny"));
    let kind = header(&seen, "content-type");
    assert_eq!(kind, Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn slack_gets_json_that_no_text_can_break() {
    let seen =
        seen("webhook = \"URL\"\nbody = '{\"text\": {{ x.n | tojson }}}'\ntext = \"{{ x.n }}\"")
            .await;
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({ "text": "say \"hello\"\nto Añá" }));
    assert_eq!(header(&seen, "content-type"), Some("application/json"));
}

#[tokio::test]
async fn home_assistant_gets_its_token_and_no_row_does() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ha"), "hunter2hunter2\n").unwrap();
    let sink = Sink::answering(&[OK]).await;
    let clock = Arc::new(TestClock::at(at("2026-11-20T06:00:00Z")));
    let home = Home::at(folder, clock, "");
    let outbox = home.start().await;
    let mut message = post(&sink, "{\"state\": \"on\"}");
    message.target["token"] = json!({ "file": "ha" });
    let ids = home.send(&outbox, vec![message]).await;
    settled(&outbox, 1).await;
    let seen = sink.seen().remove(0);
    assert_eq!(
        header(&seen, "authorization"),
        Some("Bearer hunter2hunter2")
    );
    let row = format!("{:?}", home.row(ids[0]));
    assert!(!row.contains("hunter2"), "{row}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let mut message = post(&sink, "a");
    message.target["token"] = json!({ "file": "nowhere" });
    let ids = home.send(&outbox, vec![message]).await;
    settled(&outbox, 1).await;
    let reason = home.row(ids[0]).reason.unwrap();
    assert!(reason.starts_with("cannot read the secret in "), "{reason}");
    assert!(sink.seen().is_empty());
}

#[tokio::test]
async fn healthchecks_is_only_called() {
    let seen = seen("webhook = \"URL\"\nmethod = \"GET\"\ntext = \"ok\"").await;
    assert!(seen.head.starts_with("GET /hook HTTP/1.1\r\n"));
    assert_eq!(
        (seen.body.as_str(), header(&seen, "content-type")),
        ("", None)
    );
}

#[tokio::test]
async fn what_no_channel_takes_fails_and_says_what_is_missing() {
    let mut home = Home::new();
    let outbox = home.start().await;
    let target = json!({ "to": ["a@example.org"], "subject": "x" });
    let letter = NewDelivery::usual("email", "a@example.org", target, "letter");
    let chat = NewDelivery::usual("telegram", "owner", json!({}), "chat");
    let strange = NewDelivery::usual("pigeon", "x", json!({}), "coo");
    let mut said = Vec::new();
    home.send(&outbox, vec![letter, chat, strange]).await;
    for _ in 0..3 {
        said.push(home.heard.recv().await.unwrap());
    }
    said.sort();
    let expected = [
        "chat failed: this version is not connected to Telegram",
        "coo failed: this version cannot send to `pigeon`",
        "letter failed: no [email] in config/reveille.toml",
    ];
    assert_eq!(said, expected);
}
