//! Many messages as one.

use super::*;
use crate::job::{Digest, Policy};
use crate::store::DIGEST;

fn gathered(sink: &Sink, body: &str, now: DateTime<Utc>) -> NewDelivery {
    let at = chrono::NaiveTime::from_hms_opt(8, 0, 0).unwrap();
    let digest = Digest {
        at,
        zone: Tz::named("Europe/Madrid").unwrap(),
    };
    let mut message = post(sink, body);
    message.lane += &format!("{DIGEST}x 1 08:00");
    message.due_at = Some(digest.next(now));
    message.policy = Policy {
        digest: Some(digest),
        ..Policy::default()
    };
    message
}

#[tokio::test]
async fn what_was_said_until_eight_is_one_message_at_eight() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let now = || home.clock.now();
    let mut ids = home
        .send(&outbox, vec![gathered(&sink, "one", now())])
        .await;
    home.pass(1, Duration::from_secs(1800)).await;
    ids.extend(
        home.send(&outbox, vec![gathered(&sink, "two", now())])
            .await,
    );
    home.pass(1, Duration::from_secs(1799)).await;
    home.clock.sleeping(1).await;
    assert_eq!(sink.seen().len(), 0);
    home.clock.advance(Duration::from_secs(1));
    assert_eq!(sink.bodies(1).await, ["07:00\none\n\n07:30\ntwo"]);
    settled(&outbox, 1).await;
    assert_eq!(home.words(&ids), ["dropped", "dropped"]);

    // What comes after is for tomorrow.
    home.send(&outbox, vec![gathered(&sink, "three", now())])
        .await;
    home.pass(1, Duration::from_secs(86_399)).await;
    home.clock.sleeping(1).await;
    home.clock.advance(Duration::from_secs(1));
    assert_eq!(sink.bodies(2).await[1], "2026-11-20 08:00\nthree");
}

#[tokio::test]
async fn a_digest_of_a_clock_that_was_put_back_is_due() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let outbox = home.start().await;
    home.send(&outbox, vec![gathered(&sink, "one", home.clock.now())])
        .await;
    home.clock
        .set_wall(home.clock.now() - chrono::TimeDelta::days(2));
    outbox.look().await.unwrap();
    assert_eq!(sink.bodies(1).await, ["2026-11-20 07:00\none"]);
}

#[tokio::test]
async fn a_digest_comes_once_wherever_the_process_died() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let now = home.clock.now();
    let all = ["one", "two"]
        .map(|body| gathered(&sink, body, now))
        .to_vec();
    let lane = all[0].lane.clone();
    home.commit(all).await;
    home.clock.advance(Duration::from_secs(3600));
    let another = gathered;
    // Gathered and not sent: the new row is in the store, the old ones are not to be sent any more.
    let gathered = home.engine.store.gather(&lane, &home.engine.lock).await;
    assert!(gathered.unwrap().is_some());
    let home = home.again();
    let outbox = home.start().await;
    let whole = "07:00\none\n\n07:00\ntwo";
    assert_eq!(sink.bodies(1).await, [whole]);
    settled(&outbox, 1).await;
    drop(outbox);
    // Sent: nothing is left of it.
    let home = home.again();
    let outbox = home.start().await;
    home.send(&outbox, posts(&sink, &["after"])).await;
    assert_eq!(sink.bodies(2).await, [whole, "after"]);

    // Not gathered when the process died at eight: the next one gathers.
    let now = home.clock.now();
    home.commit(vec![another(&sink, "late", now)]).await;
    home.clock.advance(Duration::from_secs(100_000));
    let home = home.again();
    let _outbox = home.start().await;
    assert_eq!(sink.bodies(3).await[2], "2026-11-20 08:00\nlate");
}
