use chrono::TimeDelta;

use super::*;
use crate::store::DeliveryState;

/// The message of a run for a moment that is due in so many seconds: when it may go out, and whether it has.
async fn delivered(due_in: i64) -> (TimeDelta, bool) {
    let home = Home::with("[[deliver]]\nfile = \"out.txt\"\ntext = \"hello\"\n");
    let due = seven() + TimeDelta::seconds(due_in);
    let event = Event {
        kind: TriggerKind::Cron,
        payload: json!({ "kind": "cron", "due_at": due.to_rfc3339() }),
        ..by_hand(json!({}))
    };
    let ran = home.run_as(event, Deliver::Send).await;
    let story = home.story(ran.finished.run);
    assert_eq!(story.row.state, crate::job::RunState::Finished(Outcome::Ok));
    let delivery = &story.deliveries[0];
    let sent = matches!(delivery.state, DeliveryState::Sent { .. });
    (delivery.due_at - seven(), sent)
}

#[tokio::test]
async fn a_run_that_started_early_delivers_at_its_moment() {
    assert_eq!(delivered(90).await, (TimeDelta::seconds(90), false));
}

#[tokio::test]
async fn others_deliver_at_once() {
    for due in [0, -3600, 7200] {
        assert_eq!(
            delivered(due).await,
            (TimeDelta::zero(), true),
            "due in {due} s"
        );
    }
}
