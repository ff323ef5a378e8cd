//! Order within a lane, none between lanes, and bounded memory.

use super::*;
use crate::engine::outbox::lane::{FEW, KEPT, KEPT_OF_ALL, Next};
use crate::store::Which;

#[tokio::test]
async fn a_lane_keeps_its_order_through_failures() {
    let no = Answer::With(500, "", "");
    let sink = Sink::answering(&[OK, no.clone(), Answer::Close, OK, OK]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let ids = home.send(&outbox, posts(&sink, &["a", "b", "c"])).await;
    settled(&outbox, 2).await;
    home.pass(1, Duration::from_secs(2)).await;
    settled(&outbox, 3).await;
    home.pass(1, Duration::from_secs(3)).await;
    assert_eq!(sink.bodies(5).await, ["a", "b", "b", "b", "c"]);
    settled(&outbox, 5).await;
    assert_eq!(home.words(&ids), ["sent", "sent", "sent"]);
    assert_eq!(home.row(ids[1]).attempts, 2);
}

#[tokio::test]
async fn what_is_refused_fails_at_once_and_the_next_goes_on() {
    let refused = Answer::With(403, "", "forbidden topic\nmore");
    let sink = Sink::answering(&[refused, OK]).await;
    let mut home = Home::new();
    let outbox = home.start().await;
    let ids = home.send(&outbox, posts(&sink, &["a", "b"])).await;
    settled(&outbox, 2).await;
    assert_eq!(home.words(&ids), ["failed", "sent"]);
    let origin = sink.url.trim_end_matches("/hook");
    let told = format!("a failed: {origin} answered with status 403: forbidden topic");
    assert_eq!(home.heard.recv().await.unwrap(), told);
}

#[tokio::test]
async fn a_lane_that_hangs_holds_up_no_other() {
    let (dead, well) = (
        Sink::answering(&[Answer::Hang]).await,
        Sink::answering(&[OK]).await,
    );
    let mut home = Home::new();
    let outbox = home.start().await;
    let target = json!({ "job": "x" });
    let mut all = posts(&dead, &["1", "2"]);
    all.extend(posts(&well, &["3", "4"]));
    all.push(NewDelivery::usual("console", "", target, "5"));
    let file = json!({ "path": "a.md" });
    all.push(NewDelivery::usual("file", "a.md", file, "6"));
    let ids = home.send(&outbox, all).await;
    dead.bodies(1).await;
    settled(&outbox, 4).await;
    let words = ["pending", "pending", "sent", "sent", "sent", "sent"];
    assert_eq!(home.words(&ids), words);
    assert_eq!(home.heard.recv().await.unwrap(), "x says 5");
    assert_eq!(dead.seen().len(), 1, "the second waits for the first");
}

#[tokio::test]
async fn it_is_known_since_when_a_message_is_being_sent() {
    let sink = Sink::answering(&[Answer::Hang]).await;
    let home = Home::new();
    let outbox = home.start().await;
    assert_eq!(outbox.sending_since(), None);
    let began = home.clock.monotonic();
    home.send(&outbox, posts(&sink, &["1"])).await;
    sink.bodies(1).await;
    home.clock.advance(Duration::from_secs(10));
    assert_eq!(outbox.sending_since(), Some(began));
    home.clock.advance(Duration::from_secs(60));
    settled(&outbox, 1).await;
    assert_eq!(outbox.sending_since(), None);
}

#[tokio::test]
async fn a_lane_is_as_wide_as_its_job_and_never_wider() {
    let sink = Sink::answering(&[Answer::Hang]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let bodies = ["1", "2", "3", "4", "5"];
    let all = bodies.map(|body| wide(post(&sink, body), 3)).to_vec();
    home.send(&outbox, all).await;
    sink.bodies(3).await;
    // Each of the three has its time limit; nobody else sleeps, and nobody else began.
    home.clock.sleeping(3).await;
    assert_eq!(sink.seen().len(), 3);
}

#[tokio::test]
async fn connections_are_kept_for_the_next_message() {
    let sink = Sink::answering(&[Answer::With(200, "", "thank you")]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let bodies: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let all = bodies.iter().map(|body| post(&sink, body)).collect();
    home.send(&outbox, all).await;
    assert_eq!(sink.bodies(20).await, bodies);
    assert_eq!(sink.connections(), 1);
}

#[tokio::test]
async fn ten_thousand_pending_ones_take_little_memory_and_keep_their_order() {
    let sink = Sink::answering(&[Answer::Hang]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let bodies: Vec<_> = (0..10_000).map(|number| number.to_string()).collect();
    let all = bodies.iter().map(|body| post(&sink, body)).collect();
    let ids = home.send(&outbox, all).await;
    sink.bodies(1).await;
    assert!(outbox.in_memory() <= KEPT, "{}", outbox.in_memory());
    // The request that hangs ends, and all of them go.
    sink.answer(&[OK]);
    home.pass(1, Duration::from_secs(30)).await;
    settled(&outbox, 1).await;
    home.pass(1, Duration::from_secs(2)).await;
    settled(&outbox, 10_001).await;
    assert!(outbox.in_memory() == 0);
    let mut came = sink.bodies(10_001).await;
    came.remove(0);
    assert_eq!(came, bodies);
    assert_eq!(home.state(ids[9_999]).word(), "sent");
}

#[tokio::test]
async fn what_is_offered_late_is_not_sent_again() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let first = home.commit(posts(&sink, &["a"])).await;
    // It reads the first from the store; only then it is offered.
    let outbox = home.start().await;
    sink.bodies(1).await;
    settled(&outbox, 1).await;
    outbox.offer(first);
    home.send(&outbox, posts(&sink, &["b"])).await;
    assert_eq!(sink.bodies(2).await, ["a", "b"]);
    settled(&outbox, 2).await;
    assert_eq!(sink.seen().len(), 2);
}

#[tokio::test]
async fn a_person_can_hurry_and_drop_what_waits() {
    let sink = Sink::answering(&[Answer::With(503, "Retry-After: 3600\r\n", "")]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let ids = home.send(&outbox, posts(&sink, &["a", "b", "c"])).await;
    settled(&outbox, 1).await;
    sink.answer(&[OK]);
    let store = &home.engine.store;
    store.drop_deliveries(Which::One(ids[1])).await.unwrap();
    store.retry_deliveries(Which::One(ids[0])).await.unwrap();
    outbox.look().await.unwrap();
    assert_eq!(sink.bodies(3).await, ["a", "a", "c"]);
    settled(&outbox, 3).await;
    assert_eq!(home.words(&ids), ["sent", "dropped", "sent"]);
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way_and_begins_nothing() {
    let sink = Sink::answering(&[Answer::Hang]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let ids = home.send(&outbox, posts(&sink, &["a", "b"])).await;
    sink.bodies(1).await;
    let stop = outbox.stop();
    let (mut stop, still) = (std::pin::pin!(stop), std::future::ready(()));
    tokio::select! {
        biased;
        () = &mut stop => panic!("one is under way"),
        () = still => {}
    }
    home.pass(1, Duration::from_secs(30)).await;
    stop.await;
    assert_eq!(home.words(&ids), ["pending", "pending"]);
    assert_eq!(home.row(ids[0]).attempts, 1);
    assert_eq!(sink.seen().len(), 1);
}

#[tokio::test]
async fn fifty_lanes_that_wait_keep_little_in_memory_and_their_order() {
    let sink = Sink::answering(&[Answer::Hang]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let messages = (0..2_000).map(|number| NewDelivery {
        lane: format!("webhook {}", number % 50),
        ..post(&sink, &number.to_string())
    });
    let ids = home.send(&outbox, messages.collect()).await;
    // Each has begun and has its time limit.
    sink.bodies(50).await;
    let most = KEPT_OF_ALL + 50 * FEW;
    assert!(outbox.in_memory() <= most, "{}", outbox.in_memory());
    assert_eq!(outbox.in_memory(), outbox.counted());
    // The requests that hang end, and all of them go.
    sink.answer(&[OK]);
    home.pass(50, Duration::from_secs(30)).await;
    settled(&outbox, 50).await;
    home.pass(50, Duration::from_secs(2)).await;
    settled(&outbox, 2_050).await;
    assert_eq!((outbox.in_memory(), outbox.counted()), (0, 0));
    let came: Vec<usize> = sink.bodies(2_050).await[50..]
        .iter()
        .map(|body| body.parse().unwrap())
        .collect();
    for lane in 0..50 {
        let of_lane = came.iter().filter(|number| *number % 50 == lane);
        assert!(of_lane.is_sorted(), "lane {lane}");
    }
    assert_eq!(home.state(ids[1_999]).word(), "sent");
}

#[tokio::test]
async fn a_lane_that_waits_takes_little() {
    let home = Home::new();
    let outbox = home.start().await;
    let work = Arc::clone(&outbox.shared).work(Arc::from("webhook"), Next::Rest);
    assert!(size_of_val(&work) <= 1024, "{} bytes", size_of_val(&work));
}
