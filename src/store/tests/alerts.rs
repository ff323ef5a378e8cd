//! What the owner hears of failures, and how often.

use super::*;
use crate::job::{Alert, Mute};

fn texts(told: Told) -> Vec<String> {
    told.into_iter().map(|(_, message)| message.body).collect()
}

impl Home {
    async fn hear(&self, news: News) -> Vec<String> {
        texts(self.store.tell(news).await.unwrap())
    }

    async fn fails(&self, reason: &str) -> Vec<String> {
        self.hear(failed(reason)).await
    }

    async fn works(&self) -> Vec<String> {
        self.hear(news("backup", Heard::Good)).await
    }

    fn alerts(&self) -> Vec<Alert> {
        self.store.read_now(|reader| reader.alerts()).unwrap()
    }

    fn mutes(&self) -> Vec<Mute> {
        let now = self.clock.now();
        self.store.read_now(|reader| reader.mutes(now)).unwrap()
    }

    async fn mute(&self, pattern: &str, days: i64) {
        let until = self.clock.now() + TimeDelta::days(days);
        self.store.mute(pattern.to_owned(), until).await.unwrap();
    }
}

const NOTHING: [&str; 0] = [];
const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

#[tokio::test]
async fn the_same_failure_is_told_once_and_counted() {
    let home = Home::new();
    assert_eq!(home.fails("no disk").await, ["New backup 1: no disk"]);
    home.clock.advance(HOUR);
    assert_eq!(home.fails("no disk").await, NOTHING);
    assert_eq!(home.fails("no disk").await, NOTHING);
    let alerts = home.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].count, alerts[0].first_at), (3, start()));
    assert_eq!(alerts[0].last_at, home.clock.now());
}

#[tokio::test]
async fn another_failure_is_told_and_so_is_another_jobs() {
    let home = Home::new();
    home.fails("no disk").await;
    assert_eq!(home.fails("no network").await, ["New backup 1: no network"]);
    let mut other = failed("no disk");
    other.about = "mirror".to_owned();
    assert_eq!(home.hear(other).await, ["New mirror 1: no disk"]);
}

#[tokio::test]
async fn what_works_again_is_told_once_for_all_its_failures() {
    let home = Home::new();
    assert_eq!(home.works().await, NOTHING);
    home.fails("no disk").await;
    home.fails("no disk").await;
    home.clock.advance(HOUR);
    home.fails("no network").await;
    let said = home.works().await;
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("Over backup 3: "), "{said:?}");
    assert_eq!(home.alerts(), []);
    assert_eq!(home.works().await, NOTHING);
    assert_eq!(home.fails("no disk").await, ["New backup 1: no disk"]);
}

#[tokio::test]
async fn a_failure_that_goes_on_is_reminded_of_once_a_day() {
    let home = Home::new();
    let mut heard = Vec::new();
    for _ in 0..49 {
        heard.extend(home.fails("no disk").await);
        home.clock.advance(HOUR);
    }
    let expected = [
        "New backup 1: no disk",
        "Still backup 25: no disk",
        "Still backup 49: no disk",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_silence_reminders() {
    let home = Home::new();
    home.fails("no disk").await;
    home.clock.set_wall(start() - TimeDelta::days(365));
    assert_eq!(home.fails("no disk").await, ["Still backup 2: no disk"]);
}

#[tokio::test]
async fn a_muted_failure_is_counted_and_told_when_the_mute_ends() {
    let home = Home::new();
    home.mute("backup", 7).await;
    assert_eq!(home.fails("no disk").await, NOTHING);
    assert_eq!(home.fails("no disk").await, NOTHING);
    assert_eq!(home.alerts()[0].count, 2);
    home.clock.advance(HOUR * 24 * 7);
    assert_eq!(home.mutes(), []);
    assert_eq!(home.fails("no disk").await, ["New backup 3: no disk"]);
    assert_eq!(home.fails("no disk").await, NOTHING);
}

#[tokio::test]
async fn a_known_failure_is_told_again_when_its_mute_ends() {
    let home = Home::new();
    home.fails("no disk").await;
    home.mute("*disk*", 1).await;
    home.fails("no disk").await;
    assert!(home.store.unmute("*disk*".to_owned()).await.unwrap());
    assert!(!home.store.unmute("*disk*".to_owned()).await.unwrap());
    assert_eq!(home.fails("no disk").await, ["Still backup 3: no disk"]);
    assert_eq!(home.fails("no disk").await, NOTHING);
}

#[tokio::test]
async fn what_the_owner_never_heard_of_ends_without_a_word() {
    let home = Home::new();
    home.mute("backup", 7).await;
    home.fails("no disk").await;
    assert_eq!(home.works().await, NOTHING);
    assert_eq!(home.alerts(), []);
}

#[tokio::test]
async fn a_mute_hides_one_job_and_no_other() {
    let home = Home::new();
    home.mute("mirror", 7).await;
    assert_eq!(home.fails("no disk").await.len(), 1);
}

#[tokio::test]
async fn failures_that_never_look_the_same_do_not_flood() {
    let home = Home::new();
    let mut heard = 0;
    for word in 'a'..='z' {
        heard += home.fails(&format!("broke at {word}")).await.len();
    }
    assert_eq!(heard, 9);
    let counts: u32 = home.alerts().iter().map(|alert| alert.count).sum();
    assert_eq!(counts, 26);
}

#[tokio::test]
async fn an_alert_is_committed_with_the_outcome_or_not_at_all() {
    let home = Home::new();
    let run = home.accept("backup").await;
    let update = |outcome| RunUpdate {
        news: Some(failed("no disk")),
        ..finished(run, outcome)
    };
    let bad = Outcome::Failed("no disk".to_owned());
    let recorded = home.store.record(update(bad.clone())).await.unwrap();
    assert_eq!(texts(recorded.told), ["New backup 1: no disk"]);
    let again = home.store.record(update(bad)).await;
    assert_eq!(again, Err(StoreError::AlreadyFinished(run)));
    assert_eq!(home.alerts()[0].count, 1);
}

#[tokio::test]
async fn what_happened_once_is_told_and_leaves_nothing_open() {
    let home = Home::new();
    assert_eq!(home.hear(news("", Heard::Once)).await.len(), 1);
    assert_eq!(home.hear(news("", Heard::Once)).await.len(), 1);
    assert_eq!(home.alerts(), []);
}
