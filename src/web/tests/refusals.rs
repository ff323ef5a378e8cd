//! Who may call, with what, and how large.

use serde_json::json;

use super::*;

const TOKEN: &str = "token.env = \"TOKEN\"";
const HMAC: &str = "hmac.env = \"KEY\"";
const RIGHT: &str = "Authorization: Bearer opensesame";

#[tokio::test]
async fn an_event_is_on_the_disk_when_its_caller_hears_of_it() {
    let site = site(&[("front", "door", "")]).await;
    let headers = [
        "Content-Type: application/json; charset=utf-8",
        "X-Custom: yes",
        "Cookie: session=1",
        "X-Gitlab-Token: hush",
    ];
    let answered = site.post("door", &headers, r#"{"open": [1, "two"]}"#).await;
    assert_eq!(answered, (202, json!({ "runs": [1] })));
    let event = site.events().remove(0);
    assert_eq!(event.job, "front");
    assert_eq!(event.payload["name"], "door");
    assert_eq!(event.payload["body"], json!({ "open": [1, "two"] }));
    let headers = json!({ "content-type": "application/json; charset=utf-8", "x-custom": "yes" });
    assert_eq!(event.payload["headers"], headers);
}

#[tokio::test]
async fn what_is_not_json_is_text() {
    let site = site(&[("front", "door", "")]).await;
    for (headers, body) in [
        (&["Content-Type: text/plain"][..], "{\"a\": 1}"),
        (&["Content-Type: application/json"], "{\"a\": "),
        (&[], ""),
    ] {
        assert_eq!(site.post("door", headers, body).await.0, 202);
        assert_eq!(site.events()[0].payload["body"], json!(body));
    }
}

#[tokio::test]
async fn every_job_with_the_name_gets_an_event() {
    let site = site(&[("a", "door", ""), ("b", "door", ""), ("c", "other", "")]).await;
    let (status, runs) = site.post("door", &[], "").await;
    assert_eq!(
        (status, runs["runs"].as_array().map(Vec::len)),
        (202, Some(2))
    );
    let mut jobs: Vec<_> = site.events().into_iter().map(|event| event.job).collect();
    jobs.sort();
    assert_eq!(jobs, ["a", "b"]);
}

#[tokio::test]
async fn without_its_token_a_door_stays_shut() {
    let site = site(&[("front", "door", TOKEN)]).await;
    for headers in [
        &[][..],
        &["Authorization: Bearer opensesamf"],
        &["Authorization: Bearer opensesam"],
        &["Authorization: Bearer opensesame2"],
        &["Authorization: Bearer"],
        &["Authorization: Basic opensesame"],
        &["Authorization: opensesame"],
    ] {
        let (status, said) = site.post("door", headers, "{}").await;
        assert_eq!(
            (status, said),
            (401, json!({ "error": "this webhook is not open to you" }))
        );
    }
    let (status, ..) = site.send("POST /hooks/door?token=opensesame HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(
        status, 401,
        "a token in the address is in every log on the way"
    );
    assert!(site.events().is_empty());
    assert_eq!(site.post("door", &[RIGHT], "{}").await.0, 202);
    assert_eq!(
        site.post("door", &["authorization: bearer  opensesame "], "{}")
            .await
            .0,
        202
    );
    let kept = site.events()[0].payload.to_string();
    assert!(!kept.contains("opensesame"), "{kept}");
}

#[tokio::test]
async fn without_its_signature_a_door_stays_shut() {
    let site = site(&[("front", "door", HMAC)]).await;
    let right = format!("X-Hub-Signature-256: sha256={}", hex("hush-hush", "{}"));
    let other_key = format!("X-Hub-Signature-256: sha256={}", hex("hush", "{}"));
    let other_body = format!("X-Hub-Signature-256: sha256={}", hex("hush-hush", "{ }"));
    for headers in [
        &[][..],
        &[other_key.as_str()],
        &[other_body.as_str()],
        &[RIGHT],
    ] {
        assert_eq!(site.post("door", headers, "{}").await.0, 401, "{headers:?}");
    }
    assert!(site.events().is_empty());
    assert_eq!(site.post("door", &[&right], "{}").await.0, 202);
}

#[tokio::test]
async fn standard_webhooks_are_understood_while_they_are_fresh() {
    let site = site(&[("front", "door", HMAC)]).await;
    let signed = |at: i64| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"hush-hush");
        let tag = ring::hmac::sign(&key, format!("msg_1.{at}.{{}}").as_bytes());
        let tag = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, tag);
        [
            "webhook-id: msg_1".to_owned(),
            format!("webhook-timestamp: {at}"),
            format!("webhook-signature: v1,{tag}"),
        ]
    };
    let post = async |lines: [String; 3]| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        site.post("door", &lines, "{}").await
    };
    assert_eq!(post(signed(1_800_000_000 - 301)).await.0, 401);
    assert_eq!(
        post(signed(1_800_000_000)).await,
        (202, json!({ "runs": [1] }))
    );
    assert_eq!(
        post(signed(1_800_000_001)).await,
        (200, json!({ "runs": [1] }))
    );
}

