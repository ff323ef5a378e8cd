use std::time::Duration;

use super::*;
use crate::job::Call;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Ten days, each with a run of `often`, `rare` on the first only.
async fn ten_days(home: &Home) -> Vec<RunId> {
    let mut often = Vec::new();
    for day in 0..10 {
        if day == 0 {
            let run = home.accept("rare").await;
            home.finish(run, Outcome::Ok).await.unwrap();
        }
        let run = home.accept("often").await;
        let mut update = finished(run, Outcome::Ok);
        update.steps = vec![step(0, "done")];
        let whose = (run, "often".to_owned());
        let begun = home.store.reserve(whose, Call::default(), Vec::new());
        begun.await.unwrap().unwrap();
        home.store.record(update).await.unwrap();
        often.push(run);
        home.clock.advance(DAY);
    }
    often
}

async fn retain(home: &Home, age: Duration, count: u32) -> u64 {
    let retention = Retention {
        age,
        count,
        memories: Some(DAY * 30),
    };
    home.store.retain(retention).await.unwrap()
}

fn count(home: &Home, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let counted = home
        .store
        .read_now(|reader| Ok(reader.connection.query_row(&sql, [], |row| row.get(0))?));
    counted.unwrap()
}

#[tokio::test]
async fn what_is_old_goes_with_all_that_belongs_to_it_and_the_ledger_stays() {
    let home = Home::new();
    let often = ten_days(&home).await;
    // The last run finished a day ago: three and a half days keep three of them.
    assert_eq!(retain(&home, DAY * 7 / 2, 1_000).await, 8);
    let kept: Vec<_> = home.history().into_iter().map(|row| row.run).collect();
    assert_eq!(kept, [often[9], often[8], often[7]]);
    assert_eq!((count(&home, "steps"), count(&home, "events")), (3, 3));
    assert_eq!(count(&home, "calls"), 10);

    home.store
        .keep_memory("owner".to_owned(), "the old address".to_owned(), false)
        .await
        .unwrap();
    home.clock.advance(DAY * 395);
    retain(&home, DAY * 1000, 1_000).await;
    assert_eq!(
        count(&home, "calls"),
        10,
        "a long memory of runs is one of calls"
    );
    home.store
        .keep_memory("owner".to_owned(), "the new address".to_owned(), false)
        .await
        .unwrap();
    let newest = home.accept("often").await;
    home.finish(newest, Outcome::Ok).await.unwrap();
    home.clock.advance(DAY);
    retain(&home, DAY, 1_000).await;
    // 400 days before is the sixth day: the newest run itself is kept for its number.
    assert_eq!((home.history().len(), count(&home, "calls")), (1, 4));
    assert_eq!(count(&home, "memories"), 1);
}

#[tokio::test]
async fn each_job_keeps_its_newest() {
    let home = Home::new();
    let often = ten_days(&home).await;
    assert_eq!(retain(&home, DAY * 1000, 2).await, 8);
    let kept: Vec<_> = home
        .history()
        .into_iter()
        .map(|row| (row.job, row.run))
        .collect();
    let rare = ("rare".to_owned(), RunId(1));
    assert_eq!(
        kept,
        [
            ("often".to_owned(), often[9]),
            ("often".to_owned(), often[8]),
            rare
        ]
    );
}

#[tokio::test]
async fn what_is_not_done_stays_and_numbers_never_come_back() {
    let home = Home::new();
    let unfinished = home.accept("job").await;
    let unsent = home.accept("job").await;
    let mut update = finished(unsent, Outcome::Ok);
    update.deliveries = vec![message("wait")];
    let id = home.store.record(update).await.unwrap().deliveries[0];
    let newest = home.accept("job").await;
    home.finish(newest, Outcome::Ok).await.unwrap();
    home.clock.advance(DAY * 100);
    assert_eq!(retain(&home, DAY, 0).await, 0);
    assert_eq!(home.history().len(), 3);

    home.store.delivered(id, None).await.unwrap();
    home.finish(unfinished, Outcome::Ok).await.unwrap();
    assert_eq!(retain(&home, DAY, 0).await, 0, "once a day is enough");
    home.clock.advance(DAY * 2);
    assert_eq!(retain(&home, DAY, 0).await, 2);
    let next = home.accept("job").await;
    assert_eq!(next.0, newest.0 + 1);
}

#[tokio::test]
async fn more_than_a_batch_goes_in_several_commits() {
    let home = Home::new();
    for _ in 0..450 {
        let run = home.accept("job").await;
        home.finish(run, Outcome::Ok).await.unwrap();
    }
    home.clock.advance(DAY);
    let newest = home.accept("job").await;
    home.finish(newest, Outcome::Ok).await.unwrap();
    home.clock.advance(DAY * 3 / 2);
    assert_eq!(retain(&home, DAY / 2, 1_000).await, 450);
}

#[tokio::test]
async fn a_clock_that_leaps_does_not_empty_the_history() {
    let home = Home::new();
    let one = async || {
        let run = home.accept("job").await;
        home.finish(run, Outcome::Ok).await.unwrap();
    };
    for _ in 0..20 {
        one().await;
        home.clock.advance(DAY / 8);
    }
    home.clock.advance(DAY * 365);
    one().await;
    assert_eq!(retain(&home, DAY * 90, 1_000).await, 0);
    assert_eq!(home.history().len(), 21);
    // Whoever goes on in that time means it.
    home.clock.advance(DAY);
    one().await;
    assert_eq!(retain(&home, DAY * 90, 1_000).await, 20);
}

#[tokio::test]
async fn what_the_program_itself_said_goes_when_it_is_old_and_settled() {
    let home = Home::new();
    let texts = ["sent", "pending"].map(message).to_vec();
    let ids = home.store.say(texts, "me").await.unwrap();
    home.store.delivered(ids[0], None).await.unwrap();
    home.clock.advance(Duration::from_secs(3 * 86_400));
    // Age counts from days on which something ran.
    home.accept("job").await;
    home.clock.advance(Duration::from_secs(86_400));
    let retention = Retention {
        age: Duration::from_secs(86_400),
        count: 10,
        memories: None,
    };
    home.store.retain(retention).await.unwrap();
    let kept = home.store.read_now(|reader| reader.outbox(Listing::All, 9));
    let kept: Vec<_> = kept.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(kept, ids[1..]);
}
