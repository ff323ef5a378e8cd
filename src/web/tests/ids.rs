//! One delivery is one event, however often it arrives.

use futures_util::future::join_all;
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_delivery_that_comes_again_is_the_same_run() {
    let site = site(&[("front", "door", "")]).await;
    for name in ["Idempotency-Key", "X-GitHub-Delivery", "webhook-id"] {
        let id = format!("{name}: of-{name}");
        let first = site.post("door", &[&id], "1").await;
        assert_eq!(first.0, 202);
        assert_eq!(site.post("door", &[&id], "2").await, (200, first.1));
    }
    assert_eq!(site.events().len(), 3);
    assert_eq!(site.events()[0].payload["body"], json!("1"));
}

#[tokio::test]
async fn without_an_id_each_request_is_an_event() {
    let site = site(&[("front", "door", "")]).await;
    assert_eq!(site.post("door", &[], "").await.1, json!({ "runs": [1] }));
    assert_eq!(site.post("door", &[], "").await.1, json!({ "runs": [2] }));
    // An empty one is none.
    for run in [3, 4] {
        let said = site.post("door", &["Idempotency-Key: "], "").await;
        assert_eq!(said, (202, json!({ "runs": [run] })));
    }
}

#[tokio::test]
async fn at_the_same_time_they_are_one_too() {
    let site = site(&[("front", "door", "")]).await;
    let posts = (0..32).map(|_| site.post("door", &["Idempotency-Key: one"], ""));
    let answers = join_all(posts).await;
    let new = answers.iter().filter(|(status, _)| *status == 202).count();
    assert_eq!(new, 1);
    assert!(
        answers
            .iter()
            .all(|(_, said)| *said == json!({ "runs": [1] }))
    );
}

#[tokio::test]
async fn the_same_id_for_another_webhook_is_another_delivery() {
    let site = site(&[("front", "door", ""), ("back", "gate", "")]).await;
    let id = ["Idempotency-Key: one"];
    assert_eq!(site.post("door", &id, "").await.0, 202);
    assert_eq!(site.post("gate", &id, "").await.0, 202);
}

#[tokio::test]
async fn an_id_without_bounds_is_refused() {
    let site = site(&[("front", "door", "")]).await;
    let id = format!("Idempotency-Key: {}", "x".repeat(201));
    assert_eq!(site.post("door", &[&id], "").await.0, 400);
}
