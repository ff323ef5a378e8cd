use super::{Step, notes};

/// Long enough for its content to tell one file from another.
const LONG: &str =
    "the first line of a file that is long enough to be known again by its content\n";

fn started(globs: &[&str]) -> Step {
    let mut step = Step::new(globs);
    step.append("app.log", LONG);
    step.append("app.log", "old\n");
    step.look();
    step
}

#[test]
fn what_was_read_is_not_read_again() {
    let mut step = started(&["app.log"]);
    step.check(&[]);
    step.append("app.log", "new\n");
    step.check(&["new"]);
    step.check(&[]);
}

#[test]
fn a_run_that_is_not_committed_moves_nothing() {
    let mut step = started(&["app.log"]);
    step.append("app.log", "new\n");
    assert_eq!(step.look_only().count, 1);
    step.check(&["new"]);
}

#[test]
fn after_a_rename_the_rest_of_the_old_file_comes_first() {
    for globs in [&["app.log"], &["*.log"], &["app.log*"]] {
        let mut step = started(globs);
        step.append("app.log", "rest of old\n");
        step.rename("app.log", "app.log.1");
        step.append("app.log", "of the new\n");
        let reading = step.check(&["rest of old", "of the new"]);
        assert!(!notes(&reading).contains("missed"), "{}", notes(&reading));
        step.check(&[]);
    }
}

#[test]
fn a_dated_rename_is_followed_too() {
    let mut step = started(&["app.log"]);
    step.append("app.log", "rest\n");
    step.rename("app.log", "app.log-20261120");
    step.append("app.log", "new\n");
    step.check(&["rest", "new"]);
}

#[test]
fn a_program_that_keeps_the_old_file_open_is_still_heard() {
    let mut step = started(&["app.log"]);
    step.rename("app.log", "app.log.1");
    step.append("app.log", "");
    step.check(&[]);
    step.append("app.log.1", "late\n");
    step.append("app.log", "new\n");
    step.check(&["late", "new"]);
    step.check(&[]);
    step.look();
    let kept = step
        .cursors
        .values()
        .any(|value| value.get("rotated").is_some());
    assert!(!kept, "followed for an hour only: {:?}", step.cursors);
}

#[test]
fn a_look_between_rename_and_new_file_loses_nothing() {
    for globs in [&["app.log"], &["*.log"]] {
        let mut step = started(globs);
        step.append("app.log", "rest\n");
        step.rename("app.log", "app.log.1");
        step.check(&["rest"]);
        step.append("app.log.1", "late\n");
        step.check(&["late"]);
        step.append("app.log", "new\n");
        step.check(&["new"]);
    }
}

#[test]
fn a_chain_of_renames_within_the_glob_reads_each_file_once() {
    let mut step = Step::new(&["app.log*"]);
    step.append("app.log.1", format!("{LONG}one\n"));
    step.append("app.log", format!("{LONG}two\n"));
    step.look();
    step.append("app.log", "rest of two\n");
    step.rename("app.log.1", "app.log.2");
    step.rename("app.log", "app.log.1");
    step.append("app.log", "three\n");
    step.check(&["rest of two", "three"]);
    step.check(&[]);
}

#[test]
fn rotation_and_compression_at_once_is_said() {
    let mut step = started(&["app.log"]);
    step.append("app.log", "rest\n");
    step.rename("app.log", "app.log.1.gz");
    step.append("app.log", "new\n");
    let reading = step.check(&["new"]);
    assert!(
        notes(&reading).contains("gone or compressed"),
        "{}",
        notes(&reading)
    );
}

#[test]
fn after_copytruncate_the_copy_gives_the_rest() {
    for globs in [&["app.log"], &["app.log*"]] {
        let mut step = started(globs);
        step.append("app.log", "rest\n");
        step.copytruncate("app.log", "app.log.1");
        step.append("app.log", "new\n");
        let reading = step.look();
        let mut texts: Vec<_> = reading
            .lines
            .iter()
            .map(|told| told.text.as_str())
            .collect();
        texts.sort_unstable();
        assert_eq!(texts, ["new", "rest"], "{globs:?}");
        step.check(&[]);
    }
}

#[test]
fn a_truncated_file_is_read_from_its_start_and_it_is_said() {
    let mut step = started(&["app.log"]);
    step.truncate("app.log");
    step.append("app.log", "new\n");
    let reading = step.check(&["new"]);
    assert!(notes(&reading).contains("truncated"), "{}", notes(&reading));
}

#[test]
fn truncated_and_grown_past_the_old_place_is_noticed() {
    let mut step = started(&["app.log"]);
    step.truncate("app.log");
    let grown = "a line of another file\n".repeat(50);
    step.append("app.log", &grown);
    assert_eq!(step.look().total, 50);
}

#[test]
fn the_same_banner_does_not_hide_a_truncation() {
    let banner = "# a banner of more than a kibibyte\n".repeat(40);
    let mut step = Step::new(&["app.log"]);
    step.append("app.log", format!("{banner}one\n"));
    step.look();
    step.truncate("app.log");
    step.append("app.log", format!("{banner}two\nthree\n"));
    assert_eq!(step.look().total, 42);
}

#[test]
fn a_file_under_a_used_inode_is_another_file() {
    let mut step = started(&["app.log"]);
    let name = format!("file:{}", step.path("app.log").display());
    // What the file system would do if it gave the inode of a deleted file to this one.
    let content =
        "quite other content, and longer than what stood here before, by some lines\n".repeat(3);
    std::fs::write(step.path("other.log"), &content).expect("written");
    let inode =
        std::os::unix::fs::MetadataExt::ino(&step.path("other.log").metadata().expect("there"));
    step.cursors.get_mut(&name).expect("a cursor")["position"]["inode"] = inode.into();
    step.rename("other.log", "app.log");
    assert_eq!(step.look().total, 3);
}

#[test]
fn another_device_number_after_a_restart_is_the_same_file() {
    let mut step = started(&["app.log"]);
    let name = format!("file:{}", step.path("app.log").display());
    step.cursors.get_mut(&name).expect("a cursor")["position"]["device"] = 77.into();
    step.append("app.log", "new\n");
    step.check(&["new"]);
}

#[test]
fn a_file_that_appears_later_is_read_from_its_start() {
    for globs in [&["app.log"], &["*.log"]] {
        let mut step = Step::new(globs);
        assert_eq!(step.look().missing.len(), 1);
        let text = "x".repeat(100) + "\n";
        step.append("app.log", text.repeat(1_000));
        assert_eq!(step.look().total, 1_000);
    }
}

#[test]
fn a_glob_that_is_new_takes_the_end_of_what_is_there() {
    let mut step = Step::new(&["*.log"]);
    let line = "x".repeat(99) + "\n";
    step.append("app.log", line.repeat(1_000));
    let reading = step.look();
    assert_eq!(reading.total, 655, "the whole lines of the last 64 KiB");
    assert!(
        notes(&reading).contains("\"skipped\":34500"),
        "{}",
        notes(&reading)
    );
}

#[test]
fn cursors_of_files_no_longer_named_or_long_gone_are_forgotten() {
    let mut step = started(&["*.log"]);
    std::fs::remove_file(step.path("app.log")).expect("removed");
    assert!(notes(&step.look()).contains("missed"));
    assert!(!notes(&step.look()).contains("missed"), "said once");
    step.now += chrono::TimeDelta::days(8);
    step.look();
    assert!(
        !step.cursors.keys().any(|name| name.starts_with("file:")),
        "{:?}",
        step.cursors
    );
}
