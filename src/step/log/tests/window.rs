use std::time::Duration;

use super::{Step, notes};
use crate::step::log::Since;

fn within(minutes: u64) -> Step {
    let mut step = Step::new(&["app.log"]);
    step.look.since = Since::Within(Duration::from_secs(minutes * 60));
    step.look.choice.max_lines = usize::MAX;
    // The look is at 20:30 UTC, 21:30 in Madrid.
    step
}

#[test]
fn only_lines_of_the_window_are_read() {
    let mut step = within(10);
    step.append("app.log", "Nov 20 21:19:59 pi a: before\n  its detail\nNov 20 21:20:00 pi b: at\n  with detail\nNov 20 21:29:00 pi c: after\n");
    step.check(&[
        "Nov 20 21:20:00 pi b: at",
        "  with detail",
        "Nov 20 21:29:00 pi c: after",
    ]);
    let files: Vec<_> = step.cursors.keys().collect();
    assert!(files.is_empty(), "a window needs no cursor: {files:?}");
}

#[test]
fn a_large_file_is_bisected_to_the_exact_line() {
    for first in [0, 1, 4_999, 5_000, 9_998, 9_999] {
        let mut step = within(10);
        let mut text = String::new();
        for line in 0..10_000 {
            let time = if line < first { "19:00:00" } else { "20:25:00" };
            text.push_str(&format!(
                "2026-11-20T{time}Z line {line}\n  and its detail, {line}\n"
            ));
        }
        step.append("app.log", text);
        let expected = (10_000 - first) * 2;
        assert_eq!(step.look().total, expected, "from line {first}");
    }
}

#[test]
fn nothing_recent_is_nothing_read() {
    let mut step = within(10);
    step.append("app.log", "2026-11-20T19:00:00Z old\n".repeat(10_000));
    let reading = step.check(&[]);
    assert_eq!(reading.total, 0);
}

#[test]
fn a_file_without_times_gives_its_end_and_says_so() {
    let mut step = within(10);
    step.append("app.log", "no time here\n".repeat(10_000));
    let reading = step.look();
    assert!(
        reading.total > 5_000 && reading.total < 5_100,
        "{}",
        reading.total
    );
    assert!(notes(&reading).contains("no timestamps"));
}

#[test]
fn a_window_over_a_rotation_reads_both_files() {
    let mut step = within(10);
    step.append("app.log.1", "2026-11-20T20:25:00Z a\n");
    step.append("app.log", "2026-11-20T20:26:00Z b c\n");
    step.check(&["2026-11-20T20:25:00Z a", "2026-11-20T20:26:00Z b c"]);
}

#[test]
fn from_the_start_is_the_whole_file_each_time() {
    let mut step = Step::new(&["app.log"]);
    step.look.since = Since::Start;
    step.append("app.log", "a\n");
    step.check(&["a"]);
    step.check(&["a"]);
}
