use super::*;
use crate::job::{Digest, OnUnknown, Policy};
use crate::store::lock::ProcessLock;
use crate::zone::Tz;
use serde_json::Value;

/// A run's messages in the outbox.
async fn said(home: &Home, messages: Vec<NewDelivery>) -> Vec<DeliveryId> {
    let run = home.accept("job").await;
    let mut update = finished(run, Outcome::Ok);
    update.deliveries = messages;
    home.store.record(update).await.unwrap().deliveries
}

fn delivery(store: &Store, id: DeliveryId) -> Delivery {
    let found = store.read_now(|reader| reader.delivery(id)).unwrap();
    found.expect("it is kept")
}

fn lane(store: &Store, lane: &str) -> Vec<DeliveryId> {
    let rows = store.read_now(|reader| reader.lane(lane, "me", 100));
    rows.unwrap().into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_delivery_goes_from_the_outbox_to_one_end() {
    let home = Home::new();
    let texts = ["sent", "failed", "dropped", "again", "parked"];
    let ids = said(&home, texts.map(message).to_vec()).await;
    let later = start() + TimeDelta::minutes(5);
    let store = &home.store;
    store.delivered(ids[0], Some(json!(77))).await.unwrap();
    store.delivery_failed(ids[1], "gone").await.unwrap();
    let dropped = store.drop_deliveries(Which::One(ids[2])).await;
    assert_eq!(dropped, Ok(1));
    let again = Settled::Again(later, "429".to_owned());
    store.settle(ids[3], again).await.unwrap();
    let parked = Settled::Parked("reset".to_owned());
    store.settle(ids[4], parked).await.unwrap();

    assert_eq!(lane(store, "console"), [ids[3]]);
    let due = delivery(store, ids[3]);
    assert_eq!((due.attempts, due.due_at), (1, later));
    assert_eq!(
        (due.job.as_deref(), due.reason.as_deref()),
        (Some("job"), Some("429"))
    );
    let run = due.run.unwrap();
    let states = home.story(run).deliveries.into_iter();
    let states: Vec<_> = states.map(|sent| sent.state).collect();
    let sent = DeliveryState::Sent {
        receipt: Some(json!(77)),
        at: start(),
    };
    let failed = DeliveryState::Failed("gone".to_owned());
    let dropped = DeliveryState::Dropped("dropped by hand".to_owned());
    let parked = DeliveryState::Parked("reset".to_owned());
    assert_eq!(
        states,
        [sent, failed, dropped, DeliveryState::Pending, parked]
    );
    let counts = DeliveryCounts {
        pending: 2,
        sent: 1,
        failed: 1,
        dropped: 1,
    };
    assert_eq!(home.story(run).row.deliveries, counts);
    for id in [ids[0], ids[1], ids[2], ids[4], DeliveryId(99)] {
        let again = store.delivered(id, None).await;
        assert_eq!(again, Err(StoreError::NotPending(id)));
    }
}

#[tokio::test]
async fn all_that_sending_takes_is_in_the_row() {
    let home = Home::new();
    let mut whole = NewDelivery::usual("webhook", "http://x/", json!({"url": "http://x/"}), "a");
    whole.policy = Policy {
        on_unknown: OnUnknown::Park,
        width: 7,
        digest: Some(Digest {
            at: chrono::NaiveTime::MIN,
            zone: Tz::named("Europe/Madrid").unwrap(),
        }),
        quiet: None,
    };
    whole.due_at = Some(start() + TimeDelta::hours(1));
    whole.expires_at = Some(start() + TimeDelta::hours(2));
    let ids = said(&home, vec![whole.clone(), message("b")]).await;
    assert_eq!(delivery(&home.store, ids[0]).message, whole);
    let usual = delivery(&home.store, ids[1]).message;
    assert_eq!(usual.policy, Policy::default());
}

#[tokio::test]
async fn the_program_itself_says_something() {
    let home = Home::new();
    let ids = home.store.say(vec![message("a")], "me").await.unwrap();
    let row = delivery(&home.store, ids[0]);
    assert_eq!((row.run, row.job), (None, None));
    assert_eq!(lane(&home.store, "console"), ids);
}

#[tokio::test]
async fn lanes_are_listed_and_read_in_their_order() {
    let home = Home::new();
    let to = |place: &str| NewDelivery::usual("file", place, Value::Null, "a");
    let ids = said(&home, vec![to("b"), to("a"), to("b"), to("c")]).await;
    home.store.delivered(ids[3], None).await.unwrap();
    let lanes = home.store.read_now(|reader| reader.lanes()).unwrap();
    assert_eq!(lanes, ["file a", "file b"]);
    assert_eq!(lane(&home.store, "file b"), [ids[0], ids[2]]);
    let others = home
        .store
        .read_now(|reader| reader.lane("file b", "other", 9));
    assert_eq!(others, Ok(vec![]), "its process is another");
}

#[tokio::test]
async fn what_may_have_left_when_its_process_died_is_set_aside_and_the_rest_is_taken_over() {
    let home = Home::new();
    let folder = home.path();
    let dead = ProcessLock::acquire(folder, new_id()).unwrap();
    let alive = ProcessLock::acquire(folder, new_id()).unwrap();
    let store = &home.store;
    let once = || NewDelivery {
        policy: Policy {
            on_unknown: OnUnknown::Park,
            ..Policy::default()
        },
        ..message("once")
    };
    let texts = || vec![once(), message("pending"), message("sending")];
    let of_dead = store.say(texts(), dead.name()).await.unwrap();
    let of_alive = store.say(texts(), alive.name()).await.unwrap();
    for id in [of_dead[0], of_dead[2], of_alive[0]] {
        store.sending(id).await.unwrap();
    }
    assert_eq!(store.adopt_outbox("me").await.unwrap(), []);
    drop(dead);
    let parked = store.adopt_outbox("me").await.unwrap();
    let parked: Vec<_> = parked
        .iter()
        .map(|row| (row.id, row.state.word()))
        .collect();
    assert_eq!(parked, [(of_dead[0], "parked")]);
    assert_eq!(lane(store, "console"), [of_dead[1], of_dead[2]]);
    let known = |id| delivery(store, id).progress["perhaps"].clone();
    assert_eq!(
        (known(of_dead[1]), known(of_dead[2])),
        (Value::Null, Value::from(true))
    );
    assert_eq!(delivery(store, of_alive[0]).state, DeliveryState::Sending);
    assert_eq!(store.adopt_outbox("me").await.unwrap(), [], "told once");
}

#[tokio::test]
async fn what_is_gathered_becomes_one_message_in_one_commit() {
    let home = Home::new();
    let gathered = |text: &str, minutes| NewDelivery {
        lane: format!("file x{DIGEST}job 1 08:00"),
        due_at: Some(start() + TimeDelta::minutes(minutes)),
        expires_at: Some(start() + TimeDelta::minutes(minutes + 30)),
        policy: Policy {
            digest: Some(Digest {
                at: chrono::NaiveTime::MIN,
                zone: Tz::UTC,
            }),
            ..Policy::default()
        },
        ..NewDelivery::usual("file", "x", json!({"path": "x"}), text)
    };
    let all = vec![gathered("a", 10), gathered("b", 10), gathered("c", 999)];
    let ids = said(&home, all.clone()).await;
    let store = &home.store;
    let lane_name = all[0].lane.clone();
    assert_eq!(store.gather(&lane_name, "me").await.unwrap(), None);
    home.clock.advance(std::time::Duration::from_secs(600));
    let (id, one) = store.gather(&lane_name, "me").await.unwrap().unwrap();
    assert_eq!(
        (one.lane.as_str(), one.policy.clone()),
        ("file x", Policy::default())
    );
    assert_eq!(one.body, "08:00\na\n\n08:00\nb");
    let expires_at = start() + TimeDelta::minutes(10 + 30);
    assert_eq!(one.expires_at, Some(expires_at));
    assert_eq!(delivery(store, id).run, delivery(store, ids[1]).run);
    let state = |id| delivery(store, id).state;
    let within = DeliveryState::Dropped(format!("in the digest {}", id.0));
    assert_eq!([state(ids[0]), state(ids[1])], [within.clone(), within]);
    assert_eq!(state(ids[2]), DeliveryState::Pending);
    assert_eq!(store.gather(&lane_name, "me").await.unwrap(), None);
}

#[tokio::test]
async fn a_person_retries_and_drops() {
    let home = Home::new();
    let texts = ["failed", "parked", "waits", "fresh", "sending", "sent"];
    let ids = said(&home, texts.map(message).to_vec()).await;
    let store = &home.store;
    store.delivery_failed(ids[0], "no").await.unwrap();
    let settle = |id, settled| store.settle(id, settled);
    settle(ids[1], Settled::Parked("x".into())).await.unwrap();
    let later = start() + TimeDelta::hours(3);
    settle(ids[2], Settled::Again(later, "x".into()))
        .await
        .unwrap();
    store.sending(ids[4]).await.unwrap();
    store.delivered(ids[5], None).await.unwrap();

    assert_eq!(store.retry_deliveries(Which::All).await, Ok(3));
    for id in &ids[..3] {
        let row = delivery(store, *id);
        let now = (row.state, row.attempts, row.due_at, row.reason);
        assert_eq!(now, (DeliveryState::Pending, 0, start(), None));
    }
    assert_eq!(lane(store, "console"), ids[..4]);
    for id in [ids[4], ids[5], DeliveryId(99)] {
        assert_eq!(store.retry_deliveries(Which::One(id)).await, Ok(0));
        assert_eq!(store.drop_deliveries(Which::One(id)).await, Ok(0));
    }
    assert_eq!(store.drop_deliveries(Which::One(ids[0])).await, Ok(1));
    assert_eq!(store.drop_deliveries(Which::All).await, Ok(3));
    let open = store.read_now(|reader| reader.outbox(Listing::Open, 9));
    let open: Vec<_> = open.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(open, [ids[4]]);
    let all = store.read_now(|reader| reader.outbox(Listing::All, 3));
    let all: Vec<_> = all.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(all, ids[3..]);
}

#[tokio::test]
async fn a_retry_outranks_a_time_that_has_passed() {
    let home = Home::new();
    let mut late = message("late");
    late.expires_at = Some(start() - TimeDelta::seconds(1));
    let ids = said(&home, vec![late]).await;
    home.store.delivery_failed(ids[0], "late").await.unwrap();
    home.store.retry_deliveries(Which::All).await.unwrap();
    assert_eq!(delivery(&home.store, ids[0]).message.expires_at, None);
}

/// An old database, with messages of which one is still to be sent.
#[tokio::test]
async fn an_older_outbox_comes_through() {
    let home = Home::new();
    drop(home.store);
    let path = home.folder.path().join("old");
    std::fs::create_dir_all(&path).unwrap();
    let old = rusqlite::Connection::open(path.join(FILE)).unwrap();
    old.execute_batch(include_str!("../migrations/0001.sql"))
        .unwrap();
    old.execute_batch(
        "PRAGMA application_id = 0x52766c45; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;
         INSERT INTO runs VALUES (3, zeroblob(16), 'old', 'h', 'finished', 'ok', NULL, NULL, NULL, NULL, 1, 1, 1, 1);
         INSERT INTO events VALUES (3, zeroblob(16), 'hand', NULL, '{}', 1);
         INSERT INTO deliveries VALUES (5, 3, 'gone', 'file', '{\"path\":\"a.md\",\"append\":false,\"anywhere\":false}', 'text',
                                        'pending', 0, 7, NULL, NULL, 7, NULL);
         INSERT INTO deliveries VALUES (6, 3, NULL, 'console', 'null', 'said', 'sent', 0, 7, NULL, '77', 7, 8);",
    )
    .unwrap();
    drop(old);
    let store = open(&path, &home.clock);
    let left = store.unsent(DeliveryId::default(), 9).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].id, left[0].message.body.as_str()),
        (DeliveryId(5), "text")
    );
    assert_eq!(left[0].message.lane, "file");
    assert_eq!(store.adopt_outbox("me").await.unwrap(), []);
    assert_eq!(lane(&store, "file"), [DeliveryId(5)]);
    let sent = DeliveryState::Sent {
        receipt: Some(json!(77)),
        at: DateTime::from_timestamp_micros(8).unwrap(),
    };
    assert_eq!(delivery(&store, DeliveryId(6)).state, sent);
}

/// The lists stay quick however much was sent: they go by the index of what is open.
#[tokio::test]
async fn what_is_open_is_found_by_its_index() {
    let home = Home::new();
    let plans = home.store.read_now(|reader| {
        let plan = |sql: &str| {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let mut statement = reader.connection.prepare(&sql)?;
            let lines = statement.query_map([], |row| row.get::<_, String>("detail"))?;
            Ok(lines.collect::<Result<Vec<_>, _>>()?.join("; "))
        };
        let open = delivery::open!();
        Ok([
            plan(&format!("SELECT body FROM deliveries d WHERE d.{open} AND d.lane = 'x' AND d.state = 'pending' ORDER BY d.id")),
            plan(&format!("SELECT min(lane) FROM deliveries WHERE {open} AND lane > 'x'")),
            plan(&format!("UPDATE deliveries SET owner = 'x' WHERE {open} AND state = 'pending' AND owner = 'y'")),
        ])
    });
    for plan in plans.unwrap() {
        let plan: Result<String, StoreError> = plan;
        let plan = plan.unwrap();
        assert!(plan.contains("deliveries_open"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
