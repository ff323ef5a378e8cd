use std::time::Duration;

use super::*;
use crate::job::{Call, Wait};

#[tokio::test]
async fn the_whole_story_of_a_run_comes_back_as_it_was_written() {
    let home = Home::new();
    let asked = event("briefing", Some("slot-1"));
    let queued = home.store.accept(&asked, "hash", Start::Queued).await;
    let run = queued.unwrap().run();
    assert_eq!(home.story(run).row.state, RunState::Queued);
    home.store.begin(run, "me").await.unwrap();
    home.clock.advance(Duration::from_secs(4));
    let call = Call {
        step: "text".to_owned(),
        route: "quick".to_owned(),
        class: Some("simple".to_owned()),
        model: "small".to_owned(),
        backend: "ollama/qwen2.5:1.5b".to_owned(),
        tokens_in: 312,
        tokens_cached: u64::MAX,
        tokens_out: 96,
        load: Duration::from_secs(1),
        first_token: Duration::from_micros(7),
        total: Duration::from_secs(3),
        error: Some("stalled".to_owned()),
        cost: 12,
        counts: true,
    };
    let mut worded = step(1, "failed");
    worded.error = Some("no answer".to_owned());
    worded.detail = Some(json!({"prompt": "p", "answer": null}));
    let update = RunUpdate {
        run,
        state: Some(RunState::Finished(Outcome::Failed(
            "text: no answer".to_owned(),
        ))),
        steps: vec![step(0, "done"), worded.clone()],
        cursors: vec![(key("a"), Some(json!(1)))],
        deliveries: vec![message("hello"), message("there")],
        events: Vec::new(),
        news: None,
    };
    for _ in 0..2 {
        let whose = (run, "briefing".to_owned());
        let begun = home.store.reserve(whose, call.clone(), Vec::new()).await;
        let ended = home
            .store
            .settle_call(begun.unwrap().unwrap(), call.clone());
        ended.await.unwrap();
    }
    let ids = home.store.record(update).await.unwrap().deliveries;

    let story = home.story(run);
    assert_eq!(story.event, asked);
    assert_eq!(story.steps, [step(0, "done"), worded]);
    let kept = Call {
        tokens_cached: i64::MAX as u64,
        ..call
    };
    assert_eq!(story.calls, [kept.clone(), kept]);
    let sent: Vec<_> = story
        .deliveries
        .iter()
        .map(|sent| (sent.id, sent.message.body.as_str()))
        .collect();
    assert_eq!(sent, [(ids[0], "hello"), (ids[1], "there")]);
    let failed = Outcome::Failed("text: no answer".to_owned());
    assert_eq!(story.row.state, RunState::Finished(failed));
    assert_eq!(story.row.owner, None);
    assert_eq!(story.row.trigger, TriggerKind::Cron);
    assert_eq!(story.row.accepted_at, start());
    assert_eq!(story.row.finished_at, Some(start() + TimeDelta::seconds(4)));
    assert_eq!(story.row.deliveries.pending, 2);
}

#[tokio::test]
async fn every_outcome_and_state_comes_back() {
    let home = Home::new();
    let why = || "why".to_owned();
    let states = [
        RunState::Queued,
        RunState::Waiting(Wait::Until(start())),
        RunState::Waiting(Wait::Token("t".to_owned())),
        RunState::Finished(Outcome::Ok),
        RunState::Finished(Outcome::NothingToSay(why())),
        RunState::Finished(Outcome::Skipped(why())),
        RunState::Finished(Outcome::Failed(why())),
        RunState::Finished(Outcome::Interrupted(why())),
        RunState::Finished(Outcome::Cancelled),
        RunState::Finished(Outcome::TooOld),
    ];
    for state in states {
        let run = home.accept("job").await;
        assert_eq!(home.story(run).row.state, RunState::Running);
        let update = RunUpdate {
            state: Some(state.clone()),
            ..RunUpdate::of(run)
        };
        home.store.record(update).await.unwrap();
        assert_eq!(home.story(run).row.state, state);
    }
    let active = home.store.read_now(|reader| reader.active()).unwrap();
    assert_eq!(active.len(), 3);
}

#[tokio::test]
async fn a_run_that_waits_for_a_word_is_begun_by_nobody_before_it_has_it() {
    let home = Home::new();
    let run = home.accept("job").await;
    let state = |state| RunUpdate {
        state: Some(state),
        ..RunUpdate::of(run)
    };
    let waits = RunState::Waiting(Wait::Token("t".to_owned()));
    home.store.record(state(waits)).await.unwrap();
    let taken = home.store.begin(run, "me").await;
    assert_eq!(taken, Err(StoreError::Taken(run)));
    home.store.record(state(RunState::Queued)).await.unwrap();
    home.store.begin(run, "me").await.unwrap();
}

#[tokio::test]
async fn one_dedupe_key_has_one_run() {
    let home = Home::new();
    let first = home
        .store
        .accept(&event("a", Some("k")), "h", Start::Queued)
        .await;
    let run = first.clone().unwrap().run();
    assert_eq!(first, Ok(Accepted::New(run)));
    let second = home
        .store
        .accept(&event("b", Some("k")), "h", Start::Queued)
        .await;
    assert_eq!(second, Ok(Accepted::Duplicate(run)));
    let other = home
        .store
        .accept(&event("a", None), "h", Start::Queued)
        .await;
    assert!(matches!(other, Ok(Accepted::New(new)) if new != run));
}

