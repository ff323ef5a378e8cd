//! What happened while nothing ran, and the first load.

use std::collections::BTreeSet;

use super::*;

#[tokio::test]
async fn what_is_there_at_the_first_load_is_the_baseline() {
    let mut place = Place::new();
    place.write("in/a", "one");
    place.watch(place.wanted("in")).await;
    place.quiet("in/y").await;
    // And it is remembered as such.
    place.restart();
    place.watch(place.wanted("in")).await;
    place.quiet("in/z").await;
}

#[tokio::test]
async fn what_came_changed_and_went_while_nothing_ran_is_told() {
    let mut place = Place::new();
    for name in ["in/kept", "in/edited", "in/gone", "in/below/gone"] {
        place.write(name, "old");
    }
    let mut wanted = place.wanted("in");
    wanted.below = Below::All;
    place.watch(wanted.clone()).await;
    place.quiet("in/y").await;
    place.watches = None;
    place.write("in/came", "new");
    place.write("in/edited", "newer");
    fs::remove_file(place.path("in/gone")).unwrap();
    fs::remove_dir_all(place.path("in/below")).unwrap();
    place.restart();
    place.watch(wanted).await;
    let mut told = BTreeSet::new();
    for _ in 0..4 {
        told.insert(place.next().await);
    }
    let expected = [
        line("in/came", "created", "new"),
        line("in/edited", "changed", "newer"),
        removed("in/gone"),
        removed("in/below/gone"),
    ];
    assert_eq!(told, BTreeSet::from(expected));
    place.quiet("in/z").await;
}

#[tokio::test]
async fn a_batch_tells_all_that_settled_together() {
    let mut place = Place::new();
    place.write("in/old", "");
    let mut wanted = place.wanted("in");
    wanted.pace.grouping = Grouping::Together;
    place.watch(wanted.clone()).await;
    place.restart();
    for name in ["in/a", "in/b", "in/c"] {
        place.write(name, name);
    }
    fs::remove_file(place.path("in/old")).unwrap();
    place.watch(wanted).await;
    let payload = place.take().await;
    let files = payload["files"].as_array().unwrap();
    let lines: Vec<Line> = files.iter().map(|file| place.line(file)).collect();
    let expected = [
        line("in/a", "created", "in/a"),
        line("in/b", "created", "in/b"),
        line("in/c", "created", "in/c"),
        removed("in/old"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_crash_before_the_commit_tells_again_and_after_it_does_not() {
    let mut place = Place::new();
    place.write("in/old", "");
    place.watch(place.wanted("in")).await;
    put(&place.path("in/a"), "one");
    let offer = place.offer().await;
    place.restart();
    drop(offer);
    place.watch(place.wanted("in")).await;
    assert_eq!(place.next().await, line("in/a", "created", "one"));
    place.restart();
    place.watch(place.wanted("in")).await;
    place.quiet("in/z").await;
}

#[tokio::test]
async fn ten_thousand_files_that_came_meanwhile_are_each_told_once_a_few_at_a_time() {
    let mut place = Place::new();
    place.write("in/old", "");
    place.watch(place.wanted("in")).await;
    place.quiet("in/y").await;
    place.watches = None;
    for number in 0..10_000 {
        fs::write(place.path(&format!("in/{number}")), "x").unwrap();
    }
    place.restart();
    place.watch(place.wanted("in")).await;
    let mut told = BTreeSet::new();
    while told.len() < 10_000 {
        // All that come before an answer.
        let mut offers = vec![place.offer().await];
        while let Ok(Told::Settled(settled)) = place.told.try_recv() {
            offers.push(settled);
        }
        assert!(offers.len() <= 64, "{} at once", offers.len());
        let changes = offers.iter().flat_map(|offer| offer.cursors.clone());
        place.store.remember(changes.collect()).await.unwrap();
        for offer in offers {
            assert!(
                told.insert(place.line(&offer.payload)),
                "{:?}",
                offer.payload
            );
            offer.receipt.accepted();
        }
    }
    place.quiet("in/z").await;
}

#[tokio::test]
async fn files_that_only_new_patterns_mean_were_there_before() {
    let mut place = Place::new();
    place.write("in/a.csv", "one");
    place.write("in/b.txt", "two");
    place.watch(place.wanted("in/*.csv")).await;
    place.quiet("in/y.csv").await;
    place.watch(place.wanted("in/*.txt")).await;
    put(&place.path("in/a.csv"), "unwanted now");
    place.quiet("in/y.txt").await;
    place.restart();
    place.watch(place.wanted("in/*")).await;
    place.quiet("in/z").await;
}

#[tokio::test]
async fn a_trigger_that_goes_is_forgotten() {
    let mut place = Place::new();
    place.write("in/a", "one");
    place.watch(place.wanted("in")).await;
    place.quiet("in/y").await;
    place.watch_all(Vec::new()).await;
    let left = place
        .store
        .read_now(|reader| reader.cursors("job", "watch", ""));
    assert_eq!(left.unwrap(), []);
    place.write("in/b", "two");
    place.watch(place.wanted("in")).await;
    place.quiet("in/z").await;
}
