use super::*;

#[tokio::test]
async fn a_delivery_goes_from_the_outbox_to_one_end() {
    let home = Home::new();
    let run = home.accept("job").await;
    let mut update = finished(run, Outcome::Ok);
    update.deliveries = ["sent", "failed", "dropped", "again"].map(message).to_vec();
    let ids = home.store.record(update).await.unwrap().deliveries;
    let later = start() + TimeDelta::minutes(5);
    home.store.delivered(ids[0], Some(json!(77))).await.unwrap();
    home.store.delivery_failed(ids[1], "gone").await.unwrap();
    home.store.delivery_dropped(ids[2], "quiet").await.unwrap();
    home.store
        .delivery_again(ids[3], later, "429")
        .await
        .unwrap();

    let pending = |now| {
        home.store
            .read_now(|reader| reader.pending(now, 10))
            .unwrap()
    };
    assert_eq!(pending(start()), []);
    let due = pending(later);
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].id, due[0].attempts), (ids[3], 1));
    assert_eq!(
        (due[0].job.as_str(), due[0].reason.as_deref()),
        ("job", Some("429"))
    );
    assert_eq!(
        home.store.read_now(|reader| reader.next_due()),
        Ok(Some(later))
    );

    let states: Vec<_> = home
        .story(run)
        .deliveries
        .into_iter()
        .map(|sent| sent.state)
        .collect();
    let sent = DeliveryState::Sent {
        receipt: Some(json!(77)),
        at: start(),
    };
    let failed = DeliveryState::Failed("gone".to_owned());
    let dropped = DeliveryState::Dropped("quiet".to_owned());
    assert_eq!(states, [sent, failed, dropped, DeliveryState::Pending]);
    let counts = DeliveryCounts {
        pending: 1,
        sent: 1,
        failed: 1,
        dropped: 1,
    };
    assert_eq!(home.story(run).row.deliveries, counts);
    for id in [ids[0], ids[1], ids[2], DeliveryId(99)] {
        let again = home.store.delivered(id, None).await;
        assert_eq!(again, Err(StoreError::NotPending(id)));
    }
}

#[tokio::test]
async fn the_outbox_gives_the_longest_due_first_and_no_more_than_asked() {
    let home = Home::new();
    let run = home.accept("job").await;
    let mut update = finished(run, Outcome::Ok);
    update.deliveries = ["a", "b", "c"].map(message).to_vec();
    let ids = home.store.record(update).await.unwrap().deliveries;
    let sooner = start() - TimeDelta::minutes(1);
    home.store
        .delivery_again(ids[2], sooner, "later")
        .await
        .unwrap();
    let due = home
        .store
        .read_now(|reader| reader.pending(start(), 2))
        .unwrap();
    let due: Vec<_> = due.into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(due, [ids[2], ids[0]]);
}
