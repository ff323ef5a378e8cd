//! What each way of answering means for a message.

use super::*;
use crate::job::OnUnknown;

/// One message to a service that answers so: how it stands after one try, and what is known of it.
async fn once(answers: &[Answer], on_unknown: OnUnknown) -> (Home, Outbox, Sink, Delivery) {
    let sink = Sink::answering(answers).await;
    let home = Home::new();
    let outbox = home.start().await;
    let mut message = post(&sink, "a");
    message.policy.on_unknown = on_unknown;
    let id = home.send(&outbox, vec![message]).await[0];
    sink.bodies(1).await;
    if let [Answer::Hang, ..] = answers {
        home.pass(1, Duration::from_secs(30)).await;
    }
    settled(&outbox, 1).await;
    let row = home.row(id);
    (home, outbox, sink, row)
}

/// In seconds from now.
async fn waits(headers: &'static str, status: u16) -> i64 {
    let answers = [Answer::With(status, headers, "busy"), OK];
    let (home, _outbox, _sink, row) = once(&answers, OnUnknown::Retry).await;
    assert_eq!(row.state, DeliveryState::Pending);
    assert!(
        row.reason
            .unwrap()
            .ends_with(&format!("status {status}: busy"))
    );
    (row.due_at - home.clock.now()).num_seconds()
}

#[tokio::test]
async fn a_server_says_when_it_wants_to_be_asked_again() {
    assert_eq!(waits("Retry-After: 120\r\n", 429).await, 120);
    assert_eq!(waits("Retry-After: 60\r\n", 503).await, 60);
    let date = "Retry-After: Fri, 20 Nov 2026 06:10:00 GMT\r\n";
    assert_eq!(waits(date, 429).await, 600);
    assert!((0..=1).contains(&waits("", 500).await));
    assert!((0..=1).contains(&waits("Retry-After: soon\r\n", 408).await));
}

#[tokio::test]
async fn what_can_never_work_is_not_tried_again() {
    for (status, says) in [
        (400, "status 400"),
        (404, "status 404"),
        (410, "status 410"),
        (302, "it redirects; write the address that it leads to"),
    ] {
        let headers = "Location: http://127.0.0.1:1/other\r\n";
        let answer = [Answer::With(status, headers, "")];
        let (.., row) = once(&answer, OnUnknown::Retry).await;
        let DeliveryState::Failed(reason) = row.state else {
            panic!("{:?}", row.state);
        };
        assert!(reason.contains(says), "{reason}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_asked_for_once_more() {
    for answer in [
        Answer::Close,
        Answer::Hang,
        Answer::Bytes("SSH-2.0-OpenSSH\r\n"),
        Answer::Bytes("HTTP/1.1 200"),
    ] {
        let (home, outbox, sink, row) = once(&[answer, OK], OnUnknown::Retry).await;
        assert_eq!(row.state, DeliveryState::Pending);
        home.pass(1, Duration::from_secs(2)).await;
        settled(&outbox, 2).await;
        assert_eq!(home.state(row.id).word(), "sent");
        assert_eq!(sink.seen().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_parks_what_may_go_out_once_only() {
    for answer in [Answer::Close, Answer::Hang, Answer::Bytes("no HTTP")] {
        let answers = [answer, OK];
        let (mut home, _outbox, sink, row) = once(&answers, OnUnknown::Park).await;
        assert_eq!(row.state.word(), "parked");
        let told = home.heard.recv().await.unwrap();
        assert!(told.starts_with("a parked: "), "{told}");
        assert!(told.ends_with(": it may have arrived"), "{told}");
        assert_eq!(sink.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_certainly_did_not_arrive_is_tried_again_though_it_may_go_out_once_only() {
    let sink = Sink::answering(&[Answer::With(500, "", ""), OK]).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = Home::new();
    let outbox = home.start().await;
    let mut messages = vec![post(&sink, "a"), post(&sink, "b")];
    let closed = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    messages[1].target = json!({ "url": closed, "method": "POST" });
    messages[1].lane = "webhook closed".to_owned();
    for message in &mut messages {
        message.policy.on_unknown = OnUnknown::Park;
    }
    let ids = home.send(&outbox, messages).await;
    settled(&outbox, 2).await;
    assert_eq!(home.words(&ids), ["pending", "pending"]);
    let reason = home.row(ids[1]).reason.unwrap();
    assert!(
        reason.starts_with("no connection to http://127.0.0.1:"),
        "{reason}"
    );
    home.pass(2, Duration::from_secs(2)).await;
    settled(&outbox, 4).await;
    assert_eq!(home.words(&ids), ["sent", "pending"]);
}

#[tokio::test]
async fn an_answer_whose_body_hangs_is_an_answer() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.";
    let (.., row) = once(&[Answer::Bytes(head)], OnUnknown::Park).await;
    assert_eq!(row.state.word(), "sent");
}

#[tokio::test]
async fn what_has_a_time_is_given_up_when_it_has_passed() {
    let sink = Sink::answering(&[Answer::With(500, "", "")]).await;
    let mut home = Home::new();
    let outbox = home.start().await;
    let mut message = post(&sink, "a");
    message.expires_at = Some(home.clock.now() + chrono::TimeDelta::seconds(10));
    let id = home.send(&outbox, vec![message]).await[0];
    for tried in 1.. {
        settled(&outbox, tried).await;
        if home.state(id) != DeliveryState::Pending {
            break;
        }
        home.clock.sleeping(1).await;
        let due = home.row(id).due_at - home.clock.now();
        home.clock.advance(due.to_std().unwrap());
    }
    let told = home.heard.recv().await.unwrap();
    assert!(
        told.starts_with("a failed: given up after it was tried "),
        "{told}"
    );
    let passed = home.clock.now() - at("2026-11-20T06:00:00Z");
    assert!(passed.num_seconds() <= 10, "{passed}");
}

#[tokio::test]
async fn quiet_hours_hold_a_message_and_urgent_ones_pass_it() {
    let sink = Sink::answering(&[OK]).await;
    let home = Home::new();
    let outbox = home.start().await;
    let mut held = post(&sink, "held");
    held.lane += " quiet 06:00-09:30";
    let time = |text| chrono::NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    held.policy.quiet = Some(crate::job::Quiet {
        from: time("06:00"),
        to: time("09:30"),
        zone: Tz::named("Europe/Madrid").unwrap(),
    });
    home.send(&outbox, vec![held, post(&sink, "urgent")]).await;
    settled(&outbox, 1).await;
    home.pass(1, Duration::from_secs(2 * 3600 + 1799)).await;
    home.clock.sleeping(1).await;
    assert_eq!(sink.bodies(1).await, ["urgent"]);
    home.clock.advance(Duration::from_secs(1));
    assert_eq!(sink.bodies(2).await, ["urgent", "held"]);
}
