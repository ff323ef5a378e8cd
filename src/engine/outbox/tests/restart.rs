//! What a process left, and the next one finds.

use super::*;
use crate::job::OnUnknown;

#[tokio::test]
async fn what_was_not_sent_is_sent_by_the_next_process() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let bodies: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    let all = bodies.iter().map(|body| post(&sink, body)).collect();
    home.commit(all).await;
    let home = home.again();
    let outbox = home.start().await;
    assert_eq!(sink.bodies(300).await, bodies);
    settled(&outbox, 300).await;
    assert_eq!(sink.seen().len(), 300);
}

#[tokio::test]
async fn what_may_have_left_is_parked_told_and_never_sent_by_itself() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let mut messages = posts(&sink, &["once", "again"]);
    messages[0].policy.on_unknown = OnUnknown::Park;
    let committed = home.commit(messages).await;
    // The process is killed while the first is under way.
    home.engine.store.sending(committed[0].0).await.unwrap();
    let mut home = home.again();
    let outbox = home.start().await;
    let told = "once parked: the program stopped while it was sent: it may have arrived";
    assert_eq!(home.heard.recv().await.unwrap(), told);
    assert_eq!(sink.bodies(1).await, ["again"]);
    settled(&outbox, 1).await;
    assert_eq!(home.state(committed[0].0).word(), "parked");
}

#[tokio::test]
async fn what_may_go_out_once_only_is_written_down_before_it_does() {
    let sink = Sink::answering(&[Answer::Hang]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let mut messages = vec![post(&sink, "once")];
    messages[0].policy.on_unknown = OnUnknown::Park;
    let ids = home.send(&outbox, messages).await;
    sink.bodies(1).await;
    assert_eq!(home.state(ids[0]), DeliveryState::Sending);
}

#[tokio::test]
async fn a_try_that_waits_goes_on_waiting_after_a_restart() {
    let sink = Sink::answering(&[Answer::With(429, "Retry-After: 600\r\n", ""), OK]).await;
    let home = Home::new();
    let outbox = home.start().await;
    home.send(&outbox, posts(&sink, &["a", "b"])).await;
    settled(&outbox, 1).await;
    outbox.stop().await;
    home.clock.advance(Duration::from_secs(500));
    let home = home.again();
    let outbox = home.start().await;
    home.pass(1, Duration::from_secs(99)).await;
    home.clock.sleeping(1).await;
    assert_eq!(sink.seen().len(), 1);
    home.clock.advance(Duration::from_secs(1));
    assert_eq!(sink.bodies(3).await, ["a", "a", "b"]);
    settled(&outbox, 2).await;
}