#[tokio::test]
async fn what_has_an_end_keeps_it_and_a_refused_update_leaves_nothing() {
    let home = Home::new();
    let run = home.accept("job").await;
    let steps = |steps| RunUpdate {
        steps,
        ..RunUpdate::of(run)
    };
    home.store
        .record(steps(vec![step(0, "started")]))
        .await
        .unwrap();
    home.store
        .record(steps(vec![step(0, "done")]))
        .await
        .unwrap();
    let mut again = steps(vec![step(1, "done"), step(0, "failed")]);
    again.cursors = vec![(key("a"), Some(json!(1)))];
    again.deliveries = vec![message("twice")];
    let refused = StoreError::StepRecorded {
        run,
        position: 0,
        attempt: 1,
    };
    assert_eq!(home.store.record(again).await, Err(refused));
    let story = home.story(run);
    assert_eq!(story.steps, [step(0, "done")]);
    assert_eq!(story.deliveries, []);
    assert_eq!(
        home.store.read_now(|reader| reader.cursor(&key("a"))),
        Ok(None)
    );

    home.finish(run, Outcome::Ok).await.unwrap();
    let mut late = finished(run, Outcome::Cancelled);
    late.deliveries = vec![message("late")];
    assert_eq!(
        home.store.record(late).await,
        Err(StoreError::AlreadyFinished(run))
    );
    assert_eq!(home.story(run).row.state, RunState::Finished(Outcome::Ok));
    assert_eq!(home.story(run).deliveries, []);
    let unknown = RunId(999);
    assert_eq!(
        home.finish(unknown, Outcome::Ok).await,
        Err(StoreError::UnknownRun(unknown))
    );
}

#[tokio::test]
async fn a_run_is_taken_by_one_process_only() {
    let home = Home::new();
    let accepted = home
        .store
        .accept(&event("a", None), "h", Start::Queued)
        .await;
    let run = accepted.unwrap().run();
    home.store.begin(run, "one").await.unwrap();
    assert_eq!(
        home.store.begin(run, "two").await,
        Err(StoreError::Taken(run))
    );
    let waiting = RunState::Waiting(Wait::Until(start()));
    home.store
        .record(RunUpdate {
            state: Some(waiting),
            ..RunUpdate::of(run)
        })
        .await
        .unwrap();
    home.store.begin(run, "two").await.unwrap();
    assert_eq!(home.story(run).row.owner.as_deref(), Some("two"));
}

#[tokio::test]
async fn cursors_are_set_moved_listed_by_prefix_and_forgotten() {
    let home = Home::new();
    let names = [
        "/var/log/a",
        "/var/log/b",
        "/var/logs",
        "/var/log/\u{10fff0}",
        "x",
    ];
    let changes = names.map(|name| (key(name), Some(json!({"at": name}))));
    home.store.remember(changes.to_vec()).await.unwrap();
    let moved = vec![
        (key("/var/log/a"), Some(json!(2))),
        (key("/var/log/b"), None),
    ];
    home.store.remember(moved).await.unwrap();
    let listed = home
        .store
        .read_now(|reader| reader.cursors("job", "log", "/var/log/"))
        .unwrap();
    let names: Vec<_> = listed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["/var/log/a", "/var/log/\u{10fff0}"]);
    assert_eq!(listed[0].1, json!(2));
    let other = CursorKey {
        step: "other".to_owned(),
        ..key("x")
    };
    assert_eq!(
        home.store.read_now(|reader| reader.cursor(&other)),
        Ok(None)
    );
}

#[tokio::test]
async fn lists_page_backwards_and_know_each_jobs_last_run() {
    let home = Home::new();
    let mut runs = Vec::new();
    for number in 0..10_u64 {
        let run = home
            .accept(if number % 2 == 0 { "even" } else { "odd" })
            .await;
        home.clock.advance(Duration::from_secs(number));
        home.finish(run, Outcome::Ok).await.unwrap();
        runs.push(run);
    }
    home.accept("even").await;
    home.accept("never finished").await;
    let list = |job: Option<&str>, limit, before| {
        let filter = Filter {
            job: job.map(str::to_owned),
            limit,
            before,
        };
        let rows = home
            .store
            .read_now(|reader| reader.history(&filter))
            .unwrap();
        rows.into_iter().map(|row| row.run).collect::<Vec<_>>()
    };
    assert_eq!(list(Some("odd"), 2, None), [runs[9], runs[7]]);
    assert_eq!(list(Some("odd"), 2, Some(runs[7])), [runs[5], runs[3]]);
    assert_eq!(list(None, 3, Some(runs[3])), [runs[2], runs[1], runs[0]]);
    let last = home.store.read_now(|reader| reader.jobs_last()).unwrap();
    let last: Vec<_> = last.into_iter().map(|row| (row.job, row.run)).collect();
    assert_eq!(
        last,
        [("even".to_owned(), runs[8]), ("odd".to_owned(), runs[9])]
    );
    let took = home.store.read_now(|reader| reader.took("odd", 3)).unwrap();
    assert_eq!(took, [9, 7, 5].map(Duration::from_secs));
}

#[tokio::test]
async fn inline_and_threaded_tell_the_same_story() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at(start()));
    let opened = Store::open(folder.path(), clock, Mode::Inline).unwrap();
    let start = Start::RunningBy("me".to_owned());
    let accepted = opened.store.accept(&event("job", None), "h", start).await;
    let run = accepted.unwrap().run();
    opened
        .store
        .record(finished(run, Outcome::Ok))
        .await
        .unwrap();
    assert_eq!(
        opened.store.record(finished(run, Outcome::Ok)).await,
        Err(StoreError::AlreadyFinished(run))
    );
    let story = opened
        .store
        .read(move |reader| reader.run(run))
        .await
        .unwrap();
    assert_eq!(story.unwrap().row.state, RunState::Finished(Outcome::Ok));
}
