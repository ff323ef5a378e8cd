//! The core alone, moment by moment.

use std::collections::BTreeMap;

use super::*;
use crate::watch::tracker::Tracker;
use crate::watch::verdict::{Answer, Cause, Found, Unknown, Verdict};
use crate::watch::version::Version;

const SETTLE: u64 = 2;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn tracker(grouping: Grouping) -> Tracker {
    Tracker::new(Pace {
        settle: at(SETTLE),
        on: vec![Change::Created, Change::Changed, Change::Removed],
        grouping,
    })
}

fn file(number: u64) -> Found {
    Found::File(Version::numbered(number))
}

/// Hints for one file at these seconds; it is due at `due`.
#[track_caller]
fn check(hints: &[u64], due: u64) {
    for grouping in [Grouping::Each, Grouping::Together] {
        let mut tracker = tracker(grouping);
        let path = Path::new("/a");
        for &hint in hints {
            assert!(tracker.take(9, at(hint)).is_empty());
            tracker.hint(path, Cause::Other, at(hint));
        }
        assert!(
            tracker
                .take(9, at(due) - Duration::from_nanos(1))
                .is_empty()
        );
        assert_eq!(tracker.due(), Some(at(due)));
        assert_eq!(tracker.take(9, at(due)), [path]);
        assert_eq!(tracker.due(), None);
    }
}

#[test]
fn a_file_settles_when_it_was_quiet_and_at_last_after_ten_times_as_long() {
    check(&[0], 2);
    check(&[0, 1], 3);
    check(&[0, 1, 2, 3, 4], 6);
    let without_end: Vec<u64> = (5..25).collect();
    check(&without_end, 25);
}

#[test]
fn a_batch_waits_for_the_last_of_them() {
    let mut tracker = tracker(Grouping::Together);
    tracker.hint(Path::new("/a"), Cause::Appeared, at(0));
    tracker.hint(Path::new("/b"), Cause::Appeared, at(1));
    assert_eq!(tracker.due(), Some(at(3)));
    assert_eq!(tracker.take(1, at(3)), [Path::new("/a")]);
    assert_eq!(tracker.take(9, at(3)), [Path::new("/b")]);
}

#[test]
fn a_scan_tells_nothing_new_of_what_a_hint_told() {
    let mut tracker = tracker(Grouping::Each);
    let path = Path::new("/a");
    tracker.hint(path, Cause::Other, at(0));
    tracker.scanned(path, Some(Version::numbered(1)), Unknown::News, at(1));
    assert_eq!(tracker.take(9, at(2)), [path]);
}

#[test]
fn without_hints_a_file_that_moved_since_the_scan_is_waited_for() {
    let mut tracker = tracker(Grouping::Each);
    let path = Path::new("/a");
    tracker.scanned(path, Some(Version::numbered(1)), Unknown::News, at(0));
    for (now, number) in [(2, 2), (4, 3), (6, 4)] {
        assert_eq!(tracker.take(9, at(now)), [path]);
        assert_eq!(tracker.looked(path, file(number), at(now)), Verdict::Wait);
    }
    assert_eq!(tracker.take(9, at(8)), [path]);
    let verdict = tracker.looked(path, file(4), at(8));
    assert_eq!(verdict, Verdict::Tell(Change::Created));
}

#[test]
fn without_hints_a_file_that_moves_without_end_is_told_at_last() {
    let mut tracker = tracker(Grouping::Each);
    let path = Path::new("/a");
    tracker.scanned(path, Some(Version::numbered(0)), Unknown::News, at(0));
    let mut told = Vec::new();
    for now in 1..=20 {
        for path in tracker.take(9, at(now)) {
            told.push((now, tracker.looked(&path, file(now), at(now))));
        }
    }
    let last = told.pop();
    assert_eq!(last, Some((20, Verdict::Tell(Change::Created))));
    assert!(told.iter().all(|(_, verdict)| *verdict == Verdict::Wait));
}

#[test]
fn what_comes_while_an_offer_is_out_is_told_after_it() {
    let mut tracker = tracker(Grouping::Each);
    let path = Path::new("/a");
    tracker.hint(path, Cause::Appeared, at(0));
    tracker.take(9, at(2));
    assert_eq!(
        tracker.looked(path, file(1), at(2)),
        Verdict::Tell(Change::Created)
    );
    tracker.hint(path, Cause::Other, at(3));
    assert!(tracker.take(9, at(9)).is_empty());
    tracker.answered(path, Answer::Accepted, at(9));
    assert_eq!(tracker.take(9, at(9)), [path]);
    assert_eq!(
        tracker.looked(path, file(2), at(9)),
        Verdict::Tell(Change::Changed)
    );
}

#[test]
fn a_refusal_rests_a_second_then_two_up_to_a_minute() {
    let mut tracker = tracker(Grouping::Each);
    let path = Path::new("/a");
    tracker.hint(path, Cause::Other, at(0));
    let mut now = at(2);
    let mut rests = Vec::new();
    for _ in 0..8 {
        assert_eq!(tracker.take(9, now), [path]);
        tracker.looked(path, file(1), now);
        tracker.answered(path, Answer::Refused, now);
        let due = tracker.due().unwrap();
        rests.push((due - now).as_secs());
        now = due;
    }
    assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn a_name_that_appears_while_the_first_scan_is_under_way_is_news() {
    let mut tracker = tracker(Grouping::Each);
    let (old, new) = (PathBuf::from("/in/old"), PathBuf::from("/in/new"));
    tracker.hint(&old, Cause::Other, at(0));
    tracker.hint(&new, Cause::Appeared, at(0));
    let version = Version::numbered(1);
    let files = BTreeMap::from([(old.clone(), version), (new.clone(), version)]);
    let folder = Path::new("/in");
    tracker.scanned_folder(folder, &files, Unknown::Baseline, |_| true, at(0));
    assert_eq!(
        tracker.take_unsaved(9, at(0)),
        [(old.clone(), Some(version))]
    );
    tracker.answered(&old, Answer::Accepted, at(1));
    for path in tracker.take(9, at(4)) {
        let verdict = tracker.looked(&path, file(1), at(4));
        let expected = if path == new {
            Verdict::Tell(Change::Created)
        } else {
            Verdict::Wait
        };
        assert_eq!(verdict, expected, "{path:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_neither_gone_nor_changed() {
    let mut tracker = tracker(Grouping::Each);
    let path = Path::new("/a");
    tracker.remember(path, Version::numbered(1));
    tracker.hint(path, Cause::Other, at(0));
    tracker.take(9, at(2));
    assert_eq!(tracker.looked(path, Found::Unknown, at(2)), Verdict::Wait);
    assert_eq!(tracker.known(path), Some(Version::numbered(1)));
}