#[tokio::test]
async fn where_both_are_asked_for_both_are_needed() {
    let site = site(&[("front", "door", &format!("{TOKEN}\n{HMAC}"))]).await;
    let signature = format!("X-Hub-Signature-256: sha256={}", hex("hush-hush", "{}"));
    assert_eq!(site.post("door", &[RIGHT], "{}").await.0, 401);
    assert_eq!(site.post("door", &[&signature], "{}").await.0, 401);
    assert_eq!(site.post("door", &[&signature, RIGHT], "{}").await.0, 202);
}

#[tokio::test]
async fn of_several_jobs_those_open_that_the_caller_has_a_key_for() {
    let site = site(&[("a", "door", TOKEN), ("b", "door", HMAC), ("c", "door", "")]).await;
    assert_eq!(site.post("door", &[RIGHT], "").await.0, 202);
    let mut jobs: Vec<_> = site.events().into_iter().map(|event| event.job).collect();
    jobs.sort();
    assert_eq!(jobs, ["a", "c"]);
}

#[tokio::test]
async fn a_door_whose_secret_is_missing_is_shut_and_asks_to_come_again() {
    let site = site(&[("front", "door", "token.env = \"NOT_THERE\"")]).await;
    let request = request("door", &["Authorization: Bearer "], "");
    let (status, head, _) = site.send(&request).await;
    assert_eq!(status, 503);
    assert!(head.contains("retry-after: "), "{head}");
}

#[tokio::test]
async fn an_unknown_name_is_not_found_and_other_methods_are_not_allowed() {
    let site = site(&[("front", "door", TOKEN)]).await;
    assert_eq!(site.post("window", &[RIGHT], "").await.0, 404);
    let get = "GET /hooks/door HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(site.send(get).await.0, 405);
}

#[tokio::test]
async fn a_name_that_somebody_else_gave_this_machine_is_refused() {
    let site = site(&[("front", "door", "")]).await;
    for host in [
        "evil.example",
        "evil.example:7777",
        "localhost.evil.example",
    ] {
        let request = request("door", &[], "").replace("Host: localhost", &format!("Host: {host}"));
        let (status, _, said) = site.send(&request).await;
        assert_eq!(status, 421);
        assert!(
            said["error"].as_str().unwrap().contains("[web] hosts"),
            "{said}"
        );
        let get = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(site.send(&get).await.0, 421);
    }
    assert!(site.events().is_empty());
}

#[tokio::test]
async fn a_page_in_a_browser_opens_no_door_without_a_secret() {
    let site = site(&[("front", "door", ""), ("back", "gate", TOKEN)]).await;
    let page = "Origin: https://evil.example";
    assert_eq!(site.post("door", &[page], "").await.0, 401);
    assert_eq!(site.post("gate", &[page, RIGHT], "").await.0, 202);
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let site = site(&[("front", "door", "max_bytes = \"1KiB\"")]).await;
    assert_eq!(site.post("door", &[], &"x".repeat(1024)).await.0, 202);
    let announced = "POST /hooks/door HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n";
    assert_eq!(site.send(announced).await.0, 413, "before it has arrived");
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let endless = format!(
        "POST /hooks/door HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}1\r\nx\r\n"
    );
    assert_eq!(site.send(&endless).await.0, 413, "without its end");
    assert_eq!(site.events().len(), 1);
}

#[tokio::test]
async fn each_of_several_jobs_has_its_own_size() {
    let site = site(&[
        ("a", "door", "max_bytes = \"1KiB\""),
        ("b", "door", "max_bytes = \"2KiB\""),
    ])
    .await;
    assert_eq!(site.post("door", &[], &"x".repeat(2000)).await.0, 202);
    let jobs: Vec<_> = site.events().into_iter().map(|event| event.job).collect();
    assert_eq!(jobs, ["b"]);
}

#[tokio::test]
async fn a_reload_changes_the_token_for_the_next_request() {
    let site = site(&[("front", "door", TOKEN)]).await;
    assert_eq!(site.post("door", &[RIGHT], "").await.0, 202);
    std::fs::write(site.folder.path().join(".env"), "TOKEN=changed-it\n").unwrap();
    site.daemon.reload(loaded(site.folder.path()));
    assert_eq!(site.post("door", &[RIGHT], "").await.0, 401);
    assert_eq!(
        site.post("door", &["Authorization: Bearer changed-it"], "")
            .await
            .0,
        202
    );
}
