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
    let message = prepared(&home, &job, &roots);
    let outbox = home.start().await;
    home.send(&outbox, vec![message]).await;
    settled(&outbox, 1).await;
    sink.seen().remove(0)
}

/// The message of a job's first delivery.
fn prepared(home: &Home, job: &Job, roots: &serde_json::Value) -> NewDelivery {
    let loaded = Arc::clone(&home.engine.loaded);
    let now = home.clock.now();
    let making = Making {
        job,
        settings: &loaded.settings,
        now,
        templates: &Templates::new(loaded.settings.language, loaded.settings.timezone, now),
        roots: &roots.as_object().unwrap().clone().into_iter().collect(),
        worded: None,
    };
    prepare(&making, 0).unwrap().unwrap()
}

fn texts(job: &str) -> Texts {
    Texts {
        settings: None,
        jobs: BTreeMap::from([("story".to_owned(), Source::new("jobs/story.toml", job))]),
        prompts: BTreeMap::new(),
        unreadable: Vec::new(),
        stamp: crate::config::stamp::Stamp::default(),
    }
}

fn job_of(text: &str) -> Arc<Job> {
    let config = Config::resolve(texts(text), Tz::UTC);
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

/// What is sent to an address that is kept in a file which holds `kept`: the reason, and all that is kept and said of it.
async fn sent_to(kept: &str) -> (Option<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ntfy"), kept).unwrap();
    let clock = Arc::new(TestClock::at(at("2026-11-20T06:00:00Z")));
    let mut home = Home::at(folder, clock, "");
    let job = job_of("[[deliver]]\nwebhook.file = \"ntfy\"\ntext = \"hello\"\n");
    let message = prepared(&home, &job, &json!({}));
    assert_eq!(message.target["url"], json!({ "file": "ntfy" }));
    assert_eq!(message.lane, "webhook file ntfy");
    assert_eq!(crate::delivery::place(&message), "file ntfy");
    let outbox = home.start().await;
    let ids = home.send(&outbox, vec![message]).await;
    settled(&outbox, 1).await;
    let row = home.row(ids[0]);
    let mut seen = format!("{row:?}");
    while let Ok(said) = home.heard.try_recv() {
        seen += &said;
    }
    (row.reason, seen)
}

/// An answer that would be cut inside of the secret.
const LONG: &str = "there is a long way to go until the place where an answer is cut, and what stands there \
                    is at the very end /hook/hunter2hunter2";

#[tokio::test]
async fn ntfy_is_called_at_a_secret_address_and_no_row_holds_it() {
    let sink = Sink::answering(&[
        OK,
        Answer::With(404, "", LONG),
        Answer::With(403, "", "no POST to /hook/hunter2hunter2"),
    ])
    .await;
    let secret = format!("{}/hunter2hunter2", sink.url);
    let (reason, seen) = sent_to(&format!("{secret}\n")).await;
    assert_eq!(reason, None);
    assert!(
        sink.seen()[0]
            .head
            .starts_with("POST /hook/hunter2hunter2 ")
    );
    assert!(
        !seen.contains("hunter2") && !seen.contains("127.0.0.1"),
        "{seen}"
    );
    let (reason, seen) = sent_to(&secret).await;
    let reason = reason.unwrap();
    assert!(reason.ends_with("is at the very end /***"), "{reason}");
    assert!(!seen.contains("hunter2"), "{seen}");
    let (reason, seen) = sent_to(&secret).await;
    let expected = "file ntfy answered with status 403: no POST to /***";
    assert_eq!(reason.as_deref(), Some(expected));
    assert!(
        !seen.contains("hunter2") && !seen.contains("127.0.0.1"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_secret_that_is_no_address_is_refused_and_not_told() {
    for kept in ["hunter2", "ftp://hunter2hunter2/", "http:", ""] {
        let (reason, seen) = sent_to(kept).await;
        let expected =
            "the file ntfy holds no web address: write http:// or https:// and the host there";
        assert_eq!(reason.as_deref(), Some(expected), "{kept}");
        assert!(!seen.contains("hunter2"), "{seen}");
        assert!(seen.contains("Failed"), "{seen}");
    }
}

#[tokio::test]
async fn a_secret_address_is_learnt_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ntfy"), "https://ntfy.sh/hunter2hunter2").unwrap();
    let texts = texts("[[deliver]]\nwebhook.file = \"ntfy\"\ntext = \"hello\"\n");
    let config = Config::resolve(texts, Tz::UTC);
    let (loaded, _) = Loaded::new(Folder::Disk(folder.path().to_owned()), config);
    let mut text = "posted to https://ntfy.sh/hunter2hunter2".to_owned();
    loaded.secrets.scrub(&mut text);
    assert_eq!(text, "posted to ***");
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
        "chat failed: no [telegram] in config/reveille.toml",
        "coo failed: this version cannot send to `pigeon`",
        "letter failed: no [email] in config/reveille.toml",
    ];
    assert_eq!(said, expected);
}
