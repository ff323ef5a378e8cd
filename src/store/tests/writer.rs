use std::sync::mpsc;

use futures_util::future::join_all;

use super::*;

/// Holds the writer inside a first request until the returned sender is used or dropped, so that
/// whatever is asked meanwhile waits together.
fn hold(
    store: &Store,
) -> (
    mpsc::Sender<()>,
    impl Future<Output = Result<(), StoreError>>,
) {
    let (release, held) = mpsc::channel::<()>();
    let holding = store.clone();
    let work = async move {
        holding
            .write(move |_| {
                let _ = held.recv();
                Ok(())
            })
            .await
    };
    (release, work)
}

fn pages_logged(home: &Home) -> u64 {
    let log = home.path().join("reveille.db-wal");
    std::fs::metadata(log).unwrap().len() / 4096
}

#[tokio::test]
async fn what_waits_together_is_committed_together_and_a_failure_undoes_only_itself() {
    let home = Home::new();
    let known = home.accept("first").await;
    let before = pages_logged(&home);
    let (release, holding) = hold(&home.store);
    let asked = (0..100).map(|number| {
        let store = home.store.clone();
        async move {
            if number % 10 != 3 {
                let start = Start::RunningBy("me".to_owned());
                return store
                    .accept(&event("job", None), "h", start)
                    .await
                    .map(|_| ());
            }
            store
                .write(move |connection| {
                    let moved = (key("half"), Some(json!(1)));
                    cursor::change(connection, &[moved], super::start())?;
                    Err(StoreError::Taken(known))
                })
                .await
        }
    });
    // In this order: every request waits in the channel before the writer goes on.
    let (held, ends, ()) = tokio::join!(biased; holding, join_all(asked), async { drop(release) });
    held.unwrap();
    let failed = ends
        .iter()
        .filter(|end| **end == Err(StoreError::Taken(known)));
    assert_eq!(failed.count(), 10);
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 90);
    assert_eq!(home.history().len(), 91);
    assert_eq!(
        home.store.read_now(|reader| reader.cursor(&key("half"))),
        Ok(None)
    );
    // Ninety commits of their own would have logged at least three pages each.
    let logged = pages_logged(&home) - before;
    assert!(logged < 90, "{logged} pages logged");
}

#[tokio::test]
async fn a_transaction_that_is_lost_is_an_error_for_everybody_in_it() {
    let home = Home::new();
    let (release, holding) = hold(&home.store);
    let lose = home.store.write(|connection| -> Result<(), StoreError> {
        // What SQLite does by itself on a full disk.
        connection.execute_batch("ROLLBACK")?;
        Err(StoreError::Full)
    });
    let before = home.store.remember(vec![(key("before"), Some(json!(1)))]);
    let after = home.store.remember(vec![(key("after"), Some(json!(1)))]);
    let (held, before, lost, after, ()) =
        tokio::join!(biased; holding, before, lose, after, async { drop(release) });
    assert_eq!(
        (held, before),
        (Err(StoreError::Full), Err(StoreError::Full))
    );
    assert_eq!(lost, Err(StoreError::Full));
    assert_eq!(after, Ok(()));
    let kept = home
        .store
        .read_now(|reader| reader.cursors("job", "log", ""))
        .unwrap();
    assert_eq!(kept, [("after".to_owned(), json!(1))]);
}

#[tokio::test]
async fn a_writer_that_is_gone_is_an_error_and_not_a_wait() {
    let home = Home::new();
    let panicked = home
        .store
        .write(|_| -> Result<(), StoreError> { panic!("a bug") })
        .await;
    assert_eq!(panicked, Err(StoreError::Closed));
    let after = home.store.remember(vec![(key("a"), None)]).await;
    assert_eq!(after, Err(StoreError::Closed));
}

#[test]
fn a_reader_sees_one_snapshot_and_does_not_hold_up_the_writer() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let home = Home::new();
    runtime.block_on(home.accept("job"));
    let counted = home.store.read_now(|reader| {
        let before = reader.active()?.len();
        runtime.block_on(home.accept("job"));
        Ok((before, reader.active()?.len()))
    });
    assert_eq!(counted, Ok((1, 1)));
    assert_eq!(home.history().len(), 2);
}

/// A killed process does not show what a power cut would: that rests on these.
#[test]
fn every_connection_writes_through_to_the_disk() {
    let home = Home::new();
    let connection = open::connect(&home.path().join(FILE)).unwrap();
    for (name, expected) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
    ] {
        let found: rusqlite::types::Value = connection
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap();
        let found = match found {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => panic!("{name} is {other:?}"),
        };
        assert_eq!(found, expected, "{name}");
    }
}
